import { buckets, cloudServices, type CloudService, plainHosts, regions } from './catalogue.ts';
import type { Random } from '../random.ts';
import type { Service } from '../world.ts';

/** A name that a task may talk to, at port 443. */
export interface Target {
  readonly host: string;
  readonly addresses: readonly string[];
  /** Undefined: no cloud's. */
  readonly cloud: CloudService | undefined;
  readonly region: string;
  readonly bucket: string;
  /** Another name has one of its addresses. */
  readonly shared: boolean;
  /** Known by configuration: never looked up. */
  readonly configured: boolean;
  readonly through: readonly string[];
}

export interface Names {
  readonly targets: Target[];
  readonly services: Service[];
}

/** What is asked for: how many names, whether some may share addresses or be known by configuration. */
interface Wanted {
  readonly count: number;
  readonly variety: number;
  /** Third part of the addresses, and last group of IPv6 ones: another for each set of names. */
  readonly block: number;
  readonly taken: ReadonlySet<string>;
}

/** Names of which at least one is a cloud's, each with 1 to 4 addresses of documentation ranges. */
export function makeNames(random: Random, { count, variety, block, taken }: Wanted): Names {
  const [region, ...others] = random.shuffle(regions);
  const own = [region, region, region, ...others].filter((name) => name !== undefined);
  const drafts: Omit<Target, 'addresses' | 'shared' | 'configured'>[] = [];
  for (const service of [...random.shuffle(cloudServices), ...random.shuffle(cloudServices)]) {
    if (drafts.length >= count) break;
    const chosen = random.pick(own);
    const bucket = random.pick(buckets);
    const host = fill(service.host, chosen, bucket);
    if (taken.has(host) || drafts.some((draft) => draft.host === host)) continue;
    drafts.push({
      host,
      cloud: service,
      region: service.host.includes('{region}') ? chosen : 'us-east-1',
      bucket,
      through: aliases(random, variety, host),
    });
  }
  if (drafts.length === 0 || (count > 1 && random.chance(0.5))) {
    const chosen = random.pick(plainHosts);
    const host = taken.has(chosen) ? `${random.hex(6)}.${chosen}` : chosen;
    const plain = { host, cloud: undefined, region: '', bucket: '', through: aliases(random, variety, host) };
    drafts.splice(drafts.length > 1 ? drafts.length - 1 : drafts.length, 1, plain);
  }
  return serve(random, drafts, variety, block);
}

export function fill(template: string, region: string, bucket: string, account = ''): string {
  return template.replaceAll('{region}', region).replaceAll('{bucket}', bucket).replaceAll('{account}', account);
}

function aliases(random: Random, variety: number, host: string): string[] {
  if (!random.chance(0.25 * variety)) return [];
  const first = `${host.split('.')[0] ?? 'x'}-${random.hex(4)}.edge.example.net`;
  return random.chance(0.3) ? [first, `lb-${random.hex(6)}.example.net`] : [first];
}

function serve(
  random: Random,
  drafts: Omit<Target, 'addresses' | 'shared' | 'configured'>[],
  variety: number,
  block: number,
): Names {
  const pool = random.shuffle(addressPool(block));
  const services: Service[] = drafts.map(({ host }) => {
    const count = random.chance(0.5 * variety) ? random.int(2, 4) : 1;
    const addresses = pool.splice(0, count);
    if (random.chance(0.2 * variety))
      addresses.push(`2001:db8:${(0xa00 + block).toString(16)}::${random.int(16, 0xffff).toString(16)}`);
    return { host, addresses };
  });
  for (const [index, service] of services.entries()) {
    const before = random.maybe(services.slice(0, index));
    const address = random.maybe(before?.addresses ?? []);
    if (address !== undefined && random.chance(0.3 * variety)) service.addresses[0] = address;
  }
  const targets = drafts.map((draft, index): Target => {
    const addresses = services[index]?.addresses ?? [];
    const shared = services.some(
      (service, at) => at !== index && service.addresses.some((one) => addresses.includes(one)),
    );
    return { ...draft, addresses, shared, configured: random.chance(0.12 * variety) };
  });
  return { targets, services };
}

function addressPool(block: number): string[] {
  return Array.from({ length: 60 }, (_, index) => {
    const at = index + block * 60;
    // Blocks beyond the documentation ranges go on in 198.18.0.0/15, which is for benchmarks.
    return at < 300
      ? `${at % 2 === 0 ? '192.0.2' : '198.51.100'}.${100 + Math.floor(at / 2)}`
      : `198.18.${Math.floor(at / 250) % 250}.${at % 250}`;
  });
}
