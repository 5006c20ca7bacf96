import type { SensorLine } from '../evidence.ts';
import { toRfc3339 } from './time.ts';
import { toMetrics } from './sensor-metrics.ts';
import { toPolicies, toSpecs } from './sensor-policies.ts';
import type { Canary, Node, Ns, StreamLine, World } from '../world.ts';

const version = 'snapshot-4fbfe2d74ecb';

/** What the collectors of a world's nodes wrote about their sensors (design 9, `--sensor`), node after node, by time. */
export function renderSensor(world: World): SensorLine[] {
  return world.nodes.flatMap((node) => {
    const { health, streams, canaries } = node.sensor;
    const lines = [
      ...health.map((at, n) => line(node, at, 'health', healthText(node, at, n))),
      ...streams.map((stream) => line(node, stream.at, 'stream', streamText(stream))),
      ...canaries.filter(({ told }) => told).map((canary) => line(node, canary.at, 'canary', canaryText(canary))),
    ];
    return lines.sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
  });
}

function line(node: Node, at: Ns, kind: SensorLine['kind'], rest: object): SensorLine {
  return {
    node: node.name,
    at,
    kind,
    text: JSON.stringify({ kind, node: node.name, time: toRfc3339(at + node.skew), ...rest }),
  };
}

function healthText(node: Node, at: Ns, n: number): object {
  const specs = toSpecs(node.sensor, at);
  return {
    version,
    policies: toPolicies(node.sensor, at, n),
    metrics: toMetrics(node, at),
    ...(specs === undefined ? {} : { specs }),
  };
}

function streamText({ state, why }: StreamLine): object {
  return { state, ...(why === undefined ? {} : { why }) };
}

function canaryText({ n, port }: Canary): object {
  return { n, port };
}
