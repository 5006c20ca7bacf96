import { access, constants, readdir, readFile, stat, statfs } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { lockStore } from '../evidence/store-lock.ts';
import { TallyError } from '../model/errors.ts';
import { openTrailApi } from '../sources/cloudtrail-api.ts';
import { openBucket } from '../sources/cloudtrail-bucket.ts';
import { accountRoot, dayFolder, daysBack, toPlaces } from '../sources/cloudtrail-folders.ts';
import { parseDigestName } from '../sources/cloudtrail-names.ts';
import { askTrails } from '../sources/cloudtrail-snapshot.ts';
import { askMetrics } from '../sources/sensor-metrics.ts';
import { openTetragon } from '../sources/tetragon-api.ts';
import { askCollector } from './control-client.ts';
import type { AuditProbe, FileLook, FileProbe, NetProbe, Probes, SensorProbe } from './doctor-probes.ts';

const deadlineMs = 5000;
/** Digests are looked for this many seconds back: one comes each hour. */
const digestsBack = 2 * 86_400;

/** The checks' view of the real world. */
export function realProbes(signal: AbortSignal): Probes {
  return { files, sensor, net, audit: auditProbe(signal), now: () => new Date() };
}

const files: FileProbe = {
  look: async (path) => {
    try {
      const found = await stat(path);
      const kind = found.isFile() ? 'file' : found.isDirectory() ? 'folder' : found.isSocket() ? 'socket' : 'other';
      const may = (mode: number): Promise<boolean> =>
        access(path, mode).then(
          () => true,
          () => false,
        );
      const look: FileLook = {
        kind,
        mode: found.mode & 0o777,
        size: found.size,
        readable: await may(kind === 'folder' ? constants.R_OK | constants.X_OK : constants.R_OK),
        writable: await may(constants.W_OK),
      };
      return look;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : 'denied';
    }
  },
  readText: (path) => readFile(path, 'utf8'),
  list: (path) => readdir(path),
  space: async (path) => {
    const { bsize, bavail, blocks } = await statfs(path);
    return { free: bsize * bavail, total: bsize * blocks };
  },
};

const sensor: SensorProbe = {
  agent: async (source) => {
    const tetragon = await openTetragon(source);
    try {
      const version = await tetragon.version(deadlineMs);
      const policies = await tetragon.policies(deadlineMs);
      const conf = await tetragon.info(deadlineMs).then(
        ({ settings }) => Object.fromEntries(settings),
        (error: unknown) => {
          if (error instanceof TallyError) return undefined;
          throw error;
        },
      );
      return { version, policies, conf };
    } finally {
      tetragon.close();
    }
  },
  metrics: (url) => askMetrics(url, deadlineMs),
};

function auditProbe(signal: AbortSignal): AuditProbe {
  return {
    snapshots: async (source, region) => {
      const places = toPlaces(source.chains).filter((place) => place.region === region);
      // the region of the bucket may have no chain of its own, but a trail's home
      const asked =
        places.length > 0 ? places : accounts(source.chains).map((account) => ({ account, region, trails: [] }));
      const api = openTrailApi(source);
      try {
        const { objects, failed } = await askTrails(api, region, asked, new Date().toISOString(), signal);
        return { texts: objects.map(({ text }) => text), failed };
      } finally {
        api.reopen(); // lets go of its connections
      }
    },
    newestDigest: async (source, { account, region, name }) => {
      const bucket = openBucket(source, 1000);
      try {
        const root = accountRoot(source, account);
        for (const day of daysBack(Date.now(), digestsBack)) {
          const listed = await bucket.list(dayFolder(root, 'CloudTrail-Digest', region, day).prefix, signal);
          const ends = listed.flatMap(({ key }) => {
            const digest = parseDigestName(key.slice(key.lastIndexOf('/') + 1));
            return digest === undefined || digest.backfill || (name !== undefined && digest.trail !== name)
              ? []
              : [Date.parse(digest.end)];
          });
          if (ends.length > 0) return new Date(Math.max(...ends));
        }
        return undefined;
      } finally {
        bucket.close();
      }
    },
  };
}

function accounts(chains: readonly { readonly account: string }[]): string[] {
  return [...new Set(chains.map(({ account }) => account))];
}

const net: NetProbe = {
  listens: (port) =>
    new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, timeout: deadlineMs });
      const answer = (listening: boolean) => () => {
        socket.destroy();
        resolve(listening);
      };
      socket.once('connect', answer(true)).once('error', answer(false)).once('timeout', answer(false));
    }),
  date: async (url) => {
    try {
      const response = await fetch(url, {
        method: 'HEAD',
        redirect: 'manual',
        signal: AbortSignal.timeout(deadlineMs),
      });
      await response.body?.cancel();
      const date = Date.parse(response.headers.get('date') ?? '');
      return Number.isNaN(date) ? undefined : new Date(date);
    } catch {
      return undefined; // whether the server can be reached is told by those who need more of it than its clock
    }
  },
  writer: async (store) => {
    try {
      if ((await askCollector(store, 'GET', '/healthz')) !== undefined) return 'collector';
    } catch (error) {
      if (!(error instanceof TallyError)) throw error;
      return 'other';
    }
    if ((await files.look(join(store, 'writer.lock'))) === undefined) return 'nobody';
    try {
      (await lockStore(store))();
      return 'nobody';
    } catch (error) {
      if (!(error instanceof TallyError)) throw error;
      return 'other';
    }
  },
};
