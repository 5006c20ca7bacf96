import { type Paint, type Style } from '../report/text-layout.ts';
import { visible } from '../report/visible.ts';
import type { Finding, Level } from './doctor-finding.ts';

const width = 80;
const order: Readonly<Record<Level, number>> = { fail: 0, warn: 1, ok: 2 };
const styles: Readonly<Record<Level, Style>> = { fail: 'red', warn: 'yellow', ok: 'green' };
const lead = 7;

/** Findings by subject, the worst subject first, and in it the worst finding. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const worst = new Map<string, number>();
  for (const { subject, level } of findings) worst.set(subject, Math.min(worst.get(subject) ?? 2, order[level]));
  const subjects = [...worst.keys()].sort((a, b) => (worst.get(a) ?? 2) - (worst.get(b) ?? 2));
  return subjects.flatMap((subject) =>
    findings.filter((finding) => finding.subject === subject).sort((a, b) => order[a.level] - order[b.level]),
  );
}

/** The findings for a terminal of 80 columns. Whatever others wrote is shown, never acted on. */
export function renderFindings(findings: readonly Finding[], paint: Paint): string {
  const sorted = sortFindings(findings);
  const lines = sorted.flatMap((finding, index) => [
    ...(sorted[index - 1]?.subject === finding.subject
      ? []
      : [...(index === 0 ? [] : ['']), paint(visible(finding.subject), 'bold')]),
    `  ${paint(finding.level.padEnd(4), styles[finding.level])} ${hang(`${finding.check}: ${finding.detail}`)}`,
    ...(finding.fix === undefined ? [] : [`       ${paint('fix', 'dim')} ${hang(finding.fix, lead + 4)}`]),
  ]);
  return `${[...lines, '', summary(findings)].join('\n')}\n`;
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Level): number => findings.filter((finding) => finding.level === level).length;
  const parts = [
    ...(count('fail') > 0 ? [`${count('fail')} would keep a report from being proven`] : []),
    ...(count('warn') > 0 ? [`${count('warn')} may`] : []),
  ];
  return parts.length === 0 ? 'Nothing would keep a report from being proven.' : `${parts.join(', ')}.`;
}

/** Broken at the width; later lines hang under the first, so that no text can pass for a line of its own. */
function hang(text: string, indent = lead): string {
  const room = width - indent;
  const lines: string[] = [];
  let line = '';
  for (const word of visible(text).split(/ +/)) {
    const pieces = word.match(new RegExp(`.{1,${room}}`, 'gu')) ?? [''];
    for (const piece of pieces) {
      if (line !== '' && line.length + 1 + piece.length > room) {
        lines.push(line);
        line = piece;
      } else line = line === '' ? piece : `${line} ${piece}`;
    }
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`);
}
