import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditArguments, openWorkshop, runTally } from '../cases/shared-case.ts';
import { parseSarif } from '../report/sarif-log.ts';
import { audit, minimal, run, workFolder } from './command-line.ts';

let workshop: Awaited<ReturnType<typeof openWorkshop>>;
let bundle: string;
beforeAll(async () => {
  workshop = await openWorkshop();
  const out = join(workshop.folder, 'c02');
  await runTally(auditArguments('c02-undeclared-endpoint', out, workshop.key));
  bundle = join(out, 'report.sigstore.json');
});
afterAll(() => workshop.close());

const verify = (...flags: string[]): string[] => ['verify', bundle, '--key', workshop.pub, ...flags];

/** What the first characters of each form are. */
const openings = {
  markdown: /^### ❌ VIOLATED: task `c0de`/,
  sarif: /^\{\n {2}"\$schema": "https:\/\/docs\.oasis-open\.org\/sarif\//,
  junit: /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="tallystick" tests="16" failures="2"/,
  ocsf: /^\{"activity_id":1,.*"class_uid":2004,.*\n\{"activity_id":1,/,
} as const;
const forms = Object.entries(openings);

describe('tally verify --format', () => {
  it.each(forms)('prints the verified report as %s, and exits by its verdict', async (form, opening) => {
    const ran = await run(verify('--format', form));
    expect(ran).toMatchObject({ code: 1, err: '' });
    expect(ran.out).toMatch(opening);
    expect(await run(verify('--format', form, '--quiet'))).toEqual(ran);
  });

  it('tells in the comment what was verified', async () => {
    const { out } = await run(verify('--format', 'markdown'));
    expect(out).toContain('**Verified** before it was printed:\n\n- the signature over `report.sigstore.json`');
  });

  it.each(forms.map(([form]) => form))('tells in %s what was not verified', async (form) => {
    const { out } = await run(verify('--format', form));
    expect(out.replace(/`/g, '')).toContain('the evidence behind the report (give --evidence DIR)');
  });

  it('prints nothing of a report that does not verify', async () => {
    const work = workFolder();
    const altered = readFileSync(bundle, 'utf8').replace(
      /"sig":"(.)/,
      (_all, first: string) => `"sig":"${first === 'A' ? 'B' : 'A'}`,
    );
    const file = work.write('report.sigstore.json', altered);
    const ran = await run(['verify', file, '--key', workshop.pub, '--format', 'sarif']);
    expect(ran).toMatchObject({ code: 4, out: '' });
  });

  it('keeps text and json as they are', async () => {
    expect(await run(verify('--format', 'json'))).toEqual(await run(verify('--json')));
    expect(await run(verify('--format', 'text'))).toEqual(await run(verify()));
    expect((await run(verify('--format', 'json'))).out).toContain('"verified": true');
    expect((await run(verify('--format', 'text', '--quiet'))).out).toBe('');
  });
});

describe('tally audit --format', () => {
  it('prints the form on stdout and notes on stderr, quiet or not', async () => {
    const plain = await audit(['--format', 'sarif']);
    expect(plain.code).toBe(3);
    expect(parseSarif(plain.out).properties['verdict']).toBe('unproven');
    expect(plain.err).toContain('Signed with a key made for this report alone');
    const quiet = await audit(['--format', 'sarif', '--quiet']);
    expect(quiet).toMatchObject({ code: 3, err: '', out: plain.out });
  });

  it('prints the report itself as json, like --json', async () => {
    const [format, json] = [await audit(['--format', 'json']), await audit(['--json'])];
    expect(format).toMatchObject({ code: 3, err: '', out: json.out });
    expect(JSON.parse(format.out)).toEqual(format.report);
  });

  it.each(forms.map(([form]) => form))('tells hostile names in %s without a character that acts', async (form) => {
    const hostile = 'x"\u001b[31m\u202e<script>`@admin`</script>]]>'.replace(
      /["\u001b\u202e]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    const declaration = minimal.replace('type: test', `type: "${hostile}"`);
    const ran = await audit(['--format', form], declaration);
    expect(ran.report.task.type).toContain('\u202e');
    expect(ran.out).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
    if (form === 'junit' || form === 'markdown') expect(ran.out).not.toContain('<script>');
  });
});

describe('a wrong --format', () => {
  it('is refused before anything is done', async () => {
    const work = workFolder();
    const task = work.write('task.yaml', minimal);
    const args = ['audit', '--task', task, '--out', work.path('out')];
    const two = await run([...args, '--json', '--format', 'sarif']);
    expect(two).toMatchObject({ code: 2, out: '' });
    expect(two.err).toContain('--json and --format sarif ask for two forms');
    const unknown = await run([...args, '--format', 'pdf']);
    expect(unknown).toMatchObject({ code: 2, out: '' });
    expect(unknown.err).toContain('Allowed choices are text, json, markdown, sarif, junit, ocsf');
    expect(() => readFileSync(work.path('out'))).toThrow(/ENOENT/);
  });

  it('is none where both ask for JSON', async () => {
    expect((await run(verify('--json', '--format', 'json'))).code).toBe(1);
  });
});
