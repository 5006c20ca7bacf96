import { z } from 'zod';
import { configSchema } from '../../src/model/config.ts';
import { declarationSchema } from '../../src/model/declaration.ts';
import { reportSchema } from '../../src/model/report-schema.ts';

const base = 'https://tallystick.dev/schemas/';

const published = {
  report: ['tallystick report', 'report.json: what tally audit and tally report say of a task.', reportSchema],
  declaration: ['tallystick declaration', 'What a task may do, declared before it runs.', declarationSchema],
  config: ['tallystick configuration', 'What tally audit and tally collect are told of the site.', configSchema],
} as const;

export type SchemaName = keyof typeof published;
export const schemaNames = Object.keys(published) as SchemaName[];

/** What is published in docs/schemas: the form of what is written, and of what is read before defaults are filled in. */
export function toJsonSchema(name: SchemaName): Record<string, unknown> {
  const [title, description, schema] = published[name];
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', override: adapt });
  return { $schema, $id: `${base}${name}.schema.json`, title, description, ...rest };
}

interface Node {
  readonly zodSchema: z.core.$ZodTypes;
  readonly jsonSchema: z.core.JSONSchema.BaseSchema;
}

/** Where a zod schema says more, or less, than its JSON Schema would. */
function adapt({ zodSchema, jsonSchema }: Node): void {
  delete jsonSchema.readOnly;
  const { def } = zodSchema._zod;
  const patterns = (def.checks ?? []).map((check) => (check._zod.def as { readonly pattern?: RegExp }).pattern);
  // a pattern has no flags here, and what we take must not be refused
  if (patterns.some((pattern) => pattern?.flags.includes('i'))) delete jsonSchema.pattern;
  // YAML and JSON have times as text alone
  if (def.type === 'union' && def.options.some((option) => option._zod.def.type === 'date')) {
    delete jsonSchema.anyOf;
    Object.assign(jsonSchema, { type: 'string', pattern: timePattern });
  }
}

const timePattern = '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?(Z|[+-]\\d\\d:\\d\\d)$';
