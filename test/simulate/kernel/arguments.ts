/** Arguments of hooks as Tetragon's JSON export has them: fields in the order of its messages, zeros left out. */

/** One end of a connection or both, as the kernel's socket shows them when the hook is called. */
export interface ShownSocket {
  readonly family: string;
  readonly type: string;
  readonly protocol: string;
  readonly local: string;
  readonly remote: string;
  readonly localPort?: number;
  readonly remotePort?: number;
  readonly cookie: string;
  readonly state: string;
}

export function int(value: number, label?: string): string {
  return `{"int_arg":${value}${labelled(label)}}`;
}

export function uint(value: number, label?: string): string {
  return `{"uint_arg":${value}${labelled(label)}}`;
}

/** 64-bit numbers are strings in protobuf-JSON. */
export function size(value: number | bigint, label: string): string {
  return `{"size_arg":"${value}"${labelled(label)}}`;
}

export function string(value: string): string {
  return `{"string_arg":${JSON.stringify(value)}}`;
}

export function bytes(value: Buffer, label: string): string {
  return `{"bytes_arg":"${value.toString('base64')}"${labelled(label)}}`;
}

export function sock(shown: ShownSocket, label?: string): string {
  const { family, type, protocol, local, remote, localPort = 0, remotePort = 0, cookie, state } = shown;
  const ports = (localPort === 0 ? '' : `, "sport":${localPort}`) + (remotePort === 0 ? '' : `, "dport":${remotePort}`);
  return (
    `{"sock_arg":{"family":"${family}", "type":"${type}", "protocol":"${protocol}", "saddr":"${local}", ` +
    `"daddr":"${remote}"${ports}, "cookie":"${cookie}", "state":"${state}"}${labelled(label)}}`
  );
}

/** The sensor drops the label of this kind. */
export function sockaddr(family: string, address: string, port = 0): string {
  return `{"sockaddr_arg":{"family":"${family}", "addr":"${address}"${port === 0 ? '' : `, "port":${port}`}}}`;
}

/** No destination of its own: the message goes to the socket's peer. */
export const noSockaddr = sockaddr('AF_UNSPEC', 'invalid IP');

export function sockaddrUn(path: string): string {
  return `{"sockaddrun_arg":{"family":"AF_UNIX", "path":${JSON.stringify(path)}}}`;
}

export interface ShownPacket {
  /** Undefined where the kernel has none yet. */
  readonly hash?: number;
  readonly length: number;
  readonly source: string;
  readonly destination: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly protocol: 'IPPROTO_UDP' | '58';
}

export function skb(packet: ShownPacket): string {
  const { hash, length, source, destination, sourcePort = 0, destinationPort = 0, protocol } = packet;
  const ports =
    (sourcePort === 0 ? '' : `, "sport":${sourcePort}`) + (destinationPort === 0 ? '' : `, "dport":${destinationPort}`);
  return (
    `{"skb_arg":{${hash === undefined ? '' : `"hash":${hash}, `}"len":${length}, "saddr":"${source}", ` +
    `"daddr":"${destination}"${ports}, "proto":${protocol === '58' ? 58 : 17}, "sec_path_len":65538, ` +
    `"protocol":"${protocol}", "family":"${source.includes(':') ? 'AF_INET6' : 'AF_INET'}"}, "label":"skb"}`
  );
}

export function labelled(label: string | undefined): string {
  return label === undefined ? '' : `, "label":"${label}"`;
}
