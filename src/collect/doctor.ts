import { readShippedPolicies } from './doctor-policies.ts';
import { checkCloudTrail } from './doctor-cloudtrail.ts';
import type { Finding } from './doctor-finding.ts';
import type { Probes } from './doctor-probes.ts';
import { checkSensor } from './doctor-sensor.ts';
import { checkCollector, checkKey, checkNames, checkStore } from './doctor-store.ts';
import { checkTask, type DeclaredTask, toWanted } from './doctor-task.ts';
import type { Settings } from './settings.ts';

export interface Patient {
  readonly settings: Settings;
  /** The task that is about to run, where one is given. */
  readonly task: DeclaredTask | undefined;
  /** Other declared tasks: what their workloads are selected by must be in the events too. */
  readonly others: readonly DeclaredTask[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Everything that would keep a report from being proven, as far as it can be told before the task runs. */
export async function diagnose({ settings, task, others, env }: Patient, probes: Probes): Promise<readonly Finding[]> {
  const { config, sources } = settings;
  const wanted = toWanted([...(task === undefined ? [] : [task]), ...others].map(({ declaration }) => declaration));
  const context = { wanted, tolerance: config.tolerance, shipped: readShippedPolicies() };
  const findings: Finding[] = [
    ...checkNames(settings),
    ...(await checkKey(settings, probes.files, env)),
    ...(await checkStore(settings.store.path, probes)),
    ...(await checkCollector(settings, probes.files)),
  ];
  if (task !== undefined) findings.push(...checkTask(task, config));
  const sensors = await Promise.all(sources.tetragon.map((source) => checkSensor(source, probes, context)));
  const trails = await Promise.all(sources.cloudtrail.map((source) => checkCloudTrail(source, probes, config, task)));
  return [...findings, ...sensors.flat(), ...trails.flat()];
}
