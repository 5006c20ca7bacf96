import type { Random } from '../random.ts';
import type { Call, Ns, Session, World } from '../world.ts';
import { addCall, addSession, freshAddress } from './additions.ts';
import type { Expected, WorldMutation } from './mutation.ts';
import { greatest, millisecond, momentIn, nodeOf, second, taskCalls, taskSpan } from './places.ts';

/* The task's credential used outside its time. */

function useAfterExpiry(world: World, random: Random): Expected | undefined {
  const one = random.maybe(taskCalls(world));
  if (one === undefined) return undefined;
  const at = one.session.expires + BigInt(random.int(4_000, 300_000)) * millisecond;
  const { eventId } = addCall(world, random, one.call, { at });
  return { truth: 'violation', codes: ['use-after-expiry'], names: [one.session.name, eventId] };
}

/** After the last exit and before expiry; `near`: some seconds after. */
function afterTask(world: World, random: Random, near: boolean): { call: Call; session: Session; at: Ns } | undefined {
  const one = random.maybe(taskCalls(world));
  if (one === undefined) return undefined;
  const { skew } = nodeOf(world, world.tasks[0].node);
  const from = taskSpan(world).until + 4n * second + (skew < 0n ? -skew : skew);
  const until = one.session.expires - 2n * second;
  if (from >= until) return undefined;
  return { ...one, at: near ? from + BigInt(random.int(0, 900)) * millisecond : momentIn(random, { from, until }) };
}

function useAfterTask(world: World, random: Random): Expected | undefined {
  const one = afterTask(world, random, random.chance(0.5));
  if (one === undefined) return undefined;
  const { eventId } = addCall(world, random, one.call, { at: one.at });
  return { truth: 'violation', codes: ['use-after-task'], names: [one.session.name, eventId] };
}

function useAfterTaskElsewhere(world: World, random: Random): Expected | undefined {
  const one = afterTask(world, random, random.chance(0.5));
  if (one === undefined) return undefined;
  const source = freshAddress(world, random);
  const { eventId } = addCall(world, random, one.call, { at: one.at, source });
  return { truth: 'violation', codes: ['use-after-task', 'foreign-use'], names: [one.session.name, source, eventId] };
}

/** Contradicts the issuance: no code of section 7 convicts by it alone. */
function useBeforeIssue(world: World, random: Random): Expected | undefined {
  const one = random.maybe(taskCalls(world));
  if (one === undefined) return undefined;
  const at = one.session.issued - BigInt(random.int(5_000, 60_000)) * millisecond;
  const { eventId, action } = addCall(world, random, one.call, { at });
  return {
    truth: 'violation',
    codes: ['unknown-issuance', 'foreign-use', 'late-declaration'],
    names: [one.session.name, eventId, action],
    unshown: 'The records contradict each other, and it may be before the recording.',
  };
}

/** A second issuance is used within its own life, but after the first one's expiry and the task's end. */
function renewedUsedAfterTask(world: World, random: Random): Expected | undefined {
  const one = afterTask(world, random, true);
  if (one === undefined) return undefined;
  const issued = greatest([one.session.issued, one.at - 2n * second]);
  const { key } = addSession(world, random, one.session, { issued });
  const { eventId } = addCall(world, random, one.call, { at: one.at, key });
  return { truth: 'violation', codes: ['use-after-task'], names: [one.session.name, eventId] };
}

export const credentialTimeMutations: readonly WorldMutation[] = [
  {
    id: 'use-after-expiry',
    group: 'credential',
    about: 'The credential was used after it had expired.',
    changes: 'world',
    apply: useAfterExpiry,
  },
  {
    id: 'use-after-task',
    group: 'credential',
    about: "The credential was used from the node after the task's last exit.",
    changes: 'world',
    apply: useAfterTask,
  },
  {
    id: 'use-after-task-elsewhere',
    group: 'credential',
    about: "The credential was used from elsewhere after the task's last exit.",
    changes: 'world',
    apply: useAfterTaskElsewhere,
  },
  {
    id: 'use-before-issue',
    group: 'credential',
    about: 'The credential was used before it was issued.',
    changes: 'world',
    apply: useBeforeIssue,
  },
  {
    id: 'renewal-used-after-task',
    group: 'credential',
    about: 'The declared session was issued a second time and used after the task had ended.',
    changes: 'world',
    apply: renewedUsedAfterTask,
  },
];
