import { openStore } from '../evidence/store.ts';
import { readVkey } from '../evidence/store-read.ts';
import { hasEgress } from '../judge/has-egress.ts';
import { TallyError } from '../model/errors.ts';
import { toTime, wallClock } from '../sources/sensor-line.ts';
import { askCollector } from './control-client.ts';
import { openBook, type Recorded, type Submission } from './declarations.ts';
import { readDeclared } from './declared-tasks.ts';

/** Records a declaration through the collector that runs on the store; where none does, in the store's log itself. */
export async function declareTo(path: string, submission: Submission): Promise<Recorded> {
  const { declaration, policies, late, name } = submission;
  const answer = await askCollector(path, 'POST', '/v1/declarations', { declaration, policies, late, name });
  if (answer !== undefined) {
    if (answer.status === 200 || answer.status === 201) return answer.json as unknown as Recorded;
    throw refusal(answer.json);
  }
  const store = await openStore(path, {
    signer: undefined, // whoever has the key seals it
    maskKey: Buffer.alloc(0),
    sealBytes: 16 << 20,
    sealAge: 3600,
    memory: 64 << 20,
  });
  try {
    const book = openBook(
      store,
      await readDeclared(path),
      async (parsed) => ((await readVkey(path)) === undefined ? undefined : hasEgress(path, parsed, toTime(0n))),
      wallClock,
    );
    return await book.record(submission);
  } finally {
    await store.close();
  }
}

function refusal({ error, details, code }: Readonly<Record<string, unknown>>): TallyError {
  const known = code === 'schema' || code === 'input' || code === 'integrity' ? code : 'usage';
  const lines = Array.isArray(details) ? details.map(String) : [];
  return new TallyError(known, String(error), { details: lines });
}
