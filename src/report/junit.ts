import type { Claim, Finding } from '../model/claim.ts';
import type { Report } from '../model/report.ts';
import { type FormOptions, openInClaim } from './form.ts';
import { showSpan, toMillis } from './times.ts';
import { clip, escapeHtml } from './visible.ts';
import { claimLook, claimSentence, type Look, noteFindings, verdictLook } from './words.ts';

const maxFindings = 200;
const maxEvidence = 20;

/**
 * The report as JUnit XML: a suite for the task, a test for its verdict and one for each claim. What is violated is a failure;
 * what is unproven or pending an error, never skipped: CI tools show skipped tests as a success.
 */
export function renderJunit(report: Report, options: FormOptions): string {
  const look = verdictLook(report.verdict);
  const tests = [
    { name: 'verdict', look, message: report.summary, lines: verificationOf(options) },
    ...report.claims.map((claim) => ({
      name: claim.id,
      look: claimLook(claim),
      message: messageOf(claim),
      lines: linesOf(claim),
    })),
  ];
  const failures = tests.filter((test) => test.look === 'violated').length;
  const errors = tests.filter((test) => test.look === 'unproven' || test.look === 'pending').length;
  const counts = `tests="${tests.length}" failures="${failures}" errors="${errors}" skipped="0"`;
  const { task } = report;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="tallystick" ${counts}>`,
    `  <testsuite name="${xml(`${task.type}: ${task.id}`)}" ${counts}${timeOf(report)}>`,
    '    <properties>',
    ...propertiesOf(report).map(
      ([name, value]) => `      <property name="${xml(name)}" value="${xml(clip(value, 2000))}"/>`,
    ),
    '    </properties>',
    ...tests.flatMap(({ name, look: result, message, lines }) => [
      `    <testcase classname="${xml(`tallystick.${task.type}`)}" name="${xml(name)}" time="0">`,
      ...outcome(result, message, lines),
      ...(lines.length === 0 ? [] : [`      <system-out>${lines.map(xml).join('\n')}</system-out>`]),
      '    </testcase>',
    ]),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function outcome(look: Look, message: string, lines: readonly string[]): string[] {
  if (look === 'proven') return [];
  const element = look === 'violated' ? 'failure' : 'error';
  const text = (lines.length === 0 ? [message] : lines).map(xml).join('\n');
  return [`      <${element} type="${look}" message="${xml(clip(message, 1000))}">${text}</${element}>`];
}

function verificationOf({ verification = [], notVerified = [] }: FormOptions): string[] {
  return [...verification.map((what) => `verified: ${what}`), ...notVerified.map((what) => `not verified: ${what}`)];
}

function messageOf(claim: Claim): string {
  const [first] = openInClaim(claim);
  if (first === undefined) return claimSentence(claim.id);
  return clip(`${first.code}: ${first.subject}: ${first.detail}`, 1000);
}

/** Findings that are open, then notes. */
function linesOf(claim: Claim): string[] {
  const all = [...openInClaim(claim), ...noteFindings(claim)];
  const more = all.length - maxFindings;
  return [...all.slice(0, maxFindings).map(lineOf), ...(more > 0 ? [`and ${more} more findings, in report.json`] : [])];
}

function lineOf(finding: Finding): string {
  const { code, kind, subject, detail, from, until, evidence } = finding;
  const time = from === undefined && until === undefined ? '' : ` [${showSpan(from, until)}]`;
  const ids = evidence.slice(0, maxEvidence).join(', ');
  const more = evidence.length > maxEvidence ? ` and ${evidence.length - maxEvidence} more` : '';
  return clip(`${kind} ${code}: ${subject}: ${detail}${time}${ids === '' ? '' : ` evidence ${ids}${more}`}`, 4000);
}

function timeOf({ window }: Report): string {
  const [start, end] = [toMillis(window.start), toMillis(window.end)];
  if (start === undefined) return '';
  const length = end === undefined ? '' : ` time="${Math.max(0, end - start) / 1000}"`;
  return ` timestamp="${new Date(start).toISOString().slice(0, 19)}"${length}`;
}

function propertiesOf(report: Report): [string, string][] {
  return [
    ['tallystick.version', report.tool.version],
    ['verdict', report.verdict],
    ['task.id', report.task.id],
    ['task.type', report.task.type],
    ['window', showSpan(report.window.start, report.window.end)],
    ...(report.pendingUntil === undefined ? [] : [['pendingUntil', report.pendingUntil] satisfies [string, string]]),
    ...report.assumptions.map(({ name }) => ['assumption', name] satisfies [string, string]),
  ];
}

/** Escaped for XML 1.0, which has no place for two of the characters that are none (production 2, Char). */
function xml(text: string): string {
  return escapeHtml(text).replace(/[\uFFFE\uFFFF]/g, (char) => `\\u{${char.charCodeAt(0).toString(16)}}`);
}
