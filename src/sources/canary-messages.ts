/** A DNS query for the address of `name` (RFC 1035 4.1). */
export function dnsQuery(id: number, name: string): Buffer {
  const header = Buffer.from([id >>> 8, id & 0xff, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]); // recursion desired, one question
  const labels = name.split('.').map((label) => prefixed(1, Buffer.from(label)));
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, 1, 0, 1])]); // end of name, A, IN
}

/** The answer that there is no such name: ties no address to anything. */
export function dnsRefusal(query: Buffer): Buffer {
  const answer = Buffer.from(query);
  answer.writeUInt16BE(0x8183, 2); // a response, recursion available, NXDOMAIN
  return answer;
}

/** A ClientHello (RFC 8446 4.1.2) for `serverName`, in one record, as small as one that a server would take can be. */
export function clientHello(serverName: string, random: Buffer): Buffer {
  const hostName = Buffer.concat([Buffer.from([0]), prefixed(2, Buffer.from(serverName))]);
  const extensions = Buffer.concat([
    extension(0, prefixed(2, hostName)), // server_name
    extension(10, prefixed(2, Buffer.from([0, 29]))), // supported_groups: x25519
    extension(13, prefixed(2, Buffer.from([4, 3]))), // signature_algorithms: ecdsa_secp256r1_sha256
    extension(43, prefixed(1, Buffer.from([3, 4]))), // supported_versions: TLS 1.3
  ]);
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    random,
    prefixed(1, Buffer.alloc(0)), // no session
    prefixed(2, Buffer.from([0x13, 0x01])), // TLS_AES_128_GCM_SHA256
    prefixed(1, Buffer.from([0])), // no compression
    prefixed(2, extensions),
  ]);
  const handshake = Buffer.concat([Buffer.from([1]), prefixed(3, body)]);
  return Buffer.concat([Buffer.from([22, 3, 1]), prefixed(2, handshake)]);
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type >>> 8, type & 0xff]), prefixed(2, content)]);
}

function prefixed(bytes: number, content: Buffer): Buffer {
  const length = Buffer.alloc(bytes);
  length.writeUIntBE(content.length, 0, bytes);
  return Buffer.concat([length, content]);
}
