import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { schemaNames, toJsonSchema } from './json-schemas.ts';

// npm run schemas: writes docs/schemas from the code.
const folder = join(import.meta.dirname, '../../docs/schemas');
mkdirSync(folder, { recursive: true });
for (const name of schemaNames) {
  const text = await format(JSON.stringify(toJsonSchema(name)), { parser: 'json', printWidth: 120 });
  writeFileSync(join(folder, `${name}.schema.json`), text);
}
