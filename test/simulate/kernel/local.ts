import { int, type ShownSocket, sock, sockaddr, sockaddrUn } from './arguments.ts';
import { happen, hooks, type Scene } from './hooks.ts';
import { familyOf, tcpSocket } from './tcp.ts';
import { later, us } from './time.ts';
import type { Ns, Tuple } from '../world.ts';

export function unixSocket(cookie: string): ShownSocket {
  return {
    family: 'AF_UNIX',
    type: 'SOCK_STREAM',
    protocol: 'IPPROTO_IP',
    local: 'invalid IP',
    remote: 'invalid IP',
    cookie,
    state: 'TCP_CLOSE',
  };
}

/** A unix socket and its connect(). `length` of the address is the path's own unless the client gives the whole structure. */
export function connectUnix(scene: Scene, path: string, cookie: string, at: Ns, length?: number): void {
  const own = Buffer.byteLength(path) + (path.startsWith('@') ? 2 : 3); // family, and the zero behind a path
  const addrlen = int(length ?? own, 'addrlen');
  happen(scene, hooks.create, at, [int(1, 'family'), int(1, 'type'), int(0, 'protocol'), int(0, 'kern')]);
  happen(scene, hooks.connect, at + us(20), [
    sock(unixSocket(cookie), 'sock'),
    sockaddr('AF_UNIX', 'invalid IP'),
    addrlen,
  ]);
  happen(scene, hooks.unixConnect, at + us(30), [sockaddrUn(path), addrlen]);
}

interface ListenAct {
  readonly local: string;
  readonly localPort: number;
  readonly socket: string;
  readonly at: Ns;
}

export function listenHappenings(scene: Scene, act: ListenAct): void {
  const family = familyOf(act.local);
  const tuple = { local: act.local, localPort: act.localPort, remote: family.any, remotePort: 0, socket: act.socket };
  const open = { ...tcpSocket(tuple, 'TCP_CLOSE'), local: family.any, localPort: 0 };
  happen(scene, hooks.create, act.at, [
    int(family.number, 'family'),
    int(1, 'type'),
    int(0, 'protocol'),
    int(0, 'kern'),
  ]);
  happen(scene, hooks.bind, act.at + us(200), [sock(open, 'sock'), sockaddr(family.name, act.local, act.localPort)]);
  happen(scene, hooks.listen, act.at + us(300), [sock(tcpSocket(tuple, 'TCP_CLOSE'), 'sock'), int(128, 'backlog')]);
  scene.memory.set(`${scene.process.pid} listens ${act.localPort}`, act.socket);
}

/** accept() bears the time at which it was entered: before the connection came. */
export function acceptHappenings(
  scene: Scene,
  act: { readonly tuple: Tuple; readonly at: Ns; readonly until: Ns },
): void {
  const { tuple, at, until } = act;
  const family = familyOf(tuple.remote);
  const cookie =
    scene.memory.get(`${scene.process.pid} listens ${tuple.localPort}`) ?? `${BigInt(tuple.socket) - 4096n}`;
  const listener = { ...tcpSocket(tuple, 'TCP_LISTEN'), remote: family.any, remotePort: 0, cookie };
  const entered = later(at - us(50_000), scene.process.started);
  const told = { written: at, result: sock(tcpSocket(tuple, 'TCP_ESTABLISHED')) };
  happen(scene, hooks.accept, entered, [sock(listener, 'listener')], told);
  const state = tuple.remotePort % 2 === 0 ? 'TCP_CLOSE_WAIT' : 'TCP_ESTABLISHED';
  happen(scene, hooks.close, until, [sock(tcpSocket(tuple, state), 'sk')]);
}
