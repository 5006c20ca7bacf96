import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileNameOf } from '../../src/evidence/file-name.ts';

describe('fileNameOf', () => {
  it.each([
    ['node-1.example_A', 'node-1.example_A'],
    ['111122223333/eu-west-1', '111122223333%2Feu-west-1'],
    ['', '%'],
    ['.', '%2E'],
    ['..', '%2E.'],
    ['../../etc/passwd', '%2E.%2F..%2Fetc%2Fpasswd'],
    ['.hidden', '%2Ehidden'],
    ['50%', '50%25'],
    ['é\n\0', '%C3%A9%0A%00'],
    ['😀', '%F0%9F%98%80'],
    ['\ud800', '%uD800'],
    ['x'.repeat(200), 'x'.repeat(200)],
    ['x'.repeat(201), `${'x'.repeat(134)}%-84a0678c90937f5dcf9994d5866668da6b995109c8ad845410559b48a4ecafed`],
  ])('names %j', (text, name) => {
    expect(fileNameOf(text)).toBe(name);
  });

  it('is always safe, and never the same for two texts', () => {
    const text = fc.string({ unit: 'binary', maxLength: 120 });
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(fileNameOf(one)).toMatch(/^[A-Za-z0-9_%-][A-Za-z0-9._%-]{0,199}$/);
        expect(fileNameOf(one) === fileNameOf(other)).toBe(one === other);
      }),
      { numRuns: 1000 },
    );
  });
});
