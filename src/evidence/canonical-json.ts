import canonicalizePackage from 'canonicalize';

// The package is CommonJS whose typings declare a default export: its type here is off by one `.default`.
const canonicalize = canonicalizePackage as unknown as (value: unknown) => string | undefined;

/**
 * The one JSON form of a value (RFC 8785): keys sorted, no white space, UTF-8. A lone surrogate, which only hostile
 * text has, is written as its `\u` escape: a form as unique as any, and refusing it would let a task prevent its report.
 */
export function canonicalJson(value: unknown): Buffer {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('a function, symbol or undefined has no JSON form');
  return Buffer.from(text);
}
