import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeFileAtomic } from '../evidence/atomic-file.ts';
import { isMissing } from '../evidence/missing-file.ts';
import { parseJson } from './cloudtrail-object.ts';

/** Which events were kept lately: LookupEvents tells the same ones again and again. Times in ms since the epoch. */
export interface Seen {
  /** Up to where everything was kept at the last save; undefined at first. */
  until(): number | undefined;
  has(id: string): boolean;
  add(id: string, time: number): void;
  /** Writes the position and the ids of events that are younger than `oldest`. */
  save(until: number, oldest: number): Promise<void>;
}

const schema = z.object({ until: z.number(), events: z.array(z.tuple([z.string(), z.number()])) });

/** A file that is not there or broken counts as nothing seen. */
export async function openSeen(path: string): Promise<Seen> {
  const { data } = schema.safeParse(parseJson(await readText(path)));
  const events = new Map(data?.events);
  return {
    until: () => data?.until,
    has: (id) => events.has(id),
    add: (id, time) => events.set(id, time),
    save: async (until, oldest) => {
      for (const [id, time] of events) if (time < oldest) events.delete(id);
      await writeFileAtomic(path, JSON.stringify({ until, events: [...events] }), 0o600);
    },
  };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}
