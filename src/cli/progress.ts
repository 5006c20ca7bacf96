import type { GlobalFlags, Io } from './io.ts';

export interface Progress {
  readonly step: (what: string) => void;
  readonly end: () => void;
}

/** One line on stderr that names what is under way; nothing when that is no terminal, or --quiet or --json is set. */
export function toProgress(io: Io, flags: GlobalFlags): Progress {
  if (!io.terminal || flags.quiet === true || flags.json === true)
    return { step: () => undefined, end: () => undefined };
  return {
    step: (what) => io.stderr(`\r\u001b[2K${what} …`),
    end: () => io.stderr('\r\u001b[2K'),
  };
}
