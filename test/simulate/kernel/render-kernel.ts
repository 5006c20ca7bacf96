import type { KernelLine } from '../evidence.ts';
import { renderNode } from './node.ts';
import type { World } from '../world.ts';

/**
 * What the sensors of a world's nodes would have written, line by line: node after node, the lines of one node roughly in
 * the order of time, as the sensor itself has them. `export` has every field of the recorded export; `lean` only what the
 * product keeps of a frame (src/sources/tetragon-frames.ts).
 */
export function* renderKernel(world: World, form: 'export' | 'lean'): Generator<KernelLine, void, undefined> {
  for (const node of world.nodes) yield* renderNode(world, node, form);
}
