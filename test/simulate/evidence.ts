import type { Ns } from './world.ts';

/** What a world left behind, as files would hold it; open for tampering. */
export interface Evidence {
  declaration: string;
  config: string;
  policies: string[];
  tetragon: KernelLine[];
  sensor: SensorLine[];
  cloudtrail: CloudFile[];
}

/** One line of the sensor's export with what it is, so that one can be found without parsing it. */
export interface KernelLine {
  readonly node: string;
  /** True time; the line bears it shifted by the node's skew. */
  readonly at: Ns;
  /** exec, exit, or the hooked function. */
  readonly hook: string;
  /** Process id of who is charged with it; undefined: the sensor or the collector. */
  readonly process: string | undefined;
  /** Act id that it is of, if any. */
  readonly act: string | undefined;
  text: string;
}

export interface SensorLine {
  readonly node: string;
  readonly at: Ns;
  readonly kind: 'health' | 'stream' | 'canary';
  text: string;
}

/** One object of the trail's bucket, or a file beside it (public-keys.json, trails.json). */
export interface CloudFile {
  /** Path below the folder. */
  path: string;
  readonly kind: 'log' | 'digest' | 'public-keys' | 'trails';
  /** Uncompressed content; files whose path ends in .gz are written compressed. */
  text: string;
  /** The object's metadata (x-amz-meta-signature …), written beside it. */
  metadata: Record<string, string> | undefined;
  /** log: its delivery. digest: its end. */
  readonly at: Ns;
}
