import { between, second } from './time.ts';
import type { Operation } from './catalogue.ts';
import type { Request } from './place.ts';
import type { Random } from '../random.ts';
import type { Ns, Session } from '../world.ts';

/** Obtaining a further session with the one at hand. */
export const assumeRole: Operation = { eventName: 'AssumeRole', action: 'sts:AssumeRole', readOnly: true };

/** Who hands out credentials, in an account. */
export interface Broker {
  readonly account: string;
  readonly region: string;
  readonly address: string;
  readonly issuer: Exclude<Session['issuer'], { kind: 'session' }>;
  /** As `issuers:` in the configuration names it. */
  readonly pattern: string;
}

export function makeBroker(random: Random, account: string, region: string): Broker {
  const address = `203.0.113.${random.int(200, 250)}`;
  if (random.chance(0.7)) {
    const arn = `arn:aws:iam::${account}:user/${random.pick(['broker', 'ci/issuer', 'vault-aws'])}`;
    return { account, region, address, issuer: { kind: 'user', arn, key: `AKIA${random.base32(16)}` }, pattern: arn };
  }
  const provider = random.pick(['token.actions.githubusercontent.com', 'oidc.eks.eu-west-1.amazonaws.com/id/5A1F7D0E']);
  return {
    account,
    region,
    address,
    issuer: { kind: 'oidc', provider, subject: 'repo:acme/agents:environment:prod' },
    pattern: `arn:aws:iam::${account}:oidc-provider/${provider}*`,
  };
}

export interface Role {
  readonly arn: string;
  readonly id: string;
}

export function makeRole(random: Random, account: string): Role {
  const path = random.chance(0.2) ? 'service/agents/' : '';
  const name = random.pick(['route53-reader', 'agent-runner', 'ironclaw_task', 'data.reader', 'deploy+preview']);
  return { arn: `arn:aws:iam::${account}:role/${path}${name}-${random.hex(3)}`, id: `AROA${random.base32(17)}` };
}

/** Which session name a template gives; a suffix differs each time. */
export function sessionName(random: Random, template: string, task: string): string {
  return template
    .replace('{task}', task)
    .replace('{suffix}', random.hex(4))
    .replace('{sub}', random.pick(['deploy', 'reader', 'alice']));
}

export interface Wanted {
  readonly task: string;
  readonly template: string;
  readonly broker: Broker;
  readonly role: Role;
  /** Of the task: from its declaration to its last exit. */
  readonly declared: Ns;
  readonly started: Ns;
  readonly ended: Ns;
  readonly requests: readonly Request[];
  readonly variety: number;
}

/** Sessions in order of issue. Each request belongs to one that is at hand then. */
export function issueSessions(random: Random, wanted: Wanted): Session[] {
  const { requests, variety } = wanted;
  const times = requests.map(({ at }) => at).sort((a, b) => (a < b ? -1 : 1));
  const first = times[0] ?? wanted.started;
  const last = times.at(-1) ?? wanted.ended;
  const renewals = last - first > 20n * second && random.chance(0.45 * variety) ? random.int(1, 3) : 0;
  const name = sessionName(random, wanted.template, wanted.task);
  const identity = random.chance(0.3 * variety) ? wanted.task : undefined;
  const whole = Array.from({ length: renewals + 1 }, (_, index): Session => {
    const renewed = (nth: number): Ns => (nth > renewals ? wanted.ended : between(first, last, nth / (renewals + 1)));
    const issued = index === 0 ? beforeFirst(random, wanted.declared, first) : renewed(index);
    const least = Math.max(900, Number((renewed(index + 1) - issued) / second) + 60);
    const lasts = BigInt(random.pick([least, Math.max(least, 3600), Math.max(least, 1800)])) * second;
    return {
      ...begin(random, issued, lasts, identity),
      name: index > 0 && random.chance(0.5) ? sessionName(random, wanted.template, wanted.task) : name,
      role: wanted.role.arn,
      roleId: wanted.role.id,
      account: wanted.broker.account,
      region: wanted.broker.region,
      issuer: wanted.broker.issuer,
      source: wanted.broker.address,
      task: wanted.task,
    };
  });
  return [...whole, ...chain(random, wanted, whole)].sort((a, b) => (a.issued < b.issued ? -1 : 1));
}

/** One for each request that was to obtain a further session. */
function chain(random: Random, wanted: Wanted, whole: readonly Session[]): Session[] {
  return wanted.requests
    .filter(({ operation }) => operation === assumeRole)
    .map(({ at, target, source }): Session => {
      const parent = atHand(whole, at);
      const role = makeRole(random, parent.account);
      return {
        ...begin(random, at, 3600n * second, parent.sourceIdentity),
        name: sessionName(random, wanted.template, wanted.task),
        role: role.arn,
        roleId: role.id,
        account: parent.account,
        region: target.region,
        issuer: { kind: 'session', key: parent.key },
        source,
        task: wanted.task,
      };
    });
}

/** The newest that had been issued by then. */
export function atHand(sessions: readonly Session[], at: Ns): Session {
  const session = sessions.filter(({ issued, expires }) => issued < at && expires > at).at(-1);
  if (session === undefined) throw new Error(`No session was at hand at ${at}.`);
  return session;
}

function beforeFirst(random: Random, declared: Ns, first: Ns): Ns {
  return between(declared, first - second / 2n, random.int(20, 95) / 100);
}

function begin(
  random: Random,
  issued: Ns,
  lasts: Ns,
  sourceIdentity: string | undefined,
): Omit<Session, 'name' | 'role' | 'roleId' | 'account' | 'region' | 'issuer' | 'source' | 'task'> {
  const eventId = uuid(random);
  return {
    key: `ASIA${random.base32(16)}`,
    issued,
    // Told in whole seconds, counted from the whole second in which it was issued.
    expires: (issued / second) * second + lasts,
    ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
    id: `s-${eventId}`,
    eventId,
    requestId: uuid(random),
    logged: true,
    delay: random.int(60, 840),
  };
}

export function uuid(random: Random): string {
  const variant = random.pick(['8', '9', 'a', 'b']);
  return `${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-${variant}${random.hex(3)}-${random.hex(12)}`;
}
