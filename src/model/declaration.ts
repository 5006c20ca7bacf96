import { z } from 'zod';
import { type Endpoint, parseEndpoint } from './endpoint.ts';
import { parseYaml, timeSchema } from './schema.ts';

export const endpointSchema = z
  .string()
  .transform((text, context): Endpoint => {
    const endpoint = parseEndpoint(text);
    if (typeof endpoint !== 'string') return endpoint;
    context.addIssue({ code: 'custom', message: `${JSON.stringify(text)}: ${endpoint}` });
    return z.NEVER;
  })
  .meta({
    description:
      'host:port, *.host:port, address:port, [v6]:port or cidr:port, with /udp behind for UDP; or unix:/path',
    pattern: '^(unix:[/@].+|.+:[0-9]{1,5}(/(tcp|udp))?)$',
  });

const text = z.string().min(1, 'must not be empty');
const scalar = z
  .union([z.string(), z.number(), z.boolean()], 'must be one value: text, number or boolean')
  .transform(String);

/** Ids become parts of names and patterns: no path, no space, no control character. */
const taskId = z
  .union([z.string(), z.number()], 'must be text')
  .transform(String)
  .pipe(
    z
      .string()
      .regex(
        /^[A-Za-z0-9][A-Za-z0-9_.@=+-]{0,127}$/,
        'must be 1 to 128 characters of A-Z a-z 0-9 _ . @ = + -, not starting with a sign',
      ),
  )
  .meta({ description: 'other than that of any other task', pattern: '^[A-Za-z0-9][A-Za-z0-9_.@=+-]{0,127}$' });

const selector = z
  .strictObject({
    env: z
      .record(text, scalar)
      .refine((env) => Object.keys(env).length > 0, 'must name a variable')
      .meta({ description: 'variables of its environment', minProperties: 1 })
      .optional(),
    container: z
      .string()
      .regex(/^[0-9a-f]{8,64}$/, 'must be 8 to 64 hex digits of a container id')
      .optional(),
    pod: z.strictObject({ namespace: text, name: text }).optional(),
    labels: z.record(text, scalar).optional(),
    process: z.strictObject({ node: text, pid: z.int().positive(), started: timeSchema }).optional(),
    execId: text.optional(),
  })
  .refine((value) => Object.keys(value).length > 0, 'must have one of env, container, pod, labels, process, execId')
  .meta({ description: 'a process that fits all of it is the task’s', minProperties: 1 });

const credential = z.strictObject({
  provider: z.enum(['aws', 'gcp', 'vault', 'ssh']),
  session: text.describe('name of the session; self-reported, since the caller chooses it').optional(),
  key: text.describe('access key id, or the provider’s own name of the credential').optional(),
  role: text.optional(),
  policy: text.describe('file of the granted policy, beside the declaration').optional(),
});

export const declarationSchema = z.strictObject({
  apiVersion: z.literal('tally/v1', 'must be tally/v1'),
  kind: z.literal('Task', 'must be Task'),
  task: z.strictObject({
    id: taskId,
    type: text.describe('runs of one type are compared with each other'),
    agent: text.optional(),
  }),
  trigger: z.record(z.string(), scalar).describe('what started it: run, commit and the like').optional(),
  declared: timeSchema.meta({ description: 'when it was declared; self-reported' }).optional(),
  workload: z
    .array(selector)
    .min(1, 'must have at least one selector')
    .describe('any one that fits makes a process the task’s; its descendants follow'),
  image: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hex digits')
    .optional(),
  credentials: z
    .array(
      credential
        .refine((value) => value.session !== undefined || value.key !== undefined, 'must have session or key')
        .meta({ anyOf: [{ required: ['session'] }, { required: ['key'] }] }),
    )
    .describe('the credentials that the task gets')
    .default([]),
  endpoints: z.array(endpointSchema).describe('what it may reach, and where credentials are used').default([]),
  infrastructure: z.array(endpointSchema).describe('what it may reach without a credential').default([]),
  actions: z
    .array(z.string().regex(/^([A-Za-z0-9-]+:[A-Za-z0-9*?]+|\*)$/, 'must be service:Action, with * and ? allowed'))
    .describe('actions that it may use; without a list all that were granted')
    .optional(),
  relays: z
    .array(z.strictObject({ address: endpointSchema, log: text }))
    .describe('proxies whose log is evidence')
    .default([]),
  window: z
    .strictObject({ start: timeSchema.optional(), end: timeSchema.optional() })
    .refine(
      ({ start, end }) => start === undefined || end === undefined || Date.parse(start) <= Date.parse(end),
      'must not end before it starts',
    )
    .meta({ description: 'else from the first process to the last exit' })
    .optional(),
  require: z
    .array(z.enum(['image', 'commit', 'run']))
    .describe('what evidence must confirm')
    .default([]),
});

/** A declared task (design 6), every default filled in. */
export type Declaration = z.output<typeof declarationSchema>;
export type Selector = z.output<typeof selector>;

export function parseDeclaration(source: string, name: string): Declaration {
  return parseYaml(declarationSchema, source, `The declaration ${name}`);
}
