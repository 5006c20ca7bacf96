import { between, millisecond, stretch } from './time.ts';
import { visit } from './connections.ts';
import { begin, end, shells, tools } from './processes.ts';
import type { Actor, Place, Step } from './place.ts';
import type { Random } from '../random.ts';
import type { Ns, Process } from '../world.ts';

/**
 * One piece of a task's work, of one shape. Each is given the process that starts it and when, and tells when all that came of
 * it had ended, exits included.
 */
export const jobs: Readonly<Record<string, Step>> = {
  /** The process itself. */
  self: (place, random, actor, at) => connect(place, random, actor, at),

  /** A tool that is forked and execed. */
  tool: (place, random, { process }, at) => {
    const tool = begin(place, random, { parent: process, at, program: random.pick(tools), ...wiped(place, random) });
    return end(random, tool, connect(place, random, { process: tool }, tool.started + stretch(random, 2, 60)));
  },

  /** Forked without exec, as worker pools are. */
  fork: (place, random, { process }, at) => {
    const worker = begin(place, random, { parent: process, at, program: process, how: 'fork' });
    return end(random, worker, connect(place, random, { process: worker }, at + stretch(random, 2, 40)));
  },

  /** A shell that execs its last command: the same pid. */
  image: (place, random, { process }, at) => {
    const shell = begin(place, random, { parent: process, at, program: random.pick(shells) });
    const execed = shell.started + stretch(random, 3, 50);
    const tool = begin(place, random, { parent: shell, at: execed, program: random.pick(tools), how: 'image' });
    return end(random, tool, connect(place, random, { process: tool }, tool.started + stretch(random, 2, 60)));
  },

  /** Shells in shells, and a tool at last. */
  nested: (place, random, { process }, at) => {
    const chain: Process[] = [];
    let parent = process;
    let now = at;
    const depth = random.int(2, 3);
    for (let level = 0; level < depth; level += 1) {
      parent = begin(place, random, {
        parent,
        at: now,
        program: level < depth - 1 ? random.pick(shells) : random.pick(tools),
      });
      chain.push(parent);
      now = parent.started + stretch(random, 1, 20);
    }
    now = connect(place, random, { process: parent }, now);
    for (const ended of chain.reverse()) now = end(random, ended, now);
    return now;
  },

  /** A thread that connects. */
  thread: (place, random, { process }, at) => {
    const tid = place.draft.pid(place.machine.node.name);
    place.draft.addAct({ kind: 'thread', process: process.id, at, tid });
    return connect(place, random, { process, tid }, at + stretch(random, 1, 10));
  },

  /** Forked twice, adopted by init before its exec; ends while the task still runs. */
  daemon: (place, random, { process }, at) => {
    const middle = begin(place, random, { parent: process, at, program: process, how: 'fork' });
    const forked = at + stretch(random, 2, 10);
    const execAfter = stretch(random, 30, 90);
    const daemon = begin(place, random, {
      parent: middle,
      at: forked,
      program: random.pick(tools),
      adopted: true,
      execAfter,
    });
    middle.exited = between(forked, daemon.started, 0.5);
    return end(random, daemon, connect(place, random, { process: daemon }, daemon.started + stretch(random, 2, 60)));
  },

  /** The parent opens a connection, a forked child goes on with it. */
  handed: (place, random, actor, at) => {
    const target = random.pick(place.targets);
    const opened = visit(place, random, actor, at, { target, hold: 400 });
    const forked = opened.closed - 380n * millisecond;
    const child = begin(place, random, { parent: actor.process, at: forked, program: actor.process, how: 'fork' });
    const sends = [forked + stretch(random, 30, 60), forked + stretch(random, 70, 100)];
    place.draft.addAct({ kind: 'inherited', process: child.id, at: sends[0] ?? forked, tuple: opened.tuple, sends });
    child.exited = forked + stretch(random, 200, 300);
    return opened.closed;
  },

  /** A server on loopback inside the tree, and a client of it. */
  loopback: (place, random, { process }, at) => {
    const { draft, machine } = place;
    const server = begin(place, random, { parent: process, at, program: random.pick(tools) });
    const local = '127.0.0.1';
    const localPort = draft.port(machine.node.name);
    const listening = server.started + stretch(random, 3, 30);
    const opened = listening + stretch(random, 20, 200);
    const closed = opened + stretch(random, 5, 200);
    const stopped = closed + stretch(random, 5, 50);
    const listener = draft.socket(machine.node.name, listening, stopped);
    draft.addAct({ kind: 'listen', process: server.id, at: listening, local, localPort, socket: listener });
    const client = { local, localPort: draft.port(machine.node.name), remote: local, remotePort: localPort };
    const sent = between(opened, closed, 0.4);
    const socket = draft.socket(machine.node.name, opened, closed);
    draft.addAct({
      kind: 'tcp',
      process: process.id,
      at: opened,
      tuple: { ...client, socket },
      closed,
      outcome: 'up',
      blocking: true,
      sends: [sent],
      hello: { form: 'none' },
    });
    const tuple = {
      local,
      localPort,
      remote: local,
      remotePort: client.localPort,
      socket: draft.socket(machine.node.name, opened, stopped),
    };
    draft.addAct({ kind: 'accept', process: server.id, at: opened + millisecond / 4n, tuple, until: closed });
    return end(random, server, stopped);
  },
};

/** Connections one after another, or side by side. */
function connect(place: Place, random: Random, actor: Actor, at: Ns): Ns {
  const count = random.int(...place.size.connections);
  const together = random.chance(0.3 * place.size.variety);
  let now = at;
  let last = at;
  for (let index = 0; index < count; index += 1) {
    const { closed, opened } = visit(place, random, actor, now, { target: random.pick(place.targets) });
    now = together ? opened + stretch(random, 2, 40) : closed + stretch(random, 1, 50);
    if (closed > last) last = closed;
  }
  return last + millisecond;
}

/** Now and then a tool is started with env -i: its lineage is all that ties it. */
function wiped({ size }: Place, random: Random): { env?: Record<string, string> } {
  return random.chance(0.1 * size.variety) ? { env: {} } : {};
}
