import type { Report } from '../../src/model/report.ts';
import { toTaskTrace, type TraceOptions } from '../../src/telemetry/task-trace.ts';
import type { TaskSpan } from '../../src/telemetry/span.ts';
import { openJudgedCase } from '../cases/judged-case.ts';

const judged = new Map<string, Promise<Report>>();

/** The report on a recorded case, judged once for all tests of a file. */
export function judgedReport(name: string): Promise<Report> {
  const report = judged.get(name) ?? judge(name);
  judged.set(name, report);
  return report;
}

async function judge(name: string): Promise<Report> {
  const opened = await openJudgedCase(name);
  try {
    return await opened.judge({});
  } finally {
    await opened.close();
  }
}

/** All spans of a report. */
export function spansOf(report: Report, options: Partial<TraceOptions> = {}): TaskSpan[] {
  return [...toTaskTrace(report, { maxSpans: 10_000, trustedParent: 'process', ...options }).spans()];
}

const start = Date.UTC(2026, 10, 21, 10, 0, 0);

export function at(seconds: number): string {
  return new Date(start + seconds * 1000).toISOString();
}

/** A report on a task with one process for each hundred connections, and a use on every tenth of them. */
export function bigReport(base: Report, connections: number): Report {
  const count = Math.ceil(connections / 100);
  const processes = Array.from({ length: count }, (_, n) => ({
    node: 'node-1',
    execId: `exec-${String(n)}`,
    ...(n === 0 ? {} : { parentExecId: `exec-${String(Math.floor((n - 1) / 3))}` }),
    pid: n + 2,
    binary: '/usr/bin/agent',
    arguments: `--step ${String(n)}`,
    started: at(n),
    exited: at(4000),
    tiedBy: 'parent',
    evidence: `tetragon/node-1/p${String(n)}`,
  }));
  const key = base.sessions[0]?.key ?? '';
  return {
    ...base,
    window: { start: at(0), end: at(4000) },
    processes,
    connections: Array.from({ length: connections }, (_, n) => ({
      id: `tetragon/node-1/${String(n)}`,
      execId: `exec-${String(Math.floor(n / 100))}`,
      endpoint: 'route53.amazonaws.com:443',
      channel: 'tcp',
      opened: at(1 + n / 10),
      closed: at(2 + n / 10),
      uses: n % 10 === 0 ? [`use-${String(n)}`] : [],
      node: 'node-1',
      peer: { address: '192.0.2.80', port: 443 },
      host: 'route53.amazonaws.com',
      declared: true,
    })),
    uses: Array.from({ length: Math.ceil(connections / 10) }, (_, n) => ({
      id: `use-${String(n * 10)}`,
      time: at(1 + n),
      key,
      session: 'sess',
      action: 'route53:GetHostedZone',
      source: '203.0.113.7',
      outcome: 'ok',
      connection: `tetragon/node-1/${String(n * 10)}`,
      provider: 'aws',
      service: 'route53.amazonaws.com',
      event: 'GetHostedZone',
      evidence: `cloudtrail/a/0#use-${String(n * 10)}`,
    })),
  };
}
