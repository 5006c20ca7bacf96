import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from '../evidence/atomic-file.ts';
import { openCheckpoint } from '../evidence/checkpoint.ts';
import { openCosignature } from '../evidence/cosignature.ts';
import { parseSignatureLine, parseWitnessVkey, textOf } from '../evidence/signed-note.ts';
import { tampered } from '../evidence/tampered.ts';
import type { WitnessSettings } from '../model/attest.ts';
import { TallyError } from '../model/errors.ts';
import type { Manifest } from '../model/record.ts';
import { askWitnesses, type CosignedBefore } from './witness.ts';

type Ledger = Manifest['ledger'];

export interface CosignOptions {
  /** Folder of the ledger. */
  readonly folder: string;
  /** File in which the newest cosigned checkpoint is kept: a signed note that can be given to others. */
  readonly kept: string;
  readonly witnesses?: readonly WitnessSettings[] | undefined;
  /** Told which witness did not cosign, and why. */
  readonly failed?: ((what: string) => void) | undefined;
}

/** The ledger with the cosignatures of every witness that gave one; as it is where no witness is configured. */
export async function cosignLedger(
  ledger: Ledger,
  { folder, kept, witnesses = [], failed }: CosignOptions,
): Promise<Ledger> {
  if (witnesses.length === 0) return ledger;
  const { vkey, checkpoint } = ledger;
  const before = await readKept(kept, vkey);
  const { cosignatures, failures } = await askWitnesses({ ledger: folder, vkey, checkpoint, witnesses, before });
  for (const failure of failures) failed?.(failure);
  if (cosignatures.length === 0) return ledger;
  const { size } = openCheckpoint(Buffer.from(checkpoint), vkey, 'the checkpoint');
  const note = `${checkpoint}${cosignatures.map((line) => `${line}\n`).join('')}`;
  // Whoever may only read the store makes reports too: that it could not be kept is no error.
  if (size >= (before?.size ?? 0)) await writeFileAtomic(kept, note).catch(() => undefined);
  return { ...ledger, cosignatures };
}

/** What was cosigned last, as kept; undefined where there is nothing of use: it only saves asking. */
async function readKept(kept: string, vkey: string): Promise<CosignedBefore | undefined> {
  const note = await readFile(kept, 'utf8').catch(() => '');
  const end = note.indexOf('\n\n') + 1;
  const text = note.slice(0, end);
  const [own = '', ...lines] = note.slice(end + 1, -1).split('\n');
  try {
    const { size } = openCheckpoint(Buffer.from(`${text}\n${own}\n`), vkey, kept);
    return { size, text, lines };
  } catch (error) {
    if (error instanceof TallyError) return undefined;
    throw error;
  }
}

/**
 * Checks the cosignatures of a manifest under these keys of witnesses; says when each cosigned, and of which lines no key was
 * given. Throws `integrity` where one does not fit, or a witness that is asked for has not cosigned; `key` for a bad key.
 */
export function checkCosignatures(
  { vkey, checkpoint, cosignatures = [] }: Ledger,
  witnesses: readonly string[],
): { readonly checked: readonly string[]; readonly notChecked: readonly string[] } {
  const file = 'manifest.json';
  const { size } = openCheckpoint(Buffer.from(checkpoint), vkey, file);
  const text = textOf(checkpoint);
  const known = new Set<string>();
  const checked = witnesses.map(parseWitnessVkey).flatMap((key) => {
    const found = cosignatures.flatMap((line) => openCosignature(line, text, key, file) ?? []);
    if (found.length === 0) throw tampered(file, `holds no cosignature by this key of the witness ${key.name}`);
    for (const { line } of found) known.add(line);
    return found.map(
      ({ name, time }) => `the cosignature of ${name}: it saw this ledger of ${size} segments at ${time}`,
    );
  });
  const notChecked = cosignatures
    .filter((line) => !known.has(line))
    .map((line) => `the cosignature of ${parseSignatureLine(line)?.name ?? 'no one'} (give its key: --witness VKEY)`);
  return { checked, notChecked };
}
