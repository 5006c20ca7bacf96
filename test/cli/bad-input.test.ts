import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { audit, auditProven, minimal, provenFile, provenText, run, workFolder } from './command-line.ts';

const gapsOf = ({ report }: Awaited<ReturnType<typeof audit>>): string[] =>
  report.gaps.filter(({ origin }) => origin === '').map(({ stream, why }) => `${stream}: ${why}`);

describe('what is not there, or not what it should be, ends with 2 and says what to do:', () => {
  const inputs = ['--tetragon', '--sensor', '--cloudtrail', '--resolutions', '--config', '--key'];

  test.each(inputs)('%s without its file', async (flag) => {
    const work = workFolder();
    const task = work.write('task.yaml', minimal);
    const missing = work.path('missing');
    const { code, err } = await run(['audit', '--task', task, '--out', work.path('out'), flag, missing]);
    expect(code).toBe(2);
    expect(err).toMatch(/^tally: [^\n]+\n$/);
    expect(err).toContain(missing);
    expect(err).toMatch(/can't (be read|open)/);
    // half of an audit is left nowhere: the same command works once the path is right
    expect(existsSync(join(work.path('out'), 'evidence'))).toBe(false);
  });

  test.each(['--tetragon', '--sensor', '--resolutions', '--config', '--key'])('%s with a folder', async (flag) => {
    const work = workFolder();
    const task = work.write('task.yaml', minimal);
    const { code, err } = await run(['audit', '--task', task, '--out', work.path('out'), flag, work.path('')]);
    expect(code).toBe(2);
    expect(err).toContain(work.path(''));
  });

  test('no declaration, or a folder for it', async () => {
    const work = workFolder();
    for (const task of [work.path('missing.yaml'), work.path('')]) {
      const { code, err } = await run(['audit', '--task', task, '--out', work.path('out')]);
      expect([code, err.includes('--task'), err.includes(task)]).toEqual([2, true, true]);
    }
  });

  test('a granted policy that is missing, no JSON, or no policy', async () => {
    const work = workFolder();
    const credentials = 'credentials: [ { provider: aws, session: s, policy: granted.json } ]\n';
    const task = work.write('task.yaml', minimal + credentials);
    const attempt = () => run(['audit', '--task', task, '--out', work.path('out')]);
    for (const text of [undefined, '{nope', '{"Statement":[{"Effect":"Perhaps"}]}']) {
      if (text !== undefined) work.write('granted.json', text);
      const { code, err } = await attempt();
      expect([code, err.includes(work.path('granted.json'))]).toEqual([2, true]);
    }
  });

  test('an --out that is a file, or below one', async () => {
    const work = workFolder();
    const task = work.write('task.yaml', minimal);
    for (const out of [task, join(task, 'below')]) {
      const { code, err } = await run(['audit', '--task', task, '--out', out]);
      expect([code, err.includes(`--out ${out} can't be written`)]).toEqual([2, true]);
    }
    expect((await run(['keygen', '--out', task])).code).toBe(2);
  });

  test('evidence that is there already is never touched', async () => {
    const work = workFolder();
    const task = work.write('task.yaml', minimal);
    const attempt = () => run(['audit', '--task', task, '--out', work.path('out')]);
    expect((await attempt()).code).toBe(3);
    const manifest = readFileSync(work.path('out/manifest.json'));
    const { code, err } = await attempt();
    expect([code, err.includes('choose another --out')]).toEqual([2, true]);
    expect(readFileSync(work.path('out/manifest.json'))).toEqual(manifest);
    expect(existsSync(work.path('out/evidence/ledger/checkpoint'))).toBe(true);
  });
});

describe('a declaration or configuration with mistakes:', () => {
  const ten = `apiVersion: tally/v2
kind: Tsk
task: { id: "a/b", type: "" }
workload: []
image: sha256:1
credentials: [ { provider: azure } ]
endpoints: [ "nowhere" ]
actions: [ "x" ]
window: { start: yesterday }
colour: red
`;

  test('each of ten is told with its path and what was expected', async () => {
    const work = workFolder();
    const { code, err } = await run(['audit', '--task', work.write('t.yaml', ten), '--out', work.path('out')]);
    expect(code).toBe(2);
    for (const [path, expected] of [
      ['apiVersion', 'tally/v1'],
      ['kind', 'Task'],
      ['task.id', '128 characters'],
      ['task.type', 'empty'],
      ['workload', 'at least one'],
      ['image', '64 hex digits'],
      ['credentials.0.provider', '"aws"'],
      ['endpoints.0', 'host:port'],
      ['actions.0', 'service:Action'],
      ['window.start', 'a time such as'],
      ['\\(top\\)', 'unknown key "colour"'],
    ] as const) {
      expect(err).toMatch(new RegExp(`^ {2}- ${path}: .*${expected}`, 'm'));
    }
    expect(err).toContain('11 mistakes');
    expect(existsSync(work.path('out'))).toBe(false);
  });

  test('a configuration likewise', async () => {
    const work = workFolder();
    const config = work.write(
      'c.yaml',
      'apiVersion: tally/v2\nnodes: { a: { egress: [x] } }\nresolvers: [0x7f.1]\nassume: [all]\ntolerance: -1\nzzz: 1\n',
    );
    const task = work.write('t.yaml', minimal);
    const { code, err } = await run(['audit', '--task', task, '--config', config, '--out', work.path('out')]);
    expect(code).toBe(2);
    for (const path of ['apiVersion', 'nodes.a.egress.0', 'resolvers.0', 'assume.0', 'tolerance', '\\(top\\)']) {
      expect(err).toMatch(new RegExp(`^ {2}- ${path}: `, 'm'));
    }
    expect(err).toContain(config);
  });

  test.each(['a: [1\nb: }', '"', 'a: *nothing', '- x', 'a:\n\t- b'])('YAML that is none: %j', async (text) => {
    const work = workFolder();
    const task = work.write('t.yaml', text);
    const { code, err } = await run(['audit', '--task', task, '--out', work.path('out')]);
    expect([code, err.includes(task)]).toEqual([2, true]);
  });

  test('a task id that is a path is refused', async () => {
    const work = workFolder();
    for (const id of ['"../../x"', '".."', '"a/b"']) {
      const task = work.write('t.yaml', minimal.replace('id: 7b3f', `id: ${id}`));
      expect((await run(['audit', '--task', task, '--out', work.path('out')])).code).toBe(2);
    }
    expect(existsSync(work.path('out'))).toBe(false);
  });
});

describe('lines that can’t be read are counted, with file and line, and never fatal:', () => {
  const bad = Buffer.from([0x7b, 0xff, 0x7d, 0x0a]);
  const lines = Buffer.concat([
    Buffer.from('{"a":1}\nno JSON\n'),
    bad,
    Buffer.from('\n[1]\n{"b":1}\u0001rest\n{"c":1}{"d":1}\n{"e":"\u0000"}\n{"f":1}\n{"cut":'),
  ]);

  test.each(['tetragon', 'sensor', 'resolutions'])('--%s', async (input) => {
    const file = workFolder().write('lines.jsonl', lines);
    const ran = await audit([`--${input}`, file]);
    expect([ran.code, ran.report.verdict]).toEqual([3, 'unproven']);
    const stream = input === 'resolutions' ? 'resolution' : input;
    const detail = 'not JSON in UTF-8, or longer than 33554432 bytes';
    // what is JSON but no event is told too
    const noEvent = 'tetragon: broken-line: Lines of the export that are no known event, or bear no readable time.';
    expect(gapsOf(ran).filter((gap) => gap === noEvent)).toHaveLength(input === 'tetragon' ? 1 : 0);
    expect(gapsOf(ran).filter((gap) => gap !== noEvent)).toEqual([
      `${stream}: broken-line: 7 lines of lines.jsonl could not be read (${detail}): line 2, 3, 5, 6, 7, 8, 10`,
    ]);
  });

  test('one such line among the kernel’s events of a proven task is enough to prove it no more', async () => {
    const events = provenText('tetragon.jsonl.gz').split('\n');
    const file = workFolder().write(
      'tetragon.jsonl',
      [...events.slice(0, 9), '{"cut":', ...events.slice(9)].join('\n'),
    );
    const ran = await auditProven({ tetragon: file });
    expect([ran.code, ran.report.verdict]).toEqual([3, 'unproven']);
    expect(gapsOf(ran)).toEqual([
      expect.stringMatching(/^tetragon: broken-line: 1 line of tetragon.jsonl .*: line 10$/),
    ]);
  });

  test('a broken line about the sensor or a resolution is told, and breaks nothing', async () => {
    const work = workFolder();
    const sensor = work.write('sensor.jsonl', `${provenText('sensor.jsonl.gz')}{"cut":`);
    const resolutions = work.write('resolutions.jsonl', 'nothing\n');
    const ran = await auditProven({ sensor, resolutions });
    expect([0, 3]).toContain(ran.code);
    expect(gapsOf(ran)).toEqual([
      expect.stringMatching(/^resolution: broken-line: 1 line of resolutions.jsonl/),
      expect.stringMatching(/^sensor: broken-line: 1 line of sensor.jsonl/),
    ]);
  });
});

describe('files that are cut off, empty or huge:', () => {
  const line = '{"node_name":"n","time":"2026-11-21T10:33:37Z"}\n';

  test('a gzip file that was cut is told, and a proven task is proven no more', async () => {
    const whole = readFileSync(provenFile('tetragon.jsonl.gz'));
    const file = workFolder().write('tetragon.jsonl.gz', whole.subarray(0, whole.length - 5000));
    const ran = await auditProven({ tetragon: file });
    expect([ran.code, ran.report.verdict]).toEqual([3, 'unproven']);
    expect(gapsOf(ran).join('\n')).toMatch(
      /tetragon: truncated-file: .*tetragon.jsonl.gz is cut off or damaged after \d+/,
    );
  });

  test.each(['sensor', 'resolutions', 'tetragon'])('--%s with the first bytes of a gzip file', async (input) => {
    const file = workFolder().write('x.gz', gzipSync(line).subarray(0, 5));
    const ran = await audit([`--${input}`, file]);
    expect(ran.code).toBe(3);
    expect(gapsOf(ran).join('\n')).toContain('truncated-file');
  });

  test('empty files and blank lines are no records and no gaps', async () => {
    const work = workFolder();
    const empty = work.write('empty.jsonl', '');
    const blank = work.write('blank.jsonl', '\n\n\n');
    const frames = work.write('frames.binpb', '');
    const ran = await audit(['--tetragon', empty, blank, frames, '--sensor', empty, '--resolutions', blank]);
    expect([ran.code, gapsOf(ran)]).toEqual([3, []]);
  });

  const big = (bytes: number): string => `{"node":"n","time":"2026-11-21T10:33:37Z","x":"${'a'.repeat(bytes)}"}`;

  test('a broken line of 20 MB is counted', async () => {
    const file = workFolder().write('broken.jsonl', `${big(20e6).slice(0, -1)}\n${line}`);
    expect(gapsOf(await audit(['--tetragon', file]))).toEqual([expect.stringContaining('1 line of broken.jsonl')]);
  });

  test.each(['tetragon', 'resolutions'])('a whole line of 20 MB is taken in by --%s', async (input) => {
    const ran = await audit([`--${input}`, workFolder().write('big.jsonl', `${big(20e6)}\n${line}`)]);
    expect(ran.code).toBe(3);
    expect(gapsOf(ran).filter((gap) => !gap.includes('no known event'))).toEqual([]);
  });

  test('a line longer than the limit is a broken one, and the lines around it are taken in', async () => {
    const file = workFolder().write('long.jsonl', `${line}${big(33 * 1024 * 1024)}\n${line}`);
    const ran = await audit(['--tetragon', file]);
    expect(gapsOf(ran)).toEqual([
      expect.stringMatching(/1 line of long.jsonl .*longer than 33554432 bytes\): line 2$/),
    ]);
  });

  test('a damaged recording of frames is told', async () => {
    const work = workFolder();
    const cut = work.write('cut.binpb', Buffer.from([0, 0, 0, 5, 1, 2]));
    const absurd = work.write('absurd.binpb', Buffer.from([255, 255, 255, 255, 1, 2]));
    const ran = await audit(['--tetragon', cut, absurd]);
    expect([ran.code, gapsOf(ran).filter((gap) => gap.includes('truncated-file')).length]).toEqual([3, 2]);
  });
});

describe('events without what an event has', () => {
  const event = (fields: object): string =>
    `${JSON.stringify({
      process_kprobe: {
        process: { exec_id: 'A', pid: 1 },
        function_name: 'tcp_connect',
        args: [{ sock_arg: { family: 'AF_INET', daddr: '192.0.2.1', dport: 443, cookie: '1' } }],
      },
      node_name: 'n',
      ...fields,
    })}\n`;

  // flow.opened is NOT NULL: the whole audit fails.
  test('a readable time: never fatal, never silent', async () => {
    const ran = await audit(['--tetragon', workFolder().write('x.jsonl', event({ time: 'whenever' }))]);
    expect(ran.report.gaps.filter(({ stream }) => stream === 'tetragon')).not.toEqual([]);
  });

  test('a known kind: never silent', async () => {
    const unknown = '{"process_other":{"process":{"exec_id":"A"}},"node_name":"n","time":"2026-11-21T10:33:37Z"}\n';
    const ran = await audit(['--tetragon', workFolder().write('x.jsonl', unknown)]);
    expect(ran.report.gaps.filter(({ stream }) => stream === 'tetragon')).not.toEqual([]);
  });
});

describe('with hardly anything there is no proof:', () => {
  test('nothing but the declaration, with no credentials', async () => {
    const { code, report } = await audit([]);
    expect([code, report.verdict]).toEqual([3, 'unproven']);
    expect(report.sessions).toEqual([]);
  });

  test('a workload that matches no process of a proven recording', async () => {
    const work = workFolder();
    const text = readFileSync(provenFile('task.yaml'), 'utf8').replace('TASK_ID: 7b3f', 'TASK_ID: other');
    work.write('granted.json', readFileSync(provenFile('granted.json')));
    const inputs = ['config.yaml', 'tetragon.jsonl.gz', 'sensor.jsonl.gz', 'cloudtrail'];
    const flags = inputs.flatMap((name) => [`--${name.split('.')[0] ?? ''}`, provenFile(name)]);
    const { code, err } = await run([
      ...['audit', '--task', work.write('task.yaml', text), '--out', work.path('out'), ...flags],
    ]);
    expect([[1, 3].includes(code), err.includes('made for this report alone')]).toEqual([true, true]);
    const report = readFileSync(work.path('out/report.json'), 'utf8');
    expect(report).toContain('"unknown-parent"');
  });

  test('the same recording without credentials in the declaration', async () => {
    const work = workFolder();
    const text = readFileSync(provenFile('task.yaml'), 'utf8').replace(/^credentials:[^]*?(?=^endpoints:)/m, '');
    const flags = ['tetragon.jsonl.gz', 'sensor.jsonl.gz'].flatMap((name) => [
      `--${name.split('.')[0] ?? ''}`,
      provenFile(name),
    ]);
    const { code } = await run(['audit', '--task', work.write('t.yaml', text), '--out', work.path('out'), ...flags]);
    expect(code).toBe(3); // without the provider’s log nobody knows what else was used
  });

  // Design 7: for the whole of the task. A narrow window must not hide what was lost outside of it.
  test('a declared window that leaves a loss out', async () => {
    const work = workFolder();
    const folder = provenFile('../c19-sensor-loss');
    work.write('granted.json', readFileSync(join(folder, 'granted.json')));
    const text = readFileSync(join(folder, 'task.yaml'), 'utf8');
    const task = work.write('task.yaml', `${text}\nwindow: { start: 2026-11-21T10:33:51.2Z }\n`);
    const inputs = ['config.yaml', 'tetragon.jsonl.gz', 'sensor.jsonl.gz', 'cloudtrail'];
    const flags = inputs.flatMap((name) => [`--${name.split('.')[0] ?? ''}`, join(folder, name)]);
    expect((await run(['audit', '--task', task, '--out', work.path('out'), ...flags])).code).toBe(3);
  });
});
