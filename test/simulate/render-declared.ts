import { stringify } from 'yaml';
import type { Configuration, DeclarationPlan, Ns, Task, World } from './world.ts';

export interface Declared {
  readonly declaration: string;
  readonly config: string;
  /** The declaration names the first one as granted.json; none where nothing was granted. */
  readonly policies: string[];
}

/** What was declared of the judged task, as files beside the evidence. */
export function renderDeclared({ tasks: [task], configuration }: World): Declared {
  return {
    declaration: toYaml(toDeclaration(task)),
    config: toYaml(toConfig(configuration)),
    policies: task.declaration.granted.length === 0 ? [] : [toPolicy(task.declaration)],
  };
}

function toDeclaration({ id, type, declaration: plan }: Task): object {
  const policy = plan.granted.length === 0 ? {} : { policy: 'granted.json' };
  return {
    apiVersion: 'tally/v1',
    kind: 'Task',
    task: { id, type, agent: 'ironclaw' },
    trigger: { kind: 'github-actions', run: '9123', commit: '0f3a5be1c2d34f5a6b7c8d9e0f1a2b3c4d5e6f70' },
    declared: toTime(plan.declared),
    workload: plan.workload,
    ...(plan.image === undefined ? {} : { image: plan.image }),
    credentials: plan.credentials.map(({ session, role }) => ({ provider: 'aws', session, role, ...policy })),
    endpoints: plan.endpoints,
    infrastructure: plan.infrastructure,
    actions: plan.actions,
    ...filled({ relays: plan.relays }),
    ...(plan.window === undefined ? {} : { window: toWindow(plan.window) }),
  };
}

/** What is empty is left out: an empty list of issuers allows none, a missing one says nothing. */
function toConfig({ nodes, ...lists }: Configuration): object {
  const egress = Object.entries(nodes).map(([name, addresses]) => [name, { egress: addresses }] as const);
  return { apiVersion: 'tally/v1', kind: 'Config', ...filled({ nodes: Object.fromEntries(egress), ...lists }) };
}

function toPolicy({ granted }: DeclarationPlan): string {
  const statement = { Effect: 'Allow', Action: granted, Resource: '*' };
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] }, undefined, 1);
}

function toWindow({ start, end }: NonNullable<DeclarationPlan['window']>): object {
  return {
    ...(start === undefined ? {} : { start: toTime(start) }),
    ...(end === undefined ? {} : { end: toTime(end) }),
  };
}

/** RFC 3339 in UTC, to the nanosecond. */
function toTime(time: Ns): string {
  const whole = new Date(Number(time / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${whole}.${String(time % 1_000_000_000n).padStart(9, '0')}Z`;
}

function filled(fields: Readonly<Record<string, object>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => Object.keys(value).length > 0));
}

/** No line is folded: what stands in one must be found by a search for it. */
function toYaml(content: object): string {
  return stringify(content, { lineWidth: 0 });
}
