import type { CloudTrailSource, TetragonSource } from '../model/collector.ts';
import type { AwsError } from '../sources/aws-error.ts';

/** What the checks may touch of the outside: given to them, so that tests can say what is there. */
export interface Probes {
  readonly files: FileProbe;
  readonly sensor: SensorProbe;
  readonly audit: AuditProbe;
  readonly net: NetProbe;
  readonly now: () => Date;
}

export interface FileLook {
  readonly kind: 'file' | 'folder' | 'socket' | 'other';
  /** Permission bits. */
  readonly mode: number;
  readonly size: number;
  readonly readable: boolean;
  readonly writable: boolean;
}

export interface FileProbe {
  /** Undefined where there is nothing; `denied` where a folder above can't be entered. */
  look(path: string): Promise<FileLook | 'denied' | undefined>;
  readText(path: string): Promise<string>;
  /** Names of what is in a folder. */
  list(path: string): Promise<string[]>;
  /** Bytes of the disk that holds it. */
  space(path: string): Promise<{ readonly free: number; readonly total: number }>;
}

/** Answers of the agent's GetVersion, GetInfo and ListTracingPolicies. */
export interface AgentAnswer {
  readonly version: string;
  /** Settings of GetInfo by name; undefined when the agent does not tell them. */
  readonly conf: AgentConf | undefined;
  /** TracingPolicyStatus as protobuf-JSON with proto names, as health lines hold them. */
  readonly policies: readonly unknown[];
}

export type AgentConf = Readonly<Record<string, unknown>>;

export interface SensorProbe {
  /** Rejects when the agent can't be reached or does not answer. */
  agent(source: TetragonSource): Promise<AgentAnswer>;
  /** Samples by name and labels. Rejects when there are none. */
  metrics(url: string): Promise<Readonly<Record<string, number>>>;
}

export interface AuditProbe {
  /** Snapshots of the trails that watch a region, as `trails.json` holds them, and what could not be asked. Rejects with AwsError. */
  snapshots(
    source: CloudTrailSource,
    region: string,
  ): Promise<{ texts: readonly string[]; failed: readonly AwsError[] }>;
  /** End of the newest digest of a chain in the bucket. Rejects with AwsError. */
  newestDigest(source: CloudTrailSource, chain: CloudTrailSource['chains'][number]): Promise<Date | undefined>;
}

export interface NetProbe {
  /** Whether something listens on this port of loopback. */
  listens(port: number): Promise<boolean>;
  /** The clock of a server, from its Date header, to the second. */
  date(url: string): Promise<Date | undefined>;
  /** Who writes the store: a collector that answers, another process, or nobody. */
  writer(store: string): Promise<'collector' | 'other' | 'nobody'>;
}
