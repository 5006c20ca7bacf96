import type { PlacedFinding } from './finding-places.ts';
import { events, own } from './names.ts';
import { toAttributes } from './hostile-text.ts';
import type { SpanEvent, Time } from './span.ts';
import { toTime } from './times.ts';

/** More than these go to spans of their own: a span with thousands of events is more than a backend takes. */
export const eventsPerSpan = 64;

const evidenceShown = 16;

/** At the finding's own time, else at `otherwise`. */
export function toFindingEvent(finding: PlacedFinding, otherwise: Time): SpanEvent {
  const { claim, code, kind, subject, detail, from, until, evidence } = finding;
  return {
    name: events.finding,
    time: toTime(from) ?? otherwise,
    attributes: toAttributes({
      [own.findingClaim]: claim,
      [own.findingCode]: code,
      [own.findingKind]: kind,
      [own.findingSubject]: subject,
      [own.findingDetail]: detail,
      [own.findingFrom]: from,
      [own.findingUntil]: until,
      [own.findingEvidence]: evidence.slice(0, evidenceShown),
    }),
  };
}
