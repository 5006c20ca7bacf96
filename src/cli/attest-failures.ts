import { visible } from '../report/visible.ts';
import type { Io } from './io.ts';

/** What services did not do for a report that was signed without them: told at the end, as it is reason not to trust that all is there. */
export interface AttestFailures {
  /** A sentence. */
  readonly failed: (what: string) => void;
  /** Another report takes the place of the one before. */
  readonly forget: () => void;
  /** Tells each on a line of its own, also when nothing else is to be told. Gives the exit code: that of the verdict, or 2. */
  readonly tell: (io: Io, verdict: number) => number;
}

export function attestFailures(): AttestFailures {
  const failures: string[] = [];
  return {
    failed: (what) => {
      if (!failures.includes(what)) failures.push(what);
    },
    forget: () => {
      failures.length = 0;
    },
    tell: (io, verdict) => {
      for (const what of failures) io.stderr(`not attested: ${visible(what)}\n`);
      return failures.length === 0 ? verdict : 2;
    },
  };
}
