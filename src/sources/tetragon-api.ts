import { readFile } from 'node:fs/promises';
import {
  ChannelCredentials,
  Client,
  type ClientReadableStream,
  type ServiceError,
  status as statusCodes,
} from '@grpc/grpc-js';
import type { TetragonSource } from '../model/collector.ts';
import { TallyError } from '../model/errors.ts';
import { printable } from './sensor-line.ts';
import { maxFrameLength } from './tetragon-frames.ts';
import { decodeInfo, decodePolicies, decodeVersion, type SensorInfo } from './tetragon-messages.ts';

/** A connection to one agent. It is made at the first call; TLS files are read when it is opened. */
export interface Tetragon {
  /** GetEvents: whole frames, undecoded, each a buffer of its own. Nothing but `cancel` ends it from this side. */
  events(request: Buffer): ClientReadableStream<Buffer>;
  /** The calls below reject with a retryable TallyError `input` that names the call. */
  version(deadlineMs?: number): Promise<string>;
  info(deadlineMs?: number): Promise<SensorInfo>;
  /** TracingPolicyStatus as protobuf-JSON with proto names. */
  policies(deadlineMs?: number): Promise<readonly unknown[]>;
  close(): void;
}

export type TetragonAddress = Pick<TetragonSource, 'address' | 'tls'>;

const service = '/tetragon.FineGuidanceSensors';
const usualDeadline = 5000;

const channelOptions = {
  'grpc.max_receive_message_length': maxFrameLength,
  // What the agent can't send waits in a queue of 10,000 events there and is then dropped without a mark: so let it send
  // a good deal ahead while this process is busy. That much memory is the price, and the limit.
  'grpc-node.flow_control_window': 16 * 1024 * 1024,
  // Whoever tries again here decides when; a stream that was opened again in silence would be a gap that no one knows of.
  'grpc.enable_retries': 0,
  'grpc.use_local_subchannel_pool': 1,
  // The collector makes no traffic that it was not told to make.
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_http_proxy': 0,
  // No HTTP/2 keepalive: the agent's server takes pings more often than every 5 minutes on a quiet stream for an attack
  // and hangs up. Whether it still answers is asked by GetVersion, see watchEvents.
};

/**
 * Opens an agent's gRPC service over its unix socket, TCP, TLS or mutual TLS.
 *
 * Throws TallyError `input` when there is no address or a TLS file can't be read.
 */
export async function openTetragon({ address, tls }: TetragonAddress): Promise<Tetragon> {
  if (address === undefined) throw new TallyError('input', 'The sensor has no gRPC address in the configuration.');
  const client = new Client(address, await credentials(tls), { ...channelOptions, ...serverName(tls) });
  const ask = (method: string, deadlineMs: number): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + deadlineMs };
      client.makeUnaryRequest(`${service}/${method}`, asIs, asIs, Buffer.alloc(0), options, (error, answer) => {
        if (error === null && answer !== undefined) resolve(answer);
        else reject(failed(method, error));
      });
    });
  const decoded = async <T>(method: string, deadlineMs: number, decode: (bytes: Buffer) => T): Promise<T> => {
    const answer = await ask(method, deadlineMs);
    try {
      return decode(answer);
    } catch (error) {
      // Whatever protobufjs refuses is a fault of these foreign bytes: nothing else goes in.
      throw new TallyError('input', `${method}: its answer can't be read`, { cause: error, retryable: true });
    }
  };
  return {
    events: (request) => client.makeServerStreamRequest(`${service}/GetEvents`, asIs, asIs, request),
    version: (deadlineMs = usualDeadline) => decoded('GetVersion', deadlineMs, decodeVersion),
    info: (deadlineMs = usualDeadline) => decoded('GetInfo', deadlineMs, decodeInfo),
    policies: (deadlineMs = usualDeadline) => decoded('ListTracingPolicies', deadlineMs, decodePolicies),
    close: () => client.close(),
  };
}

/** Why a call or a stream ended, in one printable line: `UNAVAILABLE: connect ECONNREFUSED …`. */
export function describeEnd(end: { readonly code: number; readonly details: string }): string {
  // grpc-js wraps the reason that matters and puts the time behind it; the same reason must read the same each time
  const details = end.details
    .replace(/^No connection established\. Last error: /, '')
    .replace(/ \(\d{4}-\d\d-\d\dT[\d:.]+Z\)/g, '')
    .replace(/[0-9A-F]+:error:[0-9A-F]+:([^:]*):[^:]*:([^:]*):.*$/s, '$1: $2') // OpenSSL's, without places in its code
    .replace(/\.? ?Resolution note: ?$/, '');
  return printable(`${statusCodes[end.code] ?? `code ${end.code}`}${details === '' ? '' : `: ${details}`}`);
}

// A frame arrives as a buffer that grpc-js made for it alone, so it need not be copied to be kept.
function asIs(bytes: Buffer): Buffer {
  return bytes;
}

function failed(method: string, error: ServiceError | null): TallyError {
  const why = error === null ? 'no answer' : describeEnd(error);
  return new TallyError('input', `${method}: ${why}`, { cause: error, retryable: true });
}

async function credentials(tls: TetragonAddress['tls']): Promise<ChannelCredentials> {
  if (tls === undefined) return ChannelCredentials.createInsecure();
  const [ca, key, cert] = await Promise.all([tls.ca, tls.key, tls.cert].map(readTlsFile));
  try {
    return ChannelCredentials.createSsl(ca ?? null, key ?? null, cert ?? null);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TallyError('input', `The TLS files for the sensor can't be used: ${printable(why)}.`, { cause: error });
  }
}

async function readTlsFile(path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TallyError('input', `The TLS file ${path} can't be read: ${why}.`, { cause: error });
  }
}

function serverName(tls: TetragonAddress['tls']): Record<string, string> {
  if (tls?.serverName === undefined) return {};
  return { 'grpc.ssl_target_name_override': tls.serverName, 'grpc.default_authority': tls.serverName };
}
