import type { Attributes, AttributeValue } from './span.ts';

/** What can drive a terminal, reorder or hide text, and lone surrogates, which protobuf has no form for. */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const longestText = 1024;
const longestList = 64;

/** Text of the task as another tool may show it: characters that act are written as `\u{1b}`, the end is cut off. */
export function toText(text: string, longest = longestText): string {
  const shown = text.slice(0, longest + 1).replace(unsafe, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
  if (shown.length <= longest) return shown;
  return `${shown.slice(0, longest - 1).replace(/\p{Cs}$/u, '')}…`;
}

export function toList(texts: readonly string[]): string[] {
  return texts.slice(0, longestList).map((text) => toText(text, 256));
}

/** Leaves out what is undefined or empty; texts are made safe to show. */
export function toAttributes(values: Readonly<Record<string, AttributeValue | undefined>>): Attributes {
  const attributes: Record<string, AttributeValue> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) continue;
    if (typeof value === 'string') attributes[name] = toText(value);
    else if (typeof value === 'object') attributes[name] = toList(value);
    else if (typeof value === 'boolean' || Number.isFinite(value)) attributes[name] = value;
  }
  return attributes;
}
