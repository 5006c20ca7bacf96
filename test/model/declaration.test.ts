import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/model/config.ts';
import { parseDeclaration } from '../../src/model/declaration.ts';
import { TallyError } from '../../src/model/errors.ts';

const declaration = (rest = '', id = '7b3f'): string =>
  `apiVersion: tally/v1\nkind: Task\ntask: { id: ${id}, type: t }\nworkload: [ { env: { TASK_ID: ${id} } } ]\n${rest}`;

function mistakes(parse: () => unknown): readonly string[] {
  try {
    parse();
  } catch (error) {
    if (error instanceof TallyError && error.code === 'schema' && error.exitCode === 2) return error.details;
    throw error;
  }
  return [];
}
const mistakesIn = (rest: string, id?: string) => mistakes(() => parseDeclaration(declaration(rest, id), 'task.yaml'));

describe('values are what was written:', () => {
  test.each(['7e3', '0042', '0x1F', '1.0', '12345678901234567890', '+7', 'True', '.5'])('an id %s', (id) => {
    if (/^[A-Za-z0-9]/.test(id)) {
      const parsed = parseDeclaration(declaration('', id), 'task.yaml');
      expect([parsed.task.id, parsed.workload[0]?.env]).toEqual([id, { TASK_ID: id }]);
    } else expect(mistakesIn('', id)).toHaveLength(1);
  });

  test('numbers where numbers are meant', () => {
    expect(parseConfig('tolerance: 2.50', 'c').tolerance).toBe(2.5);
    expect(parseConfig('tolerance: 2s', 'c').tolerance).toBe(2);
    expect(parseConfig('trails: [ { account: 012345678901, region: us-east-1 } ]', 'c').trails).toEqual([
      { account: '012345678901', region: 'us-east-1' },
    ]);
  });
});

test.each(['"../x"', '".."', '"a/b"', '"a b"', '"a\\nb"', '"-a"', '""', `"${'a'.repeat(129)}"`, '"a\\u0000"', '[a]'])(
  'a task id %s is refused',
  (id) => {
    expect(mistakesIn('', id).some((detail) => detail.startsWith('task.id: must be'))).toBe(true);
  },
);

describe('times:', () => {
  const declared = (time: string) => parseDeclaration(declaration(`declared: ${time}`), 'task.yaml').declared;

  test('are UTC with the precision they had', () => {
    expect(declared('2026-11-21T10:32:53Z')).toBe('2026-11-21T10:32:53Z');
    expect(declared('2026-11-21T10:32:53.123456789+02:00')).toBe('2026-11-21T08:32:53.123456789Z');
  });

  test.each([
    ...['2026-11-21', '2026-11-21T10:32:53', '2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z', 'yesterday', '12'],
    ...['0000-01-01T00:00:00Z', '9999-12-31T23:59:59-23:00', '2262-01-01T00:00:00Z', '2026-11-21T24:00:00Z'],
  ])('%s is none', (time) => {
    expect(mistakesIn(`declared: ${time}`)).toEqual(['declared: expected a time such as 2026-11-21T10:32:53Z']);
  });

  test('a window does not end before it starts', () => {
    const window = (start: string, end: string) => mistakesIn(`window: { start: ${start}, end: ${end} }`);
    expect(window('2026-11-21T10:00:00Z', '2026-11-21T09:59:59Z')).toEqual(['window: must not end before it starts']);
    expect(window('2026-11-21T10:00:00Z', '2026-11-21T10:00:00.5Z')).toEqual([]);
  });
});

describe('YAML that is none, or does more than it should:', () => {
  test.each([
    ['a syntax error', 'trigger: { a: [ }'],
    ['a key twice', 'kind: Task'],
    ['two documents', '---\nkind: Task'],
    ['an alias to nothing', 'trigger: { a: *nothing }'],
    ['a tag', 'trigger: !tag { a: b }'],
    ['a key that is no text', 'trigger: { [a]: b }'],
    ['a key of every object', '__proto__: { kind: Task }'],
    [
      'aliases that multiply',
      ['x: &a [1,1,1,1,1,1,1,1]', 'y: &b [*a,*a,*a,*a,*a,*a,*a,*a]', 'z: [*b,*b,*b,*b,*b,*b,*b,*b]'].join('\n'),
    ],
  ])('%s', (_what, rest) => {
    expect(mistakesIn(rest).length).toBeGreaterThan(0);
  });

  test.each(['', '[]', 'text', 'null', '\u0000'])('no declaration: %j', (text) => {
    expect(mistakes(() => parseDeclaration(text, 'task.yaml')).length).toBeGreaterThan(0);
  });
});
