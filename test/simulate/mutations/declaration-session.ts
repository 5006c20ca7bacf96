import type { DeclarationPlan } from '../world.ts';
import { freshUuid } from './additions.ts';
import type { WorldMutation } from './mutation.ts';
import { lifeOf, second } from './task-life.ts';

/** Where declared sessions and issued ones differ. */
export const sessionMutations: readonly WorldMutation[] = [
  {
    id: 'session-never-issued',
    group: 'declaration',
    about: 'A session is declared that was never issued.',
    changes: 'world',
    apply(world, random) {
      const plan = world.tasks[0].declaration;
      const like = random.maybe(plan.credentials);
      if (like === undefined) return undefined;
      const session = `${like.session.slice(0, 50)}-${random.hex(6)}`;
      plan.credentials = [...plan.credentials, { ...like, session }];
      return { truth: 'doubt', codes: ['unknown-issuance'], names: [session] };
    },
  },
  {
    id: 'session-not-declared',
    group: 'declaration',
    about: "The broker issued a second session in the task's name, which is not declared and was not used.",
    changes: 'world',
    apply(world, random) {
      const { sessions, task } = lifeOf(world);
      const like = random.maybe(
        sessions.filter(({ issuer, logged, name }) => logged && named(name, task.id) && issuer.kind !== 'session'),
      );
      if (like === undefined) return undefined;
      const eventId = freshUuid(random);
      const template = random.maybe(world.configuration.sessionNames.filter((one) => /\{su/.test(one)));
      const name = template?.replace('{task}', task.id).replace('{suffix}', random.hex(6)).replace('{sub}', 'other');
      if (name === undefined || name.length > 64 || declares(task.declaration, name)) return undefined;
      world.sessions.push({
        ...like,
        id: `s-${eventId}`,
        eventId,
        requestId: freshUuid(random),
        key: `ASIA${random.base32(16)}`,
        name,
        issued: like.issued + second / 2n,
      });
      return { truth: 'violation', codes: ['undeclared-session'], names: [name] };
    },
  },
  {
    id: 'session-name-cut',
    group: 'declaration',
    about: "The session's name was cut at 64 characters, within the task's id.",
    changes: 'world',
    apply(world, random) {
      const { task, sessions } = lifeOf(world);
      const whole = sessions.filter(({ issuer, logged }) => logged && issuer.kind !== 'session');
      const like = whole[0];
      // One whose source identity bears the id is the task's for certain, and not declared by that name.
      if (
        like === undefined ||
        whole.some(({ name, sourceIdentity: one }) => name !== like.name || one !== undefined)
      ) {
        return undefined;
      }
      const kept = random.int(2, task.id.length - 2);
      const name = `${'repo-acme-agents-environment-production-'.repeat(2).slice(0, 63 - kept)}-${task.id.slice(0, kept)}`;
      for (const session of whole) world.sessions[world.sessions.indexOf(session)] = { ...session, name };
      return { truth: 'doubt', codes: ['truncated-session-name', 'unknown-issuance'], names: [name, like.name] };
    },
  },
];

/** Whether a session's name bears the task's id whole: not as a piece of another word. */
function named(name: string, task: string): boolean {
  return new RegExp(`(^|[-_.@=+,])${task}($|[-_.@=+,])`).test(name);
}

function declares(plan: DeclarationPlan, name: string): boolean {
  return plan.credentials.some(({ session }) => session === name);
}
