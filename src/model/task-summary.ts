import { z } from 'zod';

/** What keeps one claim of a task open: one finding code with how many findings bear it. */
const reason = z.object({
  claim: z.string(),
  code: z.string(),
  /** `counterexample`, `doubt` or `wait`; notes keep nothing open. */
  kind: z.string(),
  findings: z.number(),
});
export type OpenReason = Readonly<z.output<typeof reason>>;

const schema = z.object({
  schema: z.literal('tallystick/summary/v1'),
  task: z.string(),
  /** `declared`: nothing of it was seen yet. `final`: more evidence can't change what is said of it. */
  state: z.enum(['declared', 'running', 'ended', 'final']),
  verdict: z.enum(['proven', 'violated', 'unproven', 'pending']),
  window: z.object({ start: z.string().optional(), end: z.string().optional() }),
  counts: z.object({
    processes: z.number(),
    /** Connections. */
    egress: z.number(),
    uses: z.number(),
    /** Those that leave a claim open or violate it. */
    findings: z.number(),
  }),
  /** Newest time in the evidence. */
  judgedUntil: z.string().nullable(),
  /** Entries of the ledger at that moment. */
  size: z.number(),
  final: z.boolean(),
  pendingUntil: z.string().nullable(),
  /** Claims that do not hold, by finding code. Older versions kept none of it, and a summary without it is one still. */
  open: z.array(reason).optional().catch(undefined),
  /** What the declaration says, so that lists needn't read it again while its text has this SHA-256. Older versions kept none of it. */
  declaration: z
    .object({ sha256: z.string(), type: z.string(), agent: z.string().nullable() })
    .optional()
    .catch(undefined),
});

/** What the last report on a task said, kept beside the store: a convenience that no report leans on. */
export type TaskSummary = z.output<typeof schema>;
export type TaskState = TaskSummary['state'];

/** Undefined for what is none. */
export function parseSummary(text: string): TaskSummary | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
