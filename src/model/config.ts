import { z } from 'zod';
import { toAddress, toHexRange } from './address.ts';
import { attestSchema } from './attest.ts';
import { collectorSchema, keysSchema, sourcesSchema, storeSchema, telemetrySchema, tracesSchema } from './collector.ts';
import { endpointSchema } from './declaration.ts';
import { parseHost } from './endpoint.ts';
import { parseYaml } from './schema.ts';

const address = z.string().refine((text) => toAddress(text) !== undefined, 'must be an IP address');
const range = z.string().refine((text) => toHexRange(text) !== undefined, 'must be an IP address or CIDR');
const host = z.string().transform((text, context) => {
  const parsed = parseHost(text);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is not a host name` });
  return z.NEVER;
});

/** Assumptions an operator can accept by name; each is printed and signed where a report leans on it. */
export const assumptions = {
  'co-tenants-isolated':
    'Tasks that share a node or an egress address cannot read each other’s credentials; where another had a connection to the same host open, the credential is taken as used by its own task.',
} as const;

const template = z
  .string()
  .refine((text) => text.includes('{task}'), 'must contain {task}')
  .refine(
    (text) => (text.match(/\{[^}]*\}/g) ?? []).every((part) => /^\{[a-z]+\}$/.test(part)),
    'placeholders are {task}, {suffix}, {sub} and the like',
  );

/** An account and region whose digest chain must be there, whatever was found. */
const chain = z.strictObject({
  account: z
    .union([z.string(), z.number()])
    .transform(String)
    .pipe(z.string().regex(/^\d{12}$/, 'must be 12 digits in quotes')),
  region: z.string().min(1),
  name: z.string().min(1).optional(),
});

export const configSchema = z.strictObject({
  apiVersion: z.literal('tally/v1', 'must be tally/v1').default('tally/v1'),
  kind: z.literal('Config', 'must be Config').default('Config'),
  nodes: z
    .record(z.string(), z.strictObject({ egress: z.array(range) }))
    .describe('nodes, and the addresses that providers see of each')
    .default({}),
  hosts: z.record(z.string(), z.array(address)).describe('addresses of hosts, taken as true').default({}),
  resolvers: z.array(address).describe('resolvers whose answers count').default([]),
  searchDomains: z.array(host).describe('suffixes that resolvers try').default([]),
  infrastructure: z.array(endpointSchema).describe('what every task may reach without a credential').default([]),
  issuers: z.array(z.string().min(1)).describe('principals that may issue sessions').optional(),
  trails: z
    .union(
      [
        z
          .string()
          .min(1)
          .transform((file) => ({ file })),
        z.array(chain),
      ],
      'must be a file, or a list of {account, region}',
    )
    .describe('accounts and regions whose digest chain must be there')
    .optional(),
  sessionNames: z.array(template).default(['ironclaw-task-{task}-{suffix}', '{sub}-{task}', 'task-{task}@ironclaw']),
  assume: z
    .array(z.enum(Object.keys(assumptions) as [keyof typeof assumptions]))
    .describe('assumptions that are accepted by name')
    .default([]),
  tolerance: z
    .union(
      [
        z.number(),
        z
          .string()
          .regex(/^\d+(\.\d+)?s?$/)
          .transform(Number.parseFloat),
      ],
      'must be seconds: 2 or "2s"',
    )
    .pipe(z.number().min(0).max(300))
    .meta({ description: 'seconds by which times of the two halves may differ' })
    .default(2),
  sources: sourcesSchema.optional(),
  store: storeSchema.optional(),
  keys: keysSchema.optional(),
  collector: collectorSchema.optional(),
  traces: tracesSchema.optional(),
  telemetry: telemetrySchema.optional(),
  attest: attestSchema.optional(),
});

/** The configuration (design 6), every default filled in. `tolerance` is in seconds. */
export type Config = z.output<typeof configSchema>;

export function parseConfig(source: string, name: string): Config {
  return parseYaml(configSchema, source.trim() === '' ? '{}' : source, `The configuration ${name}`);
}
