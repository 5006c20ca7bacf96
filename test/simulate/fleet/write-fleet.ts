import { parseArgs } from 'node:util';
import { writeFleet } from './fleet.ts';

/** npx tsx test/simulate/fleet/write-fleet.ts --seed 1 --tasks 100 --connections 50 --out DIR [--nodes N] [--form lean|export] */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    tasks: { type: 'string', default: '100' },
    connections: { type: 'string', default: '50' },
    nodes: { type: 'string' },
    form: { type: 'string', default: 'lean' },
    out: { type: 'string' },
  },
});

async function main(): Promise<void> {
  if (values.out === undefined) throw new Error('Say where to write: --out DIR.');
  const began = performance.now();
  let peak = 0;
  let spoken = began;
  const written = await writeFleet(values.out, {
    seed: values.seed,
    tasks: Number(values.tasks),
    connectionsPerTask: Number(values.connections),
    form: values.form === 'export' ? 'export' : 'lean',
    ...(values.nodes === undefined ? {} : { nodes: Number(values.nodes) }),
    told: ({ connections, kernelLines }) => {
      peak = Math.max(peak, process.memoryUsage().rss);
      if (performance.now() - spoken < 10_000) return;
      spoken = performance.now();
      process.stderr.write(`${connections} connections, ${kernelLines} lines\n`);
    },
  });
  const seconds = (performance.now() - began) / 1000;
  const rate = Math.round(written.kernelLines / seconds);
  process.stdout.write(
    `${JSON.stringify({ ...written, seconds: Math.round(seconds), linesPerSecond: rate, peakMiB: Math.round(peak / 2 ** 20) })}\n`,
  );
}

await main();
