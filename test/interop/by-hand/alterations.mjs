// Altered reports, each with the step of docs/verify.md that must refuse it when it stands alone: an alteration that a signature
// or a digest would tell first is made in both places, or that command is left out (`without`).
/* global Buffer */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const ledger = 'evidence/ledger';
const record = (stream) => `evidence/segments/${stream}`;

function editJson(folder, file, change) {
  const path = join(folder, file);
  const value = JSON.parse(readFileSync(path, 'utf8'));
  change(value);
  writeFileSync(path, JSON.stringify(value));
}

function editText(folder, file, change) {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  const changed = change(text);
  if (changed === text) throw new Error(`${file} was not altered`);
  writeFileSync(path, changed);
}

function flip(folder, file, at = -1) {
  const bytes = readFileSync(join(folder, file));
  bytes[at < 0 ? bytes.length + at : at] ^= 1;
  writeFileSync(join(folder, file), bytes);
}

/** The one file somewhere below a folder. */
function fileBelow(folder, part) {
  const found = readdirSync(join(folder, part), { recursive: true, withFileTypes: true }).filter((item) =>
    item.isFile(),
  );
  if (found.length !== 1) throw new Error(`${found.length} files in ${part}`);
  return join(found[0].parentPath, found[0].name).slice(folder.length + 1);
}

const envelope =
  (change) =>
  ({ folder }) =>
    editJson(folder, 'report.sigstore.json', ({ dsseEnvelope }) => change(dsseEnvelope));

/** Another checkpoint, in the ledger and in the manifest. */
const checkpoint =
  (change) =>
  ({ folder }) => {
    editText(folder, `${ledger}/checkpoint`, change);
    const text = readFileSync(join(folder, ledger, 'checkpoint'), 'utf8');
    editJson(folder, 'manifest.json', (manifest) => (manifest.ledger.checkpoint = text));
  };

const signatureBytes = (change) =>
  checkpoint((note) => {
    const bytes = Buffer.from(note.trim().split(' ').at(-1), 'base64');
    change(bytes);
    return note.replace(/\S+\n$/, `${bytes.toString('base64')}\n`);
  });

/** A segment file with other rows: `columns` in place of seq, received_at, raw. */
const rewritten =
  (stream, columns, rest = '') =>
  async ({ folder, sql }) => {
    const file = fileBelow(folder, record(stream));
    await sql(`COPY (SELECT ${columns} FROM '${file}' ${rest}) TO '${file}.new' (FORMAT parquet)`);
    renameSync(join(folder, `${file}.new`), join(folder, file));
  };

/** Entries and leaf hashes made anew for an altered segment: all of the ledger but its root. */
function rebuildLedger(folder, change) {
  let entries = [];
  editJson(folder, 'manifest.json', (manifest) => {
    change(manifest.segments);
    entries = manifest.segments.map((segment) => Buffer.from(JSON.stringify(sorted(segment))));
  });
  const lengths = entries.map((entry) => Buffer.from([entry.length >> 8, entry.length & 0xff]));
  writeFileSync(
    join(folder, fileBelow(folder, `${ledger}/tile/entries`)),
    Buffer.concat(entries.flatMap((entry, at) => [lengths[at], entry])),
  );
  const leaves = entries.map((entry) => sha256(Buffer.from([0]), entry));
  writeFileSync(join(folder, fileBelow(folder, `${ledger}/tile/0`)), Buffer.concat(leaves));
}

const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));

export const alterations = [
  {
    section: 1,
    what: 'one bit of the payload',
    alter: envelope((one) => {
      const bytes = Buffer.from(one.payload, 'base64');
      bytes[100] ^= 1;
      one.payload = bytes.toString('base64');
    }),
  },
  {
    section: 1,
    what: 'one bit of the signature',
    alter: envelope(({ signatures: [one] }) => {
      const bytes = Buffer.from(one.sig, 'base64');
      bytes[bytes.length - 1] ^= 1;
      one.sig = bytes.toString('base64');
    }),
  },
  { section: 1, what: 'another payload type', alter: envelope((one) => (one.payloadType = 'application/json')) },
  {
    section: 1,
    what: 'the bundle of another signer',
    alter: ({ folder, other }) =>
      cpSync(join(other, 'foreign-use', 'report.sigstore.json'), join(folder, 'report.sigstore.json')),
  },
  {
    section: 1,
    what: 'another key',
    alter: ({ folder, other }) => cpSync(join(other, 'tally.pub.pem'), join(folder, '../tally.pub.pem')),
  },
  { section: 2, what: 'one byte of manifest.json', alter: ({ folder }) => flip(folder, 'manifest.json', 300) },
  {
    section: 2,
    what: 'another verdict in report.json',
    alter: ({ folder }) => editText(folder, 'report.json', (text) => text.replace('"violated"', '"proven"')),
  },
  {
    section: 2,
    what: 'another verdict in report.json, where its digest is not looked at',
    alter: ({ folder }) => {
      editText(folder, 'report.json', (text) => text.replace('"violated"', '"proven"'));
      return { edit: (text) => text.replace(/^jq -r '\.report\.sha256.*$/m, '') };
    },
  },
  {
    section: 2,
    what: 'one byte of a table',
    alter: ({ folder }) => flip(folder, fileBelow(folder, 'evidence/tables/use'), 50),
  },
  {
    section: 2,
    what: 'a file more in the evidence',
    alter: ({ folder }) => writeFileSync(join(folder, 'evidence/segments/one-more'), ''),
  },
  {
    section: 2,
    what: 'a file less in the evidence',
    alter: ({ folder }) => rmSync(join(folder, fileBelow(folder, record('sensor')))),
  },
  {
    section: 2,
    what: 'another declaration, where the digests of files are not looked at',
    without: '--quiet',
    alter: async ({ folder, sql }) => {
      const file = `${record('tally')}/1970-01-01/declaration-0-0.parquet`;
      await sql(`COPY (SELECT seq, received_at, raw || '# ' AS raw FROM '${file}') TO '${file}.new' (FORMAT parquet)`);
      renameSync(join(folder, `${file}.new`), join(folder, file));
    },
  },
  {
    section: 3,
    what: 'another checkpoint than the manifest’s',
    alter: ({ folder }) => editText(folder, `${ledger}/checkpoint`, (note) => note.replace('\n12\n', '\n11\n')),
  },
  { section: 3, what: 'another size', alter: checkpoint((note) => note.replace('\n12\n', '\n13\n')) },
  {
    section: 3,
    what: 'another root',
    alter: checkpoint((note) => note.replace(/^.{43}=$/m, sha256('another').toString('base64'))),
  },
  { section: 3, what: 'one bit of the checkpoint’s signature', alter: signatureBytes((bytes) => (bytes[20] ^= 1)) },
  { section: 3, what: 'one bit of the checkpoint’s key id', alter: signatureBytes((bytes) => (bytes[1] ^= 1)) },
  {
    section: 3,
    what: 'another ledger key',
    alter: ({ folder, other }) =>
      editJson(folder, 'manifest.json', (manifest) => {
        const text = readFileSync(join(other, 'foreign-use', 'manifest.json'), 'utf8');
        manifest.ledger.vkey = JSON.parse(text).ledger.vkey;
      }),
  },
  {
    section: 3,
    what: 'one byte of a segment’s file',
    alter: ({ folder }) => flip(folder, fileBelow(folder, record('tetragon')), 1000),
  },
  {
    section: 3,
    what: 'one bit of an entry',
    alter: ({ folder }) => flip(folder, fileBelow(folder, `${ledger}/tile/entries`), 900),
  },
  {
    section: 3,
    what: 'one bit of a leaf hash',
    alter: ({ folder }) => flip(folder, fileBelow(folder, `${ledger}/tile/0`), 40),
  },
  {
    section: 3,
    what: 'another segment in manifest, entries and leaves',
    alter: ({ folder }) =>
      rebuildLedger(folder, (segments) => (segments[0].firstTime = '2026-11-21T00:00:00.000000000Z')),
  },
  {
    section: 3,
    what: 'a segment less in manifest, entries and leaves',
    alter: ({ folder }) => rebuildLedger(folder, (segments) => segments.pop()),
  },
  {
    section: 4,
    what: 'a letter in a record',
    alter: rewritten('tetragon', `seq, received_at, CASE seq WHEN 200 THEN replace(raw, 'e', 'E') ELSE raw END AS raw`),
  },
  {
    section: 4,
    what: 'another time of receipt',
    alter: rewritten('sensor', 'seq, received_at + (seq = 3)::BIGINT AS received_at, raw'),
  },
  { section: 4, what: 'a record less', alter: rewritten('sensor', 'seq, received_at, raw', 'WHERE seq <> 31') },
  {
    section: 4,
    what: 'records renumbered',
    alter: rewritten('sensor', 'CASE seq WHEN 4 THEN 5 WHEN 5 THEN 4 ELSE seq END AS seq, received_at, raw'),
  },
  {
    section: 4,
    what: 'the records of another node',
    alter: ({ folder }) =>
      editJson(folder, 'manifest.json', ({ segments }) => {
        segments.find(({ stream }) => stream === 'tetragon').origin = 'another';
      }),
  },
  {
    section: 4,
    what: 'a file that is no table',
    alter: ({ folder }) => writeFileSync(join(folder, fileBelow(folder, record('sensor'))), 'PAR1'),
  },
  {
    section: 5,
    what: 'another configuration',
    alter: async ({ folder, sql }) => {
      const file = `${record('tally')}/1970-01-01/config-0-0.parquet`;
      await sql(
        `COPY (SELECT seq, received_at, replace(raw, '203.0.113.7', '198.51.100.200') AS raw FROM '${file}') TO '${file}.new' (FORMAT parquet)`,
      );
      renameSync(join(folder, `${file}.new`), join(folder, file));
    },
  },
  {
    section: 5,
    what: 'another query',
    alter: ({ folder }) => otherQueries(folder, (sql) => sql.replace("'elsewhere', 'other-node', 'none'", "'none'")),
  },
  {
    section: 5,
    what: 'another query, where its digest is not looked at',
    without: '--quiet',
    alter: ({ folder }) => otherQueries(folder, (sql) => sql.replaceAll("'elsewhere', 'other-node', 'none'", "'none'")),
  },
  {
    section: 5,
    what: 'another source address in the table of uses',
    alter: async ({ folder, sql }) => {
      const file = fileBelow(folder, 'evidence/tables/use_match');
      await sql(
        `COPY (SELECT * REPLACE (true AS source_known, true AS own_node) FROM read_parquet('${file}', hive_partitioning = false)) TO '${file}.new' (FORMAT parquet)`,
      );
      renameSync(join(folder, `${file}.new`), join(folder, file));
    },
  },
  {
    section: 5,
    what: 'another finding in report.json',
    alter: ({ folder }) =>
      editText(folder, 'report.json', (text) => text.replaceAll('198.51.100.200', '198.51.100.201')),
  },
  {
    section: 6,
    what: 'another log file',
    alter: rewritten('cloudtrail', `seq, received_at, replace(raw, '198.51.100.200', '203.0.113.7') AS raw`),
  },
  {
    section: 6,
    what: 'a digest that lists another time',
    alter: rewritten('cloudtrail-digest', `seq, received_at, replace(raw, '10:33:51Z', '10:33:52Z') AS raw`),
  },
  {
    section: 6,
    what: 'a digest signed after another one',
    alter: rewritten(
      'cloudtrail-digest',
      `seq, received_at, replace(raw, raw::JSON ->> 'previousDigestSignature', repeat('ab', 256)) AS raw`,
    ),
  },
  {
    section: 6,
    what: 'another public key',
    alter: async ({ folder, sql }) => {
      const file = `${record('cloudtrail-config')}/1970-01-01/_-0-0.parquet`;
      await sql(
        `COPY (SELECT seq, received_at, replace(raw, 'MIIBCgKCAQEA', 'MIIBCgKCAQEB') AS raw FROM '${file}') TO '${file}.new' (FORMAT parquet)`,
      );
      renameSync(join(folder, `${file}.new`), join(folder, file));
    },
  },
];

/** Queries of their own for one report, which lie where the guide looks for them. */
function otherQueries(folder, change) {
  const own = join(folder, '../queries');
  if (!existsSync(own)) mkdirSync(own);
  cpSync(join(folder, '../../queries/'), own, { recursive: true, dereference: true });
  editText(own, 'claims/uses-matched.sql', change);
  return { edit: (text) => text.replace(/^TALLY=\S+/m, 'TALLY=..') };
}
