import { join } from 'node:path';
import type { Logger } from 'pino';
import { writeFileAtomic } from '../evidence/atomic-file.ts';
import { fileNameOf } from '../evidence/file-name.ts';
import type { WayIn } from '../evidence/record-log.ts';
import type { Store } from '../evidence/store.ts';
import type { TetragonSource } from '../model/collector.ts';
import { nextCanary, watchCanaries } from '../sources/canary.ts';
import { type FollowedFile, followExport, followLines } from '../sources/file-tail.ts';
import { watchHealth } from '../sources/sensor-health.ts';
import { toTime, wallClock } from '../sources/sensor-line.ts';
import { watchEvents } from '../sources/tetragon-grpc.ts';
import { connectedFile } from './clean-end.ts';
import { countHealth, type Metrics } from './metrics.ts';
import type { Settings } from './settings.ts';
import { readState } from './state.ts';

/** The ways in of every node, and of the files of resolutions. */
export interface Nodes {
  readonly ways: readonly WayIn[];
  /** Makes a canary and then asks every sensor how it is: at the boundaries of tasks. */
  readonly boundary: () => Promise<void>;
  /** What is not connected yet. */
  readonly ready: () => readonly string[];
  /** Brings the nodes' numbers up to date. */
  readonly measure: () => void;
}

/** When something came last, ms since the epoch; before, when we began: one that never comes must be noticed too. */
interface Moment {
  last: number;
}

/** A canary's events need a moment to arrive before the line that vouches for them. */
const canaryHeadStart = 1500;

export async function openNodes(settings: Settings, store: Store, metrics: Metrics, log: Logger): Promise<Nodes> {
  const ways: WayIn[] = [];
  const boundaries: (() => Promise<void>)[] = [];
  const waiting = new Set<string>();
  const followed = new Map<string, FollowedFile>();
  const moments = new Map<string, Moment>();
  for (const source of settings.sources.tetragon) {
    const { node } = source;
    const about = log.child({ node });
    if (source.address !== undefined) {
      const moment: Moment = { last: Date.now() };
      moments.set(node, moment);
      ways.push(watchNode(source, settings.store.path, store, metrics, waiting, moment, about));
      boundaries.push(await watchSensor(source, settings, store, ways, metrics, about));
    }
    if (source.export !== undefined) {
      const state = statePath(settings, 'export', node);
      const file = await followExport({
        node,
        path: source.export,
        records: store,
        statePath: state,
        log: tellOf(about),
      });
      followed.set(node, file);
      ways.push(file);
    }
  }
  for (const path of settings.sources.resolutions) {
    const state = statePath(settings, 'resolution', path);
    ways.push(
      await followLines({
        path,
        stream: 'resolution',
        origin: path,
        records: store,
        statePath: state,
        log: tellOf(log),
      }),
    );
  }
  return {
    ways,
    ready: () => [...waiting],
    boundary: async () => {
      await Promise.all(boundaries.map((one) => one()));
    },
    measure: () => {
      for (const [node, file] of followed) {
        const { isConnected, lagBytes } = file.status();
        metrics.connected.set({ node, way: 'export' }, isConnected ? 1 : 0);
        metrics.exportLag.set({ node }, lagBytes);
      }
      for (const [node, { last }] of moments) metrics.lastFrame.set({ node }, last / 1000);
    },
  };
}

function tellOf(log: Logger): (message: string) => void {
  return (message) => log.warn(message);
}

function statePath({ store }: Settings, what: string, of: string): string {
  return join(store.path, 'state', `${what}-${fileNameOf(of)}.json`);
}

function watchNode(
  source: TetragonSource,
  storePath: string,
  store: Store,
  metrics: Metrics,
  waiting: Set<string>,
  moment: Moment,
  log: Logger,
): WayIn {
  const { node } = source;
  const gauge = metrics.connected.labels({ node, way: 'grpc' });
  const breaks = metrics.streamBreaks.labels({ node });
  const lacks = `${node}: the stream of the sensor is not connected`;
  gauge.set(0);
  breaks.inc(0);
  waiting.add(lacks);
  return watchEvents(source, store, {
    watcher: {
      frame: () => void (moment.last = Date.now()),
      connected: () => {
        const connected = toTime(wallClock() + 2_000_000n); // not before its line, which is a millisecond ahead
        void writeFileAtomic(connectedFile(storePath, node), JSON.stringify({ connected })).catch(() => undefined);
        gauge.set(1);
        waiting.delete(lacks);
        log.info('stream connected');
      },
      disconnected: (why) => {
        if (!waiting.has(lacks)) breaks.inc();
        gauge.set(0);
        waiting.add(lacks);
        log.warn({ why }, 'stream disconnected');
      },
      otherNode: (name) => log.error({ name }, 'the sensor calls its node otherwise; name it so in the configuration'),
    },
  });
}

/** Health lines, and canaries where this is the node; gives the way to ask for both now. */
async function watchSensor(
  source: TetragonSource,
  settings: Settings,
  store: Store,
  ways: WayIn[],
  metrics: Metrics,
  log: Logger,
): Promise<() => Promise<void>> {
  const count = countHealth(metrics, source.node);
  let lastError: string | undefined;
  const health = watchHealth(source, store, {
    onLine: (line) => {
      count(line);
      const { error } = line;
      if (error !== lastError)
        log.warn({ error: error ?? null }, error === undefined ? 'sensor answers' : 'sensor can’t vouch');
      lastError = error;
    },
  });
  ways.push(health);
  if (source.canary === false) return () => health.now().then(() => undefined);
  const path = statePath(settings, 'canary', source.node);
  const before = await readState<{ n: number }>(path);
  const canary = watchCanaries(source, store, {
    first: nextCanary(before?.n ?? 0),
    onLine: ({ n, failed }) => {
      void writeFileAtomic(path, JSON.stringify({ n })).catch(() => undefined); // a number used twice is a hint, no fault
      if (failed !== undefined) log.debug({ n, failed }, 'parts of a canary could not be made');
    },
  });
  ways.push(canary);
  return async () => {
    await canary.now();
    await new Promise((resolve) => setTimeout(resolve, canaryHeadStart));
    await health.now();
  };
}
