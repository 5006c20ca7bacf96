import type { Report, ReportConnection, ReportProcess } from '../model/report.ts';

export const runtimeTraceType = 'https://in-toto.io/attestation/runtime-trace/v0.1';

/**
 * Predicate of an in-toto runtime trace: the task's processes and what they reached, for tools that read those and not our
 * own predicate. Entries of `network` have the names that v0.2 of the predicate recommends; what it has no name for is
 * prefixed with `tallystick_`. Ways out without an address (unix sockets) are no network: they stand in `tallystick_local`.
 */
export function toRuntimeTrace(report: Report, manifestSha256: string): object {
  const { task, window, processes, connections, coverage } = report;
  const byExecId = new Map(processes.map((process) => [process.execId, process]));
  const nodes = [...new Set(processes.map(({ node }) => node))].sort();
  const remote = connections.filter(({ peer, inside }) => peer !== undefined && inside !== true);
  return {
    monitor: {
      type: 'https://github.com/cilium/tetragon',
      configSource: { name: 'manifest.json', digest: { sha256: manifestSha256 } },
      tracePolicy: {
        tallystick_coverage: coverage.filter(({ basis }) => basis === 'kernel' || basis === 'collector'),
      },
    },
    monitoredProcess: {
      hostID: `https://tallystick.dev/nodes#${nodes.map(encodeURIComponent).join(',')}`,
      type: 'https://tallystick.dev/task/v1',
      event: task.id,
    },
    monitorLog: {
      process: processes.map(toProcess),
      network: remote.map((one) => toNetwork(one, byExecId.get(one.execId))),
      tallystick_local: connections
        .filter((one) => !remote.includes(one))
        .map((one) => ({
          endpoint: one.endpoint,
          ...toDetail(one),
          invokingProcess: { tallystick_execId: one.execId },
        })),
    },
    metadata: {
      ...(window.start === undefined ? {} : { buildStartedOn: window.start }),
      ...(window.end === undefined ? {} : { buildFinishedOn: window.end }),
    },
  };
}

function toProcess(process: ReportProcess): object {
  const { node, execId, parentExecId, pid, binary, started, exited, uid, container, tiedBy } = process;
  return {
    eventType: 'process',
    processBinary: binary,
    arguments: process.arguments === '' ? [] : [process.arguments],
    privileged: null,
    tallystick_node: node,
    tallystick_execId: execId,
    tallystick_parentExecId: parentExecId,
    tallystick_pid: pid,
    tallystick_uid: uid,
    tallystick_container: container,
    tallystick_started: started,
    tallystick_exited: exited,
    tallystick_tiedBy: tiedBy,
  };
}

function toNetwork(connection: ReportConnection, process: ReportProcess | undefined): object {
  const { peer, host, channel } = connection;
  return {
    ip: peer?.address,
    ...(host === undefined ? {} : { hostname: host }),
    ...(peer?.port === undefined ? {} : { port: peer.port, protocol: channel === 'udp' ? 'udp' : 'tcp' }),
    invokingProcess: { pid: process?.pid, binary: process?.binary, tallystick_execId: connection.execId },
    ...toDetail(connection),
  };
}

function toDetail({ channel, opened, closed, outcome, carried, declared, uses, basis }: ReportConnection): object {
  return {
    tallystick_channel: channel,
    tallystick_opened: opened,
    tallystick_closed: closed,
    tallystick_outcome: outcome,
    tallystick_carried: carried,
    tallystick_declared: declared,
    tallystick_basis: basis,
    tallystick_uses: uses,
  };
}
