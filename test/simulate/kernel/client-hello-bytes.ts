import { createHash } from 'node:crypto';

/** Suites that OpenSSL 3 offers. */
const suites = Buffer.from(
  '130213031301c02cc030009fcca9cca8ccaac02bc02f009ec024c028006bc023c0270067c00ac0140039c009c0130033009d009c003d003c0035002f00ff',
  'hex',
);

/** OpenSSL pads its first record to this length (RFC 7685). */
const padded = 517;
/** Inside the cipher suites: before any name. */
const cut = 120;

/**
 * The bytes of a client's first write on a TLS connection, as OpenSSL makes them (RFC 8446 4.1.2). `seed` stands for the
 * client's randomness. split: the first write ends before the name. encrypted: with RFC 9849's extension.
 */
export function clientHello(form: 'whole' | 'split' | 'encrypted', name: string, seed: string): Buffer {
  const extensions = Buffer.concat([
    extension(0, prefixed(2, Buffer.concat([Buffer.from([0]), prefixed(2, Buffer.from(name))]))),
    extension(11, Buffer.from('03000102', 'hex')), // ec_point_formats
    extension(10, Buffer.from('0014001d0017001e0019001801000101010201030104', 'hex')), // supported_groups
    extension(16, Buffer.from('000c02683208687474702f312e31', 'hex')), // h2, http/1.1
    extension(22, Buffer.alloc(0)), // encrypt_then_mac
    extension(23, Buffer.alloc(0)), // extended_master_secret
    extension(49, Buffer.alloc(0)), // post_handshake_auth
    extension(13, prefixed(2, Buffer.from('040305030603080708080809080a080b080408050806040105010601', 'hex'))),
    extension(43, Buffer.from('080304030303020301', 'hex')), // supported_versions
    extension(45, Buffer.from('0101', 'hex')), // psk_key_exchange_modes
    extension(51, Buffer.concat([Buffer.from('0024001d0020', 'hex'), random(`${seed}/share`)])), // key_share: x25519
    form === 'encrypted' ? encrypted(seed) : Buffer.alloc(0),
  ]);
  const head = Buffer.concat([
    Buffer.from([3, 3]),
    random(`${seed}/random`),
    prefixed(1, random(`${seed}/session`)),
    prefixed(2, suites),
    Buffer.from([1, 0]),
  ]);
  const space = padded - (5 + 4 + head.length + 2 + extensions.length + 4);
  const padding = space > 0 ? extension(21, Buffer.alloc(space)) : Buffer.alloc(0);
  const body = Buffer.concat([head, prefixed(2, Buffer.concat([extensions, padding]))]);
  const record = Buffer.concat([
    Buffer.from([0x16, 3, 1]),
    prefixed(2, Buffer.concat([Buffer.from([1]), prefixed(3, body)])),
  ]);
  return form === 'split' ? record.subarray(0, cut) : record;
}

/** An outer ECHClientHello (RFC 9849 5): what it hides looks like noise. */
function encrypted(seed: string): Buffer {
  const payload = Buffer.concat([random(`${seed}/a`), random(`${seed}/b`), random(`${seed}/c`), random(`${seed}/d`)]);
  const content = Buffer.concat([
    Buffer.from('00000100017f', 'hex'), // outer, HKDF-SHA256 with AES-128-GCM, configuration 0x7f
    prefixed(2, random(`${seed}/key`)),
    prefixed(2, payload),
  ]);
  return extension(0xfe0d, content);
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type >>> 8, type & 0xff]), prefixed(2, content)]);
}

function prefixed(width: number, content: Buffer): Buffer {
  const length = Buffer.alloc(width);
  length.writeUIntBE(content.length, 0, width);
  return Buffer.concat([length, content]);
}

function random(seed: string): Buffer {
  return createHash('sha256').update(seed).digest();
}
