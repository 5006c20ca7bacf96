import { clip, visible } from './visible.ts';

const width = 100;

const codes = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', blue: '34' } as const;
export type Style = keyof typeof codes;
export type Paint = (text: string, ...styles: readonly Style[]) => string;

export function toPaint(color: boolean): Paint {
  if (!color) return (text) => text;
  return (text, ...styles) => `\u001b[${styles.map((style) => codes[style]).join(';')}m${text}\u001b[0m`;
}

/**
 * Evidence text behind a lead of `indent` columns, broken at the terminal's width. Later lines start at `indent`
 * and runs of spaces are one, so that no text can pass for a row of its own.
 */
export function hang(indent: number, text: string): string {
  return wrap(visible(text), width - indent).join(`\n${' '.repeat(indent)}`);
}

/** Rows of short cells and one long last cell, which hangs. Cells must be unpainted; `paintRow` gets them padded. */
export function columns(
  indent: number,
  rows: readonly (readonly string[])[],
  paintCell: (cell: string, column: number) => string = (cell) => cell,
): string[] {
  const shown = rows.map((row) => row.map((cell, i) => (i === row.length - 1 ? visible(cell) : clip(cell, 32))));
  const widths = (shown[0] ?? []).map((_, i) => Math.max(...shown.map((row) => row[i]?.length ?? 0)));
  return shown.map((row) => {
    const lead = row.slice(0, -1).map((cell, i) => cell.padEnd(widths[i] ?? 0));
    const before = indent + lead.reduce((sum, cell) => sum + cell.length + 2, 0);
    const last = hang(before, row.at(-1) ?? '');
    return `${' '.repeat(indent)}${[...lead, last].map((cell, i) => paintCell(cell, i)).join('  ')}`.trimEnd();
  });
}

function wrap(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/ +/).flatMap((long) => pieces(long, room))) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Splits a word that is longer than a line, between code points. */
function pieces(word: string, room: number): string[] {
  const size = Math.max(room, 20);
  if (word.length <= size) return [word];
  const chars = Array.from(word);
  return Array.from({ length: Math.ceil(chars.length / size) }, (_, i) =>
    chars.slice(i * size, (i + 1) * size).join(''),
  );
}
