import { TallyError } from '../model/errors.ts';
import { openInput } from './open-input.ts';

/** Whether a file of resolutions is one JSON document (AWS `ip-ranges.json`) rather than lines. */
export async function isDocument(path: string): Promise<boolean> {
  const chunks = await openInput(path);
  try {
    for await (const chunk of chunks) return /^\s*\{\s*"syncToken"/.test(chunk.toString('latin1', 0, 200));
  } catch (error) {
    if (!(error instanceof TallyError)) throw error; // damaged: told where its lines are read
  }
  return false;
}

/** The document as it is; it must be JSON and of a sensible size. */
export async function readDocument(path: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of await openInput(path)) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > 64 * 1024 * 1024)
      throw new TallyError('input', `${path} is larger than 64 MiB; is it AWS ip-ranges.json?`);
  }
  const text = Buffer.concat(chunks).toString();
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new TallyError('input', `${path} is not JSON; download ip-ranges.json again.`, { cause });
  }
  return text;
}
