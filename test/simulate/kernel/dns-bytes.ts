import ipaddr from 'ipaddr.js';
import type { LookupAct } from '../world.ts';

const types = { A: 1, CNAME: 5, AAAA: 28 } as const;

/** The question as glibc's resolver sends it (RFC 1035 4.1): recursion desired, nothing but the question. */
export function dnsQuestion(lookup: LookupAct): Buffer {
  return Buffer.concat([header(lookup.messageId, 0x0100, 0), question(lookup)]);
}

/** The answer of a recursive resolver: CNAMEs in their order, then the addresses of the last name. */
export function dnsAnswer(lookup: LookupAct): Buffer {
  const records: Buffer[] = [];
  const asked = question(lookup);
  let end = 12 + asked.length;
  let owner = 12; // where the name is written that the next record belongs to
  const add = (type: keyof typeof types, ttl: number, data: Buffer): void => {
    const head = Buffer.alloc(12);
    head.writeUInt16BE(0xc000 | owner, 0); // RFC 1035 4.1.4: a pointer to the name
    head.writeUInt16BE(types[type], 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt32BE(ttl, 6);
    head.writeUInt16BE(data.length, 10);
    records.push(head, data);
    end += head.length + data.length;
  };
  for (const name of lookup.through) {
    const target = end + 12;
    add('CNAME', lookup.answers[0]?.ttl ?? 60, labels(name));
    owner = target;
  }
  for (const { address, ttl } of lookup.answers)
    add(lookup.type, ttl, Buffer.from(ipaddr.parse(address).toByteArray()));
  return Buffer.concat([header(lookup.messageId, 0x8180, records.length / 2), asked, ...records]);
}

function header(id: number, flags: number, answers: number): Buffer {
  const bytes = Buffer.alloc(12);
  for (const [place, value] of [id, flags, 1, answers].entries()) bytes.writeUInt16BE(value, place * 2);
  return bytes;
}

function question({ name, type }: LookupAct): Buffer {
  return Buffer.concat([labels(name), Buffer.from([0, types[type], 0, 1])]);
}

function labels(name: string): Buffer {
  const parts = name
    .split('.')
    .filter((label) => label !== '')
    .map((label) => Buffer.concat([Buffer.from([Buffer.byteLength(label)]), Buffer.from(label)]));
  return Buffer.concat([...parts, Buffer.from([0])]);
}
