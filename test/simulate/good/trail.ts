import { hour, minute, second, stretch } from './time.ts';
import type { Random } from '../random.ts';
import type { Ns, Trail } from '../world.ts';

/** Where and when something was recorded or might have been. */
export interface Recorded {
  readonly places: ReadonlySet<string>;
  readonly from: Ns;
  /** The last expiry, or whatever came later. */
  readonly until: Ns;
  /** Resource types whose data events must be on. */
  readonly data: ReadonlySet<string>;
}

/** A trail in each account: one for all regions, or one for each region in which anything was recorded. */
export function layTrails(random: Random, recorded: Recorded): Trail[] {
  const { from, until } = recorded;
  const accounts = groupRegions(recorded.places);
  return [...accounts].flatMap(([account, places]) => {
    const own = random.fork(account);
    const multiRegion = own.chance(0.6);
    const regions = [...new Set(['us-east-1', ...places])].sort();
    const bucket = `${own.pick(['example-org-cloudtrail', 'audit-logs', 'acme.trails'])}-${account.slice(-4)}`;
    const digests = hourly(from - hour - stretch(own, 60_000, 3_000_000), until + 15n * minute, own.int(2, 4));
    const data = [...recorded.data, ...(own.chance(0.2) ? ['AWS::S3::Object', 'AWS::Lambda::Function'] : [])];
    const before = from - stretch(own, 60_000, 3_000_000);
    const after = until + stretch(own, 30_000, 2_000_000);
    const during = own.chance(0.25) ? [from + (until - from) / 2n] : [];
    const state = {
      logging: true,
      validated: true,
      management: 'all',
      data: [...new Set(data)].sort(),
      excluded: [] as string[],
    } as const;
    return regions.map((region): Trail => ({
      name: multiRegion ? 'org-trail' : `trail-${region}`,
      account,
      region,
      multiRegion,
      bucket,
      digests,
      snapshots: [before, ...during, after].map((at) => ({ at, ...state, data: [...state.data], excluded: [] })),
    }));
  });
}

function groupRegions(places: ReadonlySet<string>): Map<string, string[]> {
  const accounts = new Map<string, string[]>();
  for (const place of [...places].sort()) {
    const [account = '', region = ''] = place.split('/');
    accounts.set(account, [...(accounts.get(account) ?? []), region]);
  }
  return accounts;
}

/** Ends of digests in whole seconds: the first by `from`, so many behind `until`. */
function hourly(from: Ns, until: Ns, behind: number): Ns[] {
  const ends = [(from / second) * second];
  let past = 0;
  while (past < behind) {
    const end = (ends.at(-1) ?? from) + hour;
    ends.push(end);
    if (end > until) past += 1;
  }
  return ends;
}
