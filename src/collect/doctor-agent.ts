import type { TetragonSource } from '../model/collector.ts';
import type { Notes } from './doctor-finding.ts';
import type { AgentConf } from './doctor-probes.ts';

/** What tasks need of the agent's settings. */
export interface Wanted {
  /** Environment variables that workloads are selected by. */
  readonly variables: readonly string[];
  /** Whether a workload is selected by pod or labels. */
  readonly pods: boolean;
}

/** The agent's settings (GetInfo; facts on Tetragon: loss points, process identity). */
export function checkAgent(notes: Notes, conf: AgentConf, wanted: Wanted): void {
  checkVariables(notes, conf, wanted.variables);
  if (!isOn(conf, 'enable-process-ns'))
    notes.warn(
      'network namespaces',
      'events do not tell them, so an address inside a container may be taken for the host’s',
      'set enable-process-ns: true (Helm: tetragon.enableProcessNs)',
    );
  if (wanted.pods && !isOn(conf, 'enable-k8s-api'))
    notes.fail(
      'pods',
      'a workload is selected by pod or labels, but the agent does not ask Kubernetes',
      'set enable-k8s-api: true (Helm: tetragon.enableK8sAPI), or select by env or container',
    );
  if (isOn(conf, 'disable-process-cache'))
    notes.fail('process cache', 'events come without their process', 'remove disable-process-cache');
  if (text(conf, 'cgroup-rate') !== '')
    notes.warn(
      'cgroup rate limit',
      `events of a busy group of processes are held back (cgroup-rate ${text(conf, 'cgroup-rate')})`,
      'remove cgroup-rate',
    );
  if (text(conf, 'redaction-filters') !== '')
    notes.warn(
      'redaction',
      'the agent changes arguments and environment before they are sent, which may hide a task’s mark',
      'set redaction-filters: "": secrets are masked before anything is sealed',
    );
  checkQueues(notes, conf);
  checkWeight(notes, conf);
}

function checkVariables(notes: Notes, conf: AgentConf, variables: readonly string[]): void {
  const kept = list(conf, 'filter-environment-variables');
  const missing = kept.length === 0 ? [] : variables.filter((name) => !kept.includes(name));
  const fix = `set enable-process-environment-variables: true and filter-environment-variables: ${[...new Set([...kept, ...variables])].join(',')}`;
  if (variables.length === 0) return;
  if (!isOn(conf, 'enable-process-environment-variables'))
    notes.fail('environment', `tasks are selected by ${variables.join(', ')}, but events bear no variables`, fix);
  else if (conf['filter-environment-variables'] === undefined)
    notes.warn('environment', 'the agent does not tell which variables its events bear', fix);
  else if (missing.length > 0)
    notes.fail('environment', `tasks are selected by ${missing.join(', ')}, which the agent filters out`, fix);
  else if (kept.length === 0)
    notes.warn('environment', 'every variable of every process is sent: large events, and secrets among them', fix);
  else notes.ok('environment', `events bear ${variables.join(', ')}`);
}

/** Sizes at which a burst lost three quarters of its events, and at which it lost none. */
const queues = [
  { key: 'rb-size-total', low: ['', '0'], enough: '128M', unless: 'rb-size' },
  { key: 'rb-queue-size', low: ['', '65535'], enough: '1M', unless: undefined },
  { key: 'event-queue-size', low: ['', '10000'], enough: '400000', unless: undefined },
] as const;

function checkQueues(notes: Notes, conf: AgentConf): void {
  const low = queues.filter(
    ({ key, low, unless }) =>
      (low as readonly string[]).includes(text(conf, key)) &&
      (unless === undefined || ['', '0'].includes(text(conf, unless))),
  );
  if (low.length === 0) notes.ok('queues', 'are larger than the defaults');
  else
    notes.warn(
      'queues',
      `${low.map(({ key }) => key).join(', ')}: at the default a burst loses events, and the report of every task then running`,
      `set ${low.map(({ key, enough }) => `${key}: ${enough}`).join(', ')}`,
    );
}

function checkWeight(notes: Notes, conf: AgentConf): void {
  const heavy = [
    ...(list(conf, 'enable-ancestors').length > 0 ? ['enable-ancestors: ""'] : []),
    ...(isOn(conf, 'enable-process-cred') ? ['enable-process-cred: false'] : []),
  ];
  if (heavy.length > 0)
    notes.warn(
      'size of events',
      'ancestors and credentials of processes are sent, are not used, and make events up to four times as large',
      `set ${heavy.join(', ')}`,
    );
}

const eventKinds = ['PROCESS_EXEC', 'PROCESS_EXIT', 'PROCESS_KPROBE'] as const;
const leastFileMegabytes = 1000;

/** Settings of the export file, where it is a way in. */
export function checkExport(notes: Notes, conf: AgentConf, source: TetragonSource): void {
  if (source.export === undefined) return;
  const rate = number(conf, 'export-rate-limit');
  if (text(conf, 'export-filename') === '' || rate === 0) {
    notes.fail('export', 'the agent writes no export file', 'set export-filename and export-rate-limit: -1');
    return;
  }
  const stream = source.address !== undefined;
  const doubt = stream ? notes.warn : notes.fail;
  const but = stream ? '; the stream has them, but the file can’t fill what it loses' : '';
  if (rate !== undefined && rate > 0)
    doubt(
      'export rate limit',
      `events beyond ${rate} each minute are dropped from the file${but}`,
      'set export-rate-limit: -1 (Helm: tetragon.exportRateLimit)',
    );
  checkLists(doubt, conf, but);
  if (isOn(conf, 'enable-export-aggregation'))
    doubt('export aggregation', `events are put together in the file${but}`, 'set enable-export-aggregation: false');
  if (text(conf, 'field-filters') !== '')
    doubt('field filters', `fields of events are left out of the file${but}`, 'set field-filters: ""');
  checkRotation(notes, conf);
}

function checkLists(doubt: Notes['warn'], conf: AgentConf, but: string): void {
  const deny = text(conf, 'export-denylist').trim();
  if (deny !== '')
    doubt(
      'export deny list',
      (namesHost(deny)
        ? 'drops the events of all host processes, canaries among them, and of some namespaces'
        : `drops events: ${deny.replace(/\s+/g, ' ')}`) + but,
      'set export-denylist: "" (Helm: tetragon.exportDenyList: "")',
    );
  const allow = text(conf, 'export-allowlist').trim();
  const fix = 'set export-allowlist: "" (Helm: tetragon.exportAllowList: "")';
  if (allow === '') return;
  const filters = allow.split('\n').map(parseFilter);
  const whole = filters.filter((filter) => Object.keys(filter).every((key) => key === 'event_set'));
  const kinds = whole.flatMap(({ event_set }) => (Array.isArray(event_set) ? event_set.map(String) : []));
  const missing = eventKinds.filter((kind) => !kinds.includes(kind));
  if (missing.length > 0) doubt('export allow list', `does not let every ${missing.join(', ')} through${but}`, fix);
  else if (!kinds.includes('PROCESS_THROTTLE') && text(conf, 'cgroup-rate') !== '')
    doubt('export allow list', `leaves out the notices that events are held back${but}`, fix);
}

/** A filter for the namespace "" is one for whatever is in no pod. */
function namesHost(deny: string): boolean {
  return deny.split('\n').some((line) => {
    const { namespace } = parseFilter(line);
    return Array.isArray(namespace) && namespace.includes('');
  });
}

function parseFilter(line: string): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(line);
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : { unknown: line };
  } catch {
    return { unknown: line };
  }
}

function checkRotation(notes: Notes, conf: AgentConf): void {
  const size = number(conf, 'export-file-max-size-mb');
  const backups = number(conf, 'export-file-max-backups');
  // no limit on how many are kept
  if (size === undefined || backups === undefined || backups === 0) return;
  const total = size * (backups + 1);
  if (total >= leastFileMegabytes) notes.ok('export rotation', `${total} MB are kept`);
  else
    notes.warn(
      'export rotation',
      `the oldest file is deleted after ${total} MB: a busy node writes that before a collector is back`,
      'set export-file-max-size-mb: 200, export-file-max-backups: 10',
    );
}

function text(conf: AgentConf, key: string): string {
  const value = conf[key];
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

function number(conf: AgentConf, key: string): number | undefined {
  const value = text(conf, key);
  return /^-?\d+$/.test(value) ? Number(value) : undefined;
}

function isOn(conf: AgentConf, key: string): boolean {
  return text(conf, key) === 'true';
}

/** A list, or text with commas between. */
function list(conf: AgentConf, key: string): string[] {
  const value = conf[key];
  const items = Array.isArray(value) ? value.map(String) : text(conf, key).split(',');
  return items.map((item) => item.trim()).filter((item) => item !== '');
}
