import { clip, visible } from './visible.ts';

/** Would end a code span, a table cell, or open markup where a renderer takes code spans lightly. */
const breaking = /[`|<]/g;

/**
 * Text of others as a code span: nothing in one acts, neither markup nor mentions, links, issue numbers or emoji names. What
 * would end it is written as an escape.
 */
export function code(text: string, max = 120): string {
  const shown = clip(escapeBreaking(visible(text)), max);
  return shown.trim() === '' ? '`(empty)`' : `\`${shown}\``;
}

/** A word or number in which nothing can act: no commit, issue, address, name or markup. */
const plain = /^(?:\p{L}+(?:['’-]\p{L}+)*|\d{1,6}|[–—…])$/u;
const word = /^([("“]*)(.*?)([)"”.,;:!?…]*)$/su;

/** A sentence with text of others in it: words stay words, everything else becomes a code span. */
export function prose(text: string, max = 600): string {
  const words = clip(escapeBreaking(visible(text)), max).split(' ');
  return words
    .filter((one) => one !== '')
    .map(toWord)
    .join(' ');
}

function toWord(text: string): string {
  const [, open = '', core = '', close = ''] = word.exec(text) ?? [];
  if (core === '') return plain.test(text) ? text : `\`${text}\``;
  return `${open}${plain.test(core) ? core : `\`${core}\``}${close}`;
}

function escapeBreaking(text: string): string {
  return text.replace(breaking, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}
