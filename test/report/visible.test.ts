import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clip, clipMiddle, escapeHtml, visible } from '../../src/report/visible.ts';

const acting = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Cs}/u;
const anyText = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 })
  .map((units) => String.fromCharCode(...units));

describe('visible', () => {
  it.each([
    ['plain text, “quotes”, 日本語 and é stay', 'plain text, “quotes”, 日本語 and é stay'],
    ['\u001b[31mred', '\\u{1b}[31mred'],
    ['\u009b2J', '\\u{9b}2J'],
    ['a\u0000b\u007fc', 'a\\u{0}b\\u{7f}c'],
    ['row\nrow\r\t', 'row\\u{a}row\\u{d}\\u{9}'],
    ['exe.\u202egpj', 'exe.\\u{202e}gpj'],
    ['\u2066x\u2069', '\\u{2066}x\\u{2069}'],
    ['ad\u200bmin\ufeff', 'ad\\u{200b}min\\u{feff}'],
    ['a\u2028b\u2029c', 'a\\u{2028}b\\u{2029}c'],
    ['\ud800x\udc00', '\\u{d800}x\\u{dc00}'],
    ['pair 😀 stays', 'pair 😀 stays'],
    ['tag \u{e0041}', 'tag \\u{e0041}'],
    ['e\u0301\u0301\u0301\u0301', 'e\u0301\u0301\u0301\\u{301}'],
  ])('shows %j', (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it('leaves nothing that acts, and changes nothing when applied again', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const shown = visible(text);
        expect(shown).not.toMatch(acting);
        expect(visible(shown)).toBe(shown);
      }),
    );
  });
});

describe('escapeHtml', () => {
  it('escapes what is markup in text and in quoted attributes', () => {
    expect(escapeHtml(`<a href="x" title='y'>&amp;\u0000`)).toBe(
      '&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;\\u{0}',
    );
  });
});

describe('clipping', () => {
  it('says how much it left out', () => {
    expect(clip('abcdefghij', 4)).toBe('abcd… (6 more characters)');
    expect(clip('abcd', 4)).toBe('abcd');
  });

  it('keeps the end of a host name, which says whose it is', () => {
    expect(clipMiddle('route53.amazonaws.com.a.long.way.down.evil.example:443', 30)).toBe(
      'route53.a…own.evil.example:443',
    );
  });

  it('never leaves half a character', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 4, max: 30 }), (text, max) => {
        expect(clip(text, max)).not.toMatch(acting);
        expect(clipMiddle(text, max)).not.toMatch(acting);
        expect(clipMiddle(`😀${text}😀`, max).length).toBeLessThanOrEqual(max);
      }),
    );
  });
});
