import fc from 'fast-check';
import type { Report } from '../../src/model/report.ts';
import { violated } from './fixture.ts';

/** What acts in Markdown, HTML, XML, SARIF messages or a terminal, or has no place in them. */
const pieces = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<!-- -->',
  '</details>',
  '@admin',
  'me@example.com',
  '#1',
  'GH-1',
  'owner/repo#1',
  '0f3a5be1c2d34f5a6b7c8d9e0f1a2b3c4d5e6f70',
  'http://evil.example/x',
  'www.evil.example',
  '![x](https://evil.example/pixel)',
  '[click](https://evil.example)',
  '](1)',
  '{0}',
  '`',
  '```',
  '|',
  '\\|',
  '\\',
  '**bold**',
  '~~gone~~',
  '$x$',
  ':tada:',
  '1. one',
  '- two',
  '# three',
  '---',
  '\n\n# heading\n',
  '\r\n',
  '\t',
  '&lt;b&gt;',
  '&#64;admin',
  ']]>',
  '<?xml?>',
  '\u0000\u0007\u001b[31m',
  '\u009b2J',
  '\u202e\u2066',
  '\u2028',
  '\ufffe\uffff',
  '\ud800',
  '\udc00x',
  '😀',
  ' ',
  '',
] as const;

export const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom(...pieces),
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.string({ maxLength: 8 }),
      fc.constant('x'.repeat(10_000)),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(''));

/** A report in which everything that others choose is hostile; ids, results and times are as we write them. */
export function hostileReport(text: string): Report {
  const finding = violated.claims.flatMap((claim) => claim.findings)[0];
  if (finding === undefined) throw new Error('the fixture has no finding');
  const bad = { ...finding, code: text, subject: text, detail: text, evidence: [text, `${text}#${text}`] };
  return {
    ...violated,
    summary: text,
    task: { id: text, type: text, agent: text, trigger: { [text]: text, kind: text } },
    claims: violated.claims.map((claim) => ({
      ...claim,
      findings: [...claim.findings, bad, { ...bad, kind: 'doubt' as const }, { ...bad, kind: 'note' as const }],
    })),
    sessions: violated.sessions.map((row) => ({
      ...row,
      provider: text,
      key: text,
      session: text,
      role: text,
      issuedBy: text,
      actions: [text, text],
    })),
    egress: violated.egress.map((row) => ({ ...row, endpoint: text, channel: text, basis: text })),
    processes: violated.processes.map((row) => ({ ...row, binary: text, arguments: text, node: text, evidence: text })),
    connections: violated.connections.map((row) => ({
      ...row,
      id: text,
      endpoint: text,
      host: text,
      peer: { address: text, port: 443 },
    })),
    uses: violated.uses.map((row) => ({ ...row, id: text, key: text, session: text, action: text, source: text })),
    assumptions: [{ name: text, detail: text }],
    gaps: [{ stream: text, origin: text, why: text }],
    blindSpots: [{ channel: text, detail: text, touched: true }],
    limits: [text],
    tool: { name: 'tallystick', version: text },
  };
}

/** A report with very many findings, sessions and endpoints. */
export function hugeReport(rows: number, text = 'many'): Report {
  const many = <T>(make: (n: number) => T): T[] => Array.from({ length: rows }, (_, n) => make(n));
  const [first] = violated.sessions;
  const [endpoint] = violated.egress;
  if (first === undefined || endpoint === undefined) throw new Error('the fixture is empty');
  return {
    ...violated,
    summary: text.repeat(500),
    claims: violated.claims.map((claim) => ({
      ...claim,
      result: 'unproven',
      findings: many((n) => ({
        code: 'stream-gap',
        kind: 'doubt',
        subject: `${text} ${n}`,
        detail: text.repeat(20),
        evidence: [],
      })),
    })),
    sessions: many((n) => ({ ...first, session: `${text} ${n}`, actions: many(String).slice(0, 50) })),
    egress: many((n) => ({ ...endpoint, endpoint: `${text}-${n}:443` })),
    assumptions: many((n) => ({ name: `${text} ${n}`, detail: text })),
    gaps: many((n) => ({ stream: text, origin: String(n), why: text })),
    blindSpots: many((n) => ({ channel: `${text} ${n}`, detail: text, touched: true })),
    limits: many((n) => `${text} ${n}`),
  };
}
