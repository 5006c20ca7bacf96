import type { CloudFile, Evidence } from '../evidence.ts';
import type { Random } from '../random.ts';
import type { World } from '../world.ts';
import type { EvidenceMutation, Expected } from './mutation.ts';
import { nameOf, taskFiles } from './trail-files.ts';

const open = ['digest-missing', 'tail-open'];

/** What may be done to digests, keys and snapshots. */
export const chainMutations: readonly EvidenceMutation[] = [
  {
    id: 'digest-removed',
    group: 'audit',
    about: 'A digest from the middle of the chain is not here.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const { chain, from, until } = pickChain(evidence, world, random);
      const middle = chain.filter((digest, at) => digest.at > from && (chain[at - 1]?.at ?? until) <= until);
      const digest = random.maybe(middle.filter((one) => one !== chain.at(-1)));
      return digest && remove(evidence, [digest], ['digest-missing']);
    },
  },
  {
    id: 'digests-after-expiry-removed',
    group: 'audit',
    about: 'No digest from after the last expiry is here.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const { chain, until } = pickChain(evidence, world, random);
      const tail = chain.filter(({ at }) => at > until);
      return tail.length === 0 ? undefined : { ...remove(evidence, tail, open), names: [placeName(tail)] };
    },
  },
  {
    id: 'second-digest-after-expiry-removed',
    group: 'audit',
    about: 'Only one digest from after the last expiry is here.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const { chain, until } = pickChain(evidence, world, random);
      const tail = chain.filter(({ at }) => at > until).slice(1);
      return tail.length === 0 ? undefined : { ...remove(evidence, tail, open), names: [placeName(tail)] };
    },
  },
  {
    id: 'digests-all-removed',
    group: 'audit',
    about: 'No digest of the chain is here.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const { chain } = pickChain(evidence, world, random);
      return chain.length === 0 ? undefined : { ...remove(evidence, chain, open), names: [placeName(chain)] };
    },
  },
  {
    id: 'digest-altered',
    group: 'audit',
    about: 'A digest says something else than what was signed.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const { chain, from, until } = pickChain(evidence, world, random);
      const digest = random.maybe(chain.filter(({ at }, place) => at > from && (chain[place - 1]?.at ?? 0n) <= until));
      if (digest === undefined) return undefined;
      const listed = /"hashValue":"(.)/.exec(digest.text);
      digest.text =
        listed === null
          ? digest.text.replace('"newestEventTime":null', '"newestEventTime":"2026-11-21T00:00:00Z"')
          : digest.text.replace(listed[0], `"hashValue":"${listed[1] === '0' ? '1' : '0'}`);
      return { truth: 'doubt', codes: ['digest-invalid'], names: [nameOf(digest)] };
    },
  },
  {
    id: 'newest-signature-lost',
    group: 'audit',
    about: "The newest digest's metadata was not kept, and so its signature is lost.",
    changes: 'evidence',
    apply(evidence, world, random) {
      const { chain, until } = pickChain(evidence, world, random);
      const newest = chain.at(-1);
      if (newest === undefined || newest.at <= until) return undefined;
      newest.metadata = undefined;
      // With two valid ones behind the expiry left it is not needed.
      if (chain.filter(({ at }) => at > until).length > 2) return { truth: 'harmless', codes: [], names: [] };
      return { truth: 'doubt', codes: ['digest-invalid', 'tail-open', 'digest-missing'], names: [nameOf(newest)] };
    },
  },
  {
    id: 'older-signature-lost',
    group: 'harmless',
    about: "An older digest's metadata was not kept; its successor repeats the signature.",
    changes: 'evidence',
    apply(evidence, world, random) {
      const { chain } = pickChain(evidence, world, random);
      const digest = random.maybe(chain.slice(0, -1));
      if (digest === undefined) return undefined;
      digest.metadata = undefined;
      return { truth: 'harmless', codes: [], names: [] };
    },
  },
  {
    id: 'public-keys-missing',
    group: 'audit',
    about: 'No public keys are here.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const { chain } = pickChain(evidence, world, random);
      evidence.cloudtrail = evidence.cloudtrail.filter(({ kind }) => kind !== 'public-keys');
      return { truth: 'doubt', codes: ['digest-invalid', 'digest-missing'], names: chain.map(nameOf) };
    },
  },
  {
    id: 'public-key-of-another',
    group: 'audit',
    about: 'The public keys have none with the fingerprint that digests name.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const { chain } = pickChain(evidence, world, random);
      const keys = evidence.cloudtrail.find(({ kind }) => kind === 'public-keys');
      if (keys === undefined) return undefined;
      keys.text = keys.text.replaceAll(/("Fingerprint":\s*")\w{8}/g, `$1${random.hex(8)}`);
      return { truth: 'doubt', codes: ['digest-invalid', 'digest-missing'], names: chain.map(nameOf) };
    },
  },
  {
    id: 'trails-missing',
    group: 'audit',
    about: 'No snapshot tells how the trail was set.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const { chain } = pickChain(evidence, world, random);
      evidence.cloudtrail = evidence.cloudtrail.filter(({ kind }) => kind !== 'trails');
      return { truth: 'doubt', codes: ['class-off'], names: [placeName(chain)] };
    },
  },
  {
    id: 'cloudtrail-missing',
    group: 'audit',
    about: 'There is nothing of the provider at all.',
    changes: 'evidence',
    apply(evidence) {
      evidence.cloudtrail = [];
      return { truth: 'doubt', codes: ['digest-missing'], names: ['aws'] };
    },
  },
];

function pickChain(
  evidence: Evidence,
  world: World,
  random: Random,
): { chain: CloudFile[]; from: bigint; until: bigint } {
  const { chains, from, until } = taskFiles(evidence, world);
  return { chain: random.maybe(chains) ?? [], from, until };
}

/** 111122223333/us-east-1, as subjects have it. */
function placeName(chain: readonly CloudFile[]): string {
  const parts = chain[0]?.path.split('/') ?? [];
  return `${parts[1] ?? ''}/${parts[3] ?? ''}`;
}

function remove(evidence: Evidence, gone: readonly CloudFile[], codes: readonly string[]): Expected {
  evidence.cloudtrail = evidence.cloudtrail.filter((file) => !gone.includes(file));
  return { truth: 'doubt', codes, names: gone.map(nameOf) };
}
