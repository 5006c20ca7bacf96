import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** A compressed file of lines that is written as they come and never held whole. */
export interface LineFile {
  readonly lines: number;
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

const block = 1 << 18;

export function openLineFile(path: string): LineFile {
  const gzip = createGzip({ level: 1 });
  const file = createWriteStream(path);
  gzip.pipe(file);
  let lines = 0;
  let waiting: string[] = [];
  let size = 0;
  const flush = async (): Promise<void> => {
    const text = waiting.join('');
    waiting = [];
    size = 0;
    if (text !== '' && !gzip.write(text)) await once(gzip, 'drain');
  };
  return {
    get lines() {
      return lines;
    },
    write: async (text) => {
      lines += 1;
      waiting.push(text, '\n');
      size += text.length + 1;
      if (size > block) await flush();
    },
    close: async () => {
      await flush();
      gzip.end();
      await finished(file);
    },
  };
}
