export interface TetragonServerOptions {
  /** `unix:///path` or `host:port`; 127.0.0.1 and any port by default. */
  readonly address?: string;
  /** Files in PEM; with `clientCa` the client must show a certificate of it. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly clientCa?: string };
  /** A file of the lab with the answers to the calls (rpc-….json), and one with the metrics page (metrics-….txt). */
  readonly rpc?: string;
  readonly metrics?: string;
  /** Recordings (.binpb.gz) that every subscriber gets from the beginning; the stream stays open then. */
  readonly recordings?: readonly string[];
  /** Recorded events per second; as fast as they are taken by default. */
  readonly rate?: number;
  /** Number of the first event that `make` makes. */
  readonly first?: number;
  /** How many events wait for a slow subscriber until more are dropped, as the agent does; by default none is. */
  readonly queue?: number;
  /** Without the relay in front (faster) nothing can be cut, hung or spoilt. */
  readonly front?: boolean;
}

export interface MakeOptions {
  readonly count: number;
  /** Per second. */
  readonly rate?: number;
  readonly size?: number;
  readonly node?: string;
}

export interface TetragonServer {
  readonly address: string;
  readonly metrics: string;
  readonly recorded: readonly Buffer[];
  readonly requests: readonly Record<string, unknown>[];
  /** Streams that are open. */
  readonly streams: number;
  /** Events that were written to a stream, and that were dropped because its queue was full. */
  readonly sent: number;
  readonly dropped: number;
  send(frames: readonly Buffer[]): Promise<void>;
  make(options: MakeOptions): Promise<number>;
  cut(): void;
  end(): void;
  hang(): void;
  spoil(bytes: Uint8Array): void;
  refuse(): void;
  serve(): void;
  getCounter(key: string): number;
  setCounter(key: string, value: number): void;
  setPage(text: string): void;
  setMetricsUp(up: boolean): void;
  readonly policies: readonly Record<string, unknown>[];
  setPolicies(policies: readonly Record<string, unknown>[]): void;
  setInfo(info: Record<string, unknown> | undefined): void;
  restart(): void;
  stop(): Promise<void>;
}

export function startTetragonServer(options?: TetragonServerOptions): Promise<TetragonServer>;
export function encode(name: string, json: Record<string, unknown>): Buffer;
export function decode(name: string, bytes: Uint8Array): Record<string, unknown>;
export function readRecording(path: string): Buffer[];
export function numberedFrame(
  number: number,
  options?: { readonly node?: string; readonly timeNs?: bigint; readonly size?: number },
): Buffer;
