import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseDeclaration } from '../model/declaration.ts';
import { TallyError } from '../model/errors.ts';
import type { Submission } from './declarations.ts';

/** A declaration file with the policies that it names, which stand beside it. */
export async function readSubmission(path: string, late: boolean): Promise<Submission> {
  const declaration = await readText(path, 'the declaration');
  const policies: string[] = [];
  for (const { provider, policy } of parseDeclaration(declaration, path).credentials) {
    if (policy === undefined || provider !== 'aws') continue;
    const file = resolve(dirname(path), policy);
    policies.push(await readText(file, `the granted policy ${JSON.stringify(policy)}`));
  }
  return { declaration, policies, late, name: path };
}

async function readText(path: string, what: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new TallyError('input', `${what} can't be read: ${path}; check the path.`, { cause });
  });
}
