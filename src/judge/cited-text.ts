/** Fields of a sensor's event that are long and that no finding rests on, or that a page to be shown around should not have. */
const passedOver: ReadonlySet<string> = new Set([
  'ancestors',
  'binary_properties',
  'cap',
  'environment_variables',
  'ns',
  'process_credentials',
]);
const parentFields = ['exec_id', 'pid', 'binary', 'arguments'];
const maxText = 4000;
const lineLength = 96;

export interface CitedText {
  readonly text: string;
  /** What is left out, in words. */
  readonly left: string;
  readonly time?: string;
}

/**
 * One sealed record laid out for reading. What it gives takes the id of a record inside a file, as CloudTrail's eventID: a file is parsed
 * once, however many of its records are cited. The text is as hostile as what it shows.
 */
export function openCitedText(raw: string): (part: string | undefined) => CitedText {
  const parsed = parse(raw);
  if (parsed === undefined) return () => ({ text: cut(raw), left: tellCut(raw) });
  const anew = isWrittenAnew(raw, parsed);
  return (part) => {
    const inside = part === undefined ? undefined : findPart(parsed, part);
    const left = new Set<string>();
    const text = layOut(lean(inside ?? parsed, left), '');
    const told = [
      ...(inside === undefined ? [] : ['the other records of the same file']),
      ...(part !== undefined && inside === undefined ? [`nothing: ${part} was not found in the file`] : []),
      ...(left.size === 0 ? [] : [`the fields ${[...left].sort().join(', ')}`]),
      ...(text.length > maxText ? [tellCut(text)] : []),
      ...(anew ? ['digits of long numbers or repeated names, which the sealed record has'] : []),
    ];
    const time = timeOf(inside ?? parsed);
    return { text: cut(text), left: told.join('; '), ...(time === undefined ? {} : { time }) };
  };
}

function parse(raw: string): unknown {
  try {
    const value: unknown = JSON.parse(raw);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch (error) {
    // declarations are YAML, and a broken line is evidence too: shown as it stands
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function findPart(file: unknown, id: string): unknown {
  const records: unknown = Array.isArray(file) ? file : (file as Record<string, unknown>)['Records'];
  if (!Array.isArray(records)) return undefined;
  return records.find(
    (record: unknown) =>
      typeof record === 'object' && record !== null && (record as Record<string, unknown>)['eventID'] === id,
  );
}

function lean(value: unknown, left: Set<string>, depth = 0): unknown {
  if (typeof value !== 'object' || value === null) return value;
  // deeper than any event: the rest as one line, so that nesting can't exhaust the stack
  if (depth > 40) return '…';
  if (Array.isArray(value)) return value.map((inner) => lean(inner, left, depth + 1));
  const fields = Object.entries(value).flatMap(([name, inner]): [string, unknown][] => {
    if (passedOver.has(name)) {
      left.add(name);
      return [];
    }
    return [[name, lean(name === 'parent' ? only(inner, parentFields, left) : inner, left, depth + 1)]];
  });
  return Object.fromEntries(fields);
}

function only(value: unknown, names: readonly string[], left: Set<string>): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  for (const name of Object.keys(value)) if (!names.includes(name)) left.add(`parent.${name}`);
  return Object.fromEntries(Object.entries(value).filter(([name]) => names.includes(name)));
}

/** Whether reading and writing it again loses something: digits that a double can't hold, or all but the last of a name. */
function isWrittenAnew(raw: string, parsed: unknown): boolean {
  const strings = /"(?:[^"\\]|\\.)*"/g;
  const names = (raw.match(/"(?:[^"\\]|\\.)*"\s*:/g) ?? []).length;
  return /\d{16,}/.test(raw.replace(strings, '""')) || names !== countNames(parsed);
}

function countNames(value: unknown): number {
  let count = 0;
  const open = [value];
  while (open.length > 0) {
    const one = open.pop();
    if (typeof one !== 'object' || one === null) continue;
    if (!Array.isArray(one)) count += Object.keys(one).length;
    for (const inner of Object.values(one)) open.push(inner);
  }
  return count;
}

/** JSON with what fits on a line on one line. */
function layOut(value: unknown, indent: string): string {
  const short = JSON.stringify(value);
  const fits = short.length + indent.length <= lineLength;
  // of what is far too long only the beginning is shown: not worth the layout
  if (typeof value !== 'object' || value === null || fits || short.length > 25 * maxText) return short;
  const inner = `${indent}  `;
  const lines = Array.isArray(value)
    ? value.map((item) => inner + layOut(item, inner))
    : Object.entries(value).map(([name, item]) => `${inner}${JSON.stringify(name)}: ${layOut(item, inner)}`);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  return `${open}\n${lines.join(',\n')}\n${indent}${close}`;
}

function timeOf(value: unknown): string | undefined {
  const fields = value as Record<string, unknown>;
  const time = fields['time'] ?? fields['eventTime'];
  return typeof time === 'string' && time.length <= 40 ? time : undefined;
}

function cut(text: string): string {
  return text.length <= maxText ? text : text.slice(0, maxText);
}

function tellCut(text: string): string {
  return text.length <= maxText ? '' : `the last ${text.length - maxText} of ${text.length} characters`;
}
