import { userAgents } from './catalogue.ts';
import { assumeRole, atHand, uuid } from './credentials.ts';
import { fill } from './names.ts';
import type { Request } from './place.ts';
import type { Random } from '../random.ts';
import type { Call, Session } from '../world.ts';

/** What the provider was asked, each with a session that was at hand. Ids are `prefix` and a number. */
export function makeCalls(
  random: Random,
  prefix: string,
  { requests, sessions, variety }: { requests: readonly Request[]; sessions: readonly Session[]; variety: number },
): Call[] {
  const userAgent = random.pick(userAgents);
  return requests.map((request, index): Call => {
    const issuing = sessions.find((session) => session.issuer.kind === 'session' && session.issued === request.at);
    const session =
      issuing?.issuer.kind === 'session' ? byKey(sessions, issuing.issuer.key) : choose(random, sessions, request);
    const { operation, target } = request;
    const denied = issuing === undefined && random.chance(0.06 * variety);
    return {
      id: issuing?.id ?? `${prefix}${index + 1}`,
      at: request.at,
      key: session.key,
      host: target.host,
      service: target.cloud?.source ?? '',
      eventName: operation.eventName,
      action: operation.action,
      account: session.account,
      region: target.region,
      source: request.source,
      outcome: denied && operation !== assumeRole ? 'denied' : 'ok',
      readOnly: operation.readOnly,
      data: operation.data !== undefined,
      resources:
        operation.resource === undefined
          ? []
          : [
              {
                arn: fill(operation.resource.arn, target.region, target.bucket, session.account),
                type: operation.resource.type,
              },
            ],
      connection: request.connection,
      eventId: issuing?.eventId ?? uuid(random),
      requestId: issuing?.requestId ?? uuid(random),
      userAgent,
      tellsHost: random.chance(1 - 0.1 * variety),
      logged: true,
      delay: issuing?.delay ?? random.int(60, 840),
    };
  });
}

/** A task that obtained a further session goes on with either. */
function choose(random: Random, sessions: readonly Session[], { at }: Request): Session {
  const whole = sessions.filter(({ issuer }) => issuer.kind !== 'session');
  const newest = atHand(sessions, at);
  return random.chance(0.7) ? newest : atHand(whole, at);
}

function byKey(sessions: readonly Session[], key: string): Session {
  const session = sessions.find((one) => one.key === key);
  if (session === undefined) throw new Error(`Nobody has ${key}.`);
  return session;
}
