import type { Ns, PolicyName, Sensor } from '../world.ts';

/** Whether an event never reached the evidence. A window names what is missing in it; one that names nothing has it all. */
export function isBlind(
  { blind }: Sensor,
  at: Ns,
  event: { readonly hook: string; readonly policy: PolicyName | undefined; readonly process: string },
): boolean {
  return blind.some(
    ({ from, until, hooks, policies, processes }) =>
      from <= at &&
      at < until &&
      (hooks === undefined || hooks.includes(event.hook)) &&
      (policies === undefined || (event.policy !== undefined && policies.includes(event.policy))) &&
      (processes === undefined || processes.includes(event.process)),
  );
}
