import type { AwsError } from './aws-error.ts';
import type { DescribedTrail, TrailApi } from './cloudtrail-api.ts';
import { toConfigObject } from './cloudtrail-config-object.ts';
import type { Place } from './cloudtrail-folders.ts';
import type { CloudTrailObject } from './cloudtrail-object.ts';

/** How the trails of every place were set at one time, ready to be kept, and what could not be asked. */
export interface TrailSnapshots {
  readonly objects: readonly CloudTrailObject[];
  readonly failed: readonly AwsError[];
  /** `account/region` of places that no trail watches. */
  readonly unwatched: readonly string[];
}

/**
 * Asks in each region by itself, since status and latest digest are told for one region only. A trail about which a call
 * failed is left out: what a snapshot does not tell would count as switched off. Throws AwsError when a region can't be
 * asked at all. `time` is from before the first call.
 */
export async function askTrails(
  api: TrailApi,
  region: string,
  places: readonly Place[],
  time: string,
  signal: AbortSignal,
): Promise<TrailSnapshots> {
  const { trails, failed } = await api.trails(region, signal);
  const unwatched: string[] = [];
  const objects: CloudTrailObject[] = [];
  for (const { account } of places.filter((place) => place.region === region)) {
    const own = trails.filter((trail) => watches(trail, account));
    if (own.length === 0 && failed.length === 0) unwatched.push(`${account}/${region}`);
    if (own.length > 0) objects.push(toConfigObject('trails.json', [toSnapshot(own, { time, account, region })]));
  }
  return { objects, failed, unwatched };
}

/** An organization's trail watches every member, but belongs to one account only. */
function watches({ trail }: DescribedTrail, account: string): boolean {
  return trail.IsOrganizationTrail === true || trail.TrailARN?.split(':')[4] === account;
}

function toSnapshot(
  trails: readonly DescribedTrail[],
  head: { time: string; account: string; region: string },
): object {
  // By ARN: trails of two accounts may have one name.
  const byArn = (pick: (trail: DescribedTrail) => object): object =>
    Object.fromEntries(trails.map((trail) => [trail.trail.TrailARN ?? trail.trail.Name ?? '', pick(trail)]));
  return {
    ...head,
    trails: trails.map(({ trail }) => trail),
    status: byArn(({ status }) => status),
    eventSelectors: byArn(({ selectors }) => selectors),
  };
}
