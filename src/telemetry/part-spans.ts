import type { ReportConnection, ReportGap, ReportProcess, ReportSession, ReportUse } from '../model/report.ts';
import { toAttributes, toText } from './hostile-text.ts';
import { toFingerprint } from './ids.ts';
import { otel, own } from './names.ts';
import type { TaskSpan, Time } from './span.ts';
import { type Bounds, toTime } from './times.ts';

/** What a part of a task says of its span; ids, parent, events and links come from the graph. */
export interface PartSpan extends Pick<TaskSpan, 'name' | 'kind' | 'start' | 'end' | 'attributes'> {
  /** Why it counts as failed by itself. */
  readonly failed?: string;
}

/** From exec to exit. Arguments are not told: their length, and a fingerprint by which equal ones are known. */
export function toProcessSpan(task: string, process: ReportProcess, bounds: Bounds): PartSpan {
  const { node, execId, binary, pod } = process;
  const executable = binary.slice(binary.lastIndexOf('/') + 1);
  const start = toTime(process.started) ?? bounds.start;
  return {
    name: toName(`exec ${executable || 'process'}`),
    kind: 'internal',
    ...between(start, toTime(process.exited) ?? bounds.end),
    attributes: toAttributes({
      [own.kind]: 'process',
      [otel.pid]: process.pid,
      [otel.executablePath]: binary,
      [otel.executableName]: executable,
      [otel.creationTime]: process.started,
      [otel.exitTime]: process.exited,
      [otel.userId]: process.uid,
      [otel.containerId]: process.container,
      [otel.containerImage]: process.image,
      [otel.podName]: pod?.name,
      [otel.podNamespace]: pod?.namespace,
      [otel.k8sNode]: pod === undefined ? undefined : node,
      [otel.host]: node,
      [own.execId]: execId,
      [own.parentExecId]: process.parentExecId,
      [own.tiedBy]: process.tiedBy,
      [own.argumentsLength]: process.arguments.length,
      [own.argumentsHash]: process.arguments === '' ? undefined : toFingerprint(task, process.arguments),
      [own.open]: process.exited === undefined ? true : undefined,
    }),
  };
}

const transports = new Set(['tcp', 'udp', 'unix']);

/** From open to close; one that was still open ends with its task. */
export function toConnectionSpan(connection: ReportConnection, bounds: Bounds): PartSpan {
  const { id, endpoint, channel, local, peer, host } = connection;
  const path = channel === 'unix' ? endpoint.replace(/^unix:/, '') : undefined;
  const address = peer?.address;
  return {
    name: toName(`${channel} ${path ?? endpoint.replace(/\/udp$/, '')}`),
    kind: 'internal',
    ...between(toTime(connection.opened) ?? bounds.start, toTime(connection.closed) ?? bounds.end),
    attributes: toAttributes({
      [own.kind]: 'connection',
      [otel.transport]: transports.has(channel) ? channel : undefined,
      [otel.networkType]: address === undefined ? undefined : address.includes(':') ? 'ipv6' : 'ipv4',
      [otel.peerAddress]: address ?? path,
      [otel.peerPort]: peer?.port,
      [otel.localAddress]: local?.address,
      [otel.localPort]: local?.port,
      [otel.serverAddress]: host,
      [otel.serverPort]: host === undefined ? undefined : peer?.port,
      [otel.host]: connection.node,
      [own.connectionId]: id,
      [own.endpoint]: endpoint,
      [own.channel]: channel,
      [own.connectionOutcome]: connection.outcome,
      [own.carried]: connection.carried,
      [own.declared]: connection.declared,
      [own.inside]: connection.inside,
      [own.basis]: connection.basis,
      [own.matchedUses]: connection.uses.length,
      [own.open]: connection.closed === undefined ? true : undefined,
    }),
  };
}

/** A call as the provider recorded it: a moment, in whole seconds of the provider's clock. */
export function toUseSpan(use: ReportUse, bounds: Bounds): PartSpan {
  const { provider, service, event, action, outcome } = use;
  const time = toTime(use.time) ?? bounds.start;
  const isAws = provider === 'aws';
  const method =
    service === undefined || event === undefined ? undefined : `${service.split('.', 1).join('')}/${event}`;
  return {
    name: toName(method ?? action),
    kind: 'client',
    start: time,
    end: time,
    attributes: toAttributes({
      [own.kind]: 'use',
      [otel.cloudProvider]: isAws || provider === 'gcp' ? provider : undefined,
      [otel.cloudAccount]: use.account,
      [otel.cloudRegion]: use.region,
      [otel.awsRequestId]: isAws ? use.requestId : undefined,
      [own.requestId]: isAws ? undefined : use.requestId,
      [otel.rpcSystem]: isAws ? 'aws-api' : undefined,
      [otel.rpcMethod]: method,
      [otel.serverAddress]: use.host,
      [otel.errorType]: outcome === 'ok' ? undefined : outcome,
      [own.provider]: provider,
      [own.useId]: use.id,
      [own.action]: action,
      [own.useOutcome]: outcome,
      [own.source]: use.source,
      [own.strength]: use.strength,
      [own.sessionKey]: use.key,
      [own.sessionName]: use.session,
    }),
    ...(outcome === 'ok' ? {} : { failed: outcome }),
  };
}

/**
 * From issue to the end of the task, or to expiry where that came first, but never before the last use: most credentials
 * outlive their task by hours, which would make the rest of the trace a dot. The time of expiry is an attribute.
 */
export function toSessionSpan(session: ReportSession, bounds: Bounds): PartSpan {
  const { provider, key, requestId } = session;
  const isAws = provider === 'aws';
  const start = toTime(session.issued) ?? toTime(session.firstUse) ?? bounds.start;
  const expires = toTime(session.expires) ?? bounds.end;
  return {
    name: toName(`credential ${session.session || key}`),
    kind: 'internal',
    ...between(start, later(expires < bounds.end ? expires : bounds.end, toTime(session.lastUse))),
    attributes: toAttributes({
      [own.kind]: 'session',
      [otel.cloudProvider]: isAws || provider === 'gcp' ? provider : undefined,
      [otel.cloudAccount]: session.account,
      [otel.awsRequestId]: isAws ? requestId : undefined,
      [own.requestId]: isAws ? undefined : requestId,
      [own.provider]: provider,
      [own.sessionKey]: key,
      [own.sessionName]: session.session,
      [own.role]: session.role,
      [own.issued]: session.issued,
      [own.expires]: session.expires,
      [own.issuedBy]: session.issuedBy,
      [own.parentKey]: session.parentKey,
      [own.declared]: session.declared,
      [own.sessionUses]: session.uses,
      [own.sessionDenied]: session.denied,
      [own.actions]: session.actions,
      [own.granted]: session.granted,
    }),
  };
}

/** As much of a gap as lies within the task's time. */
export function toGapSpan(gap: ReportGap, { start, end }: Bounds): PartSpan {
  const from = later(start, toTime(gap.from));
  const until = toTime(gap.until) ?? end;
  return {
    name: toName(`gap ${gap.why.split(':', 1).join('')}`),
    kind: 'internal',
    ...between(from, until < end ? until : end),
    attributes: toAttributes({
      [own.kind]: 'gap',
      [own.gapStream]: gap.stream,
      [own.gapOrigin]: gap.origin,
      [own.gapWhy]: gap.why,
      [own.gapCount]: gap.count,
      [own.gapFrom]: gap.from,
      [own.gapUntil]: gap.until,
    }),
  };
}

function toName(text: string): string {
  return toText(text, 128);
}

function later(a: Time, b: Time | undefined): Time {
  return b !== undefined && b > a ? b : a;
}

/** Clocks may disagree: nothing ends before it began. */
function between(start: Time, end: Time): { start: Time; end: Time } {
  return { start, end: later(start, end) };
}
