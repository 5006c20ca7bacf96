import { generateKeyPairSync } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { askWitnesses, type Witnessed, type WitnessRequest } from '../../src/attest/witness.ts';
import { toVkey } from '../../src/evidence/signed-note.ts';
import { growTiles, emptyFrontier } from '../../src/evidence/tile-tree.ts';
import { appendEntries } from '../../src/evidence/tiles.ts';
import { scratchFolder } from '../evidence/scratch-folder.ts';
import { type FakeWitness, startWitness } from './fake-witness.ts';

const origin = 'agents.example.org/ledger';
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const rawKey = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
const vkey = toVkey(origin, privateKey);
const entriesOf = (from: number, to: number, what = 'entry'): Buffer[] =>
  Array.from({ length: to - from }, (_, at) => Buffer.from(`${what} ${String(from + at)}`));

interface TestLedger {
  readonly folder: string;
  size: number;
  checkpoint: string;
  grow(to: number, what?: string): Promise<void>;
}

async function openLedger(size: number, what?: string): Promise<TestLedger> {
  const folder = join(await scratchFolder(), 'ledger');
  const ledger: TestLedger = {
    folder,
    size: 0,
    checkpoint: '',
    async grow(to, added) {
      const head = await appendEntries(folder, entriesOf(ledger.size, to, added), { origin, privateKey });
      ledger.size = head.size;
      ledger.checkpoint = head.checkpoint;
    },
  };
  await ledger.grow(size, what);
  return ledger;
}

/** A witness that knows our log, and has cosigned nothing of it. */
async function witnessOf(name?: string): Promise<FakeWitness> {
  const witness = await startWitness(name === undefined ? {} : { name });
  witness.logs.set(origin, { key: rawKey, size: 0, root: Buffer.alloc(0) });
  return witness;
}

function ask(
  { folder, checkpoint }: TestLedger,
  witnesses: readonly FakeWitness[],
  more: Partial<WitnessRequest> = {},
): Promise<Witnessed> {
  return askWitnesses({ ledger: folder, vkey, checkpoint, witnesses, ...more });
}

test('a witness cosigns a ledger as it grows, by proofs that it checks itself', async () => {
  const witness = await witnessOf();
  const ledger = await openLedger(1);
  for (const size of [1, 2, 3, 7, 8, 255, 256, 257, 511, 600]) {
    await ledger.grow(size);
    const { cosignatures, failures } = await ask(ledger, [witness]);
    expect(failures).toEqual([]);
    const text = ledger.checkpoint.slice(0, ledger.checkpoint.indexOf('\n\n') + 1);
    expect(cosignatures.map((line) => `${line}\n`)).toEqual([witness.line(text)]);
    expect(witness.logs.get(origin)?.size).toBe(size);
  }
});

test('where it is known what a witness has cosigned, one request is enough, and none for the same checkpoint', async () => {
  const witness = await witnessOf();
  const ledger = await openLedger(5);
  const { cosignatures: lines } = await ask(ledger, [witness]);
  const text = ledger.checkpoint.slice(0, ledger.checkpoint.indexOf('\n\n') + 1);
  const before = { size: 5, text, lines };
  expect(await ask(ledger, [witness], { before })).toEqual({ cosignatures: lines, failures: [] });
  expect(witness.requests).toHaveLength(1);
  await ledger.grow(9);
  expect((await ask(ledger, [witness], { before })).failures).toEqual([]);
  expect(witness.requests.map((body) => body.split('\n')[0])).toEqual(['old 0', 'old 5']);
  // a line that does not fit tells nothing
  const spoilt = { size: 9, text: text.replace('\n5\n', '\n9\n'), lines };
  await ledger.grow(11);
  expect((await ask(ledger, [witness], { before: spoilt })).failures).toEqual([]);
  expect(witness.requests.map((body) => body.split('\n')[0]).slice(2)).toEqual(['old 0', 'old 9']);
});

test('a checkpoint that the ledger has grown beyond can still be cosigned', async () => {
  const witness = await witnessOf();
  const ledger = await openLedger(250);
  await ask(ledger, [witness]);
  await ledger.grow(255);
  const { checkpoint } = ledger;
  await ledger.grow(700);
  expect((await ask({ ...ledger, checkpoint }, [witness])).failures).toEqual([]);
  expect(witness.logs.get(origin)?.size).toBe(255);
});

test('an empty ledger is cosigned, too', async () => {
  expect((await ask(await openLedger(0), [await witnessOf()])).cosignatures).toHaveLength(1);
});

test('each witness is asked, and one that fails is named while the others count', async () => {
  const [first, second, third] = [
    await witnessOf('w.example/1'),
    await witnessOf('w.example/2'),
    await witnessOf('w.example/3'),
  ];
  second.instead = (_, response) => {
    response.writeHead(500).end('ouch');
    return true;
  };
  const { cosignatures, failures } = await ask(await openLedger(4), [first, second, third]);
  expect(cosignatures.map((line) => line.split(' ')[1])).toEqual(['w.example/1', 'w.example/3']);
  expect(failures).toEqual([`The witness w.example/2 (${second.url}) refused the checkpoint with HTTP status 500.`]);
});

test('of an answer with several lines only the one by the configured key is taken', async () => {
  const [witness, other] = [await witnessOf('w.example/1'), await witnessOf('w.example/2')];
  const ledger = await openLedger(4);
  const text = ledger.checkpoint.slice(0, ledger.checkpoint.indexOf('\n\n') + 1);
  witness.instead = (_, response) => {
    response.writeHead(200).end(other.line(text) + witness.line(text));
    return true;
  };
  expect((await ask(ledger, [witness])).cosignatures).toEqual([witness.line(text).trimEnd()]);
});

test('another history of the same size is told as a fork', async () => {
  const witness = await witnessOf();
  await ask(await openLedger(6, 'other'), [witness]);
  const { failures, cosignatures } = await ask(await openLedger(6), [witness]);
  expect(cosignatures).toEqual([]);
  expect(failures[0]).toContain(`knows another ledger named ${origin}: with 6 entries, too, but with another root`);
});

test('another history that was shorter is told as a fork', async () => {
  const witness = await witnessOf();
  await ask(await openLedger(6, 'other'), [witness]);
  const { failures } = await ask(await openLedger(9), [witness]);
  expect(failures[0]).toContain('the 6 entries that it has cosigned are not those that this one begins with');
});

test('a ledger that lost entries, or is behind another copy, is told so', async () => {
  const witness = await witnessOf();
  await ask(await openLedger(9), [witness]);
  const { failures } = await ask(await openLedger(6), [witness]);
  expect(failures[0]).toContain(`has cosigned 9 entries of ${origin}, this ledger has 6`);
});

test('a witness that does not know the ledger, or another key of it, is told so', async () => {
  const ledger = await openLedger(3);
  const witness = await startWitness();
  expect((await ask(ledger, [witness])).failures[0]).toContain(`does not know the ledger ${origin}`);
  witness.logs.set(origin, { key: Buffer.alloc(32, 7), size: 0, root: Buffer.alloc(0) });
  expect((await ask(ledger, [witness])).failures[0]).toContain(`does not know the key of the ledger ${origin}`);
});

const answers: readonly [string, number, Record<string, string>, string, string][] = [
  ['nothing', 200, {}, '', 'answered without a cosignature'],
  ['a page', 200, { 'content-type': 'text/html' }, '<html>\n', 'answered without a cosignature'],
  ['too much', 200, {}, 'x'.repeat(100_000), 'could not be asked: its answer is too long.'],
  ['a size that is none', 409, { 'content-type': 'text/x.tlog.size' }, '-1\n', 'HTTP status 409'],
  ['a size with zeroes before it', 409, { 'content-type': 'text/x.tlog.size' }, '02\n', 'HTTP status 409'],
  ['a size as another type', 409, { 'content-type': 'text/plain' }, '2\n', 'HTTP status 409'],
  ['a size of no end', 409, { 'content-type': 'text/x.tlog.size' }, '9999999999999999\n', 'HTTP status 409'],
  ['the same size again and again', 409, { 'content-type': 'text/x.tlog.size' }, '2\n', 'did not settle on a size'],
  ['unprocessable, without anything to process', 422, {}, '', 'HTTP status 422'],
  ['a redirect', 307, { location: 'http://127.0.0.1:1/' }, '', 'could not be asked'],
];
test.each(answers)('a witness that answers %s does not count', async (_, status, headers, body, why) => {
  const witness = await witnessOf();
  witness.instead = (__, response) => {
    response.writeHead(status, headers).end(body);
    return true;
  };
  const { cosignatures, failures } = await ask(await openLedger(4), [witness]);
  expect(cosignatures).toEqual([]);
  expect(failures).toHaveLength(1);
  expect(failures[0]).toContain(why);
  expect(witness.requests.length).toBeLessThan(4);
});

test('a cosignature that does not fit is refused, whichever byte of it is changed', async () => {
  const witness = await witnessOf();
  const ledger = await openLedger(4);
  const text = ledger.checkpoint.slice(0, ledger.checkpoint.indexOf('\n\n') + 1);
  const [, , encoded = ''] = witness.line(text).trimEnd().split(' ');
  const bytes = Buffer.from(encoded, 'base64');
  let changed = bytes;
  witness.instead = (_, response) => {
    response.writeHead(200).end(`— witness.example.org/w1 ${changed.toString('base64')}\n`);
    return true;
  };
  expect((await ask(ledger, [witness])).cosignatures).toHaveLength(1);
  for (let at = 0; at < bytes.length; at += 1) {
    changed = Buffer.from(bytes);
    changed.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    const { cosignatures, failures } = await ask(ledger, [witness]);
    expect(cosignatures, String(at)).toEqual([]);
    expect(failures[0]).toContain(
      at < 4 ? 'without a cosignature by the key' : 'with a cosignature that does not verify',
    );
  }
  for (const cut of [bytes.subarray(0, -1), bytes.subarray(0, 68), Buffer.concat([bytes, Buffer.alloc(1)])]) {
    changed = cut;
    expect((await ask(ledger, [witness])).failures[0]).toContain('does not verify');
  }
});

test('a cosignature of another checkpoint does not count', async () => {
  const witness = await witnessOf();
  const [ledger, other] = [await openLedger(4), await openLedger(5)];
  witness.instead = (_, response) => {
    response.writeHead(200).end(witness.line(other.checkpoint.slice(0, other.checkpoint.indexOf('\n\n') + 1)));
    return true;
  };
  expect((await ask(ledger, [witness])).failures[0]).toContain('with a cosignature that does not verify');
});

test('a witness that is down, hangs, or sends without end is left after its time', async () => {
  const [down, hangs, endless] = [
    await witnessOf('w.example/1'),
    await witnessOf('w.example/2'),
    await witnessOf('w.example/3'),
  ];
  hangs.instead = () => true;
  endless.instead = (_, response) => {
    response.writeHead(200).write('—');
    return true;
  };
  const witnesses = [{ ...down, url: 'http://127.0.0.1:1' }, hangs, endless];
  const { failures } = await ask(await openLedger(4), witnesses, { limit: 300 });
  expect(failures).toHaveLength(3);
  expect(failures[0]).toMatch(/^The witness w\.example\/1 \(http:\/\/127\.0\.0\.1:1\) could not be asked: /);
  expect(failures[1]).toBe(`The witness w.example/2 (${hangs.url}) did not answer in time.`);
  expect(failures[2]).toBe(`The witness w.example/3 (${endless.url}) did not answer in time.`);
});

test('a key whose id is not its own is told, and nothing is sent', async () => {
  const witness = await witnessOf();
  const vkeyOf = witness.vkey.replace(/\+[0-9a-f]{8}\+/, '+00000000+');
  const { failures } = await ask(await openLedger(4), [{ ...witness, vkey: vkeyOf }]);
  expect(failures[0]).toContain(
    'was not asked: the verifier key of witness.example.org/w1 has a key id that does not belong to it',
  );
  expect(witness.requests).toEqual([]);
});

test('with tiles that were altered no witness is asked: that is no failure of theirs', async () => {
  const witness = await witnessOf();
  const ledger = await openLedger(5);
  await ask(ledger, [witness]);
  await ledger.grow(300);
  for (const { path, bytes } of growTiles(emptyFrontier, entriesOf(0, 300, 'forged')).tiles)
    await writeFile(join(ledger.folder, path), bytes);
  await expect(ask(ledger, [witness])).rejects.toThrow('does not lead to the checkpoint');
  await rm(join(ledger.folder, 'tile'), { recursive: true });
  await expect(ask(ledger, [witness])).rejects.toThrow('is missing');
  expect(witness.logs.get(origin)?.size).toBe(5);
});
