import type { MutationScore, Score } from './score.ts';

const columns = ['mutation', 'truth', 'worlds', 'proven', 'violated', 'unproven', 'recall', 'told', 'named'] as const;

/** The scoreboard as text. Recall: share found as violated of the violations that the evidence can show. */
export function renderScore(score: Score): string {
  const rows = score.mutations.filter(({ worlds }) => worlds > 0).map(toCells);
  const widths = columns.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  const held = Object.entries(score.heldBackBy).map(
    ([id, { worlds, mutations }]) =>
      `  ${id.padEnd(20)} ${String(worlds).padStart(6)} worlds, ${mutations.length} mutations`,
  );
  return [
    line(columns),
    ...rows.map(line),
    '',
    `worlds ${score.worlds}, mutated ${score.mutated} (${Object.entries(score.byMutations)
      .map(([count, worlds]) => `${worlds} with ${count}`)
      .join(', ')}), seed ${score.seed}`,
    `soundness: ${score.wronglyProven.length} wrongly proven, ${score.wronglyAccused.length} wrongly violated`,
    `usefulness: ${score.good.proven} of ${score.good.worlds} good worlds proven`,
    'kept from being proven by one claim alone:',
    ...held,
  ].join('\n');
}

function toCells(one: MutationScore): string[] {
  const shown = one.worlds - one.unshown;
  const percent = (part: number, whole: number): string =>
    whole === 0 ? '-' : `${Math.floor((100 * part) / whole)} %`;
  const harmless = one.truth === 'harmless';
  return [
    one.id,
    one.truth,
    String(one.worlds),
    String(one.proven),
    String(one.violated),
    String(one.unproven + one.pending),
    one.truth.includes('violation') ? percent(Math.min(one.violated, shown), shown) : '-',
    harmless ? '-' : percent(one.told, one.worlds),
    harmless ? '-' : percent(one.named, one.worlds),
  ];
}
