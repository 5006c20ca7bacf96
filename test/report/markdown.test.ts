import fc from 'fast-check';
import * as prettier from 'prettier';
import { describe, expect, it } from 'vitest';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { code, prose } from '../../src/report/markdown-text.ts';
import type { Finding, FindingKind } from '../../src/model/claim.ts';
import { claims, pending, proven, unproven, violated } from './fixture.ts';
import { formOptions } from './form-options.ts';
import { hostileReport, hostileText, hugeReport } from './hostile-report.ts';
import { contradictory, unexplained } from './unexplained.ts';

interface Node {
  readonly type: string;
  readonly value?: string;
  readonly children?: readonly Node[];
}

/** The tree of a real Markdown parser: what a reader of the comment would get. */
async function parse(text: string): Promise<Node[]> {
  const debug = (prettier as unknown as { __debug: { parse(text: string, options: object): Promise<{ ast: Node }> } })
    .__debug;
  const { ast } = await debug.parse(text, { parser: 'markdown' });
  const all: Node[] = [];
  const walk = (node: Node): void => {
    all.push(node);
    node.children?.forEach(walk);
  };
  walk(ast);
  return all;
}

/** What is left without code spans and the code block, in which nothing acts. */
function outsideCode(markdown: string): string {
  return markdown.replace(/^```sh\n[^`]*\n```$/m, '').replace(/`[^`\n]+`/g, '');
}

/** The only markup of ours that is not Markdown. */
const ownTags = /<details><summary>[A-Za-z0-9 ,()]*<\/summary>|<\/details>/g;

const render = (report: typeof proven): string => renderMarkdown(report, formOptions);

describe('the comment', () => {
  it('says the verdict and why in its first lines', () => {
    expect(render(violated)).toMatch(
      /^### ❌ VIOLATED: task `7b3f` \(`dns-validation`\)\n\n\*\*Why\*\*: The task connected to `collector\.evil\.example:443`, which/,
    );
    expect(render(proven)).toContain('### ✅ PROVEN');
    expect(render(proven)).toContain('**All 15 claims hold.**');
    expect(render(unproven)).toContain('### ⚠️ UNPROVEN');
    expect(render(pending)).toContain('### ⏳ PENDING');
    expect(render(pending)).toContain('- **Wait until**: `2026-03-01 12:00:00 UTC`');
  });

  it('shows the claims that do not hold, and folds findings, sessions and endpoints', () => {
    const shown = render(violated);
    expect(shown).toContain('**12 of 15 claims hold.** These do not:');
    expect(shown).toContain(
      '| ❌ | `actions-declared` Only declared and granted actions were used | violated | `undeclared-action` ×3 |',
    );
    expect(shown).toContain('<details><summary>5 findings</summary>');
    expect(shown).toContain(
      '- `undeclared-endpoint` `collector.evil.example:443` (`egress-declared`): Process grep (4706)',
    );
    expect(shown).toContain(
      '| `ironclaw-task-7b3f-zz01` `aws ASIAEXAMPLECHAINED09` | **no** | 1, 1 denied | unknown |',
    );
    expect(shown).toContain('| `collector.evil.example:443` | **no** | 1 | `tcp` | `dns+sni` |');
    expect(shown).toContain('- `co-tenants-isolated`: Tasks on the same node');
    expect(shown).toContain('tally verify report.sigstore.json --key tally.pub.pem --evidence DIR');
  });

  it('names what was verified only when it was', () => {
    expect(render(proven)).not.toContain('**Verified**');
    const verified = renderMarkdown(proven, {
      ...formOptions,
      verification: ['manifest.json, which the statement names'],
    });
    expect(verified).toContain('**Verified** before it was printed:\n\n- `manifest.json`, which the statement names');
  });

  it('names what was not verified under it', () => {
    expect(render(proven)).not.toContain('**Not verified**');
    const shown = renderMarkdown(proven, {
      ...formOptions,
      verification: ['the bundle'],
      notVerified: ['the evidence'],
    });
    expect(shown).toContain('- the bundle\n\n**Not verified**:\n\n- the evidence\n\n**All 15 claims hold.**');
  });

  it('never says that all holds where the verdict is another', () => {
    const shown = render(unexplained);
    expect(shown).not.toContain('claims hold.**');
    expect(shown).toContain('**No claim is open, yet the verdict is not proven**');
    expect(shown).toContain('<details><summary>1 finding</summary>\n\n- `unexplained-result` `7b3f` (`verdict`)');
  });

  it('shows what speaks against a claim that says it holds', () => {
    const shown = render(contradictory);
    expect(shown).toContain('**14 of 15 claims hold.** These do not:');
    expect(shown).toMatch(/\| ❌ \| `egress-declared` .* \| violated \| `undeclared-endpoint` \|/);
    expect(shown).toContain('- `undeclared-endpoint` `collector.evil.example:443` (`egress-declared`)');
  });

  it('lists counterexamples of all claims before doubts, and doubts before waits', () => {
    const one = (kind: FindingKind, n: number): Finding => {
      return { code: 'stream-gap', kind, subject: `${kind}-${n}`, detail: 'It broke. '.repeat(20), evidence: [] };
    };
    const waits = Array.from({ length: 200 }, (_, n) => one('wait', n));
    const doubts = Array.from({ length: 200 }, (_, n) => one('doubt', n));
    const report = {
      ...violated,
      claims: claims({
        'sensor-coverage': { result: 'unproven', findings: [...waits, one('doubt', 900)] },
        'sensor-continuity': { result: 'unproven', findings: doubts },
        'egress-declared': { result: 'violated', findings: [one('counterexample', 1)] },
        'uses-matched': { result: 'violated', findings: [one('doubt', 901), one('counterexample', 2)] },
      }),
    };
    const subjects = [...render(report).matchAll(/^- `stream-gap` `([a-z]+-\d+)`/gm)].map(([, subject]) => subject);
    expect(subjects.slice(0, 4)).toEqual(['counterexample-1', 'counterexample-2', 'doubt-900', 'doubt-0']);
    expect(render(report)).toMatch(/and \d+ more, in `report\.json`/);
  });

  it('says how many entries of the trigger it left out', () => {
    const trigger = Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`key${n}`, 'x']));
    const shown = render({ ...proven, task: { ...proven.task, trigger } });
    expect(shown).toContain('`key7 x`, and 3 more\n');
  });

  it('is the same for the same report', () => {
    expect(render(violated)).toBe(render(structuredClone(violated)));
  });

  it('stays below what a comment may hold, and says what it left out', () => {
    for (const text of ['many', '`|<'.repeat(300), 'a.b '.repeat(300), '\u202e'.repeat(900)]) {
      const lines = Array.from({ length: 600 }, () => text);
      const told = { ...formOptions, verification: lines, notVerified: lines };
      const shown = renderMarkdown(hugeReport(600, text), told);
      expect(shown.length).toBeLessThan(60_000);
      expect(shown).toMatch(/and \d+ more, in `report\.json`/);
      expect(shown).toContain('tally verify report.sigstore.json');
    }
  }, 60_000);
});

describe('hostile text', () => {
  it('stays words, or becomes code in which nothing acts', () => {
    expect(code('a`b|c<d')).toBe('`a\\u{60}b\\u{7c}c\\u{3c}d`');
    expect(code('')).toBe('`(empty)`');
    expect(prose('see @admin, #1 (http://evil.example).')).toBe('see `@admin`, `#1` (`http://evil.example`).');
    expect(prose('GH-1 :tada: 1. don’t')).toBe('`GH-1` `:tada`: 1. don’t');
    expect(prose('a\n# b')).toBe('`a\\u{a}#` b');
  });

  it('leaves nothing outside code spans that could be markup, a mention or a link', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const shown = render(hostileReport(text));
        expect(shown.length).toBeLessThan(60_000);
        expect(shown).not.toMatch(/[\p{Cf}\p{Cs}]|(?!\n)\p{Cc}/u);
        const rest = outsideCode(shown).replace(ownTags, '');
        expect(rest).not.toMatch(/[<`@\\[\]{}$~&]|:\/\/|www\.|https?:|#\d|[0-9a-f]{7,}|GH-|!\[/);
      }),
      { numRuns: 100 },
    );
  }, 60_000);

  it('keeps the tree of the comment: same headings, tables and cells, no links, images or other HTML', async () => {
    const shape = async (text: string): Promise<string[]> => {
      const nodes = await parse(render(hostileReport(text)));
      const kept = nodes.filter(({ type }) =>
        /^(heading|table|tableRow|tableCell|list|listItem|html|link|image|code)$/.test(type),
      );
      return kept.map(({ type, value }) => (type === 'html' ? `html ${value ?? ''}` : type));
    };
    const calm = await shape('calm');
    expect(calm.filter((type) => type === 'heading')).toHaveLength(1);
    await fc.assert(
      fc.asyncProperty(hostileText, async (text) => {
        if (text.length > 5000) return;
        const shaped = await shape(text);
        expect(shaped.filter((type) => /^(link|image)/.test(type))).toEqual([]);
        expect(shaped.filter((type) => type === 'heading')).toHaveLength(1);
        expect(shaped.filter((type) => type === 'table')).toHaveLength(3);
        const cells = shaped.filter((type) => type === 'tableCell').length;
        const rows = shaped.filter((type) => type === 'tableRow').length;
        expect([rows, cells]).toEqual([
          calm.filter((type) => type === 'tableRow').length,
          calm.filter((type) => type === 'tableCell').length,
        ]);
        const html = shaped.filter((type) => type.startsWith('html'));
        expect(
          html.every((tag) => /^html (<details><summary>[A-Za-z0-9 ,()]*<\/summary>|<\/details>)$/.test(tag)),
        ).toBe(true);
      }),
      { numRuns: 100 },
    );
  }, 120_000);
});
