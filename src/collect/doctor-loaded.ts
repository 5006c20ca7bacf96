import { join } from 'node:path';
import type { TetragonSource } from '../model/collector.ts';
import { parsePolicySpecs } from '../sources/policy-specs.ts';
import { type Notes, reason } from './doctor-finding.ts';
import { judgeHooks } from './doctor-hooks.ts';
import type { ShippedPolicy } from './doctor-policies.ts';
import type { AgentAnswer, Probes } from './doctor-probes.ts';

/** Counters that an agent always shows, unlike those with labels, which come with their first loss. */
const always = [
  'tetragon_observer_ringbuf_events_lost_total',
  'tetragon_observer_ringbuf_queue_events_lost_total',
  'tetragon_notify_overflowed_events_total',
  'tetragon_events_missing_process_info_total',
];

/** Hooks and loss counters, as the judge would see them. */
export async function checkHooks(
  notes: Notes,
  agent: AgentAnswer,
  metrics: Readonly<Record<string, number>>,
  shipped: readonly ShippedPolicy[],
): Promise<void> {
  const state = await judgeHooks(agent.policies, metrics);
  for (const gap of state.gaps) {
    const files = shipped.filter(({ hooks }) => hooks.some((hook) => gap.hooks.includes(hook))).map(({ file }) => file);
    notes.fail('hooks', gap.detail, hookFix(gap.why, files));
  }
  if (state.gaps.length === 0) notes.ok('hooks', `${state.loaded} are loaded, all required ones among them`);
  if (state.absent.length > 0 && state.gaps.length === 0)
    notes.ok('hooks', `not in this kernel, which matters only to a task that uses them: ${state.absent.join(', ')}`);
  const missing = always.filter((name) => !state.counters.includes(name));
  if (Object.keys(metrics).length === 0) return;
  if (missing.length === 0) notes.ok('metrics', 'the loss counters are there');
  else
    notes.fail('metrics', `loss counters are missing: ${missing.join(', ')}`, 'use an agent that has them, unfiltered');
}

function hookFix(why: string, files: readonly string[]): string {
  const load = files.length === 0 ? 'the policies of deploy/tetragon/policies' : files.join(', ');
  if (why === 'policy-disabled')
    return 'enable it: tetra tracingpolicy enable NAME (--domain static for one from a file)';
  if (why === 'hook-missing') return `see tetra tracingpolicy list -o json: this kernel or agent does not attach it`;
  return `load ${load}, for the whole node: in the agent’s tracing-policy-dir, or kubectl apply -f`;
}

/** The texts of the loaded policies, as they lie on disk: whether they are what is shipped here. */
export async function checkTexts(
  notes: Notes,
  source: TetragonSource,
  { files }: Probes,
  agent: AgentAnswer,
  shipped: readonly ShippedPolicy[],
): Promise<void> {
  if (source.policies === undefined) {
    notes.warn(
      'policy texts',
      'nobody checks the selectors of the loaded policies',
      'set policies: the folder that the agent loads them from',
    );
    return;
  }
  try {
    const texts = await readTexts(source.policies, files);
    const names = agent.policies.flatMap(nameOf);
    const unread = names.filter((name) => !texts.has(name));
    const same = shipped
      .filter(({ name, sha256 }) => names.includes(name) && texts.get(name) === sha256)
      .map(({ name }) => name);
    const other = names.filter((name) => texts.has(name) && !same.includes(name));
    if (unread.length > 0)
      notes.warn(
        'policy texts',
        `loaded, but not in ${source.policies}: ${unread.join(', ')}`,
        'put their files there',
      );
    if (same.length > 0) notes.ok('policy texts', `as shipped: ${same.join(', ')}`);
    if (other.length > 0) notes.ok('policy texts', `your own, by name and digest in each report: ${other.join(', ')}`);
  } catch (error) {
    notes.warn('policy texts', `${source.policies}: ${reason(error)}`, 'let the collector read them');
  }
}

/** Digest of each policy's spec by its name. */
async function readTexts(path: string, files: Probes['files']): Promise<Map<string, string>> {
  const look = await files.look(path);
  if (look === undefined || look === 'denied') throw new Error(look === undefined ? 'is not there' : 'can’t be read');
  const paths =
    look.kind === 'folder'
      ? (await files.list(path)).filter((name) => /\.(ya?ml|json)$/.test(name)).map((name) => join(path, name))
      : [path];
  const texts = new Map<string, string>();
  for (const file of paths)
    for (const { name, sha256 } of parsePolicySpecs(await files.readText(file), file)) texts.set(name, sha256);
  return texts;
}

function nameOf(value: unknown): string[] {
  const name = typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined;
  return typeof name === 'string' ? [name] : [];
}
