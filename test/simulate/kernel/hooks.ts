import type { Act, Ns, PolicyName, Process } from '../world.ts';

/** A hook as a policy of lab/policy has it. */
export interface Hook {
  /** The hooked function as events name it. */
  readonly name: string;
  readonly kind: 'kprobe' | 'uprobe' | 'tracepoint';
  readonly policy: PolicyName;
  readonly tag: string | undefined;
}

/** The name that the policy bears in the sensor: that of the ClientHello is told by another one than its file. */
export function policyLabel(policy: PolicyName): string {
  return policy === 'tls-audit' ? 'tls-hello' : policy;
}

const kprobe = (name: string, tag: string | undefined, policy: PolicyName = 'egress-audit'): Hook => ({
  name,
  kind: 'kprobe',
  policy,
  tag,
});

export const hooks = {
  connect: kprobe('security_socket_connect', 'net.connect.any'),
  result: kprobe('__sys_connect_file', 'net.connect.result'),
  tcpConnect: kprobe('tcp_connect', 'net.connect.tcp'),
  connect4: kprobe('ip4_datagram_connect', 'net.connect.udp4'),
  connect6: kprobe('ip6_datagram_connect', 'net.connect.udp6'),
  send4: kprobe('udp_sendmsg', 'net.send.udp4'),
  send6: kprobe('udpv6_sendmsg', 'net.send.udp6'),
  packet4: kprobe('ip_send_skb', 'net.send.dgram4'),
  packet6: kprobe('ip6_send_skb', 'net.send.dgram6'),
  raw4: kprobe('raw_sendmsg', 'net.send.raw4'),
  raw6: kprobe('rawv6_sendmsg', 'net.send.raw6'),
  ping4: kprobe('ping_v4_sendmsg', 'net.send.ping4'),
  ping6: kprobe('ping_v6_sendmsg', 'net.send.ping6'),
  frame: kprobe('packet_sendmsg', 'net.send.packet'),
  unixConnect: kprobe('unix_stream_connect', 'unix.connect'),
  accept: kprobe('inet_csk_accept', 'net.accept'),
  create: kprobe('security_socket_create', 'net.socket'),
  bind: kprobe('security_socket_bind', 'net.bind'),
  listen: kprobe('security_socket_listen', 'net.listen'),
  send: kprobe('tcp_sendmsg_locked', 'net.send.tcp'),
  close: kprobe('tcp_close', 'net.close.tcp'),
  scmSend: kprobe('__scm_send', 'fd.scm.send'),
  scmReceive: kprobe('scm_detach_fds', 'fd.scm.recv'),
  receive: kprobe('receive_fd', 'fd.receive'),
  pidfdGet: kprobe('__x64_sys_pidfd_getfd', 'fd.pidfd_getfd'),
  setns: kprobe('__x64_sys_setns', 'escape.setns'),
  unshare: kprobe('__x64_sys_unshare', 'escape.unshare'),
  ptrace: kprobe('__x64_sys_ptrace', 'escape.ptrace'),
  vmWrite: kprobe('__x64_sys_process_vm_writev', 'escape.vm_write'),
  uringSetup: kprobe('__x64_sys_io_uring_setup', 'escape.io_uring'),
  uringSubmit: { name: 'io_uring_submit_req', kind: 'tracepoint', policy: 'iouring-audit', tag: 'io_uring.submit' },
  fork: kprobe('wake_up_new_task', 'proc.fork', 'lineage-audit'),
  question: kprobe('udp_sendmsg', 'dns.query', 'dns-audit'),
  answer: kprobe('skb_consume_udp', 'dns.answer', 'dns-audit'),
  getaddrinfo: { name: 'getaddrinfo', kind: 'uprobe', policy: 'dns-libc', tag: 'dns.getaddrinfo' },
  hello: kprobe('tcp_sendmsg', undefined, 'tls-audit'),
} as const satisfies Record<string, Hook>;

/** One event of a policy, before it is written. */
export interface Happening {
  readonly hook: Hook;
  /** The time it bears: of the call's entry. */
  readonly at: Ns;
  /** When the sensor wrote it: for hooks with a return value, after the call. */
  readonly written: Ns;
  readonly process: Process;
  readonly tid: number;
  readonly act: Act | undefined;
  readonly args: readonly string[];
  readonly result?: string;
  /** Of events with the same key the hook lets one a minute pass. */
  readonly limit?: string;
}

/** Who acts, and where its happenings go. */
export interface Scene {
  readonly act: Act | undefined;
  readonly process: Process;
  readonly tid: number;
  readonly node: { readonly address: string; readonly booted: Ns };
  readonly processes: ReadonlyMap<string, Process>;
  /** What a later act of the same process must know of earlier ones. */
  readonly memory: Map<string, string>;
  readonly happen: (happening: Happening) => void;
}

export interface Extra {
  readonly written?: Ns;
  readonly result?: string;
  readonly limit?: string;
  /** Another process than the one that acts. */
  readonly process?: Process;
}

export function happen(scene: Scene, hook: Hook, at: Ns, args: readonly string[], extra: Extra = {}): void {
  const { written = at, process = scene.process, ...rest } = extra;
  const tid = process === scene.process ? scene.tid : process.pid;
  scene.happen({ hook, at, written, process, tid, act: scene.act, args, ...rest });
}
