import { escapeHtml } from './visible.ts';

/** A symbol, so that no parsed JSON can pass for markup. */
const trusted = Symbol('markup');

/** HTML or SVG that was built here: everything from outside in it is escaped. */
export interface Markup {
  readonly [trusted]: string;
}

export type Content = string | number | Markup | readonly Markup[];

/** Template tag: every value is escaped unless it is markup itself. Values belong in text or quoted attributes. */
export function markup(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return { [trusted]: parts.map((part, i) => (i === 0 ? part : toHtml(values[i - 1]) + part)).join('') };
}

/** Our own text, which must stand as it is (the style, the policy). Never for anything from a report. */
export function verbatim(text: string): Markup {
  return { [trusted]: text };
}

export const nothing = verbatim('');

export function toHtml(content: Content | undefined): string {
  if (content === undefined) return '';
  if (typeof content === 'string') return escapeHtml(content);
  if (typeof content === 'number') return String(content);
  return trusted in content ? content[trusted] : content.map(toHtml).join('');
}
