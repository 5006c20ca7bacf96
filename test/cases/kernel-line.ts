interface Sock {
  readonly type?: string;
  readonly daddr?: string;
  readonly dport?: number;
  readonly cookie?: string;
}
interface Argument {
  readonly int_arg?: number;
  readonly string_arg?: string;
  readonly bytes_arg?: string;
  readonly sock_arg?: Sock;
  readonly sockaddr_arg?: { readonly addr?: string; readonly port?: number };
}
interface Event {
  readonly process?: { readonly exec_id?: string; readonly pid?: number; readonly binary?: string };
  readonly function_name?: string;
  readonly symbol?: string;
  readonly args?: readonly Argument[];
}

/** What the tests here ask of one line of the sensor's export. */
export interface KernelLine {
  /** Place among the lines of the case. */
  readonly at: number;
  /** The hooked function, or `exec` and `exit`. */
  readonly hook: string;
  readonly execId: string;
  readonly pid: number;
  readonly binary: string;
  /** pid of the child that a fork made; of a thread its process. */
  readonly child: number | undefined;
  readonly socket: string | undefined;
  readonly type: string | undefined;
  readonly address: string | undefined;
  readonly port: number | undefined;
  /** Id of the DNS message that left or arrived. */
  readonly dns: number | undefined;
  readonly hasBytes: boolean;
}

export function parseKernelLine(line: string, at: number): KernelLine {
  const record = JSON.parse(line) as Readonly<Record<string, Event>>;
  const [kind = '', event = {}] = Object.entries(record).find(([key]) => key.startsWith('process_')) ?? [];
  const args = event.args ?? [];
  const sock = args.flatMap((argument) => argument.sock_arg ?? [])[0];
  const far = args.flatMap((argument) => argument.sockaddr_arg ?? []).find((one) => (one.port ?? 0) > 0);
  const bytes = args.flatMap((argument) => argument.bytes_arg ?? [])[0];
  const hook = event.function_name ?? event.symbol ?? kind.replace('process_', '');
  const carriesDns = bytes !== undefined && (hook === 'udp_sendmsg' || hook === 'skb_consume_udp');
  return {
    at,
    hook,
    execId: event.process?.exec_id ?? '',
    pid: event.process?.pid ?? 0,
    binary: event.process?.binary?.split('/').at(-1) ?? '',
    child: hook === 'wake_up_new_task' ? args[1]?.int_arg : undefined,
    socket: sock?.cookie,
    type: sock?.type,
    address: far?.addr ?? sock?.daddr,
    port: far?.port ?? sock?.dport,
    dns: carriesDns ? Buffer.from(bytes, 'base64').readUInt16BE(0) : undefined,
    hasBytes: bytes !== undefined,
  };
}

export const sendHooks: readonly string[] = ['tcp_sendmsg', 'tcp_sendmsg_locked'];

/** The lines of each TCP connection that the process opened: a socket's address is used anew after it was closed. */
export function connectionsOf(lines: readonly KernelLine[]): KernelLine[][] {
  const all: KernelLine[][] = [];
  for (const line of lines) {
    if (line.hook === 'security_socket_connect' && line.type === 'SOCK_STREAM' && (line.port ?? 0) > 0) {
      all.push([line]);
      continue;
    }
    const current = all.findLast((one) => one[0]?.socket === line.socket && one[0]?.execId === line.execId);
    const result = all.findLast(
      (one) => one[0]?.execId === line.execId && one[0].address === line.address && one[0].port === line.port,
    );
    if (['tcp_connect', 'tcp_close', ...sendHooks].includes(line.hook)) current?.push(line);
    if (line.hook === '__sys_connect_file') result?.push(line);
  }
  return all;
}
