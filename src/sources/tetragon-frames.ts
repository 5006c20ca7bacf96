import { TallyError } from '../model/errors.ts';
import { openInput } from './open-input.ts';
import { openEventParser } from './tetragon-json.ts';

/** A frame as the lean line of JSON, or why it could not be read as one. */
type DecodedFrame =
  { readonly kind: 'line'; readonly line: string } | { readonly kind: 'broken'; readonly why: string };

/** One recorded frame; `offset` is the place of its length field in the decompressed input. */
export interface Frame {
  readonly kind: 'frame';
  /** A view into a larger buffer: copy it to keep it. */
  readonly frame: Buffer;
  readonly offset: number;
}

/** Where the input stopped making sense. What follows can't be read, since nothing marks where the next frame begins. */
export interface BrokenInput {
  readonly kind: 'broken';
  readonly offset: number;
  readonly why: string;
}

/** Far beyond any event (Tetragon's own client takes 10 MiB at most), small enough to hold in memory. */
export const maxFrameLength = 64 * 1024 * 1024;

/**
 * Turns one GetEventsResponse (protobuf) into the lean form of the line that Tetragon's JSON export would have written:
 * the fields of `proto/`, without a newline. The same frame always gives the same line. Never throws.
 */
export function decodeFrame(frame: Uint8Array): DecodedFrame {
  const parseEvent = openEventParser(); // outside: a lack of our own files is no fault of the frame
  try {
    const event = parseEvent(Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength));
    // Bytes that are no event can pass for a message of unknown fields; but Tetragon stamps every event with its time.
    if (event['time'] === undefined) return { kind: 'broken', why: 'no event: it bears no time' };
    return { kind: 'line', line: JSON.stringify(event) };
  } catch (error) {
    // Whatever protobufjs refuses is a fault of these foreign bytes: nothing else goes in.
    return { kind: 'broken', why: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Reads a recording of gRPC frames (design 9: 4-byte big-endian length, GetEventsResponse; plain, gzip, zstd), holding
 * one frame and one chunk in memory. Damage ends it with one `broken` item after all frames before it.
 *
 * Throws TallyError `input` when the file is missing or can't be opened.
 */
export async function* readFrames(path: string): AsyncGenerator<Frame | BrokenInput, void, undefined> {
  yield* splitFrames(await openInput(path));
}

/** The frames of a byte stream, however it is cut into chunks. A TallyError of the stream becomes the `broken` item. */
export async function* splitFrames(
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<Frame | BrokenInput, void, undefined> {
  let offset = 0; // of the first byte that is not yet part of a frame
  let waiting: Buffer[] = [];
  let have = 0;
  let need = 4;
  try {
    for await (const chunk of chunks) {
      waiting.push(chunk);
      have += chunk.length;
      if (have < need) continue; // joined only when a frame is whole: a long one must not be copied for every chunk
      const bytes = waiting.length === 1 ? chunk : Buffer.concat(waiting, have);
      let at = 0;
      for (need = 4; bytes.length - at >= need; need = 4) {
        const length = bytes.readUInt32BE(at);
        if (length === 0 || length > maxFrameLength) {
          yield {
            kind: 'broken',
            offset: offset + at,
            why: `a frame of ${length} bytes can't be: this is no recording, or a damaged one`,
          };
          return;
        }
        need += length;
        if (bytes.length - at < need) break;
        yield { kind: 'frame', frame: bytes.subarray(at + 4, at + need), offset: offset + at };
        at += need;
      }
      waiting = [bytes.subarray(at)];
      have = bytes.length - at;
      offset += at;
    }
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    yield { kind: 'broken', offset, why: error.message };
    return;
  }
  if (have > 0) yield { kind: 'broken', offset, why: `cut off inside a frame, after ${have} bytes of it` };
}
