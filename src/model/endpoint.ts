import { toHexRange } from './address.ts';

/** What an endpoint in a declaration or configuration names. Hosts are lower case without a trailing dot. */
export type Endpoint =
  | {
      readonly kind: 'host';
      readonly text: string;
      readonly host: string;
      readonly wildcard: boolean;
      readonly port: number;
      readonly protocol: 'tcp' | 'udp';
    }
  | {
      readonly kind: 'range';
      readonly text: string;
      readonly first: string;
      readonly last: string;
      readonly port: number;
      readonly protocol: 'tcp' | 'udp';
    }
  | { readonly kind: 'unix'; readonly text: string; readonly path: string };

const form =
  'expected host:port, *.host:port, address:port, [v6]:port or cidr:port, with /udp behind for UDP, or unix:/path (unix:@name)';

/** Parses `host:port` and its kin (design 6; harden-runner's `allowed-endpoints` form); a string is the mistake. */
export function parseEndpoint(text: string): Endpoint | string {
  if (text.startsWith('unix:')) {
    const path = text.slice(5);
    return /^[/@]./.test(path) ? { kind: 'unix', text, path } : `${form}; a unix path starts with / or @`;
  }
  const match = /^(.+):(\d{1,5})(?:\/(tcp|udp))?$/.exec(text);
  if (match?.[1] === undefined) return form;
  const port = Number(match[2]);
  if (port < 1 || port > 65535) return `port ${match[2] ?? ''} is not between 1 and 65535`;
  const protocol = match[3] === 'udp' ? 'udp' : 'tcp';
  const name = match[1].replace(/^\[(.*)\](\/\d+)?$/, '$1$2');
  const range = toHexRange(name);
  if (range !== undefined) return { kind: 'range', text, first: range.first, last: range.last, port, protocol };
  const host = parseHost(name.startsWith('*.') ? name.slice(2) : name);
  if (host === undefined) return `${form}; ${JSON.stringify(name)} is neither a host name nor an address`;
  return { kind: 'host', text, host, wildcard: name.startsWith('*.'), port, protocol };
}

/**
 * A host name in lower case without its trailing dot, or undefined when it can't be one (RFC 1123, `_` allowed). A name whose
 * last label is a number is none: resolvers read `127.1` and `0x7f.1` as addresses (WHATWG URL, ends in a number).
 */
export function parseHost(text: string): string | undefined {
  const host = text.toLowerCase().replace(/\.$/, '');
  const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
  if (host.length > 253 || !new RegExp(`^${label}(?:\\.${label})*$`).test(host)) return undefined;
  return /(^|\.)(\d+|0x[\da-f]*)$/.test(host) ? undefined : host;
}
