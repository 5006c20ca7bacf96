import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';

interface Result {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly partialFingerprints: Readonly<Record<string, string>>;
  readonly locations: readonly {
    readonly physicalLocation: { readonly artifactLocation: { readonly uri: string } };
    readonly logicalLocations: readonly { readonly fullyQualifiedName: string; readonly kind: string }[];
  }[];
  readonly properties: { readonly claim: string; readonly kind: string; readonly evidence: readonly string[] };
}

export interface Run {
  readonly tool: {
    readonly driver: {
      readonly name: string;
      readonly rules: readonly {
        readonly id: string;
        readonly help: { readonly text: string };
        readonly properties: object;
      }[];
    };
  };
  readonly automationDetails: { readonly id: string };
  readonly invocations: readonly [
    {
      readonly executionSuccessful: boolean;
      readonly exitCode: number;
      readonly toolExecutionNotifications?: readonly { readonly message: { readonly text: string } }[];
    },
  ];
  readonly results: readonly Result[];
  readonly properties: Readonly<Record<string, unknown>>;
}

/** The schema is of draft 4; what it uses of it means the same in draft 7 but for the name of its id. */
function openSarifSchema(): (log: unknown) => string[] {
  const file = join(import.meta.dirname, '../fixtures/sarif-schema-2.1.0.json');
  const { id, $schema, ...schema } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  if (id === undefined || $schema !== 'http://json-schema.org/draft-04/schema#') throw new Error('another schema');
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  const check = ajv.compile(schema);
  return (log) => {
    check(log);
    return (check.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
  };
}

export const sarifMistakes = openSarifSchema();

/** The one run of a log that the official schema has nothing to say against. */
export function parseSarif(text: string): Run {
  const log = JSON.parse(text) as { readonly version: string; readonly runs: readonly Run[] };
  const mistakes = sarifMistakes(log);
  if (mistakes.length > 0) throw new Error(mistakes.join('\n'));
  const [run, ...more] = log.runs;
  if (run === undefined || more.length > 0) throw new Error('not one run');
  return run;
}
