import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import addFormats from 'ajv-formats';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { SchemaName } from './json-schemas.ts';

export const schemasFolder = join(import.meta.dirname, '../../docs/schemas');

export function readSchema(name: SchemaName): Record<string, unknown> {
  return JSON.parse(readFileSync(join(schemasFolder, `${name}.schema.json`), 'utf8')) as Record<string, unknown>;
}

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictTypes: false, strictRequired: false });
addFormats.default(ajv);
const compiled = new Map<SchemaName, ValidateFunction>();

/** What a published schema has against a value; nothing where it fits. */
export function schemaMistakes(name: SchemaName, value: unknown): string[] {
  const check = compiled.get(name) ?? ajv.compile(readSchema(name));
  compiled.set(name, check);
  check(value);
  return (check.errors ?? []).map(({ instancePath, message }) => `${instancePath || '/'} ${message ?? ''}`);
}
