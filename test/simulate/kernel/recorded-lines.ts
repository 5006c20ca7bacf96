import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const shared = process.env['TALLY_SHARED'] ?? join(import.meta.dirname, '../../../../shared');

/** Recordings of the lab that are small enough to be read whole; between them they hold every hook that was ever recorded. */
const scenarios = (
  's01-benign s03-udp s04-daemon s05-unix-relay s06-loopback-relay s07-inherited-socket s09-fork-threads s10-ipv6 ' +
  's11-io-uring s12-raw-packet s13-refused-timeout s16-concurrent s19-tfo-mptcp s22b-lsm'
).split(' ');

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** One event of an export line. */
export interface Event {
  readonly text: string;
  /** exec, exit, or the hooked function with the policy that tells it. */
  readonly hook: string;
  readonly pid: number;
  readonly ancestors: number;
  readonly line: Json;
}

interface Line {
  readonly [kind: string]: {
    readonly function_name?: string;
    readonly symbol?: string;
    readonly event?: string;
    readonly policy_name?: string;
    readonly process?: { readonly exec_id?: string; readonly pid?: number };
    readonly ancestors?: readonly unknown[];
  };
}

export function toEvent(text: string): Event {
  const line = JSON.parse(text) as Line;
  const [kind = '', event = {}] = Object.entries(line).find(([name]) => name !== 'node_name' && name !== 'time') ?? [];
  const name = event.function_name ?? event.symbol ?? event.event;
  return {
    text,
    hook: name === undefined ? kind.slice('process_'.length) : `${name}@${event.policy_name ?? ''}`,
    // without an exec_id the sensor knew nothing of the process: such an event shows the form of none
    pid: event.process?.exec_id === undefined ? -1 : (event.process.pid ?? -1),
    ancestors: event.ancestors?.length ?? 0,
    line: line as unknown as Json,
  };
}

export function readRecorded(path: string): Event[] {
  return readShared(path)
    .split('\n')
    .filter((line) => line !== '')
    .map(toEvent);
}

export function readShared(path: string): string {
  const whole = join(shared, path);
  if (!existsSync(whole)) throw new Error(`${whole} is missing: set TALLY_SHARED to the folder that holds it.`);
  return gunzipSync(readFileSync(whole)).toString('utf8');
}

/** Every event of the small recordings, recording by recording. */
export function readAllRecorded(): Event[][] {
  const paths = scenarios.map((name) => `lab/scenarios/${name}/events.jsonl.gz`);
  return [...paths, 'cases/c01-benign/tetragon.jsonl.gz'].map(readRecorded);
}

/** Paths of a line with the kind of what is there; members of a list count as one, but arguments go by their position. */
export function toPaths(value: Json, path = '', found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) {
    const byPlace = path.endsWith('.args');
    for (const [n, item] of (value as readonly Json[]).entries()) toPaths(item, `${path}[${byPlace ? n : ''}]`, found);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) toPaths(item, `${path}.${key}`, found);
  } else {
    found.add(`${path}:${path.endsWith('label') ? String(value) : typeof value}`);
  }
  return found;
}
