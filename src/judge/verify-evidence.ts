import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { canonicalJson } from '../evidence/canonical-json.ts';
import { describeSegment } from '../evidence/seal.ts';
import { readLedger } from '../evidence/tiles.ts';
import { TallyError } from '../model/errors.ts';
import type { Manifest } from '../model/record.ts';
import type { Report } from '../model/report.ts';
import { type Database, openDatabase } from '../query/database.ts';
import { queryDigests } from '../query/queries.ts';
import { listFiles } from './audit-task.ts';
import { judgeEvidence, type OwnTexts, readOwnTexts } from './judge.ts';
import { judgeSegments } from './judge-stored.ts';
import { frameStream } from './records.ts';
import { verifyChoice, verifyStore } from './verify-store.ts';

/** What was checked, in the order in which it was; each a plain sentence. */
export interface EvidenceCheck extends Checks {
  /** The claims were judged again, with the same result; else only what they rest on was checked. */
  readonly judged: boolean;
}

/** What was checked, in the order in which it was; each a plain sentence. */
export interface Checks {
  readonly checked: readonly string[];
  readonly notChecked: readonly string[];
}

/**
 * Checks an evidence folder against its signed manifest and judges it again: every file vouched for, the ledger under its
 * checkpoint, every segment's root recomputed from its records, and the same report to the letter. Throws TallyError
 * `integrity` that names the file.
 */
export async function verifyEvidence(evidence: string, manifest: Manifest, report: Report): Promise<EvidenceCheck> {
  const whole =
    manifest.evidence === 'store' ? await verifyStore(evidence, manifest) : await verifyFolder(evidence, manifest);
  const database = await openDatabase();
  try {
    for (const segment of manifest.segments) {
      const { stream, origin, file } = segment;
      const found = await describeSegment(database, evidence, {
        stream,
        origin,
        file,
        raw: stream === frameStream ? 'bytes' : 'text',
      }).catch((cause: unknown) => {
        throw new TallyError('integrity', `${file} can't be read as a segment.`, { cause });
      });
      if (!canonicalJson(found).equals(canonicalJson(segment))) {
        throw new TallyError('integrity', `${file} does not hold the records that the ledger names.`);
      }
    }
    const records = manifest.segments.reduce((sum, segment) => sum + segment.count, 0);
    if (manifest.evidence === 'store') await verifyChoice(database, evidence, manifest, report.task.id);
    const checked = [...whole.checked, `the Merkle roots over ${records} records`];
    const differing = differingQueries(manifest);
    if (differing.length > 0) {
      const files = `${differing.slice(0, 3).join(', ')}${differing.length > 3 ? ', …' : ''}`;
      const notChecked = `whether the claims give the same verdict again: this version's queries are not those that judged (${files}); use tallystick ${manifest.tool.version}`;
      return { judged: false, checked, notChecked: [notChecked, ...whole.notChecked] };
    }
    const again =
      manifest.evidence === 'store'
        ? await judgeStored(database, evidence, manifest, report.task.id)
        : await judgeAudited(database, evidence, manifest);
    if (!canonicalJson(again).equals(canonicalJson(report))) {
      throw new TallyError('integrity', 'report.sigstore.json: judging the sealed records again gives another report.');
    }
    return {
      judged: true,
      checked: [...checked, 'the claims, judged again over the sealed records: the same report to the letter'],
      notChecked: whole.notChecked,
    };
  } finally {
    await database.close();
  }
}

async function judgeAudited(
  database: Database,
  evidence: string,
  { segments, ...manifest }: Manifest,
): Promise<Report> {
  checkTexts(await readOwnTexts(database, evidence, segments), manifest);
  return judgeEvidence(database, evidence, segments, manifest.tool.version);
}

async function judgeStored(database: Database, store: string, manifest: Manifest, id: string): Promise<Report> {
  const { report, task, config } = await judgeSegments(database, store, manifest.segments, id, manifest.tool.version);
  checkTexts({ declaration: task.record.declaration, config: config.text }, manifest);
  return report;
}

/** The manifest names declaration and configuration by their digests: they must be the sealed ones. */
function checkTexts(
  { declaration, config }: Pick<OwnTexts, 'declaration' | 'config'>,
  manifest: Pick<Manifest, 'declaration' | 'config'>,
): void {
  if (sha256(declaration) !== manifest.declaration.sha256)
    throw new TallyError('integrity', 'manifest.json names another declaration than the sealed one.');
  if ((config === undefined ? undefined : sha256(config)) !== manifest.config?.sha256)
    throw new TallyError('integrity', 'manifest.json names another configuration than the sealed one.');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The evidence of an audit: every file is vouched for, and there is no other. */
async function verifyFolder(evidence: string, manifest: Manifest): Promise<Checks> {
  await verifyFiles(evidence, manifest);
  await verifyLedger(evidence, manifest);
  const checked = [
    `all ${manifest.files.length} files of the evidence are the ones that were signed, and there is no other`,
    `the ledger of ${manifest.segments.length} segments stands under its checkpoint`,
  ];
  return { checked, notChecked: [] };
}

async function verifyFiles(evidence: string, manifest: Manifest): Promise<void> {
  const found = new Map((await listFiles(evidence)).map(({ path, sha256 }) => [path, sha256]));
  for (const { path, sha256 } of manifest.files) {
    const digest = found.get(path);
    if (digest === undefined) throw new TallyError('integrity', `${path} is missing from the evidence.`);
    if (digest !== sha256) throw new TallyError('integrity', `${path} was altered: its SHA-256 is not the signed one.`);
    found.delete(path);
  }
  const [extra] = [...found.keys()].sort();
  if (extra !== undefined) throw new TallyError('integrity', `${extra} is in the evidence, but nobody vouches for it.`);
}

async function verifyLedger(evidence: string, manifest: Manifest): Promise<void> {
  const { vkey, checkpoint } = manifest.ledger;
  const ledger = await readLedger(join(evidence, 'ledger'), vkey);
  if (ledger.checkpoint !== checkpoint) throw new TallyError('integrity', 'ledger/checkpoint is not the signed one.');
  const same =
    ledger.entries.length === manifest.segments.length &&
    manifest.segments.every((segment, index) => ledger.entries[index]?.equals(canonicalJson(segment)));
  if (!same) throw new TallyError('integrity', 'manifest.json names other segments than ledger/tile/entries.');
}

/** Queries that are not what they were when the report was judged. */
function differingQueries(manifest: Manifest): string[] {
  const ours = new Map(queryDigests().map(({ path, sha256 }) => [path, sha256]));
  const theirs = new Map(manifest.queries.map(({ path, sha256 }) => [path, sha256]));
  const paths = new Set([...ours.keys(), ...theirs.keys()]);
  return [...paths].filter((path) => ours.get(path) !== theirs.get(path)).sort();
}
