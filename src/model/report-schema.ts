import { z } from 'zod';
import { claimIds } from './claim.ts';

/*
 * The form of report.json as this version writes it: every field, and no other. What comes back to us is read by
 * parse-report.ts, which is lenient, since an earlier version may have written it. docs/schemas/report.schema.json is made of it.
 */

const text = z.string();
const list = z.array(text).readonly();
const count = z.int().min(0);
const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/)
  .describe('RFC 3339, in UTC');
/** Where the evidence may not tell a time, it is empty. */
const timeOrNone = z.union([time, z.literal('')]);
const record = text.describe('record: stream/origin/number, with #id behind for one inside a file');

const finding = z.strictObject({
  code: text.regex(/^[a-z]+(-[a-z]+)*$/).describe('what was found; docs/claims.md lists the codes'),
  kind: z
    .enum(['counterexample', 'doubt', 'wait', 'note'])
    .describe('what it does: violates the claim, leaves it unproven, does so until a time, or nothing'),
  subject: text.describe('whom it is about: an endpoint, a session, an action, a node'),
  detail: text,
  from: time.exactOptional(),
  until: time.exactOptional(),
  evidence: z.array(record).readonly(),
});

const claim = z.strictObject({
  id: z.enum(claimIds),
  result: z.enum(['holds', 'violated', 'unproven']),
  basis: z
    .enum(['kernel', 'provider-signed', 'provider', 'collector', 'self-reported'])
    .describe('what it leans on, strongest first'),
  findings: z.array(finding).readonly(),
});

const session = z.strictObject({
  provider: text,
  key: text.describe('access key id, or the provider’s own name of the credential'),
  session: text.describe('name of the session, chosen by the caller'),
  declared: z.boolean(),
  role: text.exactOptional(),
  issued: time.exactOptional(),
  expires: time.exactOptional(),
  issuedBy: text.exactOptional(),
  parentKey: text.exactOptional().describe('key of the session that this one was issued from'),
  uses: count,
  denied: count,
  actions: list,
  firstUse: time.exactOptional(),
  lastUse: time.exactOptional(),
  granted: list.exactOptional().describe('actions that the granted policy allows by name'),
  account: text.exactOptional(),
  requestId: text.exactOptional(),
  evidence: record.exactOptional(),
});

const egress = z.strictObject({
  endpoint: text.describe('host:port, address:port or unix:path'),
  channel: text,
  connections: count,
  declared: z.boolean(),
  basis: text.describe('how the address was tied to the name'),
  addresses: list,
  first: time,
  last: time,
});

const process = z.strictObject({
  node: text,
  execId: text,
  parentExecId: text.exactOptional(),
  pid: count,
  binary: text,
  arguments: text,
  started: timeOrNone,
  exited: time.exactOptional(),
  tiedBy: text.describe('how it was found to be the task’s'),
  uid: count.exactOptional(),
  container: text.exactOptional(),
  image: text.exactOptional(),
  pod: z.strictObject({ namespace: text.exactOptional(), name: text }).readonly().exactOptional(),
  traceparent: text.exactOptional(),
  evidence: record.exactOptional(),
});

const address = z.strictObject({ address: text, port: count.exactOptional() }).readonly();

const connection = z.strictObject({
  id: record,
  execId: text,
  endpoint: text,
  channel: text,
  opened: time,
  closed: time.exactOptional(),
  uses: list.describe('uses of credentials that were matched to it'),
  node: text.exactOptional(),
  local: address.exactOptional(),
  peer: address.exactOptional(),
  outcome: text.exactOptional().describe('up, failed or unknown'),
  carried: text.exactOptional().describe('whether data was sent: yes, no or unknown'),
  inside: z.boolean().exactOptional().describe('the listener is in the same tree'),
  declared: z.boolean().exactOptional(),
  basis: text.exactOptional(),
  host: text.exactOptional(),
});

const use = z.strictObject({
  id: text,
  time,
  key: text,
  session: text,
  action: text,
  host: text.exactOptional(),
  source: text.describe('source address in the provider’s record'),
  outcome: text.describe('ok, denied or error'),
  connection: record.exactOptional().describe('the connection that it was matched to'),
  strength: z
    .enum(['only', 'shared'])
    .exactOptional()
    .describe('whether another process tree had a connection open that could have carried it'),
  alternatives: count.exactOptional(),
  provider: text.exactOptional(),
  service: text.exactOptional(),
  event: text.exactOptional(),
  account: text.exactOptional(),
  region: text.exactOptional(),
  requestId: text.exactOptional(),
  evidence: record.exactOptional(),
});

const coverage = z.strictObject({
  source: text,
  subject: text,
  from: timeOrNone,
  until: timeOrNone,
  basis: text,
  detail: text,
});

const gap = z.strictObject({
  stream: text,
  origin: text,
  from: time.exactOptional(),
  until: time.exactOptional(),
  why: text,
  count: count.exactOptional(),
});

const task = z.strictObject({
  id: text,
  type: text,
  agent: text.exactOptional(),
  trigger: z.record(text, text).readonly().exactOptional(),
});

/** `report.json`, and the predicate of the signed statement. */
export const reportSchema = z.strictObject({
  schema: z.literal('tallystick/report/v1'),
  verdict: z
    .enum(['proven', 'violated', 'unproven', 'pending'])
    .describe('proven only where every claim holds; pending where only time is missing'),
  summary: text.describe('why, in one sentence'),
  task: task.readonly(),
  window: z
    .strictObject({ start: time.exactOptional(), end: time.exactOptional() })
    .readonly()
    .describe('when the task ran; without an end nothing of it was seen'),
  pendingUntil: time.exactOptional().describe('for pending: until when to wait'),
  claims: z.array(claim.readonly()).readonly(),
  sessions: z.array(session.readonly()).readonly().describe('credential sessions of the task'),
  egress: z.array(egress.readonly()).readonly().describe('ways out, one row for each endpoint and channel'),
  processes: z.array(process.readonly()).readonly(),
  connections: z.array(connection.readonly()).readonly().describe('ways out, one row each'),
  uses: z.array(use.readonly()).readonly().describe('uses of credentials, one row for each record of a provider'),
  coverage: z.array(coverage.readonly()).readonly().describe('from when until when each source is complete'),
  assumptions: z
    .array(z.strictObject({ name: text, detail: text }).readonly())
    .readonly()
    .describe('accepted by the operator, not shown by evidence'),
  gaps: z.array(gap.readonly()).readonly().describe('when records may be missing'),
  blindSpots: z
    .array(z.strictObject({ channel: text, detail: text, touched: z.boolean() }).readonly())
    .readonly()
    .describe('channels that no hook watched'),
  limits: list.describe('what no evidence of this kind can show'),
  tool: z.strictObject({ name: z.literal('tallystick'), version: text }).readonly(),
});
