import { credentialMintedMutations } from './credential-minted.ts';
import { credentialNeighbourMutations } from './credential-neighbour.ts';
import { credentialPlaceMutations } from './credential-place.ts';
import { credentialScopeMutations } from './credential-scope.ts';
import { credentialSessionMutations } from './credential-session.ts';
import { credentialTimeMutations } from './credential-time.ts';
import type { WorldMutation } from './mutation.ts';

/** Misuse of the task's credential: from where, when, under which name, and what for. */
export const credentialMutations: readonly WorldMutation[] = [
  ...credentialPlaceMutations,
  ...credentialNeighbourMutations,
  ...credentialTimeMutations,
  ...credentialSessionMutations,
  ...credentialMintedMutations,
  ...credentialScopeMutations,
];
