import type { Identity, Lineage } from './lineage.ts';
import { toRfc3339 } from './time.ts';
import { toExecId } from './lineage.ts';
import type { Node, Ns, Process } from '../world.ts';

/** The members of an event that tell whose it is. */
export interface ProcessText {
  /** Up to the thread's id; what follows it is in `after`, with the parent. */
  readonly before: string;
  readonly after: string;
  /** `, "ancestors":[…]`, or nothing. */
  readonly ancestors: string;
}

export interface ProcessTexts {
  /** As events of policies have it. */
  hooked(process: Process, generation: number): ProcessText;
  /** As exec and exit events have it. */
  base(process: Process, generation: number): ProcessText;
}

/** Texts kept at most: one of the export's has 15 KB. */
const kept = { export: 1500, lean: 20_000 } as const;
/** start_time is read from another clock than the event's time: 10 µs later, as recorded. */
const startLag = 10_093n;

/** JSON of processes in the export's form, or in the lean one without capabilities, credentials and ancestors. */
export function openProcessTexts(node: Node, lineage: Lineage, form: 'export' | 'lean'): ProcessTexts {
  const parts = new Cache<[head: string, middle: string, tail: string]>(kept[form]);
  const texts = { hooked: new Cache<ProcessText>(kept[form]), base: new Cache<ProcessText>(kept[form]) };

  const toParts = (process: Process, generation: number): [string, string, string] =>
    parts.get(process, generation, () => describe(lineage.identity(process, generation), generation));
  const describe = (identity: Identity, generation: number): [string, string, string] => {
    const { process, execId, flags, ktime, procFs, parent } = identity;
    const parentId = parent === undefined ? kernelId(node) : lineage.identity(parent, generation).execId;
    const head =
      `{"exec_id":"${execId}", "pid":${process.pid}, "uid":${process.uid}, "cwd":${JSON.stringify(process.cwd)}, ` +
      `"binary":${JSON.stringify(process.binary)}, ` +
      (process.arguments === '' ? '' : `"arguments":${JSON.stringify(process.arguments)}, `) +
      `"flags":"${flags}", "start_time":"${toRfc3339(node.booted + ktime + startLag + node.skew)}", ` +
      `"auid":4294967295, ${container(process, node)}"parent_exec_id":"${parentId}"`;
    const middle = `${form === 'lean' ? '' : capabilities(process)}, "ns":${namespaces(process, node, form)}, "tid":`;
    const env = procFs ? [] : Object.entries(process.env);
    const variables = env.map(([key, value]) => `{"Key":${JSON.stringify(key)}, "Value":${JSON.stringify(value)}}`);
    const tail =
      (form === 'lean' ? '' : credentials(process.uid)) +
      `, "in_init_tree":${process.container?.injected === false}` +
      (variables.length === 0 ? '}' : `, "environment_variables":[${variables.join(', ')}]}`);
    return [head, middle, tail];
  };
  const whole = (process: Process | undefined, generation: number): string => {
    if (process === undefined) return kernel(node, form);
    const [head, middle, tail] = toParts(process, generation);
    return head + middle + String(process.pid) + tail;
  };
  /** Grandparent and further up, to the first process. */
  const toAncestors = (process: Process | undefined, generation: number): string => {
    const found: string[] = [];
    let at = process === undefined ? undefined : lineage.identity(process, generation).parent;
    for (; at !== undefined; at = lineage.identity(at, generation).parent) found.push(whole(at, generation));
    return found.length === 0 ? '' : `, "ancestors":[${found.join(', ')}]`;
  };
  const compose = (process: Process, generation: number, refcnt: string): ProcessText => {
    const [head, middle, tail] = toParts(process, generation);
    const { parent } = lineage.identity(process, generation);
    return {
      before: `"process":${head}${refcnt}${middle}`,
      after: `${tail}, "parent":${whole(parent, generation)}`,
      ancestors: form === 'lean' ? '' : toAncestors(parent, generation),
    };
  };
  return {
    hooked: (process, generation) =>
      texts.hooked.get(process, generation, () => compose(process, generation, ', "refcnt":1')),
    base: (process, generation) => texts.base.get(process, generation, () => compose(process, generation, '')),
  };
}

/** Forgets everything when it is full, or when the sensor has begun anew. */
class Cache<T> {
  readonly #most: number;
  readonly #values = new Map<Process, T>();
  #generation = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get(process: Process, generation: number, make: () => T): T {
    if (generation !== this.#generation || this.#values.size >= this.#most) this.#values.clear();
    this.#generation = generation;
    const found = this.#values.get(process);
    if (found !== undefined) return found;
    const made = make();
    this.#values.set(process, made);
    return made;
  }
}

function kernelId(node: Node): string {
  return toExecId(node, 1n, 0);
}

function kernel(node: Node, form: 'export' | 'lean'): string {
  const started: Ns = node.booted + startLag + node.skew;
  return (
    `{"exec_id":"${kernelId(node)}", "pid":0, "uid":0, "binary":"<kernel>", "flags":"procFS", ` +
    `"start_time":"${toRfc3339(started)}", "auid":4294967295, "parent_exec_id":"${kernelId(node)}", "tid":0` +
    `${form === 'lean' ? '' : credentials(0)}, "in_init_tree":false}`
  );
}

function credentials(uid: number): string {
  const ids = ['uid', 'gid', 'euid', 'egid', 'suid', 'sgid', 'fsuid', 'fsgid'].map((name) => `"${name}":${uid}`);
  return `, "process_credentials":{${ids.join(', ')}}`;
}

const all = (
  'CAP_CHOWN DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID CAP_SETPCAP ' +
  'CAP_LINUX_IMMUTABLE CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK CAP_IPC_OWNER ' +
  'CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_PACCT CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE ' +
  'CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_MKNOD CAP_LEASE CAP_AUDIT_WRITE CAP_AUDIT_CONTROL CAP_SETFCAP ' +
  'CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ CAP_PERFMON CAP_BPF ' +
  'CAP_CHECKPOINT_RESTORE'
).split(' ');
const fullSet = `[${all.map((name) => `"${name}"`).join(', ')}]`;

/** Root's; of anyone else's nothing is recorded, and none is the default. */
function capabilities({ uid }: Process): string {
  return uid === 0 ? `, "cap":{"permitted":${fullSet}, "effective":${fullSet}}` : ', "cap":{}';
}

/** Inode numbers of the first namespaces, as one kernel gives them. */
const host = {
  uts: 4026531838,
  ipc: 4026531839,
  mnt: 4026531841,
  pid: 4026531836,
  pid_for_children: 4026531836,
  net: 4026531840,
  time: 4026531834,
  time_for_children: 4026531834,
  cgroup: 4026531835,
  user: 4026531837,
} as const;

/** A container has its own, but for time and user. */
function namespaces(process: Process, node: Node, form: 'export' | 'lean'): string {
  const members = Object.entries(host).flatMap(([name, inum]) => {
    if (form === 'lean' && name !== 'net' && name !== 'pid') return [];
    if (name === 'net') {
      const text = `{"inum":${process.netns}${process.netns === node.netns ? ', "is_host":true' : ''}}`;
      return [`"net":${text}`];
    }
    const own = process.container !== undefined && !name.startsWith('time') && name !== 'user';
    return [own ? `"${name}":{"inum":${process.netns + (inum % 16)}}` : `"${name}":{"inum":${inum}, "is_host":true}`];
  });
  return `{${members.join(', ')}}`;
}

/** facts/tetragon.md, Process identity: `docker` is the beginning of the container's id. */
function container({ container: inside }: Process, node: Node): string {
  if (inside === undefined) return '';
  const docker = `"docker":"${inside.id.slice(0, 31)}", `;
  if (inside.pod === '') return docker;
  const name = inside.pod.replace(/-[a-z0-9]+-[a-z0-9]+$/, '');
  return (
    `"pod":{"namespace":${JSON.stringify(inside.namespace)}, "name":${JSON.stringify(inside.pod)}, ` +
    `"container":{"id":"containerd://${inside.id}", "name":${JSON.stringify(name)}, ` +
    `"image":{"id":${JSON.stringify(inside.imageId)}, "name":${JSON.stringify(inside.image)}}, ` +
    `"start_time":"${toRfc3339(node.booted + node.skew)}"}, "workload":${JSON.stringify(name)}, ` +
    `"workload_kind":"Pod"}, ${docker}`
  );
}
