import type { Notes } from './doctor-finding.ts';

/** A Date header is in whole seconds, and is as old as its way here. */
export function checkClock(notes: Notes, here: Date, there: Date, tolerance: number, fix: string): void {
  const apart = Math.abs(here.getTime() - there.getTime()) / 1000;
  if (apart > tolerance + 1)
    notes.fail('clock', `is ${apart.toFixed(1)} s apart from this host’s; ${tolerance} s are tolerated`, fix);
  else notes.ok('clock', `agrees with this host’s to ${tolerance + 1} s`);
}
