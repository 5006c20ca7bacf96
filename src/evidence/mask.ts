import { createHmac } from 'node:crypto';

/*
 * The patterns are written for two engines at once: JavaScript's, over bytes read as latin1, and RE2 (DuckDB), over the
 * same bytes read as UTF-8. So: no look-around, no back-references, no inline flags, no `\s` or `\w` (they differ beyond
 * ASCII), counts only on ASCII classes. Whatever may hold a secret of another alphabet is "anything but" some ASCII
 * characters, so that a sequence of UTF-8 is masked whole or not at all.
 */

/** Control characters and what ends a JSON string or begins an escape in it. */
const quoted = String.raw`\x00-\x1f"\\`;
/** The same and the space: what ends a word. */
const word = String.raw`\x00-\x20"\\`;
const blank = String.raw`[ \t\r\n]*`;

/** Matches `text` in either case: JavaScript knows no flag for a part of a pattern. */
function anyCase(text: string): string {
  return text.replace(/[a-z]/g, (letter) => `[${letter.toUpperCase()}${letter}]`);
}

/**
 * A value in a capture group, all characters but `stops`, that is no mask already: masks begin with `*` and hold nothing
 * but `*` and hex digits. `&`, `#`, `@` and `'` behind a mask are where a narrower pattern had ended.
 */
function value(stops: string, notFirst = ''): string {
  return `((?:[^*${stops}${notFirst}]|\\*[0-9a-f*]*[^0-9a-f*&#@'${stops}])[^${stops}]*)`;
}

/** The rest of a JSON string, escapes included but never split, that is no mask already. */
const jsonValue = (() => {
  const escape = String.raw`\\[\x20-\x7e]`;
  return `((?:[^*${quoted}]|${escape}|\\*[0-9a-f*]*(?:[^0-9a-f*${quoted}]|${escape}))(?:[^${quoted}]|${escape})*)`;
})();

/** A quote inside a JSON string: an odd number of backslashes before it, else it would end that string. */
const escapedQuote = String.raw`\\(?:\\\\)*"`;

/**
 * What may follow `name`: a quoted value (escaped as in a JSON string, or bare, but then never the punctuation that
 * follows a JSON string), or a word. A single quote counts where it closes; arguments may be cut.
 */
function valueAfter(name: string, notFirst = ''): string[] {
  return [
    name + escapedQuote + value(quoted),
    name + '"' + value(quoted, String.raw` ,:\]}`) + '"',
    name + "'" + value(quoted + "'") + "'",
    name + "'?" + value(word, "'" + notFirst),
  ];
}

const secretName = anyCase(
  '(?:token|secret|password|passwd|passphrase|_key|_pwd|api[_-]?key|(?:secret|access)[_-]?key)',
);
const awsName = anyCase('(?:secret_?access_?key|session_?token|security[-_]?token)');
const flagName = anyCase('(?:password|passwd|passphrase|token|secret|api-?key|secret-(?:access-)?key)');
const jsonKey = [
  awsName,
  '_(?:TOKEN|SECRET|PASSWORD|KEY)',
  `"${anyCase('(?:password|passwd|access_?token|refresh_?token|client_?secret|private_?key(?:_?data)?|api_?key)')}`,
].join('|');
const escapedJsonKey = jsonKey.replace('"', '\\\\"');

/** A place where a token begins: not inside a longer word (`task-…` is no `sk-…`), but behind an escape. */
const start = String.raw`(?:^|[^A-Za-z0-9_\\-]|\\[nrtbf]|%[0-9A-Fa-f][0-9A-Fa-f])`;
const base64url = '[A-Za-z0-9_-]';

/** Each with one capture group: the bytes to mask. Where several begin at one place, the first that matches counts. */
const patterns: readonly string[] = [
  // {"Key":"GITHUB_TOKEN","Value":"…"}: environment of a process, tags, container specifications.
  `"(?:[Kk]ey|[Nn]ame)"${blank}:${blank}"[^${quoted}]*${secretName}"${blank},${blank}"[Vv]alue"${blank}:${blank}"${jsonValue}`,
  `(?:${jsonKey})"${blank}:${blank}"${jsonValue}`,
  `(?:${escapedJsonKey})\\\\+"${blank}:${blank}${escapedQuote}${value(quoted)}`,
  // A parameter of a URL ends at `&`: the access key id that may follow is needed.
  `[?&][A-Za-z0-9_.-]*${secretName}=${value(word + '&#')}`,
  ...valueAfter(`${secretName}=`),
  ...valueAfter(`${awsName} *[:=] *`),
  ...valueAfter(`-${flagName} +`, '-'),
  ...valueAfter(`-${anyCase('(?:token|api-?key|secret)')}: *`),
  `${anyCase('authorization')}\\\\*"?${blank}[:=]${blank}\\\\*["']?${anyCase('(?:bearer|basic|token|bot|apikey)')} +${value(word + "'")}`,
  `${anyCase('bearer')} +([A-Za-z0-9._~+/=-]{16,})`,
  `://[^${word}/@:?#'<>]*:${value(word + '/?#')}@`,
  `-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----((?:[A-Za-z0-9+/=\\r\\n\\t ,:.]|-[A-Za-z0-9]|\\\\+[nrt])+)`,
  `${start}(eyJ${base64url}{8,}\\.(?:eyJ${base64url}+\\.${base64url}*|${base64url}*(?:\\.${base64url}+){3}))`, // JWS, JWE
  '(gh[opsur]_[A-Za-z0-9_]{20,})',
  '(github_pat_[A-Za-z0-9_]{20,})',
  '(glpat-[A-Za-z0-9_.-]{16,})',
  '(xox[abeprs]-[A-Za-z0-9-]{10,})',
  `(hvs\\.${base64url}{20,})`,
  `${start}(sk-${base64url}{16,})`,
  '([rs]k_live_[A-Za-z0-9]{16,})',
  // Four letters turn up in base64 by chance: neither it nor a longer word may lie around.
  `(?:^|[^A-Za-z0-9_\\\\/+-]|\\\\[nrtbf])(AIza${base64url}{35})(?:[^A-Za-z0-9_-]|$)`,
  // AWS session tokens, which all begin with the same encoded words.
  '((?:IQoJb3JpZ2lu|F[wQ]oGZXIvYXdz)[A-Za-z0-9+/=%]{40,})',
];

/**
 * Finds every line of text (without a line feed) that {@link maskSecrets} would change, and nothing else but access key
 * ids in the place of a secret. For RE2, case-sensitive, unanchored: `regexp_matches(raw, …)` in DuckDB.
 */
export const secretPattern = patterns.join('|');

const secrets = new RegExp(secretPattern, 'dg');
/**
 * Every pattern needs one of these words, wherever fields begin in a frame. Several small patterns: each then skips
 * through the text by itself, which is measured to be many times faster than one with all words.
 */
const triggers = [
  /token|secret|passw|passphrase|bearer/i,
  /[_-]key|_pwd|(?:api|access|private)key/i,
  /authorization|PRIVATE KEY|github_pat_|k_live_|oGZXIvYXdz|IQoJb3Jp/i,
  /eyJ[\w-]{8}|AIza[\w-]{8}|hvs\.[\w-]{8}|gh[opsur]_[\w-]{8}|glpat-[\w.-]{8}|xox[abeprs]-[\w-]{8}|sk-[\w-]{8}/,
  /:\/\/[^\x00-\x20/]*@/,
];
const secretNames = new RegExp(`${secretName}$`);
/** Access key ids are identifiers: sessions are joined by them. */
const accessKeyId = /^A[KS]IA[A-Z0-9]{16}$/;

/**
 * Masks secrets in a record: a line or file of text, or a protobuf frame of the sensor, which stays decodable and keeps
 * its length. What is masked becomes `*`-framed hex of HMAC-SHA256(key, value), so that equal values (of equal length)
 * stay equal; below 10 bytes only `*`. Masking twice changes nothing more. `count` is the number of values masked; with
 * 0 the buffer is returned as it came. Not seen: secrets inside base64 or other encodings, and those no pattern names.
 */
export function maskSecrets(bytes: Buffer, key: Buffer): { bytes: Buffer; count: number } {
  if (!mayHoldSecret(bytes)) return { bytes, count: 0 };
  const masked = Buffer.from(bytes);
  // A line holds no line feed, an event of the sensor always does (tag of field 1): text never counts as a frame.
  const fields = bytes.includes(0x0a) ? messageFields(masked) : undefined;
  const count = fields === undefined ? maskText(masked, key) : maskMessage(fields, key);
  return count === 0 ? { bytes, count } : { bytes: masked, count };
}

function mayHoldSecret(bytes: Buffer): boolean {
  const text = latin1(bytes);
  return triggers.some((trigger) => trigger.test(text));
}

/** Masks in place until nothing is found: a mask can lay bare a pattern that the value before it had hidden. */
function maskText(bytes: Buffer, key: Buffer): number {
  for (let total = 0; ;) {
    let count = 0;
    for (const { indices } of latin1(bytes).matchAll(secrets)) {
      const [from, to] = indices?.find((range, group) => group > 0 && (range as unknown) !== undefined) ?? [0, 0];
      count += maskValue(bytes.subarray(from, to), key);
    }
    if (count === 0) return total;
    total += count;
  }
}

function maskValue(bytes: Buffer, key: Buffer): 0 | 1 {
  if (accessKeyId.test(latin1(bytes))) return 0;
  const hash = bytes.length < 10 ? '' : createHmac('sha256', key).update(bytes).digest('hex');
  bytes.write(`*${hash}`.slice(0, bytes.length - 1).padEnd(bytes.length, '*'), 'latin1');
  return 1;
}

/** Deeper than the sensor's messages go; a string can be made to look like messages without end. */
const deepest = 16;

function latin1(bytes: Buffer): string {
  return bytes.toString('latin1');
}

interface Field {
  readonly number: number;
  readonly bytes: Buffer;
}

/** Each text of a protobuf message is masked for itself, so that no value runs over into the next field's tag. */
function maskMessage(fields: readonly Field[], key: Buffer, depth = 0): number {
  const [first, second] = fields;
  if (first?.number === 1 && second?.number === 2 && fields.length === 2 && secretNames.test(latin1(first.bytes))) {
    return /^\*[0-9a-f*]*$|^$/.test(latin1(second.bytes)) ? 0 : maskValue(second.bytes, key);
  }
  let count = 0;
  for (const { bytes } of fields) {
    if (!mayHoldSecret(bytes)) continue;
    // The wire does not tell a message from a string. A string that happens to read as a message has no control
    // characters, of which a message (tags, lengths) is hardly ever free.
    const inner = depth < deepest && bytes.some((byte) => byte < 0x20) ? messageFields(bytes) : undefined;
    count += inner === undefined ? maskText(bytes, key) : maskMessage(inner, key, depth + 1);
  }
  return count;
}

/** The length-delimited fields of a protobuf message; undefined where the bytes are none. */
function messageFields(bytes: Buffer): Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): number => {
    let result = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) return Number.NaN;
      result += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return result;
    }
    return Number.NaN;
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    if (!(number >= 1 && number < 2 ** 29)) return undefined;
    const wireType = tag % 8;
    if (wireType === 0) {
      if (Number.isNaN(varint())) return undefined;
    } else if (wireType === 1) at += 8;
    else if (wireType === 5) at += 4;
    else if (wireType === 2) {
      const length = varint();
      if (!(at + length <= bytes.length)) return undefined;
      fields.push({ number, bytes: bytes.subarray(at, at + length) });
      at += length;
    } else return undefined;
  }
  return at === bytes.length ? fields : undefined;
}
