import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  consistencyRanges,
  inclusionProof,
  leafHash,
  merkleRoot,
  merkleTree,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
} from '../../src/evidence/merkle.ts';
import { flip } from './flip.ts';

// The leaves of the RFC 6962 test vectors and the roots over the first n of them.
const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const hashes = leaves.map((leaf) => leafHash(Buffer.from(leaf, 'hex')));
const manyHashes = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, at) => leafHash(Buffer.from(String(at))));

describe('merkle tree', () => {
  it.each(roots.map((root, size) => ({ size, root })))('has the known root over $size leaves', ({ size, root }) => {
    const tree = merkleTree();
    for (const hash of hashes.slice(0, size)) tree.push(hash);
    expect(tree.root().toString('hex')).toBe(root);
  });

  it('keeps one hash per set bit of its size', () => {
    const tree = merkleTree();
    for (const hash of manyHashes(1023)) tree.push(hash);
    expect(tree.range()).toHaveLength(10);
    tree.push(leafHash());
    expect(tree.range()).toHaveLength(1);
  });

  it('hashes data in parts as it hashes the whole, and leaves apart from nodes', () => {
    const [left, right] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    expect(leafHash(left, right)).toEqual(leafHash(Buffer.concat([left, right])));
    expect(leafHash(left, right)).not.toEqual(nodeHash(left, right));
  });

  it('has another root when leaves are swapped, left out or added', () => {
    const [first, second, ...rest] = manyHashes(7);
    const root = merkleRoot(manyHashes(7));
    expect(merkleRoot([second, first, ...rest].filter((hash) => hash !== undefined))).not.toEqual(root);
    expect(merkleRoot(rest)).not.toEqual(root);
    expect(merkleRoot([...manyHashes(7), ...rest.slice(-1)])).not.toEqual(root);
  });
});

describe('inclusion proof', () => {
  it('proves every leaf of every small tree, and at no other index', () => {
    for (let size = 1; size <= 33; size += 1) {
      const tree = manyHashes(size);
      const root = merkleRoot(tree);
      for (const [index, leaf] of tree.entries()) {
        const proof = inclusionProof(tree, index);
        const proven = Array.from({ length: size + 2 }, (_, at) => at).filter((at) =>
          verifyInclusion(leaf, at, size, proof, root),
        );
        expect(proven).toEqual([index]);
      }
    }
  });

  it('refuses a changed leaf, root, or proof', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 300 }),
        fc.nat(),
        fc.nat(),
        fc.nat(7),
        (size, leafChoice, byteChoice, bit) => {
          const tree = manyHashes(size);
          const index = leafChoice % size;
          const proof = inclusionProof(tree, index);
          const root = merkleRoot(tree);
          const leaf = tree[index] ?? leafHash();
          const bad = proof.map((hash, at) =>
            at === byteChoice % proof.length ? flip(hash, byteChoice % 32, bit) : hash,
          );
          expect(verifyInclusion(leaf, index, size, proof, root)).toBe(true);
          expect(verifyInclusion(leaf, index, size, bad, root)).toBe(false);
          expect(verifyInclusion(leaf, index, size, proof.slice(1), root)).toBe(false);
          expect(verifyInclusion(leaf, index, size, [...proof, root], root)).toBe(false);
          expect(verifyInclusion(flip(leaf, 0), index, size, proof, root)).toBe(false);
          expect(verifyInclusion(leaf, index, size, proof, flip(root, 31))).toBe(false);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('is refused for indexes that are none', () => {
    expect(() => inclusionProof(hashes, 8)).toThrow(RangeError);
    const [leaf = leafHash()] = hashes;
    for (const index of [-1, 0.5, Number.NaN, 1]) expect(verifyInclusion(leaf, index, 1, [], leaf)).toBe(false);
  });
});

describe('consistency proof', () => {
  const proofOf = (tree: readonly Buffer[], old: number): Buffer[] =>
    consistencyRanges(old, tree.length).map(({ from, to }) => merkleRoot(tree.slice(from, to)));
  const headOf = (tree: readonly Buffer[], size: number) => ({ size, root: merkleRoot(tree.slice(0, size)) });

  // RFC 6962 §2.1.3 spells these out for its tree of seven leaves: PROOF(3) = [c, d, g, l], PROOF(4) = [l], PROOF(6) = [i, j, k].
  it.each([
    [
      3,
      [
        [2, 3],
        [3, 4],
        [0, 2],
        [4, 7],
      ],
    ],
    [4, [[4, 7]]],
    [
      6,
      [
        [4, 6],
        [6, 7],
        [0, 4],
      ],
    ],
    [0, []],
    [7, []],
  ])('from %i of seven leaves is that of RFC 6962', (old, ranges) => {
    expect(consistencyRanges(old, 7)).toEqual(ranges.map(([from, to]) => ({ from, to })));
  });

  it('from 6 to 8 is that of the known vectors', () => {
    expect(proofOf(hashes, 6).map((hash) => hash.toString('hex'))).toEqual([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
  });

  it('proves every smaller tree of every small one, and is refused once a hash of it, a root or a size is another', () => {
    const tree = manyHashes(42);
    for (let size = 0; size <= 40; size += 1) {
      for (let old = 0; old <= size; old += 1) {
        const proof = proofOf(tree.slice(0, size), old);
        const [before, after] = [headOf(tree, old), headOf(tree, size)];
        expect(verifyConsistency(before, after, proof), `${old} to ${size}`).toBe(true);
        for (const at of proof.keys()) {
          const bad = proof.map((hash, index) => (index === at ? flip(hash, at % 32) : hash));
          expect(verifyConsistency(before, after, bad)).toBe(false);
        }
        expect(verifyConsistency(before, after, [...proof, leafHash()])).toBe(false);
        if (proof.length > 0) expect(verifyConsistency(before, after, proof.slice(1))).toBe(false);
        if (proof.length > 0) expect(verifyConsistency(before, after, proof.slice(0, -1))).toBe(false);
        expect(verifyConsistency({ ...before, root: flip(before.root, 0) }, after, proof)).toBe(false);
        if (old > 0) expect(verifyConsistency(before, { ...after, root: flip(after.root, 31) }, proof)).toBe(false);
        if (old > 1) expect(verifyConsistency(headOf(tree, old - 1), after, proof)).toBe(false);
        if (old > 0) expect(verifyConsistency({ ...before, size: old - 1 }, after, proof)).toBe(false);
      }
    }
  });

  it('does not exist towards a smaller tree', () => {
    for (const [old, size] of [
      [2, 1],
      [-1, 3],
      [0.5, 3],
      [1, Number.NaN],
    ] as const) {
      expect(() => consistencyRanges(old, size)).toThrow(RangeError);
      expect(verifyConsistency({ size: old, root: leafHash() }, { size, root: leafHash() }, [])).toBe(false);
    }
  });
});
