/**
 * A world is the truth: what processes did, what providers were asked, and what the sensor and the trail were in a state to
 * tell of it. Evidence is rendered from it (kernel, provider, render-declared) and may then be tampered with. All of it
 * is plain data, so that a world can be cloned, changed and printed.
 */

/** ns since the epoch on the true clock. A node's evidence bears it shifted by the node's `skew`. */
export type Ns = bigint;

export interface World {
  readonly seed: string;
  readonly nodes: Node[];
  /** The first one is judged. The others are declared tasks too, with credentials of their own. */
  readonly tasks: [Task, ...Task[]];
  readonly processes: Process[];
  readonly acts: Act[];
  readonly sessions: Session[];
  readonly calls: Call[];
  readonly trails: Trail[];
  readonly configuration: Configuration;
  /** Where addresses live: what resolvers answer with, and what serves there. */
  readonly services: Service[];
}

/** A name and the addresses that truly serve it. Two services may share an address. */
export interface Service {
  readonly host: string;
  readonly addresses: string[];
}

export interface Node {
  readonly name: string;
  /** Its own address, as sockets show it. */
  readonly address: string;
  /** The address that providers see for it; several nodes may share one. */
  readonly egress: string;
  readonly booted: Ns;
  readonly netns: number;
  readonly resolver: string;
  /** Node's clock minus true clock, ns. */
  skew: Ns;
  sensor: Sensor;
}

/** Names of the policies in lab/policy that every node has loaded. */
export type PolicyName = 'egress-audit' | 'iouring-audit' | 'lineage-audit' | 'dns-audit' | 'dns-libc' | 'tls-audit';

export interface Sensor {
  /** When the agent was started; processes older than it are known from procFS. A later restart is in `restarts`. */
  readonly started: Ns;
  restarts: Ns[];
  /** When the collector asked for metrics and policies. */
  health: Ns[];
  /** `forged`: the line is there (or the event), but the task's process made the connect. */
  canaries: Canary[];
  streams: StreamLine[];
  /** What is not told of policies: each window as health lines inside it show it, if any line falls into it. */
  policyStates: PolicyState[];
  /** Increases of loss counters at a time, as metrics tell. That events are truly missing is in `blind`. */
  losses: { at: Ns; metric: string; labels: string; by: number }[];
  /** Events that never reached the evidence: of the given hooks, or of all. What tells of it are the other lists, or nothing. */
  blind: { from: Ns; until: Ns; hooks?: string[]; policies?: PolicyName[]; processes?: string[] }[];
  /** tetragon_event_cache_entries in health lines from a time on; 0 where nothing is said. */
  cached: { from: Ns; entries: number }[];
}

export interface Canary {
  readonly n: number;
  readonly at: Ns;
  readonly port: number;
  /** The collector's line is there. */
  told: boolean;
  /** Process id of who made the connect; undefined: the collector. */
  by?: string;
  /** False: the connect was never made (or not seen), only the line is there. */
  made: boolean;
}

export interface StreamLine {
  readonly at: Ns;
  readonly state: 'connected' | 'disconnected';
  readonly why?: string;
}

export interface PolicyState {
  readonly policy: PolicyName;
  readonly from: Ns;
  readonly until: Ns;
  /** absent: not in the list; renamed: there under another name; hook-missing: `hook` was not loaded; narrowed: another spec. */
  readonly state: 'disabled' | 'absent' | 'renamed' | 'hook-missing' | 'narrowed' | 'reloaded';
  readonly hook?: string;
}

export interface Task {
  readonly id: string;
  readonly type: string;
  readonly node: string;
  /** Process id of its root. */
  readonly root: string;
  /** What the declaration says. */
  declaration: DeclarationPlan;
}

export interface DeclarationPlan {
  declared: Ns;
  workload: ({ env: Record<string, string> } | { container: string } | { pod: { namespace: string; name: string } })[];
  /** Session names with role; each gives one entry under `credentials`. */
  credentials: { session: string; role: string }[];
  /** Actions that the granted policy allows. */
  granted: string[];
  endpoints: string[];
  infrastructure: string[];
  actions: string[];
  relays: { address: string; log: string }[];
  image?: string;
  window?: { start?: Ns; end?: Ns };
}

export interface Configuration {
  /** By node: addresses that providers see. */
  nodes: Record<string, string[]>;
  resolvers: string[];
  sessionNames: string[];
  issuers: string[];
  hosts: Record<string, string[]>;
  assume: string[];
  infrastructure: string[];
  searchDomains: string[];
}

export interface Process {
  /** Name within the world: p1, p2 … */
  readonly id: string;
  readonly node: string;
  readonly pid: number;
  /** Process id of who forked it (or of the image before, for `image`); undefined for pid 1 and for those older than the sensor. */
  readonly parent: string | undefined;
  /**
   * exec: forked, then execed. fork: forked without exec. image: exec without a fork, same pid as its parent. procfs: older than
   * the sensor.
   */
  readonly how: 'exec' | 'fork' | 'image' | 'procfs';
  /** When it was forked (exec, fork); equal to `started` for the others. */
  readonly forked: Ns;
  /** When its image began: exec time, or fork time. */
  readonly started: Ns;
  /** Undefined: still running at the end of the recording. An image that another image follows has no exit. */
  exited: Ns | undefined;
  readonly binary: string;
  readonly arguments: string;
  readonly cwd: string;
  readonly uid: number;
  env: Record<string, string>;
  /** Namespaced: container id (64 hex digits). `injected`: put in from outside (in_init_tree false). */
  readonly container?: {
    id: string;
    image: string;
    imageId: string;
    namespace: string;
    pod: string;
    injected: boolean;
  };
  netns: number;
  /** Its parent had exited before its exec: the sensor shows init as its parent. */
  readonly adopted: boolean;
}

/** Five-tuple as the process sees it. `socket` is the kernel address that the sensor shows as cookie. */
export interface Tuple {
  readonly local: string;
  readonly localPort: number;
  readonly remote: string;
  readonly remotePort: number;
  readonly socket: string;
}

/** What a process did. Ids a1, a2 … within the world. */
export type Act = ActBase &
  (
    | LookupAct
    | TcpAct
    | { kind: 'udp'; tuple: Tuple; connected: boolean; payload?: string /* base64 */ }
    | { kind: 'icmp' | 'raw'; remote: string; socket: string }
    | { kind: 'packet'; socket: string }
    | { kind: 'unix'; path: string; socket: string }
    | { kind: 'listen'; local: string; localPort: number; socket: string }
    | { kind: 'accept'; tuple: Tuple; until: Ns }
    /** A socket that another process made came in over SCM_RIGHTS, or by pidfd_getfd; then it was written to. */
    | { kind: 'receive'; tuple: Tuple; from: string; by: 'scm' | 'pidfd'; sends: Ns[] }
    /** A write on a connection that another process opened before this one was forked (or before the recording). */
    | { kind: 'inherited'; tuple: Tuple; sends: Ns[] }
    | { kind: 'thread'; tid: number }
    | { kind: 'ptrace' | 'vm-write' | 'pidfd-getfd'; target: string }
    | { kind: 'setns' | 'unshare'; netns: number }
    | { kind: 'io-uring' }
  );

interface ActBase {
  readonly id: string;
  readonly process: string;
  readonly at: Ns;
}

/** A DNS question over UDP and its answer. */
export interface LookupAct {
  kind: 'lookup';
  name: string;
  type: 'A' | 'AAAA';
  server: string;
  localPort: number;
  socket: string;
  /** ns until the answer came; undefined: none came. */
  answered: Ns | undefined;
  answers: { address: string; ttl: number }[];
  /** CNAMEs in front of the addresses. */
  through: string[];
  /** DNS message id. */
  messageId: number;
}

export interface TcpAct {
  kind: 'tcp';
  tuple: Tuple;
  /** Undefined: open at the end. */
  closed: Ns | undefined;
  outcome: 'up' | 'refused' | 'timeout';
  blocking: boolean;
  /** Times at which data was sent; empty: none ever. */
  sends: Ns[];
  /** How its TLS began. `none`: data without TLS. split: over several writes. old: record version 3.0 (no ClientHello in evidence). */
  hello: { form: 'whole' | 'split' | 'old' | 'encrypted'; name: string } | { form: 'none' };
  /** Thread that made it, where it is not the process's first. */
  tid?: number;
}

/** A credential session and the record of its issuance. */
export interface Session {
  readonly key: string;
  readonly name: string;
  /** Role ARN. */
  readonly role: string;
  /** AROA…, the role's unique id. */
  readonly roleId: string;
  readonly account: string;
  readonly issued: Ns;
  readonly expires: Ns;
  readonly issuer:
    | { kind: 'user'; arn: string; key: string }
    | { kind: 'session'; key: string }
    | { kind: 'oidc'; provider: string; subject: string };
  /** Where the issuing call came from. */
  readonly source: string;
  readonly sourceIdentity?: string;
  /** The task whose credential it truly is; undefined: someone else's. */
  readonly task: string | undefined;
  /** Id of the call that issued it (its record is rendered from this session). */
  readonly id: string;
  /** eventID and requestID, UUIDs. */
  readonly eventId: string;
  readonly requestId: string;
  /** False: no record of it exists in the trail. */
  logged: boolean;
  /** Seconds between the call and the delivery of the log file that holds it. */
  readonly delay: number;
  readonly region: string;
}

/** One request that a provider was asked with a session. */
export interface Call {
  readonly id: string;
  /** When the request completed. */
  readonly at: Ns;
  readonly key: string;
  readonly host: string;
  /** eventSource: route53.amazonaws.com. */
  readonly service: string;
  readonly eventName: string;
  /** IAM form: route53:GetHostedZone. */
  readonly action: string;
  readonly account: string;
  readonly region: string;
  /** The client's address as the provider sees it; or a service's name, for a call made on the session's behalf. */
  readonly source: string;
  readonly outcome: 'ok' | 'denied';
  readonly readOnly: boolean;
  readonly data: boolean;
  readonly resources: { arn: string; type: string }[];
  /** Id of the tcp act that truly carried it; undefined: none of this world's. */
  readonly connection: string | undefined;
  readonly eventId: string;
  readonly requestId: string;
  readonly userAgent: string;
  /** The record tells the endpoint that the client asked for. */
  readonly tellsHost: boolean;
  /** False: the trail's selectors leave it out, or it was never logged. */
  logged: boolean;
  readonly delay: number;
  readonly vpcEndpoint?: string;
}

/** One trail in one region: its digest chain, log files and what snapshots say. */
export interface Trail {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly multiRegion: boolean;
  readonly bucket: string;
  /** Digests each hour: their ends. The first has no predecessor. */
  readonly digests: Ns[];
  /** Each as a collector took it; in order of time. */
  snapshots: TrailSnapshot[];
}

export interface TrailSnapshot {
  readonly at: Ns;
  logging: boolean;
  validated: boolean;
  management: 'all' | 'read' | 'write' | 'none';
  /** Data event resource types that are on: AWS::S3::Object … */
  data: string[];
  excluded: string[];
}
