import type { DigestName } from './cloudtrail-names.ts';

/** One row of queries/tables/audit_object.sql, keys in its column order; times are RFC 3339 in UTC. */
export interface AuditObject {
  readonly kind: 'log' | 'digest' | 'backfill';
  readonly object: string;
  readonly account: string | null;
  readonly region: string | null;
  readonly trail: string | null;
  readonly from_time: string | null;
  readonly until: string | null;
  readonly delivered: string | null;
  readonly state: 'valid' | 'invalid' | 'missing' | 'listed' | 'altered' | 'pending' | 'unlisted';
  readonly starting: boolean;
  readonly why: string;
  readonly listed_by: string | null;
  readonly evidence: string;
}

/** A row with what a digest's name tells; the rest is for the caller to fill in. */
export function emptyRow(name: DigestName | undefined, object: string, evidence: string): AuditObject {
  return {
    kind: name?.backfill === true ? 'backfill' : 'digest',
    object,
    account: name?.account ?? null,
    region: name?.region ?? null,
    trail: name?.trail ?? null,
    from_time: null,
    until: null,
    delivered: null,
    state: 'missing',
    starting: false,
    why: '',
    listed_by: null,
    evidence,
  };
}
