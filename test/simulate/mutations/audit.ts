import { chainMutations } from './audit-chain.ts';
import { deliveryMutations } from './audit-delivery.ts';
import { logMutations } from './audit-logs.ts';
import { recordMutations } from './audit-records.ts';
import { snapshotMutations } from './audit-snapshots.ts';
import { trailMutations } from './audit-trail.ts';
import type { Mutation } from './mutation.ts';

/**
 * What may be wrong with the provider's half. Left out, because nobody could know it offline: a whole trail's chain made up
 * and signed with another key whose public half stands in the key list that was handed in.
 */
export const auditMutations: readonly Mutation[] = [
  ...logMutations,
  ...chainMutations,
  ...recordMutations,
  ...trailMutations,
  ...deliveryMutations,
  ...snapshotMutations,
];
