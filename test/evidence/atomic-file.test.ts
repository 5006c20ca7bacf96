import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolder, writeFileAtomic } from '../../src/evidence/atomic-file.ts';
import { scratchFolder } from './scratch-folder.ts';

it('writes a file with its folders and mode, replaces it, and leaves nothing else', async () => {
  const folder = await scratchFolder();
  const path = relative('.', join(folder, 'a', 'b', 'file'));
  await writeFileAtomic(path, 'first', 0o600);
  await writeFileAtomic(path, Buffer.from('second'), 0o600);
  expect(await readFile(path, 'utf8')).toBe('second');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(folder, 'a', 'b'))).toEqual(['file']);
});

it('says which file can not be written', async () => {
  const path = join(await scratchFolder(), 'file');
  await writeFileAtomic(path, '');
  const below = join(path, 'below');
  await expect(writeFileAtomic(below, '')).rejects.toThrow(`${below}: can't be written`);
});

it('makes a folder that may exist already', async () => {
  const folder = join(await scratchFolder(), 'a', 'b');
  await makeFolder(folder, 0o700);
  await makeFolder(folder, 0o700);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
});
