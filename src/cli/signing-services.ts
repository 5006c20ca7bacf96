import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { SigningServices } from '../attest/sign.ts';
import type { AttestSettings, WitnessSettings } from '../model/attest.ts';
import { parseConfig } from '../model/config.ts';
import { TallyError } from '../model/errors.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** What a configuration names under `attest`, ready to be asked. */
export interface Services extends SigningServices {
  readonly witnesses?: readonly WitnessSettings[] | undefined;
}

/** The services that a configuration names for signing; `config` is its file, from whose folder others are named. */
export function toServices(attest: AttestSettings | undefined, config: string | undefined, env: Env): Services {
  const { keyless, rekor, timestamp, witnesses } = attest ?? {};
  const tokenFile = keyless?.tokenFile === undefined ? undefined : resolve(dirname(config ?? '.'), keyless.tokenFile);
  return {
    keyless: keyless === undefined ? undefined : { fulcio: keyless.fulcio, readToken: () => readToken(tokenFile, env) },
    rekor,
    timestamp,
    witnesses,
  };
}

/** The same from a file; none where no file is given. */
export async function readServices(config: string | undefined, env: Env): Promise<Services> {
  if (config === undefined) return {};
  const text = await readFile(config, 'utf8').catch((cause: unknown) => {
    throw new TallyError('input', `the configuration (--config) can't be read: ${config}; check the path.`, { cause });
  });
  return toServices(parseConfig(text, config).attest, config, env);
}

/** Read each time: where it lies in a file, something else renews it. */
async function readToken(file: string | undefined, env: Env): Promise<string> {
  const text =
    file === undefined
      ? env['SIGSTORE_ID_TOKEN']
      : await readFile(file, 'utf8').catch((cause: unknown) => {
          throw new TallyError('key', `the OIDC token can't be read: ${file} (attest.keyless.tokenFile)`, { cause });
        });
  const token = text?.trim() ?? '';
  if (token !== '') return token;
  throw new TallyError(
    'key',
    file === undefined
      ? 'no OIDC token: put one into SIGSTORE_ID_TOKEN, or name its file as attest.keyless.tokenFile'
      : `the file of the OIDC token is empty: ${file} (attest.keyless.tokenFile)`,
  );
}
