/**
 * A value as JSON that is safe on a terminal too: characters that could act there (C1 controls, bidi and other format
 * characters, line separators) are written as escapes, which a JSON parser reads as the same text.
 */
export function toJsonText(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, null, indent);
  return `${json.replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escape)}\n`;
}

function escape(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
