/**
 * What can drive a terminal, reorder or hide text, or break a row: controls, format characters (bidi, zero-width,
 * tags), line and paragraph separators, lone surrogates, other characters without a glyph, and a fourth combining
 * mark on one letter (stacks of them paint over the lines around).
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?<=\p{M}{3})\p{M}/gu;

/** Shows every character that could act instead of being seen as `\u{1b}`; applying it twice changes nothing. */
export function visible(text: string): string {
  return text.replace(unsafe, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

const entities: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
]);

/** For HTML text and quoted attribute values: `visible`, with markup escaped. */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (char) => entities.get(char) ?? '');
}

/** Cuts the end off, and says how much, so that one field can't bury a page. */
export function clip(text: string, max: number): string {
  const shown = visible(text);
  if (shown.length <= max) return shown;
  return `${whole(shown.slice(0, max))}… (${shown.length - max} more characters)`;
}

/** Cuts the middle out: the end of a host name says whose it is, so it is what stays longest. */
export function clipMiddle(text: string, max: number): string {
  const shown = visible(text);
  if (shown.length <= max) return shown;
  const head = Math.floor((max - 1) / 3);
  return `${whole(shown.slice(0, head))}…${whole(shown.slice(head + 1 - max))}`;
}

/** Drops the half of a surrogate pair that a cut left over. */
function whole(text: string): string {
  return text.replace(/\p{Cs}/gu, '');
}
