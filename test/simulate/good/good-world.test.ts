import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeGoodWorld, sizes } from './good-world.ts';
import { varieties } from './variety.ts';
import type { Act, Process, World } from '../world.ts';

const seeds = fc.integer({ min: 0, max: 1_000_000 }).map((seed) => `property-${seed}`);
const worlds = fc.oneof(
  { weight: 8, arbitrary: seeds.map((seed) => makeGoodWorld(seed)) },
  { weight: 1, arbitrary: seeds.map((seed) => makeGoodWorld(seed, sizes.medium)) },
  { weight: 1, arbitrary: seeds.map((seed) => makeGoodWorld(seed, sizes.tiny)) },
);
const always = (holds: (world: World) => void): void => {
  fc.assert(fc.property(fc.noShrink(worlds), holds), { numRuns: 150 });
};
const tolerance = 2_000_000_000n;

describe('makeGoodWorld', () => {
  it('gives the same world for the same seed and size', () => {
    for (const size of [sizes.tiny, sizes.small, sizes.medium])
      expect(makeGoodWorld('again', size)).toEqual(makeGoodWorld('again', size));
  });

  it('gives another world for another seed', () => {
    expect(makeGoodWorld('one')).not.toEqual(makeGoodWorld('two'));
  });

  it('does everything that it can do, within 300 seeds', () => {
    const made = Array.from({ length: 300 }, (_, index) => makeGoodWorld(`variety-${index}`));
    const counts = Object.entries(varieties).map(([name, has]) => [name, made.filter(has).length] as const);
    expect(counts.filter(([, count]) => count < 3)).toEqual([]);
  });

  it('stays small where it is to be small', () => {
    const acts = Array.from({ length: 300 }, (_, index) => makeGoodWorld(`small-${index}`).acts.length);
    expect(acts.reduce((sum, count) => sum + count, 0) / acts.length).toBeLessThan(20);
  });
});

describe('every good world', () => {
  it('gives no id twice', () => {
    always(({ processes, acts, calls, sessions, tasks, nodes }) => {
      for (const names of [
        processes.map(({ id }) => id),
        acts.map(({ id }) => id),
        calls.map(({ id }) => id),
        sessions.map(({ key }) => key),
        tasks.map(({ id }) => id),
        nodes.map(({ name }) => name),
        calls.map(({ eventId }) => eventId),
      ])
        expect(new Set(names).size).toBe(names.length);
    });
  });

  it('lets processes act only while they live', () => {
    always((world) => {
      for (const act of world.acts) {
        const process = processOf(world, act.process);
        const until =
          world.processes.find(({ how, parent }) => how === 'image' && parent === process.id)?.started ??
          process.exited;
        expect(act.at >= process.started, act.id).toBe(true);
        if (until !== undefined) expect(lastOf(act) <= until, `${act.id} ${act.kind}`).toBe(true);
      }
    });
  });

  it('has children within the lives of their parents, and daemons that were adopted', () => {
    always((world) => {
      for (const process of world.processes) {
        if (process.parent === undefined) continue;
        const parent = processOf(world, process.parent);
        expect(process.forked >= parent.started).toBe(true);
        expect(process.started >= process.forked).toBe(true);
        expect(process.exited === undefined || process.exited > process.started).toBe(true);
        if (process.how === 'image') {
          expect([parent.exited, process.pid]).toEqual([undefined, parent.pid]);
          continue;
        }
        if (parent.exited === undefined) continue;
        const ended = lifeEnd(world.processes, process);
        if (process.adopted) expect(parent.exited > process.forked && parent.exited < process.started).toBe(true);
        else expect(ended !== undefined && ended <= parent.exited, process.id).toBe(true);
      }
    });
  });

  it('ends every process of a task', () => {
    always(({ processes }) => {
      for (const { id, how, exited } of processes) {
        if (how === 'procfs') continue;
        expect(
          exited !== undefined || processes.some((image) => image.how === 'image' && image.parent === id),
          id,
        ).toBe(true);
      }
    });
  });

  it('gives a pid to one process at a time', () => {
    always(({ processes }) => {
      const lives = processes
        .filter(({ how }) => how !== 'image')
        .map((process) => [process, lifeEnd(processes, process)] as const);
      for (const [index, [one, oneEnd]] of lives.entries())
        for (const [other, otherEnd] of lives.slice(index + 1)) {
          if (one.node !== other.node || one.pid !== other.pid) continue;
          const apart = (oneEnd ?? other.forked) < other.forked || (otherEnd ?? one.forked) < one.forked;
          expect(apart, `${one.id} ${other.id}`).toBe(true);
        }
    });
  });

  it('has connections whose ends fit each other', () => {
    always(({ acts }) => {
      for (const act of acts) {
        if (act.kind !== 'tcp') continue;
        const { tuple, at, closed = at, sends, outcome, hello } = act;
        expect(tuple.local.includes(':')).toBe(tuple.remote.includes(':'));
        expect(tuple.localPort > 1023 && tuple.localPort < 65_536).toBe(true);
        expect(sends.every((send) => send >= at && send <= closed)).toBe(true);
        if (outcome !== 'up') expect([sends, hello.form]).toEqual([[], 'none']);
        if (hello.form !== 'none') expect(sends.length).toBeGreaterThan(0);
      }
    });
  });

  it('has each local port and socket in one use at a time', () => {
    always((world) => {
      const held = new Map<string, bigint>();
      const uses = world.acts.flatMap((act) =>
        act.kind === 'tcp' || act.kind === 'udp'
          ? [{ node: processOf(world, act.process).node, socket: act.tuple.socket, act }]
          : [],
      );
      for (const { node, socket, act } of uses) {
        const before = held.get(`${node}/${socket}`);
        expect(before === undefined || before < act.at, act.id).toBe(true);
        held.set(`${node}/${socket}`, lastOf(act));
      }
    });
  });

  it('makes each call within the life of its connection, to a host that is declared', () => {
    always((world) => {
      const acts = new Map(world.acts.map((act) => [act.id, act]));
      for (const call of world.calls) {
        const act = acts.get(call.connection ?? '');
        if (act?.kind !== 'tcp') throw new Error(`${call.id} has no connection.`);
        expect(call.at >= act.at - tolerance && call.at <= (act.closed ?? call.at) + tolerance).toBe(true);
        const session = world.sessions.find(({ key }) => key === call.key);
        const task = world.tasks.find(({ id }) => id === session?.task);
        expect(
          task?.declaration.endpoints.some((endpoint) => names(endpoint, call.host)),
          call.host,
        ).toBe(true);
      }
    });
  });

  it('has sessions that cover their calls, each declared', () => {
    always((world) => {
      for (const call of world.calls) {
        const session = world.sessions.find(({ key }) => key === call.key);
        expect(session !== undefined && session.issued < call.at && session.expires > call.at).toBe(true);
      }
      for (const { task, name, role } of world.sessions) {
        const declared = world.tasks.find(({ id }) => id === task)?.declaration.credentials;
        expect(declared).toContainEqual({ session: name, role });
        expect(name.length).toBeLessThan(64);
      }
    });
  });

  it('explains each connection with data to a cloud by a call', () => {
    always((world) => {
      const explained = new Set(world.calls.map(({ connection }) => connection));
      const named = new Set(world.calls.map(({ host }) => host));
      for (const act of world.acts)
        if (act.kind === 'tcp' && act.hello.form !== 'none' && named.has(act.hello.name)) {
          const process = processOf(world, act.process);
          if (world.tasks.length === 1 && isTasks(world, process)) expect(explained.has(act.id), act.id).toBe(true);
        }
    });
  });

  it('is declared before anything is done', () => {
    always((world) => {
      for (const { root, declaration } of world.tasks)
        expect(declaration.declared < processOf(world, root).forked).toBe(true);
    });
  });
});

function processOf({ processes }: World, id: string): Process {
  const process = processes.find((one) => one.id === id);
  if (process === undefined) throw new Error(`There is no process ${id}.`);
  return process;
}

function isTasks(world: World, process: Process): boolean {
  let above: Process | undefined = process;
  while (above !== undefined) {
    const { id, parent }: Process = above;
    if (world.tasks.some(({ root }) => root === id)) return true;
    above = world.processes.find((one) => one.id === parent);
  }
  return false;
}

function lifeEnd(processes: readonly Process[], process: Process): bigint | undefined {
  let last = process;
  for (;;) {
    const next = processes.find(({ how, parent }) => how === 'image' && parent === last.id);
    if (next === undefined) return last.exited;
    last = next;
  }
}

function lastOf(act: Act): bigint {
  switch (act.kind) {
    case 'tcp':
      return act.closed ?? act.at;
    case 'accept':
      return act.until;
    case 'inherited':
      return act.sends.at(-1) ?? act.at;
    case 'lookup':
      return act.at + (act.answered ?? 0n);
    default:
      return act.at;
  }
}

function names(endpoint: string, host: string): boolean {
  const declared = endpoint.replace(/:443$/, '');
  return declared.startsWith('*') ? host.endsWith(declared.slice(1)) : declared === host;
}
