import { millisecond } from './time.ts';
import type { Random } from '../random.ts';
import type { Act, Ns, Process } from '../world.ts';

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

/** A world in the making: what happened so far, and what may not be given out twice. Ids count up through all nodes. */
export interface Draft {
  readonly processes: Process[];
  readonly acts: Act[];
  /** A pid of the node that nobody had. */
  pid(node: string): number;
  /** A local port of the node that nobody had. */
  port(node: string): number;
  /** A kernel address for a socket that lives from one time to the other; one that was freed before may come again. */
  socket(node: string, from: Ns, until: Ns): string;
  addProcess(process: Omit<Process, 'id'>): Process;
  addAct(act: WithoutId<Act>): string;
}

interface Counters {
  readonly random: Random;
  pid: number;
  port: number;
  cookie: bigint;
  readonly freed: Map<string, Ns>;
}

export function openDraft(random: Random): Draft {
  const processes: Process[] = [];
  const acts: Act[] = [];
  const nodes = new Map<string, Counters>();
  const countersOf = (node: string): Counters => {
    const known = nodes.get(node);
    if (known !== undefined) return known;
    const own = random.fork(node);
    const opened = {
      random: own,
      pid: own.int(2000, 30_000),
      port: own.int(32_768, 50_000),
      cookie: 0xffff_8880_0000_0000n + BigInt(own.int(1, 0xffff)) * 0x10_0000n,
      freed: new Map<string, Ns>(),
    };
    nodes.set(node, opened);
    return opened;
  };
  return {
    processes,
    acts,
    pid: (node) => {
      const counters = countersOf(node);
      counters.pid += counters.random.int(1, 7);
      return counters.pid;
    },
    port: (node) => {
      const counters = countersOf(node);
      counters.port = counters.port >= 60_900 ? 1100 : counters.port + counters.random.int(1, 9);
      return counters.port;
    },
    socket: (node, from, until) => {
      const counters = countersOf(node);
      if (counters.random.chance(0.3)) {
        for (const [socket, freed] of counters.freed) {
          if (freed + 20n * millisecond >= from) continue;
          counters.freed.set(socket, until);
          return socket;
        }
      }
      // Only the oldest are kept in mind: a world may have millions.
      const [oldest] = counters.freed.keys();
      if (oldest !== undefined && counters.freed.size >= 64) counters.freed.delete(oldest);
      counters.cookie += BigInt(counters.random.int(1, 64)) * 64n;
      const socket = String(counters.cookie);
      counters.freed.set(socket, until);
      return socket;
    },
    addProcess: (process) => {
      const added = { id: `p${processes.length + 1}`, ...process };
      processes.push(added);
      return added;
    },
    addAct: (act) => {
      const added = { id: `a${acts.length + 1}`, ...act };
      acts.push(added);
      return added.id;
    },
  };
}
