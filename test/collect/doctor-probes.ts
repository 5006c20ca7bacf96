import { readdirSync, readFileSync } from 'node:fs';
import { readShippedPolicies } from '../../src/collect/doctor-policies.ts';
import type { AgentAnswer, FileLook, Probes } from '../../src/collect/doctor-probes.ts';
import type { Patient } from '../../src/collect/doctor.ts';
import { toSettings } from '../../src/collect/settings.ts';
import { parseDeclaration } from '../../src/model/declaration.ts';

export const now = new Date('2026-11-21T12:00:00Z');

export interface LoadedPolicy {
  id: string;
  name: string;
  sensors: string[];
  state: string;
  hook_statuses: { state: string; hook_description: string }[];
}

/** What an agent tells of the shipped policies when every hook attached. */
export function shippedPolicies(): LoadedPolicy[] {
  return readShippedPolicies().map(({ name, hooks }, id) => ({
    id: String(id + 1),
    name,
    sensors: ['generic_kprobe'],
    state: 'TP_STATE_ENABLED',
    hook_statuses: hooks.map((hook) => ({ state: 'STATUS_LOADED', hook_description: hook })),
  }));
}

/** Settings of an agent with which nothing is amiss. */
export const goodConf = {
  'enable-process-ns': 'true',
  'enable-process-environment-variables': 'true',
  'filter-environment-variables': 'TASK_ID',
  'enable-process-cred': 'false',
  'enable-ancestors': '',
  'enable-k8s-api': 'false',
  'cgroup-rate': '',
  'rb-size-total': '128M',
  'rb-size': '0',
  'rb-queue-size': '1M',
  'event-queue-size': '400000',
  'export-filename': '/var/log/tetragon/tetragon.log',
  'export-rate-limit': '-1',
  'export-allowlist': '',
  'export-denylist': '',
  'export-file-max-size-mb': '200',
  'export-file-max-backups': '10',
  'field-filters': '',
  'redaction-filters': '',
};

export const goodMetrics = {
  process_start_time_seconds: 1000,
  tetragon_event_cache_entries: 0,
  tetragon_observer_ringbuf_events_lost_total: 0,
  tetragon_observer_ringbuf_queue_events_lost_total: 0,
  tetragon_notify_overflowed_events_total: 0,
  tetragon_events_missing_process_info_total: 0,
};

export const config = `
nodes: { worker-1: { egress: [203.0.113.7] } }
resolvers: [192.0.2.53]
trails: [{ account: '111122223333', region: us-east-1, name: org }]
sources:
  tetragon:
    - node: worker-1
      address: unix:///run/tetragon.sock
      export: /var/log/tetragon/tetragon.log
      metrics: http://localhost:2112/metrics
      policies: /etc/tetragon/policies
  cloudtrail:
    - bucket: trails
      region: us-east-1
      chains: [{ account: '111122223333', region: us-east-1, name: org }]
store: /var/lib/tally
`;

export const taskText = `
apiVersion: tally/v1
kind: Task
task: { id: 7b3f, type: test }
workload: [{ env: { TASK_ID: 7b3f } }]
credentials: [{ provider: aws, session: sess-7b3f, policy: granted.json }]
endpoints: ['route53.amazonaws.com:443']
`;

export function grants(...actions: string[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }] });
}

/** A trail on which nothing is switched off, open for changes. */
export function trailSnapshot(trail: object = {}, status: object = {}, selectors?: object): string {
  return JSON.stringify({
    time: now.toISOString(),
    account: '111122223333',
    region: 'us-east-1',
    trails: [
      {
        Name: 'org',
        TrailARN: 'arn:aws:cloudtrail:us-east-1:111122223333:trail/org',
        HomeRegion: 'us-east-1',
        IsMultiRegionTrail: true,
        IncludeGlobalServiceEvents: true,
        LogFileValidationEnabled: true,
        ...trail,
      },
    ],
    status: { org: { IsLogging: true, ...status } },
    eventSelectors: { org: selectors ?? { EventSelectors: [{ ReadWriteType: 'All', IncludeManagementEvents: true }] } },
  });
}

export const folderLook: FileLook = { kind: 'folder', mode: 0o700, size: 0, readable: true, writable: true };
export const fileLook: FileLook = { kind: 'file', mode: 0o600, size: 64, readable: true, writable: true };

/** The world in which nothing is amiss, with the paths that are there. */
export interface World {
  agent: AgentAnswer;
  metrics: Record<string, number>;
  looks: Map<string, FileLook | 'denied'>;
  texts: Map<string, string>;
  probes: Probes;
}

export function goodWorld(): World {
  const looks = new Map<string, FileLook | 'denied'>([
    ['/var/lib/tally', folderLook],
    ['/run/tetragon.sock', { ...fileLook, kind: 'socket' }],
    ['/var/log/tetragon', folderLook],
    ['/var/log/tetragon/tetragon.log', fileLook],
    ['/etc/tetragon/policies', folderLook],
  ]);
  const shipped = new URL('../../deploy/tetragon/policies/', import.meta.url);
  const texts = new Map(
    readdirSync(shipped).map((file) => [
      `/etc/tetragon/policies/${file}`,
      readFileSync(new URL(file, shipped), 'utf8'),
    ]),
  );
  const probes: Probes = {
    now: () => now,
    files: {
      look: (path) => Promise.resolve(looks.get(path)),
      readText: (path) => Promise.resolve(texts.get(path) ?? ''),
      list: (path) =>
        Promise.resolve(
          [...texts.keys()].flatMap((file) => (file.startsWith(`${path}/`) ? [file.slice(path.length + 1)] : [])),
        ),
      space: () => Promise.resolve({ free: 50 * 2 ** 30, total: 100 * 2 ** 30 }),
    },
    sensor: { agent: () => Promise.resolve(world.agent), metrics: () => Promise.resolve(world.metrics) },
    audit: {
      snapshots: () => Promise.resolve({ texts: [trailSnapshot()], failed: [] }),
      newestDigest: () => Promise.resolve(new Date(now.getTime() - 3_600_000)),
    },
    net: {
      listens: () => Promise.resolve(false),
      date: () => Promise.resolve(now),
      writer: () => Promise.resolve('nobody'),
    },
  };
  const agent = { version: 'v1.7.0', conf: goodConf, policies: shippedPolicies() };
  const world: World = { agent, metrics: { ...goodMetrics }, looks, texts, probes };
  return world;
}

export function patient(key: string, text = config, policies: readonly string[] = [grants('route53:List*')]): Patient {
  return {
    settings: toSettings(text, '/etc/tally.yaml'),
    task: { declaration: parseDeclaration(taskText, 'task.yaml'), policies },
    others: [],
    env: { TALLY_KEY: key },
  };
}
