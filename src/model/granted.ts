import { z } from 'zod';
import { TallyError } from './errors.ts';

/** One action pattern of an identity policy. */
export interface GrantedAction {
  readonly effect: 'allow' | 'deny';
  /** NotAction: every action but these. */
  readonly inverted: boolean;
  /** 1-based number of the statement. */
  readonly statement: number;
  readonly pattern: string;
}

const list = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value));
const statement = z.looseObject({
  Effect: z.enum(['Allow', 'Deny']),
  Action: list.optional(),
  NotAction: list.optional(),
});
const policy = z.looseObject({
  Statement: z.union([statement.transform((one) => [one]), z.array(statement)]),
});

/** Reads the actions of an IAM policy document; resources and conditions are not judged here. */
export function parseGranted(text: string): GrantedAction[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new TallyError('input', 'The granted policy is not JSON; give an IAM policy document.', { cause });
  }
  const parsed = policy.safeParse(json);
  if (!parsed.success) {
    const details = parsed.error.issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`);
    throw new TallyError('schema', 'The granted policy is not an IAM policy document.', { details });
  }
  return parsed.data.Statement.flatMap((part, index) => {
    const effect = part.Effect === 'Allow' ? ('allow' as const) : ('deny' as const);
    const rows = (patterns: readonly string[], inverted: boolean): GrantedAction[] =>
      patterns.map((pattern) => ({ effect, inverted, statement: index + 1, pattern }));
    return [...rows(part.Action ?? [], false), ...rows(part.NotAction ?? [], true)];
  });
}
