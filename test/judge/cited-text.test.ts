import { describe, expect, it } from 'vitest';
import { openCitedText, type CitedText } from '../../src/judge/cited-text.ts';

const toCitedText = (raw: string, part: string | undefined): CitedText => openCitedText(raw)(part);

describe('toCitedText', () => {
  it('puts on one line what fits on one', () => {
    const { text } = toCitedText('{"a":{"b":1},"c":["x"]}', undefined);
    expect(text).toBe('{"a":{"b":1},"c":["x"]}');
    const long = toCitedText(JSON.stringify({ a: { b: 1 }, c: 'x'.repeat(100) }), undefined).text;
    expect(long).toBe(`{\n  "a": {"b":1},\n  "c": "${'x'.repeat(100)}"\n}`);
  });

  it('shows what is no JSON as it stands', () => {
    expect(toCitedText('kind: Task\nname: {', undefined)).toEqual({ text: 'kind: Task\nname: {', left: '' });
  });

  it('cuts what is long, and says so', () => {
    const { text, left } = toCitedText('y'.repeat(10_000), undefined);
    expect(text).toHaveLength(4000);
    expect(left).toBe('the last 6000 of 10000 characters');
  });

  it('does not let a parent bury the child', () => {
    const raw = JSON.stringify({ parent: { pid: 1, binary: '/bin/sh', cap: { permitted: ['CAP'] }, cwd: '/tmp' } });
    expect(toCitedText(raw, undefined)).toEqual({
      text: '{"parent":{"pid":1,"binary":"/bin/sh"}}',
      left: 'the fields parent.cap, parent.cwd',
    });
  });

  it('ends at any depth', () => {
    const deep = '['.repeat(3000) + ']'.repeat(3000);
    expect(toCitedText(deep, undefined).text).toContain('…');
  });

  it('shows the whole file when no record in it has the id', () => {
    const { text, left } = toCitedText('{"Records":[{"eventID":"a"}]}', 'b');
    expect(text).toContain('"eventID":"a"');
    expect(left).toBe('nothing: b was not found in the file');
  });

  it('shows no environment', () => {
    const { text, left } = toCitedText(
      '{"process":{"pid":7,"environment_variables":[{"Key":"A","Value":"b"}]}}',
      undefined,
    );
    expect(text).toBe('{"process":{"pid":7}}');
    expect(left).toBe('the fields environment_variables');
  });

  it.each([
    ['{"a":18446744073709551615}', true],
    ['{"a":1,"a":2}', true],
    ['{"a":"18446744073709551615", "b\\"a": {"c\\u003c" : 1}}', false],
    ['[{"a":1},{"a":1.5}]', false],
  ])('says of %s whether something of it can not be shown so: %s', (raw, anew) => {
    expect(toCitedText(raw, undefined).left).toBe(
      anew ? 'digits of long numbers or repeated names, which the sealed record has' : '',
    );
  });

  it('keeps a field named __proto__ a field', () => {
    expect(toCitedText('{"__proto__":{"eventID":"a"},"time":5}', undefined).text).toContain('__proto__');
  });
});
