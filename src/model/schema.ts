import { type Document, parseDocument, visit } from 'yaml';
import { z } from 'zod';
import { TallyError } from './errors.ts';

/** Parses YAML or JSON text and checks it; every mistake is reported at once, each with its path. */
export function parseYaml<T>(schema: z.ZodType<T>, text: string, what: string): T {
  const document = parseDocument(text, { uniqueKeys: true, stringKeys: true });
  const broken = [...document.errors, ...document.warnings].map(({ message }) => message.split('\n')[0] ?? message);
  if (broken.length > 0) throw mistakes(what, broken);
  const result = schema.safeParse(toValue(document, what));
  if (result.success) return result.data;
  throw mistakes(what, result.error.issues.flatMap(describeIssue));
}

/**
 * The value of a document. A number or boolean that is written another way than it prints stays text, so that an id such as
 * `7e3` or `0042` is what was written.
 */
function toValue(document: Document, what: string): unknown {
  visit(document, {
    Scalar: (_key, node) => {
      const read = typeof node.value === 'number' || typeof node.value === 'boolean';
      if (read && node.source !== undefined && node.source !== String(node.value)) node.value = node.source;
    },
  });
  try {
    return document.toJS({ maxAliasCount: 20 });
  } catch (error) {
    // an alias to nothing, or aliases that multiply
    if (!(error instanceof ReferenceError)) throw error;
    throw mistakes(what, [error.message]);
  }
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

const timeForm = 'expected a time such as 2026-11-21T10:32:53Z';
/** Where nanoseconds since the epoch still fit in 64 bits. */
const latest = Date.parse('2262-01-01T00:00:00Z');

/** A time with a zone, kept as RFC 3339 text in UTC with what precision it had. */
export const timeSchema = z.union([z.date(), z.string()], timeForm).transform((value, context) => {
  const text = typeof value === 'string' ? value : value.toISOString();
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.exec(text);
  const local = match?.[1] ?? '';
  const whole = Date.parse(`${local}${match?.[3] ?? ''}`);
  // the parser takes 30 February for a day in March
  const inCalendar = !Number.isNaN(whole) && new Date(`${local}Z`).toISOString().startsWith(local);
  if (!inCalendar || whole < 0 || whole >= latest) {
    context.addIssue({ code: 'custom', message: timeForm });
    return z.NEVER;
  }
  return `${new Date(whole).toISOString().slice(0, 19)}${match?.[2] ?? ''}Z`;
});
