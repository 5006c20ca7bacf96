/** One sample of a metrics page. */
export interface Sample {
  readonly name: string;
  /** Label names and values in the order of the names; values unescaped. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** Also NaN and the infinities. */
  readonly value: number;
}

const labelName = /[A-Za-z_][A-Za-z0-9_]*/y;
const metricName = /[A-Za-z_:][A-Za-z0-9_:]*/y;
const labelValue = /"((?:[^"\\]|\\[\\"n])*)"/y;
const decimal = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Reads Prometheus' text format (version 0.0.4), as a Go client writes it. Label values are whatever programs on the node
 * are called, so nothing is split at a comma or brace before it is known to be outside of quotes.
 *
 * Throws SyntaxError with the number of the line that is none: a counter that can't be read must not count as zero.
 */
export function parseMetrics(text: string): Sample[] {
  return text.split('\n').flatMap((line, index) => {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) return [];
    const sample = parseSample(trimmed);
    if (sample === undefined) throw new SyntaxError(`line ${index + 1} of the metrics is no sample`);
    return [sample];
  });
}

/** `name{label="value",…}`, labels sorted and escaped: the same series always has the same key. */
export function toSeriesKey({ name, labels }: Sample): string {
  if (labels.length === 0) return name;
  return `${name}{${labels.map(([label, value]) => `${label}="${escape(value)}"`).join(',')}}`;
}

function parseSample(line: string): Sample | undefined {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(line) ?? undefined;
    if (found !== undefined) at = pattern.lastIndex;
    return found;
  };
  const name = take(metricName)?.[0];
  if (name === undefined) return undefined;
  const labels: [string, string][] = [];
  take(/\s*/y);
  if (take(/\{\s*/y) !== undefined) {
    while (take(/\}/y) === undefined) {
      const label = take(labelName)?.[0];
      if (label === undefined || take(/\s*=\s*/y) === undefined) return undefined;
      const value = take(labelValue)?.[1];
      if (value === undefined) return undefined;
      labels.push([label, unescape(value)]);
      if (take(/\s*,\s*/y) === undefined && take(/\s*(?=\})/y) === undefined) return undefined;
    }
  }
  // a time in ms may stand behind the value
  const rest = line.slice(at).trim().split(/\s+/);
  const value = toNumber(rest[0] ?? '');
  if (value === undefined || rest.length > 2 || (rest[1] !== undefined && !/^-?\d+$/.test(rest[1]))) return undefined;
  return { name, labels: labels.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)), value };
}

function toNumber(text: string): number | undefined {
  if (decimal.test(text)) return Number(text);
  if (/^nan$/i.test(text)) return Number.NaN;
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
  return infinite === null ? undefined : infinite[1] === '-' ? -Infinity : Infinity;
}

function unescape(value: string): string {
  return value.replaceAll(/\\([\\"n])/g, (_, char: string) => (char === 'n' ? '\n' : char));
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
