import { renderDeclared } from './render-declared.ts';
import type { Evidence } from './evidence.ts';
import { renderKernel } from './kernel/render-kernel.ts';
import { renderProvider } from './provider/render-provider.ts';
import { renderSensor } from './kernel/render-sensor.ts';
import type { World } from './world.ts';

/**
 * Everything that a world left behind. `export`: the sensor's lines are as its own JSON export writes them; `lean`: only the
 * fields that are read.
 */
export function renderWorld(world: World, form: 'export' | 'lean' = 'lean'): Evidence {
  return {
    ...renderDeclared(world),
    tetragon: [...renderKernel(world, form)],
    sensor: renderSensor(world),
    cloudtrail: renderProvider(world),
  };
}
