import { readFile } from 'node:fs/promises';

/** The parts of the script in assets/report. They share one scope: a constant is made before it is used, and main starts. */
const parts = [
  'elements',
  'standing',
  'scale',
  'items',
  'groups',
  'page',
  'fold',
  'marks',
  'draw-line',
  'draw-pane',
  'draw-joins',
  'draw',
  'detail',
  'move',
  'listen',
  'keys',
  'main',
];

/** The script of the page: all its parts as one text, since the policy of the page allows one inlined script. */
export async function readPageScript(): Promise<string> {
  const folder = new URL('../../assets/report/', import.meta.url);
  const texts = await Promise.all(parts.map((part) => readFile(new URL(`${part}.js`, folder), 'utf8')));
  return texts.join('\n');
}
