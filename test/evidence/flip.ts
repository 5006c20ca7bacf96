/** The bytes with one bit changed. */
export function flip(bytes: Uint8Array, offset: number, bit = 0): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(offset) ^ (1 << bit), offset);
  return changed;
}
