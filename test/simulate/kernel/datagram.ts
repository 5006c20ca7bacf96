import { createHash } from 'node:crypto';
import { int, noSockaddr, type ShownSocket, size, skb, sock, sockaddr } from './arguments.ts';
import { happen, hooks, type Scene } from './hooks.ts';
import { familyOf } from './tcp.ts';
import { us } from './time.ts';
import type { Ns, Tuple } from '../world.ts';

/** A UDP socket; before a connect() both its ends are open. */
export function udpSocket(tuple: Tuple, connected: boolean): ShownSocket {
  const family = familyOf(tuple.remote);
  const { local, localPort, remote, remotePort, socket: cookie } = tuple;
  const ends = connected
    ? { local, remote, remotePort, state: 'TCP_ESTABLISHED' }
    : { local: family.any, remote: family.any, state: 'TCP_CLOSE' };
  return { family: family.name, type: 'SOCK_DGRAM', protocol: 'IPPROTO_UDP', localPort, cookie, ...ends };
}

/** socket() for datagrams, and connect() where the client does so. */
export function openDatagrams(scene: Scene, tuple: Tuple, connected: boolean, at: Ns): void {
  const family = familyOf(tuple.remote);
  const target = sockaddr(family.name, tuple.remote, tuple.remotePort);
  happen(scene, hooks.create, at, [int(family.number, 'family'), int(2, 'type'), int(0, 'protocol'), int(0, 'kern')]);
  if (!connected) return;
  const open = udpSocket(tuple, false);
  happen(scene, hooks.connect, at + us(90), [
    sock({ ...open, localPort: 0 }, 'sock'),
    target,
    int(family.length, 'addrlen'),
  ]);
  const connect = family.number === 2 ? hooks.connect4 : hooks.connect6;
  happen(scene, connect, at + us(120), [sock(open, 'sk'), target]);
  const told = { written: at + us(130), result: int(0) };
  happen(scene, hooks.result, at + us(60), [target, int(family.length, 'addrlen')], told);
}

/** One datagram, with the copy that the DNS policy takes where it goes to port 53 of a connected socket. */
export function sendDatagram(scene: Scene, tuple: Tuple, connected: boolean, payload: Buffer, at: Ns): void {
  const family = familyOf(tuple.remote);
  const shown = sock(udpSocket(tuple, connected), 'sk');
  const target = connected ? noSockaddr : sockaddr(family.name, tuple.remote, tuple.remotePort);
  const v4 = family.number === 2;
  if (v4 && connected && tuple.remotePort === 53) {
    const content = `{"bytes_arg":"${payload.toString('base64')}", "label":"payload"}`;
    happen(scene, hooks.question, at, [shown, target, content]);
  }
  const send = v4 ? hooks.send4 : hooks.send6;
  happen(scene, send, at + us(80), [shown, target, size(payload.length, 'len')]);
  const packet = skb({
    // the kernel has none yet for an IPv4 packet of a socket that is not connected
    ...(connected || !v4 ? { hash: hashOf(tuple) } : {}),
    length: payload.length + (v4 ? 28 : 48),
    source: tuple.local,
    destination: tuple.remote,
    sourcePort: tuple.localPort,
    destinationPort: tuple.remotePort,
    protocol: 'IPPROTO_UDP',
  });
  happen(scene, v4 ? hooks.packet4 : hooks.packet6, at + us(150), [packet]);
}

export function udpHappenings(
  scene: Scene,
  act: { readonly tuple: Tuple; readonly connected: boolean; readonly payload?: string; readonly at: Ns },
): void {
  openDatagrams(scene, act.tuple, act.connected, act.at);
  if (act.payload === undefined && act.connected) return; // a connect() sends nothing
  sendDatagram(scene, act.tuple, act.connected, Buffer.from(act.payload ?? '', 'base64'), act.at + us(300));
}

export function rawHappenings(
  scene: Scene,
  act: { readonly remote: string; readonly socket: string; readonly at: Ns },
): void {
  const family = familyOf(act.remote);
  const v4 = family.number === 2;
  const number = v4 ? 255 : 58;
  happen(scene, hooks.create, act.at, created(family.number, 3, number));
  const shown = bare(act.remote, 'SOCK_RAW', v4 ? 'IPPROTO_RAW' : '58', act.socket, number);
  const args = [sock(shown, 'sk'), sockaddr(family.name, act.remote), size(34, 'len')];
  happen(scene, v4 ? hooks.raw4 : hooks.raw6, act.at + us(400), args);
  if (!v4) echo(scene, act.remote, act.at + us(700));
}

export function pingHappenings(
  scene: Scene,
  act: { readonly remote: string; readonly socket: string; readonly at: Ns },
): void {
  const family = familyOf(act.remote);
  const v4 = family.number === 2;
  happen(scene, hooks.create, act.at, created(family.number, 2, v4 ? 1 : 58));
  const shown = bare(act.remote, 'SOCK_DGRAM', v4 ? 'IPPROTO_ICMP' : '58', act.socket, 1);
  const args = [sock(shown, 'sk'), sockaddr(family.name, act.remote), size(64, 'len')];
  happen(scene, v4 ? hooks.ping4 : hooks.ping6, act.at + us(400), args);
  if (!v4) echo(scene, act.remote, act.at + us(700));
}

/** Neither the frame nor where it goes is told. */
export function frameHappenings(scene: Scene, act: { readonly socket: string; readonly at: Ns }): void {
  const shown = sock(
    {
      family: 'AF_PACKET',
      type: 'SOCK_RAW',
      protocol: 'IPPROTO_IP',
      local: 'invalid IP',
      remote: 'invalid IP',
      cookie: act.socket,
      state: 'TCP_CLOSE',
    },
    'sock',
  );
  happen(scene, hooks.create, act.at, created(17, 3, 0));
  happen(scene, hooks.bind, act.at + us(300), [shown, sockaddr('AF_PACKET', 'invalid IP')]);
  happen(scene, hooks.frame, act.at + us(600), [shown, size(48, 'len')]);
}

function created(family: number, type: number, protocol: number): string[] {
  return [int(family, 'family'), int(type, 'type'), int(protocol, 'protocol'), int(0, 'kern')];
}

/** A socket without ports: where its port would be stands its protocol or identifier. */
function bare(remote: string, type: string, protocol: string, cookie: string, localPort: number): ShownSocket {
  const family = familyOf(remote);
  return {
    family: family.name,
    type,
    protocol,
    local: family.any,
    remote: family.any,
    localPort,
    cookie,
    state: 'TCP_CLOSE',
  };
}

/** What leaves over IPv6 is seen again as a packet. */
function echo(scene: Scene, destination: string, at: Ns): void {
  const packet = { hash: 268571944, length: 50, source: destination, destination, protocol: '58' } as const;
  happen(scene, hooks.packet6, at, [skb(packet)]);
}

function hashOf({ local, localPort, remote, remotePort }: Tuple): number {
  return createHash('sha1').update(`${local} ${localPort} ${remote} ${remotePort}`).digest().readUInt32BE(0) || 1;
}
