import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/evidence/canonical-json.ts';

describe('canonicalJson', () => {
  it('sorts keys by UTF-16 code units and writes no white space (RFC 8785 §3.2)', () => {
    const value = { b: [1e21, 0.1, -0, 'é"\n'], a: { '😀': null, '\ufb33': true, ö: undefined } };
    expect(canonicalJson(value).toString()).toBe('{"a":{"😀":null,"\ufb33":true},"b":[1e+21,0.1,0,"é\\"\\n"]}');
  });

  it('writes a lone surrogate as an escape that reads back the same', () => {
    const bytes = canonicalJson({ argument: 'a\ud800b' });
    expect(bytes.toString()).toBe('{"argument":"a\\ud800b"}');
    expect(canonicalJson(JSON.parse(bytes.toString()))).toEqual(bytes);
  });

  it('refuses what has no JSON form', () => {
    expect(() => canonicalJson(undefined)).toThrow(TypeError);
    expect(() => canonicalJson({ a: Number.NaN })).toThrow('NaN');
  });
});
