/** One line of a file, by where it begins and where the next one begins. */
export interface Line {
  readonly start: number;
  readonly end: number;
  /** Without its line end; undefined when the line is longer than is taken in. */
  readonly bytes: Buffer | undefined;
}

/** Splits what is read of a file into lines; at most one incomplete line is in memory. Empty lines are left out. */
export interface LineSplitter {
  /** Where the line begins that is not complete yet: all before it has been given. */
  readonly lineStart: number;
  /** Lazy: a chunk must be gone through to its end before the next one. */
  push(chunk: Buffer): Generator<Line, void, undefined>;
  /** The incomplete line, if there is one. */
  rest(): Line | undefined;
}

const newline = 10;
const carriageReturn = 13;

export function splitLines(offset: number, longest: number): LineSplitter {
  let lineStart = offset;
  let parts: Buffer[] = [];
  let length = 0;

  function add(part: Buffer): void {
    length += part.length;
    // one more byte than allowed may be a line end of two
    if (length > longest + 1) parts = [];
    else if (part.length > 0) parts.push(part);
  }

  function finish(end: number): Line | undefined {
    const start = lineStart;
    let bytes: Buffer | undefined;
    if (length <= longest + 1) {
      const whole = parts.length === 1 ? parts[0] : Buffer.concat(parts);
      bytes = withoutReturns(whole ?? Buffer.alloc(0));
      if (bytes.length > longest) bytes = undefined;
    }
    lineStart = end;
    parts = [];
    length = 0;
    return bytes?.length === 0 ? undefined : { start, end, bytes };
  }

  return {
    get lineStart() {
      return lineStart;
    },
    *push(chunk) {
      const chunkStart = lineStart + length;
      let from = 0;
      for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
        add(chunk.subarray(from, at));
        from = at + 1;
        const line = finish(chunkStart + from);
        if (line !== undefined) yield line;
      }
      add(chunk.subarray(from));
    },
    rest() {
      const end = lineStart + length;
      return length === 0 ? undefined : finish(end);
    },
  };
}

function withoutReturns(line: Buffer): Buffer {
  let end = line.length;
  while (end > 0 && line[end - 1] === carriageReturn) end -= 1;
  return line.subarray(0, end);
}
