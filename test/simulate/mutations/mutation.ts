import type { Evidence } from '../evidence.ts';
import type { Random } from '../random.ts';
import type { World } from '../world.ts';

/**
 * What is true after a mutation.
 * violation: what the report must not call proven, and calls violated where the evidence shows it.
 * doubt: evidence is missing or altered; never proven, and not violated by this alone.
 * wait: only time is missing; pending or unproven.
 * harmless: what was proven stays proven.
 */
export type Truth = 'violation' | 'doubt' | 'wait' | 'harmless';

export interface Expected {
  readonly truth: Truth;
  /** Finding codes of which one at least tells it; empty for harmless ones. */
  readonly codes: readonly string[];
  /** Texts of which one must be in subject, detail or evidence ids of such a finding: what was mutated, by name. */
  readonly names: readonly string[];
  /** For a violation: why this world's evidence can't show it as such, so that unproven is the right answer. */
  readonly unshown?: string;
}

interface Common {
  /** kebab-case: use-from-another-host. */
  readonly id: string;
  readonly group: 'credential' | 'egress' | 'tree' | 'sensor' | 'audit' | 'declaration' | 'evidence' | 'harmless';
  /** What happened, in one sentence. */
  readonly about: string;
}

/** Changes a good world in place. Undefined: this world has no place for it, and is as it was. */
export interface WorldMutation extends Common {
  readonly changes: 'world';
  apply(world: World, random: Random): Expected | undefined;
}

/**
 * Changes the evidence of a world in place. Undefined: there is no place for it, and it is as it was.
 * records: what the provider wrote itself, listed and signed so, before anybody tampers with the evidence.
 */
export interface EvidenceMutation extends Common {
  readonly changes: 'records' | 'evidence';
  apply(evidence: Evidence, world: World, random: Random): Expected | undefined;
}

export type Mutation = WorldMutation | EvidenceMutation;
