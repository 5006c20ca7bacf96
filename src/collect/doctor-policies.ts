import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { parsePolicySpecs } from '../sources/policy-specs.ts';

/** One tracing policy of deploy/tetragon/policies. */
export interface ShippedPolicy {
  readonly file: string;
  readonly name: string;
  /** As HookStatus.hook_description names them. */
  readonly hooks: readonly string[];
  /** As health lines tell it. */
  readonly sha256: string;
}

const schema = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    kprobes: z.array(z.object({ call: z.string() })).default([]),
    tracepoints: z.array(z.object({ subsystem: z.string(), event: z.string() })).default([]),
  }),
});

const folder = new URL('../../deploy/tetragon/policies/', import.meta.url);

export function readShippedPolicies(): ShippedPolicy[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
  return files.sort().map((file) => toPolicy(file, readFileSync(new URL(file, folder), 'utf8')));
}

function toPolicy(file: string, text: string): ShippedPolicy {
  const { metadata, spec } = schema.parse(parse(text));
  return {
    file: `deploy/tetragon/policies/${file}`,
    name: metadata.name,
    hooks: [
      ...spec.kprobes.map(({ call }) => call),
      ...spec.tracepoints.map(({ subsystem, event }) => `tracepoint:${subsystem}/${event}`),
    ],
    sha256: parsePolicySpecs(text, file)[0]?.sha256 ?? '',
  };
}
