import type { Scene } from './hooks.ts';
import { tcpHappenings } from './tcp.ts';
import { us } from './time.ts';
import type { Canary } from '../world.ts';

/** The kernel address that all canaries get anew: the collector closes each before it makes the next. */
const cookie = '18446613257657815808';

/** design 9: a connect to 127.a.b.c with the number in the three low bytes, on a port where nobody listens. */
export function canaryHappenings(scene: Scene, { n, at, port }: Canary): void {
  const remote = `127.${(n >>> 16) & 0xff}.${(n >>> 8) & 0xff}.${n & 0xff}`;
  const localPort = 4094 + ((n * 7919) % 59_000);
  tcpHappenings(scene, {
    kind: 'tcp',
    tuple: { local: '127.0.0.1', localPort, remote, remotePort: port, socket: cookie },
    at: at - us(70), // the line is written between socket() and connect()
    closed: at + us(2500),
    outcome: 'refused',
    blocking: false,
    sends: [],
    hello: { form: 'none' },
  });
}
