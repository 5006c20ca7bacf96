import { fork } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openFleetJudge } from '../fleet-judge/fleet-judge.ts';
import { mutations } from '../mutations/all.ts';
import { writeEvidence } from '../write-evidence.ts';
import type { Outcome } from './outcome.ts';
import { faults, type Score, toScore } from './score.ts';
import { shrink } from './shrink.ts';
import { renderScore } from './table.ts';
import type { Batch, Judged } from './worker.ts';

const usage = `npm run soundness -- [--worlds N] [--seed TEXT] [--only MUTATION[,…]] [--out DIR] [--batch N] [--workers N]
Judges seeded worlds, good and mutated ones, and counts what is wrongly proven, wrongly violated, missed or needlessly unproven.
Writes DIR/soundness.json, and a wrongly proven world, made small, into DIR/wrong as files for tally audit.
`;

const { values } = parseArgs({
  options: {
    worlds: { type: 'string', default: '22000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    out: { type: 'string', default: 'out/soundness' },
    batch: { type: 'string', default: '200' },
    workers: { type: 'string', default: '2' },
    help: { type: 'boolean', default: false },
  },
});

/** Judges all batches, in so many processes at once. */
async function judgeAll(batches: readonly Batch[], workers: number): Promise<Judged[]> {
  const waiting = [...batches];
  const done: Judged[] = [];
  await Promise.all(
    Array.from({ length: Math.min(workers, batches.length) }, async () => {
      const child = fork(join(import.meta.dirname, 'worker.ts'), { serialization: 'advanced' });
      const ended = new Promise<never>((_, reject) => {
        child.once('exit', (code) => reject(new Error(`A judging process ended with ${code ?? 'a signal'}.`)));
      });
      for (let batch = waiting.shift(); batch !== undefined; batch = waiting.shift()) {
        const answer = new Promise<Judged>((resolve) => child.once('message', (judged) => resolve(judged as Judged)));
        child.send(batch);
        done.push(await Promise.race([answer, ended]));
        if (process.stderr.isTTY) process.stderr.write(`\r${done.length} of ${batches.length} batches`);
      }
      ended.catch(() => undefined);
      child.disconnect();
    }),
  );
  return done;
}

/** Prints the smallest world that shows the first wrong one, and writes its evidence. */
async function showWrong({ wronglyProven: [wrong] }: Score, out: string): Promise<void> {
  if (wrong === undefined) return;
  const judge = await openFleetJudge();
  try {
    const known = new Map(mutations.map((mutation) => [mutation.id, mutation]));
    const small = await shrink(judge, wrong.seed, wrong.mutations, known);
    if (small === undefined) return;
    const folder = join(out, 'wrong');
    await writeEvidence(small.evidence, folder);
    const truth = small.expected.map(
      ({ id, expected }) =>
        `  ${id}: ${expected.truth}, wanted ${expected.codes.join(' or ')} naming ${expected.names.join(' or ')}`,
    );
    process.stdout.write(
      [
        `\nWrongly proven, made small: seed ${small.seed}`,
        ...truth,
        `  ${small.evidence.tetragon.length} kernel lines, ${small.good.calls.length} calls; evidence in ${folder}`,
        JSON.stringify(small.good, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
        '',
      ].join('\n'),
    );
  } finally {
    await judge.close();
  }
}

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const worlds = Number(values.worlds);
  const size = Number(values.batch);
  const ids = values.only?.split(',') ?? mutations.map(({ id }) => id);
  const batches = Array.from({ length: Math.ceil(worlds / size) }, (_, at) => ({
    seed: values.seed,
    from: at * size,
    until: Math.min(worlds, (at + 1) * size),
    mutations: ids,
  }));
  const judged = await judgeAll(batches, Number(values.workers));
  const outcomes: Outcome[] = judged.flatMap((one) => one.outcomes).sort((a, b) => a.index - b.index);
  const score = toScore(
    values.seed,
    outcomes,
    judged.flatMap((one) => one.noPlace),
    judged.flatMap((one) => one.broken),
  );
  await mkdir(values.out, { recursive: true });
  await writeFile(join(values.out, 'soundness.json'), `${JSON.stringify(score, undefined, 1)}\n`);
  process.stdout.write(`${renderScore(score)}\n`);
  await showWrong(score, values.out);
  const wrong = faults(score, values.only === undefined && worlds >= 5000);
  for (const sentence of wrong) process.stdout.write(`FAILED: ${sentence}\n`);
  return wrong.length > 0 ? 1 : 0;
}

process.exitCode = await main();
