import { describe, expect, it } from 'vitest';
import { isOwnStatement, parseStatement, reportOf, toStatement } from '../../src/attest/statement.ts';

const [manifestSha256, declarationSha256] = ['a'.repeat(64), 'b'.repeat(64)];
const input = { manifestSha256, declarationSha256, predicate: { verdict: 'proven', schema: 'tallystick/report/v1' } };
const literal =
  '{"_type":"https://in-toto.io/Statement/v1",' +
  '"predicate":{"schema":"tallystick/report/v1","verdict":"proven"},' +
  '"predicateType":"https://tallystick.dev/attestations/task-completeness/v1",' +
  `"subject":[{"digest":{"sha256":"${manifestSha256}"},"name":"manifest.json"},` +
  `{"digest":{"sha256":"${declarationSha256}"},"name":"declaration"}]}`;

describe('statement', () => {
  it('has literal bytes', () => {
    expect(toStatement(input).toString()).toBe(literal);
    expect(isOwnStatement(toStatement(input))).toBe(true);
  });

  it('reads back, and holds a report when it is of our type', () => {
    const statement = parseStatement(toStatement(input));
    expect(statement).toMatchObject({
      subject: [
        { name: 'manifest.json', digest: { sha256: manifestSha256 } },
        { name: 'declaration', digest: { sha256: declarationSha256 } },
      ],
      predicateType: 'https://tallystick.dev/attestations/task-completeness/v1',
    });
    expect(statement && reportOf(statement)).toEqual(input.predicate);
  });

  it('is read in its older version, too, which cosign writes', () => {
    const older = parseStatement(Buffer.from(literal.replace('Statement/v1', 'Statement/v0.1')));
    expect(older && reportOf(older)).toEqual(input.predicate);
  });

  it('can carry other predicates, which are no report', () => {
    const other = toStatement({ ...input, predicateType: 'https://in-toto.io/attestation/svr/v0.2' });
    const statement = parseStatement(other);
    expect(statement?.predicateType).toBe('https://in-toto.io/attestation/svr/v0.2');
    expect(statement && reportOf(statement)).toBeUndefined();
    expect(isOwnStatement(other)).toBe(true);
  });

  it.each([
    ['another order of keys', '{"subject":[],"_type":"https://in-toto.io/Statement/v1"}'],
    ['white space', ` ${literal}`],
    ['an older version', literal.replace('Statement/v1', 'Statement/v0.1')],
    ['other subjects', literal.replace('manifest.json', 'image')],
    ['no JSON', literal.slice(1)],
    ['nothing', ''],
  ])('is not ours with %s', (_, text) => {
    expect(isOwnStatement(Buffer.from(text))).toBe(false);
  });

  it.each([
    literal.replace('Statement/v1', 'Statement/v2'),
    literal.replace('"predicateType":"', '"predicateType":{},"x":"'),
    literal.replace('"subject":[', '"subject":[{"name":"x"},'),
    literal.replace('"subject":[', '"subject":[{"digest":{"sha256":1}},'),
    literal.replace('"subject":[', '"subject":[{"name":1,"digest":{}},'),
    'null',
    '[]',
  ])('is refused: %s', (text) => {
    expect(parseStatement(Buffer.from(text))).toBeUndefined();
  });
});
