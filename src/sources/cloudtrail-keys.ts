import type { Span, TrailApi } from './cloudtrail-api.ts';
import { toConfigObject } from './cloudtrail-config-object.ts';
import type { Filer } from './cloudtrail-filer.ts';

/** The public keys of CloudTrail in each region (facts/cloudtrail.md 8), kept in the store beside the digests they verify. */
export interface PublicKeys {
  /**
   * Asks for the keys of a region once a day, and where one of `fingerprints` is not known. What was unknown before is
   * asked for again only after an hour: a digest that anybody put there may name any. Throws AwsError, or the retryable
   * `input` of a store that has no room.
   */
  refresh(region: string, span: Span, fingerprints: readonly string[], signal: AbortSignal): Promise<void>;
}

const dayMs = 86_400_000;
const hourMs = 3_600_000;

interface Region {
  asked: number;
  /** Where the span begins that is still to be asked for. */
  from: number;
  readonly known: Set<string>;
  /** When was a key asked for in vain? */
  readonly absent: Map<string, number>;
}

export function openPublicKeys(api: TrailApi, filer: Filer, now: () => number): PublicKeys {
  const regions = new Map<string, Region>();
  return {
    refresh: async (name, { from, until }, fingerprints, signal) => {
      const region = regions.get(name) ?? { asked: -Infinity, from, known: new Set(), absent: new Map() };
      regions.set(name, region);
      const time = now();
      const unknown = fingerprints.filter(
        (key) => !region.known.has(key) && (region.absent.get(key) ?? -Infinity) < time - hourMs,
      );
      if (unknown.length === 0 && region.asked > time - dayMs) return;
      region.asked = -Infinity; // due until it has worked
      region.from = Math.min(region.from, from);
      const keys = await api.publicKeys(name, { from: region.from - dayMs, until }, signal);
      const list = keys.map(({ Value, ...key }) => ({ ...key, Value: Buffer.from(Value ?? []).toString('base64') }));
      const fresh = list.some(({ Fingerprint = '' }) => !region.known.has(Fingerprint));
      if (fresh) await filer.file(toConfigObject('public-keys.json', { region: name, PublicKeyList: list }));
      region.asked = time;
      region.from = Infinity;
      for (const { Fingerprint = '' } of list) region.known.add(Fingerprint);
      for (const key of unknown) if (!region.known.has(key)) region.absent.set(key, time);
    },
  };
}
