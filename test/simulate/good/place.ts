import type { Draft } from './draft.ts';
import type { Machine } from './nodes.ts';
import type { Target } from './names.ts';
import type { Operation } from './catalogue.ts';
import type { Size } from './size.ts';
import type { Random } from '../random.ts';
import type { Ns, Process } from '../world.ts';

/** A request before it is known which session it is made with. */
export interface Request {
  readonly at: Ns;
  readonly target: Target;
  readonly connection: string;
  /** The address that the provider sees. */
  readonly source: string;
  readonly operation: Operation;
}

/** Where a task runs, and what it has learned and left behind so far. */
export interface Place {
  readonly draft: Draft;
  readonly machine: Machine;
  readonly size: Size;
  /** Local addresses as its sockets show them. */
  readonly address: string;
  readonly netns: number;
  readonly resolver: string;
  readonly targets: readonly Target[];
  readonly searchDomain: string | undefined;
  /** Endpoints by address that carry no credential. */
  readonly infrastructure: { readonly address: string; readonly port: number; readonly protocol: 'tcp' | 'udp' }[];
  readonly env: Record<string, string>;
  readonly container: Process['container'];
  /** Addresses by host that a process of the tree was told, and until when the answer counts. */
  readonly learned: Map<string, { addresses: string[]; from: Ns; until: Ns }>;
  readonly requests: Request[];
  /** Last send by pid and far end: one a minute of them is told, so none told is no proof of silence then. */
  readonly sent: Map<string, Ns>;
}

/** Who acts: a process, or one of its threads. */
export interface Actor {
  readonly process: Process;
  readonly tid?: number;
}

export type Step = (place: Place, random: Random, actor: Actor, at: Ns) => Ns;
