import ipaddr from 'ipaddr.js';

/** An address without its v4-mapped disguise: `::ffff:192.0.2.1` is `192.0.2.1`; undefined when it is none. */
export function toAddress(text: string): string | undefined {
  const parsed = parseStrict(text);
  return parsed?.toString();
}

/** The address as 32 lower-case hex digits, v4 as `::ffff:a.b.c.d`, so that ranges are `BETWEEN`. */
export function toHex(text: string): string | undefined {
  const parsed = parseStrict(text);
  return parsed === undefined ? undefined : bytesToHex(parsed);
}

/** First and last address of an address or CIDR, both as 32 hex digits. */
export function toHexRange(text: string): { first: string; last: string } | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) {
    const hex = toHex(text);
    return hex === undefined ? undefined : { first: hex, last: hex };
  }
  const prefix = text.slice(slash + 1);
  const base = toHex(text.slice(0, slash));
  if (base === undefined || !/^(0|[1-9]\d{0,2})$/.test(prefix)) return undefined;
  const isV4 = !text.slice(0, slash).includes(':');
  const bits = Number(prefix);
  if (bits > (isV4 ? 32 : 128)) return undefined;
  const free = BigInt((isV4 ? 32 : 128) - bits);
  const first = (BigInt(`0x${base}`) >> free) << free;
  const last = first | ((1n << free) - 1n);
  return { first: first.toString(16).padStart(32, '0'), last: last.toString(16).padStart(32, '0') };
}

function parseStrict(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  // Only what a kernel or a provider writes: four decimal parts or a v6 form, never `0x7f.1`, `127.1` or `::ffff:010.0.0.1`.
  const plain = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (ipaddr.IPv4.isValidFourPartDecimal(plain)) return ipaddr.IPv4.parse(plain);
  if (!plain.includes(':') || plain.includes('%') || !ipaddr.IPv6.isValid(plain)) return undefined;
  const v4Part = plain.slice(plain.lastIndexOf(':') + 1);
  if (v4Part.includes('.') && !ipaddr.IPv4.isValidFourPartDecimal(v4Part)) return undefined;
  const v6 = ipaddr.IPv6.parse(plain);
  return v6.isIPv4MappedAddress() ? v6.toIPv4Address() : v6;
}

function bytesToHex(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  const v6 = address instanceof ipaddr.IPv4 ? address.toIPv4MappedAddress() : address;
  return v6
    .toByteArray()
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}
