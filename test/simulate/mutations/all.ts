import { auditMutations } from './audit.ts';
import { credentialMutations } from './credential.ts';
import { declarationMutations } from './declaration.ts';
import { egressMutations } from './egress.ts';
import { swapMutations } from './evidence-swap.ts';
import { harmlessMutations } from './harmless.ts';
import type { Mutation } from './mutation.ts';
import { sensorMutations } from './sensor.ts';
import { treeMutations } from './tree.ts';

export const mutations: readonly Mutation[] = [
  ...credentialMutations,
  ...egressMutations,
  ...treeMutations,
  ...sensorMutations,
  ...auditMutations,
  ...declarationMutations,
  ...swapMutations,
  ...harmlessMutations,
];
