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
  readonly account?: string;
  readonly requestId?: string;
  /** Record of its issuance, where there is one. */
  readonly evidence?: string;
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
  readonly uid?: number;
  readonly container?: string;
  /** Name of the container's image. */
  readonly image?: string;
  readonly pod?: { readonly namespace?: string; readonly name: string };
  /** Variable TRACEPARENT of its environment, where it has the form of version 00 of W3C Trace Context. */
  readonly traceparent?: string;
  /** Record that it is known from. */
  readonly evidence?: string;
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
  readonly node?: string;
  readonly local?: ReportAddress;
  readonly peer?: ReportAddress;
  /** `up`, `failed` or `unknown`. */
  readonly outcome?: string;
  /** Whether the process sent data: `yes`, `no` or `unknown`. */
  readonly carried?: string;
  /** The listener is in the same tree. */
  readonly inside?: boolean;
  readonly declared?: boolean;
  /** As in {@link ReportEgress}. */
  readonly basis?: string;
  /** The host it is attributed to. */
  readonly host?: string;
}

export interface ReportAddress {
  readonly address: string;
  readonly port?: number;
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
  /** `only`: no other process tree behind the same egress address had a connection open that could have carried it. */
  readonly strength?: 'only' | 'shared';
  /** Other process trees that could have made it; a node that was not watched counts as one. */
  readonly alternatives?: number;
  readonly provider?: string;
  /** The provider's service, as its record names it. */
  readonly service?: string;
  /** Name of the call, as the provider's record has it. */
  readonly event?: string;
  readonly account?: string;
  readonly region?: string;
  readonly requestId?: string;
  /** Record that it is known from. */
  readonly evidence?: string;
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
