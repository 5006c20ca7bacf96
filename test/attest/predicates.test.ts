import { describe, expect, it } from 'vitest';
import { toRuntimeTrace } from '../../src/attest/runtime-trace.ts';
import { toSvr } from '../../src/attest/svr.ts';
import type { Report, ReportConnection } from '../../src/model/report.ts';
import { claims, proven } from '../report/fixture.ts';

const digest = 'a'.repeat(64);
const manifest = { queries: [{ path: 'queries/claims/tree-closed.sql', sha256: 'b'.repeat(64) }] };

interface Trace {
  monitor: { type: string; configSource: object; tracePolicy: object };
  monitoredProcess: { hostID: string; type: string; event: string };
  monitorLog: { process: object[]; network: object[]; tallystick_local: object[] };
  metadata: object;
}
const traceOf = (report: Report): Trace => JSON.parse(JSON.stringify(toRuntimeTrace(report, digest))) as Trace;

/** Every key of the predicate that v0.1 and v0.2 do not name bears the prefix, at any depth of ours. */
function keysOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    key,
    ...(key.startsWith('tallystick_') ? [] : keysOf(inner)),
  ]);
}

describe('runtime trace', () => {
  it('has every process and every way out, each once', () => {
    const { monitorLog, monitoredProcess, metadata } = traceOf(proven);
    expect(monitoredProcess).toMatchObject({
      event: proven.task.id,
      hostID: 'https://tallystick.dev/nodes#node-1',
    });
    expect(monitorLog.process).toHaveLength(proven.processes.length);
    expect(monitorLog.network.length + monitorLog.tallystick_local.length).toBe(proven.connections.length);
    expect(metadata).toEqual({
      buildStartedOn: proven.window.start,
      buildFinishedOn: proven.window.end,
    });
  });

  it('names an address by what it was attributed to', () => {
    const [first] = proven.connections;
    const connection = {
      ...(first as ReportConnection),
      peer: { address: '192.0.2.10', port: 443 },
      host: 'kms.example.com',
      channel: 'udp',
    };
    const { monitorLog } = traceOf({ ...proven, connections: [connection] });
    expect(monitorLog.network).toEqual([
      expect.objectContaining({ ip: '192.0.2.10', port: 443, protocol: 'udp', hostname: 'kms.example.com' }),
    ]);
    const inside = traceOf({ ...proven, connections: [{ ...connection, inside: true }] });
    expect(inside.monitorLog).toMatchObject({ network: [], tallystick_local: [{ tallystick_channel: 'udp' }] });
  });

  it('has no field of its own without the prefix', () => {
    const known = [
      'monitor',
      'type',
      'configSource',
      'name',
      'digest',
      'sha256',
      'tracePolicy',
      'monitoredProcess',
      'hostID',
    ];
    const logs = [
      'event',
      'monitorLog',
      'process',
      'network',
      'eventType',
      'processBinary',
      'arguments',
      'privileged',
      'ip',
    ];
    const rest = [
      'hostname',
      'port',
      'protocol',
      'invokingProcess',
      'pid',
      'binary',
      'metadata',
      'buildStartedOn',
      'buildFinishedOn',
    ];
    const keys = new Set(keysOf(traceOf(proven)).filter((key) => !key.startsWith('tallystick_')));
    expect([...keys].filter((key) => ![...known, ...logs, ...rest].includes(key))).toEqual([]);
  });
});

describe('simple verification result', () => {
  const propertiesOf = (report: Report): string[] =>
    (toSvr(report, manifest, digest) as { properties: string[] }).properties;
  const bare = { ...proven, assumptions: [] };

  it('lists what holds, and proven only where it is', () => {
    expect(propertiesOf(bare)).toContain('TALLYSTICK_PROVEN');
    expect(propertiesOf(bare)).toContain('TALLYSTICK_TREE_CLOSED');
    expect(propertiesOf(bare)).toHaveLength(16);
    const open = {
      ...bare,
      verdict: 'unproven',
      claims: claims({ 'tree-closed': { result: 'unproven', findings: [] } }),
    } as const;
    expect(propertiesOf(open)).toHaveLength(14);
    for (const name of ['TALLYSTICK_PROVEN', 'TALLYSTICK_TREE_CLOSED']) expect(propertiesOf(open)).not.toContain(name);
  });

  it('never gives the bare name to what rests on an assumption', () => {
    const given = { ...bare, assumptions: [{ name: 'co-tenants-isolated', detail: '' }] };
    expect(propertiesOf(given)).toContain('TALLYSTICK_PROVEN_GIVEN_CO_TENANTS_ISOLATED');
    expect(propertiesOf(given).filter((one) => !one.endsWith('_GIVEN_CO_TENANTS_ISOLATED'))).toEqual([]);
  });

  it('names the SQL that judged, and the newest time in the evidence', () => {
    const coverage = [
      { ...{ source: 's', subject: 'n', basis: 'kernel', detail: '' }, from: '', until: '2030-01-01T00:00:00Z' },
    ];
    expect(toSvr({ ...bare, coverage }, manifest, digest)).toMatchObject({
      verifier: { policies: [{ name: 'queries/claims/tree-closed.sql', digest: { sha256: 'b'.repeat(64) } }] },
      timeCreated: '2030-01-01T00:00:00Z',
    });
  });
});
