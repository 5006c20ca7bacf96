import { z } from 'zod';
import { TallyError } from './errors.ts';
import type { Report } from './report.ts';

const text = z.string();
const list = z.array(text);
const count = z.number();
const result = z.enum(['holds', 'violated', 'unproven']);

const finding = z.looseObject({
  code: text,
  kind: z.enum(['counterexample', 'doubt', 'wait', 'note']),
  subject: text,
  detail: text,
  from: text.optional(),
  until: text.optional(),
  evidence: list,
});

const session = z.looseObject({
  provider: text,
  key: text,
  session: text,
  declared: z.boolean(),
  role: text.optional(),
  issued: text.optional(),
  expires: text.optional(),
  issuedBy: text.optional(),
  parentKey: text.optional(),
  uses: count,
  denied: count,
  actions: list,
  firstUse: text.optional(),
  lastUse: text.optional(),
  granted: list.optional(),
  account: text.optional(),
  requestId: text.optional(),
  evidence: text.optional(),
});

const process = z.looseObject({
  node: text,
  execId: text,
  parentExecId: text.optional(),
  pid: count,
  binary: text,
  arguments: text,
  started: text,
  exited: text.optional(),
  tiedBy: text,
  uid: count.optional(),
  container: text.optional(),
  image: text.optional(),
  pod: z.looseObject({ namespace: text.optional(), name: text }).optional(),
  traceparent: text.optional(),
  evidence: text.optional(),
});

const address = z.looseObject({ address: text, port: count.optional() });

const connection = z.looseObject({
  id: text,
  execId: text,
  endpoint: text,
  channel: text,
  opened: text,
  closed: text.optional(),
  uses: list,
  node: text.optional(),
  local: address.optional(),
  peer: address.optional(),
  outcome: text.optional(),
  carried: text.optional(),
  inside: z.boolean().optional(),
  declared: z.boolean().optional(),
  basis: text.optional(),
  host: text.optional(),
});

const use = z.looseObject({
  id: text,
  time: text,
  key: text,
  session: text,
  action: text,
  host: text.optional(),
  source: text,
  outcome: text,
  connection: text.optional(),
  strength: z.enum(['only', 'shared']).optional(),
  alternatives: z.number().optional(),
  provider: text.optional(),
  service: text.optional(),
  event: text.optional(),
  account: text.optional(),
  region: text.optional(),
  requestId: text.optional(),
  evidence: text.optional(),
});

const gap = z.looseObject({
  stream: text,
  origin: text,
  from: text.optional(),
  until: text.optional(),
  why: text,
  count: count.optional(),
});

/** What is read of a report that comes back to us; the rest is let through. */
const schema = z.looseObject({
  schema: z.literal('tallystick/report/v1'),
  verdict: z.enum(['proven', 'violated', 'unproven', 'pending']),
  summary: text,
  task: z.looseObject({ id: text, type: text, agent: text.optional(), trigger: z.record(text, text).optional() }),
  window: z.looseObject({ start: text.optional(), end: text.optional() }),
  pendingUntil: text.optional(),
  claims: z.array(z.looseObject({ id: text, result, basis: text, findings: z.array(finding) })),
  sessions: z.array(session),
  processes: z.array(process),
  connections: z.array(connection),
  uses: z.array(use),
  assumptions: z.array(z.looseObject({ name: text })),
  gaps: z.array(gap),
  tool: z.looseObject({ version: text }),
});

/**
 * Reads a `report.json`, as an earlier version may have written it too. It is not verified: `tally verify` does that. Throws TallyError
 * `input` for what is none.
 */
export function parseReport(source: string, name: string): Report {
  const { data, error } = schema.safeParse(toJson(source, name));
  if (data !== undefined) return data as unknown as Report;
  const details = error.issues
    .slice(0, 10)
    .map(({ path, message }) => `${path.map(String).join('.') || '(top)'}: ${message}`);
  throw new TallyError('input', `${name} is no report of tallystick; give a report.json.`, { details });
}

function toJson(source: string, name: string): unknown {
  try {
    return JSON.parse(source);
  } catch (cause) {
    throw new TallyError('input', `${name} is no JSON; give a report.json.`, { cause });
  }
}
