import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex } from '../../src/model/address.ts';
import { parseEndpoint, parseHost } from '../../src/model/endpoint.ts';

test('any text is an endpoint or a mistake that says what was expected', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...Array.from('abz019.:*[]/-_@unixudptc')) }));
  fc.assert(
    fc.property(text, (written) => {
      const endpoint = parseEndpoint(written);
      if (typeof endpoint === 'string') expect(endpoint).toMatch(/expected host:port|is not between/);
      else expect(endpoint.text).toBe(written);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['route53.amazonaws.com:443', { host: 'route53.amazonaws.com', wildcard: false, port: 443, protocol: 'tcp' }],
  ['Route53.AmazonAWS.com.:443/tcp', { host: 'route53.amazonaws.com', wildcard: false, port: 443, protocol: 'tcp' }],
  ['*.example.com:8443', { host: 'example.com', wildcard: true, port: 8443 }],
  ['_srv.example.com:53/udp', { host: '_srv.example.com', port: 53, protocol: 'udp' }],
  ['10.0.0.10:53/udp', { kind: 'range', first: toHex('10.0.0.10'), last: toHex('10.0.0.10'), protocol: 'udp' }],
  ['10.0.0.0/8:443', { kind: 'range', first: toHex('10.0.0.0'), last: toHex('10.255.255.255') }],
  ['[2001:db8::1]:443', { kind: 'range', first: toHex('2001:db8::1'), port: 443 }],
  ['[2001:db8::]/32:443', { kind: 'range', last: toHex('2001:db8:ffff:ffff:ffff:ffff:ffff:ffff') }],
  ['unix:/run/nscd/socket', { kind: 'unix', path: '/run/nscd/socket' }],
  ['unix:@abstract', { kind: 'unix', path: '@abstract' }],
])('%s', (text, parts) => {
  expect(parseEndpoint(text)).toMatchObject(parts);
});

test.each([
  ...[
    '',
    'host',
    'host:',
    ':443',
    'host:0',
    'host:65536',
    'host:443/sctp',
    'host:443 ',
    '*:443',
    '*.*.a:443',
    'a*.b:443',
  ],
  ...[
    'https://host:443',
    'host/path:443',
    'a b:443',
    '-a:443',
    'a..b:443',
    `${'a'.repeat(64)}:443`,
    'unix:relative',
    'unix:',
  ],
  ...[
    '0x7f.1:443',
    '127.1:443',
    '2130706433:443',
    '0177.0.0.1:443',
    'host.0x7f:443',
    '256.1.1.1:443',
    '1.2.3.4/33:443',
  ],
])('%j is none', (text) => {
  expect(typeof parseEndpoint(text)).toBe('string');
});

test('a host name is in lower case without its last dot, whatever else it is', () => {
  fc.assert(
    fc.property(fc.domain(), (domain) => {
      expect(parseHost(`${domain.toUpperCase()}.`)).toBe(domain.toLowerCase());
    }),
  );
  expect(parseHost(`${'a.'.repeat(127)}a`)).toBeUndefined();
});
