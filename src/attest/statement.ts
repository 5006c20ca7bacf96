import { canonicalJson } from '../evidence/canonical-json.ts';
import { verdictExitCodes } from '../model/claim.ts';
import { predicateType, type Report } from '../model/report.ts';

/** DSSE payload type of an in-toto statement. */
export const statementPayloadType = 'application/vnd.in-toto+json';
const statementType = 'https://in-toto.io/Statement/v1';
/** Has the same fields; `cosign attest-blob --predicate` still writes it. */
const olderStatementType = 'https://in-toto.io/Statement/v0.1';
const ownSubjects = ['manifest.json', 'declaration'];

/** in-toto Statement v1 or v0.1, as far as any of them goes. Fields that it does not know are left out. */
export interface Statement {
  readonly subject: readonly { readonly name: string | undefined; readonly digest: Readonly<Record<string, string>> }[];
  readonly predicateType: string;
  readonly predicate: unknown;
}

export interface StatementInput {
  /** Lower-case hex. */
  readonly manifestSha256: string;
  /** Lower-case hex. */
  readonly declarationSha256: string;
  readonly predicate: unknown;
  /** By default that of our own report. */
  readonly predicateType?: string;
}

/** The bytes to sign: an in-toto Statement v1 about the manifest and the declaration, as RFC 8785 JSON. */
export function toStatement(input: StatementInput): Buffer {
  const digests = [input.manifestSha256, input.declarationSha256];
  return canonicalJson({
    _type: statementType,
    subject: ownSubjects.map((name, at) => ({ name, digest: { sha256: digests[at] } })),
    predicateType: input.predicateType ?? predicateType,
    predicate: input.predicate,
  });
}

/** Undefined when the payload is no in-toto Statement v1 or v0.1. */
export function parseStatement(payload: Uint8Array): Statement | undefined {
  const value = parseJson(payload);
  if (!isRecord(value) || typeof value['predicateType'] !== 'string') return undefined;
  if (value['_type'] !== statementType && value['_type'] !== olderStatementType) return undefined;
  const subjects: unknown = value['subject'];
  if (!Array.isArray(subjects) || !subjects.every(isSubject)) return undefined;
  const subject = subjects.map(({ name, digest }) => ({ name, digest }));
  return { subject, predicateType: value['predicateType'], predicate: value['predicate'] };
}

/** The report in a verified statement of ours, undefined in any other. Whoever signed it vouches for its form. */
export function reportOf(statement: Statement): Report | undefined {
  const { predicate } = statement;
  const ours = statement.predicateType === predicateType && isRecord(predicate);
  const known = ours && predicate['schema'] === 'tallystick/report/v1' && isVerdict(predicate['verdict']);
  return known ? (predicate as unknown as Report) : undefined;
}

/** Whether these are bytes that `toStatement` writes: canonical, about exactly its subjects. */
export function isOwnStatement(payload: Uint8Array): boolean {
  const value = parseJson(payload);
  if (!isRecord(value) || value['_type'] !== statementType) return false;
  const names = parseStatement(payload)?.subject.map(({ name }) => name);
  return names?.join('\n') === ownSubjects.join('\n') && canonicalJson(value).equals(payload);
}

/** A verdict that we have no exit code for is none: it must not pass for a proof. */
function isVerdict(value: unknown): boolean {
  return typeof value === 'string' && Object.hasOwn(verdictExitCodes, value);
}

interface SubjectJson {
  name: string | undefined;
  digest: Record<string, string>;
}

function isSubject(value: unknown): value is SubjectJson {
  if (!isRecord(value) || !isRecord(value['digest'])) return false;
  const named = value['name'] === undefined || typeof value['name'] === 'string';
  return named && Object.values(value['digest']).every((digest) => typeof digest === 'string');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
