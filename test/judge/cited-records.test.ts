import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leafHash, merkleRoot } from '../../src/evidence/merkle.ts';
import { readCitedRecords } from '../../src/judge/cited-records.ts';
import type { CitedRecords } from '../../src/model/cited-record.ts';
import type { Finding } from '../../src/model/claim.ts';
import type { Manifest, Segment } from '../../src/model/record.ts';
import type { Report } from '../../src/model/report.ts';
import { literal, openDatabase } from '../../src/query/database.ts';
import { auditArguments, openWorkshop, readReport, runTally } from '../cases/shared-case.ts';

const foreignUse = 'cloudtrail/111122223333_us-east-1/1#7f296884-5c73-48eb-b5be-79eecc6299d7';

let workshop: Awaited<ReturnType<typeof openWorkshop>>;
let out: string;
let report: Report;
let segments: readonly Segment[];
let cited: CitedRecords;

beforeAll(async () => {
  workshop = await openWorkshop();
  out = join(workshop.folder, 'out');
  await runTally(auditArguments('c12-foreign-use', out, workshop.key));
  report = readReport(out);
  segments = (JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as Manifest).segments;
  cited = await readCitedRecords(join(out, 'evidence'), segments, report);
}, 300_000);
afterAll(() => workshop.close());

function withFindings(findings: readonly Finding[]): Report {
  const [claim] = report.claims;
  return {
    ...report,
    claims: claim === undefined ? [] : [{ ...claim, findings }],
    sessions: [],
    uses: [],
    connections: [],
  };
}

function findingOf(evidence: readonly string[], kind: Finding['kind'] = 'doubt'): Finding {
  return { code: 'stream-gap', kind, subject: 'node', detail: 'x', evidence };
}

describe('readCitedRecords', () => {
  it('shows the one record of a log file that a finding cites', () => {
    const [first] = cited.records;
    expect(first?.id).toBe(foreignUse);
    expect(first?.text).toContain('"sourceIPAddress": "198.51.100.200"');
    expect(first?.text).toContain('"eventID": "7f296884-5c73-48eb-b5be-79eecc6299d7"');
    expect(first?.text).not.toContain('GetHostedZone');
    expect(first?.time).toBe('2026-11-21T10:36:51Z');
    expect(first?.left).toContain('the other records of the same file');
  });

  it('gives the leaf that the root of its segment is over', async () => {
    const wanted = cited.records.find(({ id }) => id === foreignUse);
    const segment = segments.find(({ file }) => file === wanted?.file);
    const database = await openDatabase();
    const path = join(out, 'evidence', segment?.file ?? '');
    const rows = await database.connection.runAndReadAll(
      `SELECT seq, received_at, raw FROM ${literal(path)} ORDER BY seq`,
    );
    const leaves = (rows.getRows() as [bigint, bigint, string][]).map(([seq, receivedAt, raw]) =>
      leafHash(
        Buffer.from(
          `tallystick record v1\ncloudtrail\n${segment?.origin ?? ''}\n${String(seq)}\n${String(receivedAt)}\n`,
        ),
        Buffer.from(raw),
      ),
    );
    await database.close();
    expect(merkleRoot(leaves).toString('hex')).toBe(segment?.root);
    expect(wanted?.leaf).toBe(leaves[1 - (segment?.firstSeq ?? 0)]?.toString('hex'));
  });

  it('adds issuances, uses and connections, and leaves long fields of the sensor out, by name', () => {
    const connection = cited.records.find(({ id }) => id === report.connections[0]?.id);
    expect(connection?.text).toContain('"function_name": "unix_stream_connect"');
    expect(connection?.text).not.toContain('CAP_CHOWN');
    expect(connection?.left).toContain('the fields ancestors, cap');
    const ids = cited.records.map(({ id }) => id);
    expect(ids).toContain(report.sessions[0]?.evidence);
    expect(ids).toContain(report.uses[0]?.evidence);
  });

  it('counts what it does not show: ids without a record, and all beyond the bound', async () => {
    const evidence = join(out, 'evidence');
    const made = withFindings([findingOf(['tetragon/tetlab/999999', 'no id', '../../etc/passwd/1', foreignUse])]);
    const few = await readCitedRecords(evidence, segments, made);
    expect(few.records.map(({ id }) => id)).toEqual([foreignUse]);
    expect(few.more).toBe(3);
    const ids = Array.from({ length: 30 }, (_, i) => `tetragon/tetlab/${i}`);
    const many = await readCitedRecords(evidence, segments, withFindings([findingOf(ids)]));
    expect(many.records).toHaveLength(10);
    expect(many.more).toBe(20);
  });

  it('takes open findings before notes', async () => {
    const findings = [findingOf(['tetragon/tetlab/2'], 'note'), findingOf(['tetragon/tetlab/1'])];
    const { records } = await readCitedRecords(join(out, 'evidence'), segments, withFindings(findings));
    expect(records.map(({ id }) => id)).toEqual(['tetragon/tetlab/1', 'tetragon/tetlab/2']);
  });

  it('puts them into the page, under the finding, with the leaf', () => {
    const html = readFileSync(join(out, 'report.html'), 'utf8');
    const finding = /<div class="finding breach">[^]*?foreign-use[^]*?<\/details>/.exec(html)?.[0] ?? '';
    expect(finding).toContain(cited.records[0]?.leaf);
    expect(finding).toContain('&quot;sourceIPAddress&quot;: &quot;198.51.100.200&quot;');
  });
});
