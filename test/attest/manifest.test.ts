import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openManifest } from '../../src/attest/manifest.ts';

const bytes = Buffer.from('{"schema":"tallystick/manifest/v1"}\n');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const about = (name: string, digest: string) => ({
  subject: [{ name, digest: { sha256: digest } }],
  predicateType: 'https://example.com/predicate/v1',
  predicate: {},
});

describe('openManifest', () => {
  it('takes the manifest that the statement names', () => {
    expect(openManifest(bytes, about('manifest.json', sha256))).toEqual({ schema: 'tallystick/manifest/v1' });
  });

  it('tells another manifest from a statement about something else', () => {
    const open = (name: string, digest: string) => () => openManifest(bytes, about(name, digest));
    expect(open('manifest.json', '0'.repeat(64))).toThrow('manifest.json is not the one that was signed');
    expect(open('report.json', sha256)).toThrow('the statement is not about manifest.json');
  });
});
