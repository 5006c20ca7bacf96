import { createHash } from 'node:crypto';

const leafPrefix = Buffer.from([0x00]);
const nodePrefix = Buffer.from([0x01]);

/** SHA-256(0x00 ‖ data), RFC 6962 §2.1; the data may come in parts. 32 bytes. */
export function leafHash(...data: readonly Uint8Array[]): Buffer {
  return sha256(leafPrefix, ...data);
}

/** SHA-256(0x01 ‖ left ‖ right), RFC 6962 §2.1. 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return sha256(nodePrefix, left, right);
}

/** A Merkle tree that only grows and keeps one hash per set bit of its size. */
export interface MerkleTree {
  /** Adds a leaf hash at the right. */
  push(leaf: Buffer): void;
  /** The roots of the perfect subtrees that the leaves split into, largest first. */
  range(): readonly Buffer[];
  /** MTH of all leaves, RFC 6962 §2.1; of none, the hash of nothing. */
  root(): Buffer;
}

export function merkleTree(): MerkleTree {
  const subtrees: { readonly leaves: number; readonly hash: Buffer }[] = [];
  return {
    push(leaf) {
      let right = { leaves: 1, hash: leaf };
      for (let left = subtrees.at(-1); left?.leaves === right.leaves; left = subtrees.at(-1)) {
        subtrees.pop();
        right = { leaves: left.leaves + right.leaves, hash: nodeHash(left.hash, right.hash) };
      }
      subtrees.push(right);
    },
    range: () => subtrees.map(({ hash }) => hash),
    root: () => rootOfRange(subtrees.map(({ hash }) => hash)),
  };
}

/** Root over leaf hashes. */
export function merkleRoot(leaves: Iterable<Buffer>): Buffer {
  const tree = merkleTree();
  for (const leaf of leaves) tree.push(leaf);
  return tree.root();
}

/** Root of the tree whose perfect subtrees, largest first, have these roots. */
export function rootOfRange(range: readonly Buffer[]): Buffer {
  return range.length === 0 ? sha256() : range.reduceRight((right, left) => nodeHash(left, right));
}

/** PATH(index, leaves), RFC 6962 §2.1.1: the hashes that lead from one of the leaf hashes to the root, lowest first. */
export function inclusionProof(leaves: readonly Buffer[], index: number): Buffer[] {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length) throw new RangeError('no such leaf');
  if (leaves.length === 1) return [];
  const split = largestPowerBelow(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split
    ? [...inclusionProof(left, index), merkleRoot(right)]
    : [...inclusionProof(right, index - split), merkleRoot(left)];
}

/** Whether the leaf hash is at that index of the tree of that size and root (RFC 9162 §2.1.3.2). */
export function verifyInclusion(
  leaf: Buffer,
  index: number,
  size: number,
  proof: readonly Buffer[],
  root: Buffer,
): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  let node = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      // A right edge without a sibling moves up unhashed.
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && hash.equals(root);
}

/** The leaves from `from` up to but not including `to`. */
export interface LeafRange {
  readonly from: number;
  readonly to: number;
}

/** PROOF(old, D[size]), RFC 6962 §2.1.2, as the ranges of leaves whose roots it consists of; none from 0 or to the same size. */
export function consistencyRanges(old: number, size: number): LeafRange[] {
  if (!Number.isSafeInteger(old) || !Number.isSafeInteger(size) || old < 0 || old > size)
    throw new RangeError('a tree continues only smaller ones');
  return old === 0 ? [] : subproof(old, { from: 0, to: size }, true);
}

/** SUBPROOF(m, D[range], whole): `whole` while the old tree is all of the left edge, so that its own root is known. */
function subproof(m: number, range: LeafRange, whole: boolean): LeafRange[] {
  const leaves = range.to - range.from;
  if (m === leaves) return whole ? [] : [range];
  const split = largestPowerBelow(leaves);
  const left = { from: range.from, to: range.from + split };
  const right = { from: left.to, to: range.to };
  return m <= split ? [...subproof(m, left, whole), right] : [...subproof(m - split, right, false), left];
}

/** Whether the tree of that size and root begins with the tree of the old size and root (RFC 9162 §2.1.4.2). */
export function verifyConsistency(
  old: { readonly size: number; readonly root: Buffer },
  { size, root }: { readonly size: number; readonly root: Buffer },
  proof: readonly Buffer[],
): boolean {
  if (!Number.isSafeInteger(old.size) || !Number.isSafeInteger(size) || old.size < 0 || old.size > size) return false;
  if (old.size === size) return proof.length === 0 && old.root.equals(root);
  if (old.size === 0) return proof.length === 0 && old.root.equals(rootOfRange([]));
  const isPowerOfTwo = largestPowerBelow(old.size + 1) === old.size;
  const [first, ...rest] = isPowerOfTwo ? [old.root, ...proof] : proof;
  if (first === undefined) return false;
  let [node, last] = [old.size - 1, size - 1];
  while (node % 2 === 1) [node, last] = [(node - 1) / 2, Math.floor(last / 2)];
  let [oldHash, hash] = [first, first];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      oldHash = nodeHash(sibling, oldHash);
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && oldHash.equals(old.root) && hash.equals(root);
}

function largestPowerBelow(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
