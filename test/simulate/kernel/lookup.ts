import { dnsAnswer, dnsQuestion } from './dns-bytes.ts';
import { bytes, int, skb, string } from './arguments.ts';
import { openDatagrams, sendDatagram } from './datagram.ts';
import { happen, hooks, type Scene } from './hooks.ts';
import { connectUnix } from './local.ts';
import { us } from './time.ts';
import type { LookupAct, Ns } from '../world.ts';

/** Where glibc asks for a caching daemon before it asks a resolver; no one listens there. */
const nscd = '/var/run/nscd/socket';

/**
 * A look-up as glibc makes it: the caching daemon is tried (twice, for hosts and services), then the resolver is asked over
 * a connected socket. Further questions on the same socket belong to the same look-up.
 */
export function lookupHappenings(scene: Scene, act: LookupAct & { readonly at: Ns }): void {
  const { at, answered, server, localPort, socket } = act;
  const local = server.startsWith('127.') ? server : scene.node.address;
  const tuple = { local, localPort, remote: server, remotePort: 53, socket };
  const key = `${scene.process.id} dns`;
  const sameLookup = scene.memory.get(key) === `${socket} ${localPort} ${act.name}`;
  scene.memory.set(key, `${socket} ${localPort} ${act.name}`);
  const done = answered === undefined ? at + 5_000_000_000n : at + answered;
  if (!sameLookup) {
    const daemon = `18446613257630${socket.slice(-6).padStart(6, '0')}`;
    connectUnix(scene, nscd, daemon, at + us(10), 110);
    connectUnix(scene, nscd, daemon, at + us(60), 110);
    openDatagrams(scene, tuple, true, at + us(110));
    // a call with a return value: told when it is over, behind all its answers, with the time at which it began
    const asked = { written: done + us(10_000) };
    happen(scene, hooks.getaddrinfo, at, [string(act.name), string('443'), int(0)], asked);
  }
  sendDatagram(scene, tuple, true, dnsQuestion(act), at + us(sameLookup ? 0 : 300));
  if (answered === undefined) return;
  const answer = dnsAnswer(act);
  const packet = {
    length: answer.length,
    source: server,
    destination: local,
    sourcePort: 53,
    destinationPort: localPort,
    protocol: 'IPPROTO_UDP',
  } as const;
  const args = [skb(packet), bytes(answer, 'payload'), int(answer.length, 'len')];
  happen(scene, hooks.answer, answered < us(500) ? at + us(500) : done, args);
}
