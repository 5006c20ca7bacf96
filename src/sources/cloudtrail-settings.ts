import { AwsError } from './aws-error.ts';
import type { TrailApi } from './cloudtrail-api.ts';
import type { Filer } from './cloudtrail-filer.ts';
import { type Place, regionsOf } from './cloudtrail-folders.ts';
import type { CloudTrailObject } from './cloudtrail-object.ts';
import { askTrails } from './cloudtrail-snapshot.ts';
import type { Level } from './cloudtrail-status.ts';
import { orTrouble } from './or-trouble.ts';

/** Snapshots of how the trails are set, over time. Nothing here throws but for a mistake of ours. */
export interface TrailSettings {
  /** When they were last asked for (ms since the epoch), and what stood in the way. */
  status(): { readonly asked: number | undefined; readonly why: string };
  /** Asks in every region; what comes waits to be filed. */
  ask(signal: AbortSignal): Promise<void>;
  /** What waits now, for {@link file}. */
  waiting(): CloudTrailObject[];
  /** Puts snapshots into the store; those for which it has no room wait again. */
  file(snapshots: readonly CloudTrailObject[]): Promise<void>;
}

export function openSettings(
  api: TrailApi,
  filer: Filer,
  places: readonly Place[],
  now: () => number,
  log: (level: Level, message: string) => void,
): TrailSettings {
  let held: CloudTrailObject[] = [];
  let asked: number | undefined;
  let why = '';
  return {
    status: () => ({ asked, why }),
    ask: async (signal) => {
      const time = now();
      const troubles: string[] = [];
      for (const region of regionsOf(places)) {
        try {
          const answer = await askTrails(api, region, places, new Date(time).toISOString(), signal);
          held.push(...answer.objects);
          troubles.push(...answer.failed.map(({ message }) => message));
          troubles.push(...answer.unwatched.map((place) => `no trail watches ${place}`));
          if (answer.objects.length > 0) asked = time;
        } catch (error) {
          if (!(error instanceof AwsError)) throw error;
          troubles.push(error.message);
          if (error.trouble === 'credentials') break;
        }
      }
      const text = troubles.join('; ');
      if (text !== why && text !== '' && !signal.aborted) log('error', `CloudTrail settings: ${text}`);
      why = text;
    },
    waiting: () => {
      const waiting = held;
      held = [];
      return waiting;
    },
    file: async (snapshots) => {
      for (const [index, snapshot] of snapshots.entries()) {
        const trouble = await orTrouble(() => filer.file(snapshot));
        if (trouble === undefined) continue;
        held = [...snapshots.slice(index), ...held];
        return;
      }
    },
  };
}
