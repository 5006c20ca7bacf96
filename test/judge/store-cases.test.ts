import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgeStored } from '../../src/judge/judge-stored.ts';
import type { Report } from '../../src/model/report.ts';
import { auditArguments, caseNames, openWorkshop, readReport, runTally } from '../cases/shared-case.ts';
import { openTestStore, putCase } from './stored-case.ts';

let workshop: Awaited<ReturnType<typeof openWorkshop>>;
beforeAll(async () => {
  workshop = await openWorkshop();
});
afterAll(() => workshop.close());

/** What has to be the same: all but the records of the declaration and the configuration, and who vouches for the former. */
function comparable(report: Report): unknown {
  const { claims, ...rest } = report;
  const told = claims.map((claim) => ({
    ...claim,
    basis: claim.id === 'declared-first' ? '' : claim.basis,
    findings: claim.findings.map((finding) => ({
      ...finding,
      evidence: finding.evidence.map((id) => id.replace(/^tally\/declar(ation|ed)\//, 'tally/declared/')),
    })),
  }));
  return { ...rest, claims: told, tool: undefined };
}

describe('a task judged from a live store gets the report of an audit of the same files', () => {
  it.each(caseNames)('%s', async (name) => {
    const out = join(workshop.folder, name);
    await runTally(auditArguments(name, out, workshop.key));
    const store = await openTestStore(workshop.key);
    try {
      const { id } = await putCase(store, name);
      await store.seal();
      const { report } = await judgeStored({ store: store.path, task: id, version: 'test' });
      expect(comparable(report)).toEqual(comparable(readReport(out)));
      expect(report.claims.find((claim) => claim.id === 'declared-first')?.basis).toBe('collector');
    } finally {
      await store.close();
    }
  });
});
