import type { Random } from '../random.ts';
import type { World } from '../world.ts';
import type { Expected } from './mutation.ts';
import { declaredServices, millisecond } from './places.ts';

/* Where attacks go: hosts that nobody declared, what is sent there, and what must come out. */

export function undeclaredEndpoint(...names: string[]): Expected {
  return { truth: 'violation', codes: ['undeclared-endpoint'], names };
}

/** A name that looks like a declared one, or like nothing at all. */
export function evilHost(world: World, random: Random): string {
  const like = random.maybe(declaredServices(world))?.service.host ?? 'api.example.com';
  const host = random.pick([
    `${like}.${random.hex(4)}.evil.example`,
    `${random.hex(1)}${like}`,
    like.replace('.', '-'),
  ]);
  const declared = [...world.tasks[0].declaration.endpoints, ...world.configuration.infrastructure];
  const isDeclared = declared.some(
    (text) => host === text.split(':')[0] || (text.startsWith('*') && host.endsWith(text.slice(1).split(':')[0] ?? '')),
  );
  return isDeclared ? `cdn-${random.hex(6)}.evil.example` : host;
}

/** What a datagram carries: without it, a socket that is connected has sent nothing. */
export function toPayload(random: Random): string {
  return Buffer.from(random.hex(random.int(8, 200) * 2), 'hex').toString('base64');
}

export function shortLife(random: Random): bigint {
  return BigInt(random.int(8, 60)) * millisecond;
}
