import { egressAnswerMutations } from './egress-answer.ts';
import { egressChannelMutations } from './egress-channel.ts';
import { egressDisguisedMutations } from './egress-disguised.ts';
import { egressEndpointMutations } from './egress-endpoint.ts';
import { egressHandedMutations } from './egress-handed.ts';
import { egressInboundMutations } from './egress-inbound.ts';
import { egressLookupMutations } from './egress-lookup.ts';
import { egressNameMutations } from './egress-name.ts';
import type { WorldMutation } from './mutation.ts';

/** Ways out that the judged task was not given. */
export const egressMutations: readonly WorldMutation[] = [
  ...egressEndpointMutations,
  ...egressNameMutations,
  ...egressAnswerMutations,
  ...egressLookupMutations,
  ...egressChannelMutations,
  ...egressInboundMutations,
  ...egressHandedMutations,
  ...egressDisguisedMutations,
];
