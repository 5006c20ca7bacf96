import { parseDocument } from 'yaml';
import { z } from 'zod';
import { TallyError } from './errors.ts';

/** Parses YAML or JSON text and checks it; every mistake is reported at once, each with its path. */
export function parseYaml<T>(schema: z.ZodType<T>, text: string, what: string): T {
  const document = parseDocument(text, { uniqueKeys: true });
  const broken = document.errors.map((error) => error.message.split('\n')[0] ?? error.message);
  if (broken.length > 0) throw mistakes(what, broken);
  const result = schema.safeParse(document.toJS({ maxAliasCount: 20 }));
  if (result.success) return result.data;
  throw mistakes(what, result.error.issues.flatMap(describeIssue));
}

function mistakes(what: string, details: readonly string[]): TallyError {
  const count = details.length === 1 ? 'one mistake' : `${details.length} mistakes`;
  return new TallyError('schema', `${what} has ${count}; correct it and try again.`, { details });
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  const at = issue.path.length === 0 ? '(top)' : issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `${at}: unknown key ${JSON.stringify(key)}`);
  return [`${at}: ${issue.message}`];
}

/** A time with a zone, kept as RFC 3339 text in UTC with what precision it had. */
export const timeSchema = z.union([z.date(), z.string()]).transform((value, context) => {
  const text = typeof value === 'string' ? value : value.toISOString();
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.exec(text);
  const whole = match === null ? NaN : Date.parse(`${match[1] ?? ''}${match[3] ?? ''}`);
  if (Number.isNaN(whole)) {
    context.addIssue({ code: 'custom', message: 'expected a time such as 2026-11-21T10:32:53Z' });
    return z.NEVER;
  }
  return `${new Date(whole).toISOString().slice(0, 19)}${match?.[2] ?? ''}Z`;
});
