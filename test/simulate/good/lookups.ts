import { millisecond, second, stretch } from './time.ts';
import type { Actor, Place } from './place.ts';
import type { Target } from './names.ts';
import type { Random } from '../random.ts';
import type { Ns } from '../world.ts';

/**
 * Makes sure that the tree knows addresses of the name, and says which and when. A name may be known by configuration, from an
 * earlier answer (expired, too: clients go on with those), or is looked up now, with tries of search domains and AAAA.
 */
export function learn(
  place: Place,
  random: Random,
  actor: Actor,
  target: Target,
  at: Ns,
): { addresses: readonly string[]; at: Ns } {
  if (target.configured) return { addresses: target.addresses, at: at + stretch(random, 0.1, 2) };
  const known = place.learned.get(target.host);
  if (known !== undefined && known.from + 100n * millisecond < at && place.size.variety > 0 && random.chance(0.8))
    return { addresses: known.addresses, at: at + stretch(random, 0.1, 2) };
  return lookUp(place, random, actor, target, at);
}

function lookUp(
  place: Place,
  random: Random,
  actor: Actor,
  target: Target,
  at: Ns,
): { addresses: readonly string[]; at: Ns } {
  const { host, through } = target;
  const suffix = random.chance(0.6) ? place.searchDomain : undefined;
  const now =
    suffix === undefined
      ? at
      : ask(place, random, actor, [{ name: `${host}.${suffix}`, type: 'A', answers: [], through: [] }], at);
  const v4 = target.addresses.filter((address) => !address.includes(':'));
  const v6 = target.addresses.filter((address) => address.includes(':'));
  const ttl = random.pick([1, 5, 30, 60, 300]);
  const answers = random.shuffle(v4).slice(0, random.int(1, v4.length));
  const withTtl = (addresses: readonly string[]): Question['answers'] => addresses.map((address) => ({ address, ttl }));
  const questions: Question[] = [{ name: host, type: 'A', answers: withTtl(answers), through }];
  if (v6.length > 0 || random.chance(0.3 * place.size.variety))
    questions.push({ name: host, type: 'AAAA', answers: withTtl(v6), through });
  const from = ask(place, random, actor, questions, now);
  const addresses = [...answers, ...v6];
  place.learned.set(host, { addresses, from, until: from + BigInt(ttl) * second });
  return { addresses, at: from + stretch(random, 0.2, 3) };
}

interface Question {
  readonly name: string;
  readonly type: 'A' | 'AAAA';
  readonly answers: { address: string; ttl: number }[];
  readonly through: readonly string[];
}

/** Questions over one UDP socket; when all answers were there. Now and then the first is lost and asked again. */
function ask(place: Place, random: Random, { process }: Actor, questions: readonly Question[], at: Ns): Ns {
  const node = place.machine.node.name;
  const localPort = place.draft.port(node);
  const socket = place.draft.socket(node, at, at + 8n * second);
  const put = ({ answers, through, ...question }: Question, from: Ns, answered: Ns | undefined): void => {
    place.draft.addAct({
      kind: 'lookup',
      process: process.id,
      at: from,
      ...question,
      server: place.resolver,
      localPort,
      socket,
      answered,
      answers: answered === undefined ? [] : [...answers],
      through: answered === undefined || answers.length === 0 ? [] : [...through],
      messageId: random.int(1, 0xffff),
    });
  };
  let now = at;
  let last = at;
  for (const question of questions) {
    if (random.chance(0.04 * place.size.variety)) {
      put(question, now, undefined);
      now += stretch(random, 1000, 1500);
    }
    const answered = stretch(random, 0.5, 40);
    put(question, now, answered);
    if (now + answered > last) last = now + answered;
    now += stretch(random, 0.05, 1);
  }
  return last;
}
