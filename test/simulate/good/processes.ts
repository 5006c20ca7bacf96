import { millisecond, stretch } from './time.ts';
import type { Place } from './place.ts';
import type { Random } from '../random.ts';
import type { Ns, Process } from '../world.ts';

export interface Program {
  readonly binary: string;
  readonly arguments: string;
}

export const interpreters: readonly Program[] = [
  { binary: '/usr/bin/python3.11', arguments: '-m agent.run --step' },
  { binary: '/usr/bin/node', arguments: '/opt/agent/worker.js' },
  { binary: '/bin/bash', arguments: '/srv/agent/run.sh' },
  { binary: '/usr/local/bin/claude-agent', arguments: '--headless' },
];
export const tools: readonly Program[] = [
  { binary: '/usr/bin/curl', arguments: '-sS --max-time 15' },
  { binary: '/usr/local/bin/aws', arguments: '--output json' },
  { binary: '/usr/bin/git', arguments: 'fetch --depth 1' },
  { binary: '/usr/bin/python3', arguments: '-c "import boto3"' },
  { binary: '/usr/bin/terraform', arguments: 'plan -input=false' },
];
export const shells: readonly Program[] = [
  { binary: '/bin/bash', arguments: '-c "set -e; ./step"' },
  { binary: '/bin/sh', arguments: '-c "exec ./step"' },
  { binary: '/usr/bin/env', arguments: 'python3 step.py' },
];

interface Birth {
  readonly parent: Process;
  readonly at: Ns;
  readonly program: Program;
  readonly how?: 'exec' | 'fork' | 'image';
  readonly env?: Record<string, string>;
  /** Its parent exits between its fork and its exec. */
  readonly adopted?: boolean;
  /** A pid that somebody had before. */
  readonly pid?: number;
  /** Put into the place's container and network, which its parent is not in. */
  readonly inside?: boolean;
  /** ns from the fork to the exec. */
  readonly execAfter?: Ns;
}

/** A process of the place's tree. It exits when told. */
export function begin(place: Place, random: Random, birth: Birth): Process {
  const { parent, at } = birth;
  const how = birth.how ?? 'exec';
  const inside = birth.inside ?? false;
  const started = how === 'exec' ? at + (birth.execAfter ?? stretch(random, 1, 25)) : at;
  const container = inside ? place.container : parent.container;
  const copied = how === 'fork' ? parent : undefined;
  return place.draft.addProcess({
    node: place.machine.node.name,
    pid: how === 'image' ? parent.pid : (birth.pid ?? place.draft.pid(place.machine.node.name)),
    parent: parent.id,
    how,
    forked: at,
    started,
    exited: undefined,
    binary: copied?.binary ?? birth.program.binary,
    arguments: copied?.arguments ?? birth.program.arguments,
    cwd: inside ? '/work' : parent.cwd,
    uid: inside ? 1000 : parent.uid,
    env: { ...(birth.env ?? parent.env) },
    ...(container === undefined ? {} : { container }),
    netns: inside ? place.netns : parent.netns,
    adopted: birth.adopted ?? false,
  });
}

/** Ends it some ms after its last work; when. */
export function end(random: Random, process: Process, after: Ns): Ns {
  process.exited = after + stretch(random, 0.5, 30);
  return process.exited + millisecond / 2n;
}
