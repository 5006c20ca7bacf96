import type { Claim, Verdict } from './claim.ts';

/** Predicate type of our statement; the major version is in the URI. */
export const predicateType = 'https://tallystick.dev/attestations/task-completeness/v1';

export interface ReportSession {
  readonly provider: string;
  /** Access key id or the provider's own name of the credential. */
  readonly key: string;
  readonly session: string;
  readonly declared: boolean;
  readonly role?: string;
  readonly issued?: string;
  readonly expires?: string;
  readonly issuedBy?: string;
  /** Key of the session that this one was issued from (role chaining). */
  readonly parentKey?: string;
  readonly uses: number;
  readonly denied: number;
  readonly actions: readonly string[];
  readonly firstUse?: string;
  readonly lastUse?: string;
  /** Actions the granted policy allows by name, where one was given. */
  readonly granted?: readonly string[];
}

/** All egress of the task to one endpoint by one channel. */
export interface ReportEgress {
  /** `host:port`, `address:port`, or `unix:path`. */
  readonly endpoint: string;
  readonly channel: string;
  readonly connections: number;
  readonly declared: boolean;
  /** How the address was tied to the name: `dns`, `dns+sni`, `hosts`, `resolution`, `ip-range`, `address`, `none`. */
  readonly basis: string;
  readonly addresses: readonly string[];
  readonly first: string;
  readonly last: string;
}

export interface ReportProcess {
  readonly node: string;
  readonly execId: string;
  readonly parentExecId?: string;
  readonly pid: number;
  readonly binary: string;
  readonly arguments: string;
  readonly started: string;
  readonly exited?: string;
  /** How it was found to be the task's: `selector`, `parent`, `fork`, … */
  readonly tiedBy: string;
}

/** One way out on the time line; `uses` are event ids matched to it. */
export interface ReportConnection {
  readonly id: string;
  readonly execId: string;
  readonly endpoint: string;
  readonly channel: string;
  readonly opened: string;
  readonly closed?: string;
  readonly uses: readonly string[];
}

export interface ReportUse {
  readonly id: string;
  readonly time: string;
  readonly key: string;
  readonly session: string;
  readonly action: string;
  readonly host?: string;
  readonly source: string;
  /** `ok`, `denied` or `error`. */
  readonly outcome: string;
  /** Connection id this use was matched to. */
  readonly connection?: string;
  /** `only`: no other tree could have made it; `shared`: another had such a connection open. */
  readonly strength?: 'only' | 'shared';
}

export interface ReportCoverage {
  readonly source: string;
  readonly subject: string;
  readonly from: string;
  readonly until: string;
  readonly basis: string;
  readonly detail: string;
}

export interface ReportGap {
  readonly stream: string;
  readonly origin: string;
  readonly from?: string;
  readonly until?: string;
  readonly why: string;
  readonly count?: number;
}

export interface ReportBlindSpot {
  readonly channel: string;
  readonly detail: string;
  readonly touched: boolean;
}

/** The predicate, and the content of `report.json`. Key order is fixed by the code that builds it. */
export interface Report {
  readonly schema: 'tallystick/report/v1';
  readonly verdict: Verdict;
  /** One plain sentence: why this verdict. */
  readonly summary: string;
  readonly task: {
    readonly id: string;
    readonly type: string;
    readonly agent?: string;
    readonly trigger?: Readonly<Record<string, string>>;
  };
  /** `end` is missing when nothing of the task was seen. */
  readonly window: { readonly start?: string; readonly end?: string };
  /** For `pending`: the time until which to wait. */
  readonly pendingUntil?: string;
  readonly claims: readonly Claim[];
  readonly sessions: readonly ReportSession[];
  readonly egress: readonly ReportEgress[];
  readonly processes: readonly ReportProcess[];
  readonly connections: readonly ReportConnection[];
  readonly uses: readonly ReportUse[];
  readonly coverage: readonly ReportCoverage[];
  readonly assumptions: readonly { readonly name: string; readonly detail: string }[];
  readonly gaps: readonly ReportGap[];
  readonly blindSpots: readonly ReportBlindSpot[];
  /** What no evidence of this kind can show (design 11), printed in every report. */
  readonly limits: readonly string[];
  readonly tool: { readonly name: 'tallystick'; readonly version: string };
}
