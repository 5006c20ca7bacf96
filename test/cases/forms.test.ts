import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { renderJunit } from '../../src/report/junit.ts';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { renderOcsf } from '../../src/report/ocsf.ts';
import { renderSarif } from '../../src/report/sarif.ts';
import { formOptions } from '../report/form-options.ts';
import { ocsfMistakes } from '../report/ocsf-schema.ts';
import { parseXml } from '../report/parse-xml.ts';
import { parseSarif } from '../report/sarif-log.ts';
import { schemaMistakes } from '../schemas/validate.ts';
import { openJudgedCase } from './judged-case.ts';
import { caseNames } from './shared-case.ts';

describe.each(caseNames)('the report of %s', (name) => {
  let report: Report;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const opened = await openJudgedCase(name);
    close = () => opened.close();
    report = await opened.judge({});
  });
  afterAll(() => close());

  it('is of the published form', () => {
    // as it is written: what is undefined is not there
    expect(schemaMistakes('report', JSON.parse(JSON.stringify(report)))).toEqual([]);
  });

  it('gives SARIF with an error or warning for each open finding, none where it is proven', () => {
    const run = parseSarif(renderSarif(report, formOptions));
    const open = run.results.filter(({ level }) => level !== 'note');
    const findings = report.claims.flatMap((claim) => claim.findings).filter(({ kind }) => kind !== 'note');
    expect(open).toHaveLength(findings.length);
    expect(open.length === 0).toBe(report.verdict === 'proven');
    expect(open.some(({ level }) => level === 'error')).toBe(report.verdict === 'violated');
    for (const { help, id } of run.tool.driver.rules) expect(help.text).not.toContain(`Finding ${id}.`);
    const prints = run.results.map((one) => JSON.stringify(one.partialFingerprints));
    expect(prints.join()).not.toContain(report.task.id.repeat(2));
    expect(new Set(run.results.map((one) => one.ruleId + JSON.stringify(one.partialFingerprints))).size).toBe(
      run.results.length,
    );
  });

  it('gives JUnit XML that passes only where it is proven', () => {
    const [root] = parseXml([renderJunit(report, formOptions)]);
    const { failures, errors, tests } = root?.attributes ?? {};
    expect(tests).toBe('16');
    expect(failures === '0' && errors === '0').toBe(report.verdict === 'proven');
    expect(failures !== '0').toBe(report.verdict === 'violated');
  });

  it('gives OCSF events of the class', () => {
    const lines = renderOcsf(report, formOptions).trimEnd().split('\n');
    for (const line of lines) expect(ocsfMistakes(JSON.parse(line))).toEqual([]);
    expect(lines.length === 1).toBe(report.verdict === 'proven');
  });

  it('gives a comment that opens with the verdict', () => {
    const comment = renderMarkdown(report, formOptions);
    expect(comment).toMatch(new RegExp(`^### \\S+ ${report.verdict.toUpperCase()}: task \`${report.task.id}\``));
    expect(comment.length).toBeLessThan(60_000);
  });
});
