import { dirname } from 'node:path';
import type { TetragonSource } from '../model/collector.ts';
import { checkAgent, checkExport, type Wanted } from './doctor-agent.ts';
import { checkClock } from './doctor-clock.ts';
import { type Finding, type Notes, openNotes, reason } from './doctor-finding.ts';
import { checkHooks, checkTexts } from './doctor-loaded.ts';
import type { ShippedPolicy } from './doctor-policies.ts';
import type { AgentAnswer, Probes } from './doctor-probes.ts';

export interface SensorContext {
  readonly wanted: Wanted;
  /** Seconds that clocks may differ. */
  readonly tolerance: number;
  readonly shipped: readonly ShippedPolicy[];
}

/** Everything about one node's sensor. */
export async function checkSensor(
  source: TetragonSource,
  probes: Probes,
  context: SensorContext,
): Promise<readonly Finding[]> {
  const notes = openNotes(`sensor ${source.node}`);
  const agent = await askAgent(notes, source, probes);
  const metrics = await askMetrics(notes, source, probes, context.tolerance);
  if (agent !== undefined) {
    await checkHooks(notes, agent, metrics, context.shipped);
    await checkTexts(notes, source, probes, agent, context.shipped);
    if (agent.conf === undefined)
      notes.warn('settings', 'the agent does not tell its settings', 'use a version with GetInfo');
    else {
      checkAgent(notes, agent.conf, context.wanted);
      checkExport(notes, agent.conf, source);
    }
  }
  await checkExportFile(notes, source, probes);
  await checkCanary(notes, source, probes);
  return notes.findings;
}

async function askAgent(notes: Notes, source: TetragonSource, probes: Probes): Promise<AgentAnswer | undefined> {
  if (source.address === undefined) {
    notes.fail(
      'agent',
      'without its address nothing tells which hooks are loaded',
      'set address: unix:///var/run/tetragon/tetragon.sock beside export',
    );
    return undefined;
  }
  try {
    const agent = await probes.sensor.agent(source);
    if (agent.version === '') notes.warn('version', 'the agent does not tell its version', 'use a release of Tetragon');
    else notes.ok('agent', `${source.address} answers, version ${agent.version}`);
    return agent;
  } catch (error) {
    notes.fail('agent', `${source.address}: ${reason(error)}`, await unreachableFix(source.address, error, probes));
    return undefined;
  }
}

async function unreachableFix(address: string, error: unknown, { files }: Probes): Promise<string> {
  const path = /^unix:\/\/(.+)$/.exec(address)?.[1];
  if (path !== undefined) {
    const look = await files.look(path);
    if (look === undefined) return `start the agent with server-address: ${address}`;
    if (look === 'denied' || !look.readable || !look.writable)
      return `run the collector in the socket’s group (root, mode 660)`;
    return look.kind === 'socket' ? 'start the agent: its socket is there, but nobody serves it' : 'it is no socket';
  }
  const tls = /certificate|handshake|TLS|SSL|self.signed|altname|wrong version/i.test(reason(error));
  if (tls)
    return 'check tls.ca, tls.cert, tls.key, and tls.serverName: Helm’s name is tetragon.tetragon-grpc.cilium.io';
  return `start the agent with server-address: ${address}, and let this host reach it`;
}

async function askMetrics(
  notes: Notes,
  source: TetragonSource,
  probes: Probes,
  tolerance: number,
): Promise<Readonly<Record<string, number>>> {
  if (source.metrics === undefined) {
    notes.fail(
      'metrics',
      'no URL: nothing tells whether events were lost',
      'set metrics: http://localhost:2112/metrics, and the agent’s metrics-server: localhost:2112',
    );
    return {};
  }
  try {
    const metrics = await probes.sensor.metrics(source.metrics);
    const date = await probes.net.date(source.metrics);
    if (metrics['process_start_time_seconds'] === undefined)
      notes.fail(
        'metrics',
        'process_start_time_seconds is missing: a restart can’t be told',
        `let ${source.metrics} serve the agent’s own metrics, unfiltered`,
      );
    if (metrics['tetragon_event_cache_entries'] === undefined)
      notes.warn(
        'metrics',
        'tetragon_event_cache_entries is missing: settling takes 30 s after the last exit',
        'use a newer agent',
      );
    if (date !== undefined) checkClock(notes, probes.now(), date, tolerance, 'set both clocks by NTP');
    return metrics;
  } catch (error) {
    notes.fail(
      'metrics',
      `${source.metrics}: ${reason(error)}`,
      'set the agent’s metrics-server: localhost:2112 (Helm: tetragon.prometheus)',
    );
    return {};
  }
}

async function checkExportFile(notes: Notes, source: TetragonSource, { files }: Probes): Promise<void> {
  if (source.export === undefined) {
    notes.warn(
      'export file',
      'is no way in: whatever breaks the stream is a gap',
      'set export: the agent’s export-filename; the file fills what the stream lost',
    );
    return;
  }
  const look = await files.look(source.export);
  const folder = await files.look(dirname(source.export));
  if (look === undefined)
    notes.fail(
      'export file',
      `${source.export} is not there`,
      'set export-filename of the agent to it, or export to its path',
    );
  else if (look === 'denied' || !look.readable || (folder !== undefined && folder !== 'denied' && !folder.readable))
    notes.fail(
      'export file',
      `${source.export} can’t be read`,
      'set export-file-perm: 640, and run in its group (root)',
    );
  else notes.ok('export file', `${source.export} can be read`);
}

async function checkCanary(notes: Notes, source: TetragonSource, { net }: Probes): Promise<void> {
  if (source.canary === false) {
    notes.warn(
      'canaries',
      'are off: a gap that no counter shows stays unseen',
      'set canary: true where the collector runs on the node itself',
    );
    return;
  }
  const port = source.canary === true ? defaultCanaryPort : source.canary.port;
  if (await net.listens(port))
    notes.warn('canaries', `something listens on port ${port} of loopback`, `set canary: { port: … } to a free one`);
  else notes.ok('canaries', `nobody listens on port ${port}`);
}

/** As src/sources/canary.ts takes it. */
const defaultCanaryPort = 1;
