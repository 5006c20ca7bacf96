import { openFleetJudge } from '../fleet-judge/fleet-judge.ts';
import { mutations } from '../mutations/all.ts';
import { makeWorld, type Made } from './make.ts';
import { type Outcome, toOutcome } from './outcome.ts';
import { planWorld } from './plan.ts';

/** A run of worlds to judge together. */
export interface Batch {
  readonly seed: string;
  readonly from: number;
  readonly until: number;
  /** Ids of the mutations that take part. */
  readonly mutations: readonly string[];
}

export interface Judged {
  readonly outcomes: readonly Outcome[];
  readonly noPlace: readonly string[];
  /** Worlds that could not be made: a mistake in a mutation, told at the end instead of losing the run. */
  readonly broken: readonly string[];
}

const known = new Map(mutations.map((mutation) => [mutation.id, mutation]));
const judge = await openFleetJudge({ threads: 1 });

async function judgeBatch({ seed, from, until, mutations: ids }: Batch): Promise<Judged> {
  const made: Made[] = [];
  const noPlace: string[] = [];
  const broken: string[] = [];
  for (let index = from; index < until; index += 1) {
    const planned = planWorld(seed, index, ids);
    try {
      const world = makeWorld(planned, known);
      if (world === undefined) noPlace.push(planned.mutations.join(' + '));
      else made.push(world);
    } catch (cause) {
      broken.push(`${planned.seed} ${planned.mutations.join(' + ')}: ${String(cause)}`);
    }
  }
  const judgements = await judge.judge(made.map(({ evidence }) => evidence));
  const outcomes = made.flatMap((one, at) => {
    const judgement = judgements[at];
    return judgement === undefined ? [] : [toOutcome(one, judgement.verdict, judgement.claims)];
  });
  if (outcomes.length !== made.length) throw new Error(`${made.length - outcomes.length} worlds were not judged.`);
  return { outcomes, noPlace, broken };
}

// One batch after the other: the parent sends the next when it has the answer.
process.on('message', (batch: Batch) => {
  judgeBatch(batch).then(
    (judged) => process.send?.(judged),
    (cause: unknown) => {
      process.stderr.write(`${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n`);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => {
  void judge.close().finally(() => process.exit(0));
});
