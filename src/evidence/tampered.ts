import { TallyError } from '../model/errors.ts';

/** The error for a piece of our own evidence that does not check out; `file` names it. */
export function tampered(file: string, why: string, cause?: unknown): TallyError {
  return new TallyError('integrity', `${file}: ${why}`, { cause });
}
