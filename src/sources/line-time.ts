import { toNs } from './time-ns.ts';

/**
 * The time of a JSON line in ns since 1970, by its last key `time`: in Tetragon's export that of the event, after all that
 * an agent can write (facts/tetragon.md: protobuf's order), and quotes inside of strings are escaped. No JSON is parsed,
 * since this is asked of every line; undefined where none is found.
 */
export function lineTime(line: Buffer): bigint | undefined {
  // protojson puts a blank after a colon, or none, at random
  const tight = line.lastIndexOf('"time":"');
  const spaced = line.lastIndexOf('"time": "');
  if (tight < 0 && spaced < 0) return undefined;
  const from = tight > spaced ? tight + 8 : spaced + 9;
  const ns = toNs(line.toString('latin1', from, line.indexOf('"', from)));
  return ns === 0n ? undefined : ns;
}
