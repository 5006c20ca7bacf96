import type { Mutation } from './mutation.ts';
import { canaryMutations } from './sensor-canary.ts';
import { clockMutations } from './sensor-clock.ts';
import { exportMutations } from './sensor-export.ts';
import { healthMutations } from './sensor-health.ts';
import { lossMutations } from './sensor-loss.ts';
import { policyMutations } from './sensor-policy.ts';
import { silentMutations } from './sensor-silent.ts';
import { streamMutations } from './sensor-stream.ts';

/** What may go wrong between kernel and evidence, and what of it matters. */
export const sensorMutations: readonly Mutation[] = [
  ...policyMutations,
  ...lossMutations,
  ...streamMutations,
  ...canaryMutations,
  ...silentMutations,
  ...clockMutations,
  ...exportMutations,
  ...healthMutations,
];
