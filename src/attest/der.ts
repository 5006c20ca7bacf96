import { Misfit } from './misfit.ts';

/** One element of DER (X.690 §10). */
export interface Der {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content. */
  readonly raw: Buffer;
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  null: 0x05,
  oid: 0x06,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
  /** [0], constructed. */
  zero: 0xa0,
} as const;

/** The bytes of an element. */
export function toDer(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  let length = content.length.toString(16);
  if (length.length % 2 === 1) length = `0${length}`;
  return Buffer.concat([Buffer.from([tag, 0x80 | (length.length / 2)]), Buffer.from(length, 'hex'), content]);
}

/** The one element that these bytes are. Throws Misfit for what is not DER, down to the innermost length. */
export function parseDer(bytes: Uint8Array): Der {
  const [element, ...more] = parseAll(Buffer.from(bytes));
  if (element === undefined || more.length > 0) throw new Misfit('not one element of DER');
  return element;
}

/** The elements in a constructed one. */
export function childrenOf(element: Der): Der[] {
  return parseAll(element.content);
}

/** Timestamps and certificates are no deeper than a dozen; hostile bytes must not exhaust the stack. */
const deepest = 32;

function parseAll(bytes: Buffer, depth = 0): Der[] {
  if (depth > deepest) throw new Misfit('too deep for DER');
  const elements: Der[] = [];
  for (let at = 0; at < bytes.length;) {
    const element = parseAt(bytes, at);
    if ((element.tag & 0x20) !== 0) parseAll(element.content, depth + 1); // throws
    elements.push(element);
    at += element.raw.length;
  }
  return elements;
}

function parseAt(bytes: Buffer, at: number): Der {
  const [tag = 0, first = 0x80] = bytes.subarray(at, at + 2);
  const more = first < 0x80 ? 0 : first & 0x7f;
  const length = more === 0 ? first : Number.parseInt(bytes.toString('hex', at + 2, at + 2 + more), 16);
  const start = at + 2 + more;
  const content = bytes.subarray(start, start + length);
  const raw = bytes.subarray(at, start + length);
  // written anew: a length that is longer than it must be, or of no end, is BER at best
  if ((tag & 0x1f) === 0x1f || content.length !== length || !toDer(tag, content).equals(raw))
    throw new Misfit('not DER');
  return { tag, content, raw };
}
