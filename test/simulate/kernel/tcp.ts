import { clientHello } from './client-hello-bytes.ts';
import { bytes, int, type ShownSocket, size, sock, sockaddr } from './arguments.ts';
import { happen, hooks, type Scene } from './hooks.ts';
import { later, us } from './time.ts';
import type { Ns, TcpAct, Tuple } from '../world.ts';

export const families = {
  v4: { name: 'AF_INET', number: 2, any: '0.0.0.0', length: 16 },
  v6: { name: 'AF_INET6', number: 10, any: '::', length: 28 },
} as const;

export function familyOf(address: string): (typeof families)['v4' | 'v6'] {
  return address.includes(':') ? families.v6 : families.v4;
}

/** A TCP socket with both its ends. */
export function tcpSocket(tuple: Tuple, state: string): ShownSocket {
  const { local, localPort, remote, remotePort, socket: cookie } = tuple;
  const family = familyOf(remote).name;
  return { family, type: 'SOCK_STREAM', protocol: 'IPPROTO_TCP', local, remote, localPort, remotePort, cookie, state };
}

const errors = { refused: -111, timeout: -110 } as const;
const inProgress = -115;

/** A connection from socket() to close(), in the order in which the sensor writes it. */
export function tcpHappenings(scene: Scene, act: TcpAct & { readonly at: Ns }): void {
  const { tuple, at, closed, outcome, blocking } = act;
  const family = familyOf(tuple.remote);
  const fresh = {
    ...tcpSocket(tuple, 'TCP_CLOSE'),
    local: family.any,
    remote: family.any,
    localPort: 0,
    remotePort: 0,
  };
  const target = sockaddr(family.name, tuple.remote, tuple.remotePort);
  happen(scene, hooks.create, at, [int(family.number, 'family'), int(1, 'type'), int(6, 'protocol'), int(0, 'kern')]);
  happen(scene, hooks.connect, at + us(90), [sock(fresh, 'sock'), target, int(family.length, 'addrlen')]);
  happen(scene, hooks.tcpConnect, at + us(200), [sock(tcpSocket(tuple, 'TCP_SYN_SENT'), 'sk')]);
  const done = blocking ? (outcome === 'up' ? at + us(260) : closed) : at + us(220);
  const result = !blocking ? inProgress : outcome === 'up' ? 0 : errors[outcome];
  if (done !== undefined) {
    // its time is that of the call's entry
    const told = { written: done, result: int(result) };
    happen(scene, hooks.result, at + us(60), [target, int(family.length, 'addrlen')], told);
  }
  if (outcome === 'up') for (const [n, sent] of act.sends.entries()) sendHappenings(scene, act, n, sent);
  if (closed === undefined) return;
  const end = later(closed, at + us(500));
  happen(scene, hooks.close, end, [sock(closedSocket(act, fresh), 'sk')]);
}

function sendHappenings(scene: Scene, act: TcpAct & { readonly at: Ns }, n: number, sent: Ns): void {
  const { tuple, hello } = act;
  const at = later(sent, act.at + us(300));
  // the policy looks at port 443 alone, and in the kernel at the first bytes of a write
  if (n === 0 && tuple.remotePort === 443 && hello.form !== 'none' && hello.form !== 'old') {
    const written = clientHello(hello.form, hello.name, `${scene.process.id}/${act.at}/${tuple.localPort}`);
    happen(scene, hooks.hello, at, [
      sock(tcpSocket(tuple, 'TCP_ESTABLISHED'), 'sk'),
      bytes(written, 'head'),
      size(written.length, 'len'),
      bytes(written, 'payload'),
    ]);
  }
  dataSent(scene, tuple, at + us(120));
}

/** Data on a connection: told once a minute for a process and a pair of ends. */
export function dataSent(scene: Scene, tuple: Tuple, at: Ns): void {
  const { local, localPort, remote, remotePort } = tuple;
  const limit = `${scene.process.pid} ${local} ${localPort} ${remote} ${remotePort}`;
  happen(scene, hooks.send, at, [sock(tcpSocket(tuple, 'TCP_ESTABLISHED'), 'sk')], { limit });
}

/** What is left of a socket when it is closed: after a failure or a reset its ports are gone. */
function closedSocket({ tuple, outcome, blocking, sends }: TcpAct, fresh: ShownSocket): ShownSocket {
  if (outcome === 'timeout' && !blocking) return tcpSocket(tuple, 'TCP_SYN_SENT');
  if (outcome !== 'up') {
    return blocking ? { ...fresh, remote: tuple.remote } : { ...tcpSocket(tuple, 'TCP_CLOSE'), localPort: 0 };
  }
  if (sends.length === 0) return tcpSocket(tuple, 'TCP_ESTABLISHED');
  // whether the far end had closed or reset it by then is chance
  const chance = tuple.localPort % 3;
  if (chance === 0) return { ...tcpSocket(tuple, 'TCP_CLOSE'), localPort: 0 };
  return tcpSocket(tuple, chance === 1 ? 'TCP_CLOSE_WAIT' : 'TCP_ESTABLISHED');
}
