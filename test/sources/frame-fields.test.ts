import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameNode, frameTime } from '../../src/sources/frame-fields.ts';
import { decodeFrame } from '../../src/sources/tetragon-frames.ts';
import { toNs } from '../../src/sources/time-ns.ts';
import { encode, numberedFrame, readRecording } from '../collect/tetragon-server.ts';

const shared = process.env['TALLY_SHARED'] ?? join(import.meta.dirname, '../../../shared');

function decoded(frame: Uint8Array): { time?: string; node_name?: string } | undefined {
  const result = decodeFrame(frame);
  return result.kind === 'broken' ? undefined : (JSON.parse(result.line) as { time?: string; node_name?: string });
}

describe('frameTime', () => {
  it('is the time of the decoded frame, for every recorded one', () => {
    for (const scenario of ['s01-benign', 's15b-restart-sigkill', 's23-rate-limits']) {
      for (const frame of readRecording(join(shared, 'lab/scenarios', scenario, 'events.binpb.gz'))) {
        const event = decoded(frame);
        expect(frameTime(frame)).toBe(toNs(event?.time));
        expect(frameNode(frame)).toBe(event?.node_name);
      }
    }
  });

  it('is the time of the decoded frame, for any time and node, wherever it stands in the frame', () => {
    const second = fc.bigInt({ min: -62135596800n, max: 253402300799n });
    fc.assert(
      fc.property(
        second,
        fc.integer({ min: 0, max: 999_999_999 }),
        fc.string(),
        fc.boolean(),
        (s, nanos, node, first) => {
          const time = encode('tetragon.GetEventsResponse', { time: { seconds: String(s), nanos } });
          const rest = encode('tetragon.GetEventsResponse', {
            node_name: node,
            process_exec: { process: { cwd: 'x' } },
          });
          const frame = Buffer.concat(first ? [time, rest] : [rest, time]);
          expect(frameTime(frame)).toBe(s * 1_000_000_000n + BigInt(nanos));
          expect(decoded(frame)).toBeDefined();
          expect(frameNode(frame)).toBe(decoded(frame)?.node_name ?? '');
        },
      ),
    );
  });

  it('is told of no bytes that do not decode to a time, and never throws', () => {
    const good = numberedFrame(1, { timeNs: 1_234_567_890_123_456_789n });
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, value]) => {
        const copy = Uint8Array.from(good);
        copy[at] = value;
        return copy;
      }),
      fc.nat(good.length).map((length) => good.subarray(0, length)),
    );
    fc.assert(
      fc.property(bytes, (frame) => {
        const time = frameTime(frame);
        const event = decoded(frame);
        // the walk does not look into the event, so it may find a time in a frame that is broken inside
        if (event?.time !== undefined) expect(time).toBe(toNs(event.time));
        frameNode(frame);
      }),
      { numRuns: 2000 },
    );
    expect(frameTime(Buffer.from('garbage'))).toBeUndefined();
    expect(frameTime(encode('tetragon.GetEventsResponse', { time: { seconds: '253402300800' } }))).toBeUndefined();
    expect(frameTime(encode('tetragon.GetEventsResponse', { node_name: 'n' }))).toBeUndefined();
  });
});
