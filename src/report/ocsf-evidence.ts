import type { ReportConnection, ReportProcess, ReportSession, ReportUse } from '../model/report.ts';
import { addressOf, baseName, type Place } from './places.ts';
import { toMillis } from './times.ts';

interface Endpoint {
  readonly hostname?: string;
  readonly name?: string;
  readonly ip?: string;
  readonly port?: number;
}

/** Object `evidences` of OCSF: one record behind a finding, and what of the task it speaks of. */
export interface Evidence {
  readonly uid: string;
  readonly name: string;
  readonly actor?: {
    readonly process?: object;
    readonly session?: { readonly uid: string; readonly credential_uid: string };
  };
  readonly process?: { readonly name: string };
  readonly src_endpoint?: Endpoint;
  readonly dst_endpoint?: Endpoint;
  readonly connection_info?: object;
  readonly api?: object;
  readonly data?: object;
}

export function toEvidence({ record, connection, use, process }: Place): Evidence {
  if (connection !== undefined) return ofConnection(record, connection, process);
  if (use !== undefined) return ofUse(record, use);
  if (process !== undefined) return { uid: record, name: 'process', process: toProcess(process) };
  return { uid: record, name: 'record', data: { record } };
}

function ofConnection(record: string, row: ReportConnection, process: ReportProcess | undefined): Evidence {
  const local = addressOf(row.local?.address);
  return {
    uid: record,
    name: 'connection',
    ...(process === undefined ? {} : { actor: { process: toProcess(process) } }),
    ...(local === undefined ? {} : { src_endpoint: { ip: local, ...portOf(row.local?.port) } }),
    dst_endpoint: toEndpoint(row),
    // 2 is Outbound: every row is a way out of the task
    connection_info: { uid: row.id, protocol_name: row.channel, direction_id: 2, direction: 'Outbound' },
  };
}

/** Where a way out led: host, address and port, or the path of a socket as a name. */
function toEndpoint({ endpoint, host, peer }: ReportConnection): Endpoint {
  const ip = addressOf(peer?.address);
  const named = host === undefined ? {} : { hostname: host };
  return {
    ...(host === undefined && ip === undefined ? { name: endpoint } : named),
    ...(ip === undefined ? {} : { ip }),
    ...portOf(peer?.port),
  };
}

function portOf(port: number | undefined): { port?: number } {
  return port === undefined ? {} : { port };
}

function ofUse(record: string, use: ReportUse): Evidence {
  const ip = addressOf(use.source);
  return {
    uid: record,
    name: 'credential use',
    actor: { session: { uid: use.session, credential_uid: use.key } },
    api: {
      operation: use.event ?? use.action,
      ...(use.service === undefined ? {} : { service: { name: use.service } }),
      ...(use.requestId === undefined ? {} : { request: { uid: use.requestId } }),
      ...(use.outcome === 'ok' ? {} : { response: { error: use.outcome } }),
    },
    ...(use.source === '' ? {} : { src_endpoint: ip === undefined ? { name: use.source } : { ip } }),
    ...(use.host === undefined ? {} : { dst_endpoint: { hostname: use.host } }),
  };
}

function toProcess(row: ReportProcess): { readonly name: string } {
  const name = baseName(row.binary);
  const started = toMillis(row.started);
  const ended = toMillis(row.exited);
  return {
    pid: row.pid,
    uid: row.execId,
    name,
    cmd_line: `${row.binary} ${row.arguments}`.trimEnd(),
    ...(started === undefined ? {} : { created_time: started }),
    ...(ended === undefined ? {} : { terminated_time: ended }),
    // 1 is Regular File
    ...(name === '' ? {} : { file: { name, path: row.binary, type_id: 1, type: 'Regular File' } }),
    ...(row.uid === undefined ? {} : { user: { uid: String(row.uid) } }),
  } as { readonly name: string };
}

interface Observable {
  readonly name: string;
  readonly type_id: number;
  readonly type: string;
  readonly value: string;
}

/** What others search for: hosts, addresses, names of processes, keys of credentials; each once. */
export function toObservables(evidences: readonly Evidence[], sessions: readonly ReportSession[]): Observable[] {
  const all = [
    ...evidences.flatMap((evidence, index) => ofEvidence(evidence, `evidences[${index}]`)),
    ...sessions.flatMap((row, index) => [
      { name: `resources[${index}].uid`, type_id: 10, type: 'Resource UID', value: row.key },
    ]),
  ].filter(({ value }) => value !== '');
  const unique = new Map<string, Observable>();
  for (const one of all) {
    const key = `${one.type_id} ${one.value}`;
    if (!unique.has(key)) unique.set(key, one);
  }
  return [...unique.values()];
}

function ofEvidence({ actor, process, src_endpoint, dst_endpoint }: Evidence, at: string): Observable[] {
  const hosts = Object.entries({ src_endpoint, dst_endpoint }).flatMap(([side, endpoint]) => [
    { name: `${at}.${side}.hostname`, type_id: 1, type: 'Hostname', value: endpoint?.hostname ?? '' },
    { name: `${at}.${side}.ip`, type_id: 2, type: 'IP Address', value: endpoint?.ip ?? '' },
  ]);
  const acting = actor?.process as { readonly name: string } | undefined;
  return [
    ...hosts,
    { name: `${at}.actor.process.name`, type_id: 9, type: 'Process Name', value: acting?.name ?? '' },
    { name: `${at}.process.name`, type_id: 9, type: 'Process Name', value: process?.name ?? '' },
  ];
}
