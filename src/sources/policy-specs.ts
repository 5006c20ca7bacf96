import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { canonicalJson } from '../evidence/canonical-json.ts';
import { TallyError } from '../model/errors.ts';

/** What a policy says, as a digest: two policies of one name with other selectors differ in it. */
export interface PolicySpec {
  readonly name: string;
  /** SHA-256 (hex) of the canonical JSON (RFC 8785) of its `spec`. */
  readonly sha256: string;
}

/**
 * The digests of every policy in a file or folder of tracing policies (.yaml, .yml, .json; several in one file are fine),
 * sorted by name.
 *
 * Throws TallyError `input` when a file can't be read, is no YAML, or holds something that is no policy: digests of only
 * some would look like all.
 */
export async function readPolicySpecs(path: string): Promise<PolicySpec[]> {
  try {
    const files = (await stat(path)).isDirectory() ? await policyFiles(path) : [path];
    const specs = await Promise.all(files.map(async (file) => parsePolicySpecs(await readFile(file, 'utf8'), file)));
    return specs.flat().toSorted((a, b) => (a.name + a.sha256 < b.name + b.sha256 ? -1 : 1));
  } catch (error) {
    if (error instanceof TallyError || !(error instanceof Error)) throw error;
    throw new TallyError('input', `The policies in ${path} can't be read: ${error.message}.`, { cause: error });
  }
}

export function parsePolicySpecs(text: string, path: string): PolicySpec[] {
  return [...parseAllDocuments(text)].flatMap((document) => {
    if (document.errors[0] !== undefined)
      throw new TallyError('input', `${path} is no YAML: ${document.errors[0].message.split('\n', 1)[0] ?? ''}`);
    const policy = document.toJS() as { metadata?: { name?: unknown } | null; spec?: unknown } | null;
    if (policy === null) return []; // between two `---` there may be nothing
    const name = policy.metadata?.name;
    if (typeof name !== 'string' || typeof policy.spec !== 'object')
      throw new TallyError(
        'input',
        `${path} holds something that is no tracing policy: metadata.name or spec is missing.`,
      );
    return [{ name, sha256: createHash('sha256').update(canonicalJson(policy.spec)).digest('hex') }];
  });
}

async function policyFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => /\.(ya?ml|json)$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}
