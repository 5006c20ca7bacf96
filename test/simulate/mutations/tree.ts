import type { WorldMutation } from './mutation.ts';
import { treeDaemonMutations } from './tree-daemon.ts';
import { treeMemberMutations } from './tree-member.ts';
import { treePidMutations } from './tree-pid.ts';
import { treeReachMutations } from './tree-reach.ts';

/** Processes that leave the tree, join it, or work for it from outside. */
export const treeMutations: readonly WorldMutation[] = [
  ...treeDaemonMutations,
  ...treeMemberMutations,
  ...treePidMutations,
  ...treeReachMutations,
];
