import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openTrailWriter } from './fleet-trail.ts';
import { fleetTargets, type FleetTask, type Piece, startTask } from './fleet-task.ts';
import { type LineFile, openLineFile } from './fleet-lines.ts';
import { makeBroker } from '../good/credentials.ts';
import { openDraft } from '../good/draft.ts';
import { type Machine, makeNodes } from '../good/nodes.ts';
import { sizes } from '../good/size.ts';
import { minute, second, stretch } from '../good/time.ts';
import { renderDeclared } from '../render-declared.ts';
import { renderKernel } from '../kernel/render-kernel.ts';
import { findKeyHolders, type KeyHolders } from '../provider/identity.ts';
import { renderIssuance } from '../provider/issuance.ts';
import { type AuditRecord, deliveryOf, renderCall } from '../provider/record.ts';
import { openRandom } from '../random.ts';
import { renderSensor } from '../kernel/render-sensor.ts';
import type { Call, Canary, Ns, Task, Trail, World } from '../world.ts';

export interface Fleet {
  readonly seed: string;
  readonly tasks: number;
  readonly connectionsPerTask: number;
  readonly nodes?: number;
  readonly form?: 'export' | 'lean';
  /** Called now and then with what is written so far. */
  readonly told?: (written: Written) => void;
}

export interface Written {
  readonly connections: number;
  readonly kernelLines: number;
  readonly records: number;
}

/** Connections of one worker process: what is held in memory at a time, for each node. */
const chunk = 400;

/**
 * Writes the evidence of many tasks over time, piece by piece: `tetragon/NODE.jsonl.gz`, `sensor.jsonl.gz`, `cloudtrail/`,
 * `config.yaml`, `tasks/ID/task.yaml` and `granted.json` beside it. One task at a time runs on each node. What is held in
 * memory does not grow with the number of connections.
 */
export async function writeFleet(folder: string, fleet: Fleet): Promise<Written> {
  const random = openRandom(fleet.seed);
  const draft = openDraft(random.fork('draft'));
  const start = 1_780_000_000n * second;
  const count = fleet.nodes ?? Math.min(8, fleet.tasks);
  const machines = makeNodes(draft, random.fork('nodes'), { ...sizes.tiny, nodes: [count, count] }, start);
  const broker = makeBroker(random.fork('broker'), '111122223333', 'us-east-1');
  const trail: Trail = {
    name: 'org-trail',
    account: broker.account,
    region: 'us-east-1',
    multiRegion: true,
    bucket: 'fleet-audit',
    digests: [],
    snapshots: [],
  };
  const world = (piece: Partial<World>): World => ({
    seed: fleet.seed,
    nodes: [],
    tasks: [] as unknown as [Task],
    processes: [],
    acts: [],
    sessions: [],
    calls: [],
    trails: [trail],
    configuration: {
      nodes: Object.fromEntries(machines.map(({ node, egress6 }) => [node.name, [node.egress, egress6]])),
      resolvers: [],
      sessionNames: ['sess-{task}-{suffix}'],
      issuers: [broker.pattern],
      hosts: {},
      assume: [],
      infrastructure: [],
      searchDomains: [],
    },
    services: fleetTargets.map(({ host, addresses }) => ({ host, addresses: [...addresses] })),
    ...piece,
  });

  await mkdir(join(folder, 'tetragon'), { recursive: true });
  const sensor = openLineFile(join(folder, 'sensor.jsonl.gz'));
  const watches = machines.map((machine) =>
    openWatch(machine, join(folder, 'tetragon', `${machine.node.name}.jsonl.gz`), start),
  );
  const bucket = openTrailWriter(join(folder, 'cloudtrail'), trail, start - 20n * minute);
  let connections = 0;
  let now = start;
  let started = 0;
  let lastExpiry = start;

  const writePiece = async (
    watch: Watch,
    { processes, own, acts, calls, sessions }: Piece,
    only?: string,
  ): Promise<void> => {
    const { node, init, runtime } = watch.machine;
    const piece = world({ nodes: [node], processes: [init, runtime, ...processes], acts: [...acts] });
    const [root] = processes;
    for (const line of renderKernel(piece, fleet.form ?? 'lean')) {
      const forked =
        line.process !== undefined &&
        line.hook === 'wake_up_new_task' &&
        line.process === (own.has(root?.id ?? '') ? runtime.id : root?.id);
      if (
        only === undefined
          ? forked || (line.process !== undefined && own.has(line.process))
          : line.hook === only && line.process !== undefined && own.has(line.process)
      )
        await watch.file.write(line.text);
    }
    if (calls.length === 0 && sessions.length === 0) return;
    watch.sessions.push(...sessions);
    watch.sessions.splice(0, Math.max(0, watch.sessions.length - 2));
    const holders = findKeyHolders(world({ sessions: watch.sessions }));
    bucket.add([
      ...sessions.flatMap((session) => renderIssuance(holders, session, undefined)),
      ...calls.map((call) => toRecord(holders, { ...call, delay: 60 + (call.delay % 180) })),
    ]);
  };
  const watchUntil = async (watch: Watch, until: Ns): Promise<void> => {
    const { machine } = watch;
    const stretchOf = takeStretch(watch, until);
    const node = { ...machine.node, sensor: { ...machine.node.sensor, ...stretchOf } };
    const piece = world({ nodes: [node], processes: [machine.init, machine.runtime, machine.agent] });
    const from = stretchOf.canaries[0]?.at ?? until;
    for (const line of renderKernel(piece, fleet.form ?? 'lean'))
      if (!watch.begun || line.at >= from - second) await watch.file.write(line.text);
    for (const line of renderSensor(piece)) await sensor.write(line.text);
    watch.begun = true;
  };

  for (const watch of watches) await watchUntil(watch, start - 10n * second);
  while (started < fleet.tasks) {
    const running: (readonly [Watch, FleetTask])[] = [];
    for (const watch of watches) {
      if (started >= fleet.tasks) break;
      const at = now + stretch(random, 10, 500);
      const task = startTask(random.fork(`task ${started}`), {
        draft,
        machine: watch.machine,
        broker,
        at,
        connections: fleet.connectionsPerTask,
        number: started,
      });
      started += 1;
      running.push([watch, task]);
      const { root } = task;
      await writePiece(watch, {
        processes: [root],
        own: new Set([root.id]),
        acts: [],
        calls: [],
        sessions: [],
        until: at,
      });
    }
    now += second;
    while (running.some(([, { left }]) => left > 0)) {
      let furthest = now;
      for (const [watch, task] of running) {
        if (task.left === 0) continue;
        const before = task.left;
        const piece = task.work(now, chunk);
        connections += before - task.left;
        await writePiece(watch, piece);
        if (piece.until > furthest) furthest = piece.until;
      }
      for (const watch of watches) await watchUntil(watch, furthest);
      now = furthest + 5_000_000n;
      await bucket.reach(now - 10n * second);
      fleet.told?.({ connections, kernelLines: linesOf(watches), records: bucket.records });
    }
    for (const [watch, task] of running) {
      const piece = task.finish(now);
      if (task.expires > lastExpiry) lastExpiry = task.expires;
      await writePiece(watch, piece, 'exit');
      await writeDeclaration(folder, world({ tasks: [task.task] }));
    }
    now += 2n * second;
  }
  for (const watch of watches) await watchUntil(watch, now + 40n * second);
  const closed = await closeAll(watches, sensor);
  await bucket.close(lastExpiry > now ? lastExpiry : now);
  return { connections, kernelLines: closed, records: bucket.records };
}

/** Rendered only when its log file is written: many wait for their delivery at a time. */
function toRecord(holders: KeyHolders, call: Call): AuditRecord {
  const { account, at } = call;
  return {
    id: call.eventId,
    account,
    region: 'us-east-1',
    at,
    delivered: deliveryOf(at, call.delay),
    get content() {
      return renderCall(holders, call).content;
    },
  };
}

async function writeDeclaration(folder: string, world: World): Promise<void> {
  const { declaration, config, policies } = renderDeclared(world);
  const own = join(folder, 'tasks', world.tasks[0].id);
  await mkdir(own, { recursive: true });
  await writeFile(join(own, 'task.yaml'), declaration);
  for (const policy of policies) await writeFile(join(own, 'granted.json'), policy);
  await writeFile(join(folder, 'config.yaml'), config);
}

/** A node whose sensor is watched, and how far that has come. */
interface Watch {
  readonly machine: Machine;
  readonly file: LineFile;
  readonly sessions: World['sessions'];
  begun: boolean;
  canary: number;
  nextCanary: Ns;
  nextHealth: Ns;
}

function openWatch(machine: Machine, path: string, start: Ns): Watch {
  const nextHealth = start - 40n * second;
  return {
    machine,
    file: openLineFile(path),
    sessions: [],
    begun: false,
    canary: 1,
    nextCanary: nextHealth + 5n * second,
    nextHealth,
  };
}

/** Canaries and health lines that are due until then, each 30 s. */
function takeStretch(
  watch: Watch,
  until: Ns,
): { canaries: Canary[]; health: Ns[]; streams: World['nodes'][number]['sensor']['streams'] } {
  const canaries: Canary[] = [];
  const health: Ns[] = [];
  const streams = watch.begun ? [] : [{ at: watch.nextHealth - second, state: 'connected' as const }];
  for (; watch.nextCanary <= until; watch.nextCanary += 30n * second)
    canaries.push({ n: watch.canary++, at: watch.nextCanary, port: 1, told: true, made: true });
  for (; watch.nextHealth <= until; watch.nextHealth += 30n * second) health.push(watch.nextHealth);
  return { canaries, health, streams };
}

function linesOf(watches: readonly Watch[]): number {
  return watches.reduce((sum, { file }) => sum + file.lines, 0);
}

async function closeAll(watches: readonly Watch[], sensor: LineFile): Promise<number> {
  for (const { file } of watches) await file.close();
  await sensor.close();
  return linesOf(watches);
}
