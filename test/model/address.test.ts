import { isIP } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toAddress, toHex, toHexRange } from '../../src/model/address.ts';

test('what it takes for an address is one, and never throws', () => {
  const text = fc.oneof(
    fc.string(),
    fc.ipV4(),
    fc.ipV4Extended(),
    fc.ipV6(),
    fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdefx.:[]%/')) }),
  );
  fc.assert(
    fc.property(text, (written) => {
      const hex = toHex(written);
      if (hex === undefined) return;
      expect(hex).toMatch(/^[0-9a-f]{32}$/);
      expect(isIP(written.replace(/^\[(.*)\]$/, '$1'))).not.toBe(0);
    }),
    { numRuns: 2000 },
  );
});

test('v4 stands as v4-mapped, and loses that disguise', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      const digits = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
      expect(toHex(address)).toBe(`00000000000000000000ffff${digits.join('')}`);
      expect(toHex(`::ffff:${address}`)).toBe(toHex(address));
      expect(toAddress(`::ffff:${address}`)).toBe(address);
    }),
  );
});

test('hex digits written as a v6 address give the same digits again', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 }), (groups) => {
      const hex = groups.map((group) => group.toString(16).padStart(4, '0'));
      expect(toHex(hex.join(':'))).toBe(hex.join(''));
      const printed = toAddress(hex.join(':'));
      expect(printed === undefined ? undefined : toHex(printed)).toBe(hex.join(''));
    }),
  );
});

test.each([
  ...['0x7f.1', '127.1', '2130706433', '0177.0.0.1', '1.2.3.4.5', '1.2.3', '256.1.1.1', '1.2.3.4 ', ' 1.2.3.4', ''],
  ...[
    '::ffff:0x7f.0.0.1',
    '::ffff:010.0.0.1',
    'fe80::1%eth0',
    '1:2:3',
    ':::',
    '::1::',
    '1.2.3.4/8',
    '[1.2.3.4',
    'localhost',
  ],
])('%j is no address', (text) => {
  expect(toHex(text)).toBeUndefined();
  expect(toAddress(text)).toBeUndefined();
});

test.each([
  ['192.0.2.0/24', '192.0.2.0', '192.0.2.255'],
  ['192.0.2.77/24', '192.0.2.0', '192.0.2.255'],
  ['192.0.2.77', '192.0.2.77', '192.0.2.77'],
  ['0.0.0.0/0', '0.0.0.0', '255.255.255.255'],
  ['2001:db8::/32', '2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['::1/128', '::1', '::1'],
])('%s reaches from %s to %s', (range, first, last) => {
  expect(toHexRange(range)).toEqual({ first: toHex(first), last: toHex(last) });
});

test.each([
  '192.0.2.0/33',
  '::/129',
  '192.0.2.0/',
  '192.0.2.0/-1',
  '192.0.2.0/08',
  '192.0.2.0/1e1',
  'x/8',
  '/8',
  '1.2.3.4/8/8',
])('%j is no range', (text) => {
  expect(toHexRange(text)).toBeUndefined();
});

test('a range holds the addresses that share its prefix, and no other', () => {
  const bits = (hex: string | undefined): string =>
    BigInt(`0x${hex ?? '0'}`)
      .toString(2)
      .padStart(128, '0')
      .slice(96);
  fc.assert(
    fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (base, address, prefix) => {
      const range = toHexRange(`${base}/${prefix}`);
      const hex = toHex(address) ?? '';
      const held = range !== undefined && range.first <= hex && hex <= range.last;
      expect(held).toBe(bits(toHex(base)).slice(0, prefix) === bits(hex).slice(0, prefix));
    }),
  );
});
