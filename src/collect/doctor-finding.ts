export type Level = 'fail' | 'warn' | 'ok';

/** What one check found. `fail`: a report would stay unproven; `warn`: it may; each says what to do about it. */
export interface Finding {
  readonly level: Level;
  /** What it is about: a node, a trail, the store. Findings are grouped by it. */
  readonly subject: string;
  /** What was looked at, in a few words. */
  readonly check: string;
  readonly detail: string;
  readonly fix?: string;
}

/** The findings of one subject. */
export interface Notes {
  readonly ok: (check: string, detail: string) => void;
  readonly warn: (check: string, detail: string, fix: string) => void;
  readonly fail: (check: string, detail: string, fix: string) => void;
  readonly findings: readonly Finding[];
}

export function openNotes(subject: string): Notes {
  const findings: Finding[] = [];
  const add =
    (level: Level) =>
    (check: string, detail: string, fix: string): void =>
      void findings.push({ level, subject, check, detail, fix });
  return {
    ok: (check, detail) => void findings.push({ level: 'ok', subject, check, detail }),
    warn: add('warn'),
    fail: add('fail'),
    findings,
  };
}

/** Message of an error and of what caused it, on one line. */
export function reason(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at instanceof Error && parts.length < 4; at = at.cause) {
    const text = (at.message === '' ? at.name : at.message).replace(/\s+/g, ' ').replace(/[.\s]+$/, '');
    if (!parts.some((part) => part.includes(text))) parts.push(text);
  }
  return parts.length === 0 ? String(error) : parts.join(': ');
}
