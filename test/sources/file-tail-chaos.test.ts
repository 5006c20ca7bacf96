import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { toNs } from '../../src/sources/time-ns.ts';
import { scratchFolder } from '../evidence/scratch-folder.ts';
import { newDisk } from './file-tail-disk.ts';
import { type Runs, runsOf } from './file-tail-run.ts';
import { lineWriter, timeOf, type Writer } from './file-tail-writer.ts';

/** More where there is time: FOLLOW_RUNS=5000. */
const numRuns = Number(process.env['FOLLOW_RUNS'] ?? 100);

type Step =
  | { do: 'write'; lines: number; size: number }
  | { do: 'half'; isJson: boolean }
  | { do: 'rotate'; isPacked: boolean }
  | { do: 'pack' | 'stop' | 'start' | 'full' | 'room' | 'empty' | 'sync' }
  | { do: 'prune' | 'kill' | 'wait'; n: number };

const write = fc.record({
  do: fc.constant('write' as const),
  lines: fc.integer({ min: 1, max: 12 }),
  size: fc.constantFrom(0, 10, 3000, 90_000),
});
const small = fc.integer({ min: 0, max: 12 });
/** What a careful operator's machine does: nothing is deleted before it was read. */
const harmless = fc.oneof(
  { weight: 6, arbitrary: write },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('half' as const), isJson: fc.constant(true) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('rotate' as const), isPacked: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('pack', 'stop', 'start', 'full', 'room') }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('kill', 'wait'), n: small }) },
);
const harmful = fc.oneof(
  { weight: 8, arbitrary: harmless },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('half' as const), isJson: fc.constant(false) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('empty', 'sync') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('prune' as const), n: fc.integer({ min: 0, max: 2 }) }) },
);

async function play(steps: readonly Step[]): Promise<{ runs: Runs; writer: Writer }> {
  const folder = await scratchFolder();
  const writer = lineWriter(join(folder, 'export.log'));
  await writer.write(1);
  const runs = runsOf(writer.path, newDisk(), folder, {}, true);
  await runs.start();
  await runs.caughtUp();
  let isUp = true;
  // What is emptied before anything of it was read leaves no trace that it was there.
  let isKnown = true;
  for (const step of steps) {
    if (step.do === 'write') await writer.write(step.lines, step.size);
    else if (step.do === 'half') await writer.writeHalf(step.isJson);
    else if (step.do === 'rotate') await writer.rotate(step.isPacked);
    else if (step.do === 'pack') await writer.pack();
    else if (step.do === 'empty' && isKnown) await writer.empty();
    else if (step.do === 'sync' && isUp && !runs.disk.isFull) {
      await writer.write(1);
      await runs.caughtUp();
      isKnown = true;
    } else if (step.do === 'prune') await writer.prune(step.n);
    else if (step.do === 'full' || step.do === 'room') runs.disk.isFull = step.do === 'full';
    else if (step.do === 'wait') await sleep(step.n);
    else if (step.do === 'start' && !isUp) await runs.start();
    else if (step.do === 'stop' && isUp) await runs.stop();
    else if (step.do === 'kill' && isUp) await runs.kill(step.n);
    if (step.do === 'rotate' || step.do === 'empty') isKnown = false;
    if (step.do === 'start') isUp = true;
    if (step.do === 'stop' || step.do === 'kill') isUp = false;
  }
  runs.disk.isFull = false;
  if (!isUp) await runs.start();
  await writer.write(1);
  await runs.caughtUp();
  await runs.stop();
  return { runs, writer };
}

it('keeps each line once, in order, whatever happens to the file, the disk and the process', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(harmless, { minLength: 5, maxLength: 40 }), async (steps) => {
      const { runs, writer } = await play(steps);
      expect(runs.lines()).toEqual(writer.written);
      expect(runs.disk.gaps).toEqual([]);
    }),
    { numRuns },
  );
});

it('tells a gap around every line that it could not get, and keeps the others once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(harmful, { minLength: 5, maxLength: 40 }), async (steps) => {
      const { runs, writer } = await play(steps);
      const places = runs.lines().map((line) => writer.written.indexOf(line));
      expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
      const kept = new Set(runs.lines());
      const lost = writer.written.filter((line) => !kept.has(line)).map(timeOf);
      const bare = lost.filter(
        (time) =>
          !runs.disk.gaps.some(
            ({ from, until }) => toNs(from ?? undefined) <= time && time <= toNs(until ?? undefined),
          ),
      );
      expect(bare).toEqual([]);
    }),
    { numRuns },
  );
});
