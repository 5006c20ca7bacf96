import { setTimeout as sleep } from 'node:timers/promises';
import type { Records, WayIn } from '../evidence/record-log.ts';
import type { TetragonSource } from '../model/collector.ts';
import { TallyError } from '../model/errors.ts';
import { connectAndLeave, forkAndExit, greetTls, queryDns } from './canary-parts.ts';
import { type Clock, type SensorLine, toRecord, toTime, wallClock } from './sensor-line.ts';

/** One canary (design 9): what was done at `time`, so that the sensor can be held to having seen it. */
export interface CanaryLine extends SensorLine {
  readonly kind: 'canary';
  readonly n: number;
  readonly port: number;
  /** Seconds between two that are made without being asked for. */
  readonly interval?: number;
  /** Parts that could not be done: they prove nothing this time. */
  readonly failed?: readonly CanaryPart[];
}

export type CanaryPart = 'connect' | 'fork' | 'dns' | 'hello';

export interface CanaryPorts {
  /** Where nobody listens. */
  readonly connect: number;
  /** Hooks on names filter by these ports; 0 takes any that is free. */
  readonly dns: number;
  readonly hello: number;
}

export interface WatchCanariesOptions {
  readonly clock?: Clock;
  /** Number of the first canary: the one after the last that was made before. 1 when that is not known. */
  readonly first?: number;
  /** Told of every canary that was made, to go on from there after a restart. */
  readonly onLine?: (line: CanaryLine) => void;
  readonly ports?: Partial<CanaryPorts>;
}

/** Makes canaries at an interval, between two health lines. */
export interface CanaryWatch extends WayIn {
  /** Makes one now; resolves with its line once it is on disk. */
  now(): Promise<CanaryLine>;
}

/** tcpmux: given away in 1988 and used by no one since. */
const unusedPort = 1;
/** 127.255.255.255 is a broadcast address, 127.0.0.0 was one until Linux 5.14: no TCP connect gets under way there. */
const lastNumber = 0xfffffe;

/** 127.a.b.c with N in the three low bytes. */
export function canaryAddress(n: number): string {
  return `127.${(n >>> 16) & 0xff}.${(n >>> 8) & 0xff}.${n & 0xff}`;
}

/** The number after `n`: 1 … 16777214, then 1 again. */
export function nextCanary(n: number): number {
  return n >= 1 && n < lastNumber ? n + 1 : 1;
}

/**
 * Makes canary number `n`: a TCP connect, a fork, a DNS query and a ClientHello, all to its own loopback address. Never
 * throws: what could not be done is told in the line. The process that calls must be outside every task.
 */
export async function makeCanary(
  node: string,
  n: number,
  ports: CanaryPorts,
  clock: Clock = wallClock,
): Promise<CanaryLine> {
  const host = canaryAddress(n);
  const name = `canary-${n}.tallystick.invalid`; // a name that no one can have (RFC 6761 6.4)
  const time = toTime(clock()); // just before the connect: the event must be found beside it
  const connecting = connectAndLeave(host, ports.connect);
  const parts: readonly [CanaryPart, Promise<void>][] = [
    ['connect', connecting],
    ['fork', forkAndExit()],
    ['dns', queryDns(host, ports.dns, name)],
    ['hello', greetTls(host, ports.hello, name)],
  ];
  const outcomes = await Promise.allSettled(parts.map(([, done]) => done));
  const failed = parts.flatMap(([part], index) => (outcomes[index]?.status === 'rejected' ? [part] : []));
  return { kind: 'canary', node, time, n, port: ports.connect, ...(failed.length === 0 ? {} : { failed }) };
}

/** Keeps canaries of one node, the one on which this process runs, in stream `sensor`. */
export function watchCanaries(
  source: TetragonSource,
  records: Records,
  options: WatchCanariesOptions = {},
): CanaryWatch {
  const clock = options.clock ?? wallClock;
  const configured = typeof source.canary === 'object' ? source.canary.port : unusedPort;
  const ports: CanaryPorts = { connect: configured, dns: 53, hello: 443, ...options.ports };
  const start = options.first ?? 1;
  let n = start >= 1 && start <= lastNumber ? start : 1;

  const now = async (): Promise<CanaryLine> => {
    const mine = n;
    n = nextCanary(n);
    const line: CanaryLine = { ...(await makeCanary(source.node, mine, ports, clock)), interval: source.interval };
    options.onLine?.(line);
    const log = await records.log('sensor', source.node);
    await log.append(toRecord(line), clock());
    return line;
  };
  const run = async (signal: AbortSignal): Promise<void> => {
    const interval = source.interval * 1000;
    // Half an interval behind the health lines: the events of a canary, and those before it, have left the agent's cache
    // by the next line, or that line tells that they have not.
    for (let next = performance.now() + interval / 2; ; next = Math.max(next + interval, performance.now())) {
      await sleep(next - performance.now(), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await now().catch(onlyUnkept);
    }
  };
  return { now, run };
}

/** A line that the store could not keep is counted and told by the store. */
function onlyUnkept(error: unknown): void {
  if (!(error instanceof TallyError)) throw error;
}
