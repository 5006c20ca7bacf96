import { claimIds } from '../../../src/model/claim.ts';
import { isGood, isWronglyAccused, isWronglyProven, type Outcome } from './outcome.ts';

/** The scoreboard over all worlds, written as JSON. */
export interface Score {
  readonly seed: string;
  readonly worlds: number;
  /** Worlds with one mutation at least, harmless ones too. */
  readonly mutated: number;
  readonly byMutations: Readonly<Record<string, number>>;
  /** Worlds whose mutations found no place in any seed tried. */
  readonly noPlace: readonly string[];
  /** Worlds that could not be made. */
  readonly broken: readonly string[];
  readonly wronglyProven: readonly Sample[];
  readonly wronglyAccused: readonly Sample[];
  /** Worlds in which nothing, or only harmless things were changed. */
  readonly good: { readonly worlds: number; readonly proven: number; readonly others: readonly Sample[] };
  readonly mutations: readonly MutationScore[];
  /** By claim: worlds that this claim alone keeps from being called proven, and the mutations of those. */
  readonly heldBackBy: Readonly<Record<string, { worlds: number; mutations: readonly string[] }>>;
}

export interface Sample {
  readonly seed: string;
  readonly mutations: readonly string[];
  readonly codes: readonly string[];
}

/** Of worlds with this mutation alone. */
export interface MutationScore {
  readonly id: string;
  readonly truth: string;
  readonly worlds: number;
  readonly proven: number;
  readonly violated: number;
  readonly unproven: number;
  readonly pending: number;
  /** Violations that the evidence at hand can't show. */
  readonly unshown: number;
  readonly told: number;
  readonly named: number;
  /** Seeds where a violation that can be shown came out unproven, or where nothing told or named what was done. */
  readonly misses: readonly Sample[];
}

const kept = 5;

export function toScore(
  seed: string,
  outcomes: readonly Outcome[],
  noPlace: readonly string[],
  broken: readonly string[] = [],
): Score {
  const good = outcomes.filter(isGood);
  const mutated = outcomes.filter(({ mutations }) => mutations.length > 0);
  const bad = outcomes.filter((outcome) => !isGood(outcome));
  const ids = [...new Set(outcomes.flatMap(({ mutations }) => mutations.map(({ id }) => id)))].sort();
  return {
    seed,
    worlds: outcomes.length,
    mutated: mutated.length,
    byMutations: countBy(mutated.map(({ mutations }) => String(mutations.length))),
    noPlace: [...noPlace].sort(),
    broken: [...broken].sort(),
    wronglyProven: outcomes.filter(isWronglyProven).map(toSample),
    wronglyAccused: outcomes.filter(isWronglyAccused).map(toSample),
    good: {
      worlds: good.length,
      proven: good.filter(({ verdict }) => verdict === 'proven').length,
      others: good.filter(({ verdict }) => verdict !== 'proven').map(toSample),
    },
    mutations: ids.map((id) =>
      scoreMutation(
        id,
        outcomes.filter(({ mutations }) => mutations.length === 1 && mutations[0]?.id === id),
      ),
    ),
    heldBackBy: Object.fromEntries(
      claimIds.map((id) => {
        const held = bad.filter(({ heldBackBy }) => heldBackBy.includes(id));
        const names = new Set(held.flatMap(({ mutations }) => mutations.map((mutation) => mutation.id)));
        return [id, { worlds: held.length, mutations: [...names].sort() }];
      }),
    ),
  };
}

function scoreMutation(id: string, alone: readonly Outcome[]): MutationScore {
  const own = alone.flatMap((outcome) => outcome.mutations.map((mutation) => ({ outcome, mutation })));
  const verdicts = countBy(alone.map(({ verdict }) => verdict));
  const missed = own.filter(
    ({ outcome, mutation: { truth, unshown, told, named } }) =>
      truth !== 'harmless' &&
      (!told || !named || (truth === 'violation' && unshown === undefined && outcome.verdict !== 'violated')),
  );
  return {
    id,
    truth: [...new Set(own.map(({ mutation }) => mutation.truth))].sort().join('|'),
    worlds: alone.length,
    proven: verdicts['proven'] ?? 0,
    violated: verdicts['violated'] ?? 0,
    unproven: verdicts['unproven'] ?? 0,
    pending: verdicts['pending'] ?? 0,
    unshown: own.filter(({ mutation }) => mutation.unshown !== undefined).length,
    told: own.filter(({ mutation }) => mutation.told).length,
    named: own.filter(({ mutation }) => mutation.named).length,
    misses: missed.slice(0, kept).map(({ outcome }) => toSample(outcome)),
  };
}

function toSample({ seed, mutations, codes }: Outcome): Sample {
  return { seed, mutations: mutations.map(({ id }) => id), codes };
}

function countBy(texts: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
}

/** What must be so; each a sentence where it is not. `full`: enough worlds were judged for every claim to be tested. */
export function faults(score: Score, full: boolean): string[] {
  const share = score.good.worlds === 0 ? 1 : score.good.proven / score.good.worlds;
  const untested = Object.entries(score.heldBackBy).flatMap(([id, { worlds }]) =>
    worlds === 0 && id !== 'evidence-intact' ? [id] : [],
  );
  return [
    ...score.broken.map((world) => `A world could not be made: ${world}.`),
    ...(score.wronglyProven.length > 0 ? [`${score.wronglyProven.length} worlds are wrongly called proven.`] : []),
    ...(score.wronglyAccused.length > 0 ? [`${score.wronglyAccused.length} worlds are wrongly called violated.`] : []),
    ...(share < 0.99 ? [`Only ${(share * 100).toFixed(1)} % of good worlds are called proven.`] : []),
    ...(full && untested.length > 0 ? [`No mutation needs ${untested.join(', ')} to be found.`] : []),
  ];
}
