import type { KernelLine } from '../evidence.ts';
import { type Happening, policyLabel } from './hooks.ts';
import type { ProcessTexts } from './process.ts';
import { toRfc3339, us } from './time.ts';
import type { Node, Ns, Process } from '../world.ts';

/** Lines of one node's export. */
export interface Lines {
  hooked(happening: Happening, generation: number): KernelLine;
  base(hook: 'exec' | 'exit', process: Process, generation: number, at: Ns): KernelLine;
}

/** `told` are the processes that the world names; the others are the node's own. */
export function openLines(node: Node, texts: ProcessTexts, told: ReadonlySet<Process>): Lines {
  const finish = (at: Ns): string =>
    `, "node_name":${JSON.stringify(node.name)}, "time":"${toRfc3339(at + node.skew)}"}`;
  const whose = (process: Process): string | undefined => (told.has(process) ? process.id : undefined);
  return {
    hooked(happening, generation) {
      const { hook, at, process, tid, act } = happening;
      const { before, after, ancestors } = texts.hooked(process, generation);
      const text = `{"process_${hook.kind}":{${before}${tid}${after}, ${members(happening, ancestors)}}${finish(at)}`;
      return { node: node.name, at, hook: hook.name, process: whose(process), act: act?.id, text };
    },
    base(hook, process, generation, at) {
      const { before, after, ancestors } = texts.base(process, generation);
      const end = hook === 'exit' ? `, "time":"${toRfc3339(at + us(8) + node.skew)}"` : '';
      const text = `{"process_${hook}":{${before}${process.pid}${after}${end}${ancestors}}${finish(at)}`;
      return { node: node.name, at, hook, process: whose(process), act: undefined, text };
    },
  };
}

const post = '"KPROBE_ACTION_POST"';

/** Members of the event behind process and parent, in the order that each kind of event has. */
function members({ hook, args, result }: Happening, ancestors: string): string {
  const policy = `"policy_name":"${policyLabel(hook.policy)}"`;
  const tags = hook.tag === undefined ? '' : `, "tags":["${hook.tag}"]`;
  const list = `"args":[${args.join(', ')}]`;
  if (hook.kind === 'uprobe') {
    const path = '"path":"/usr/lib/x86_64-linux-gnu/libc.so.6"';
    return `${path}, "symbol":"${hook.name}", ${policy}, ${list}${tags}${ancestors}, "action":${post}`;
  }
  if (hook.kind === 'tracepoint') {
    return `"subsys":"io_uring", "event":"${hook.name}", ${list}, ${policy}, "action":${post}${tags}${ancestors}`;
  }
  const returned = result === undefined ? '' : `"return":${result}, `;
  const function_ = `"function_name":"${hook.name}"`;
  return `${function_}, ${list}, ${returned}"action":${post}, ${policy}, "return_action":${post}${tags}${ancestors}`;
}
