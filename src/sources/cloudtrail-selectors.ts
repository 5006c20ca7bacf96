import { z } from 'zod';

/** Output of GetEventSelectors, as far as it is read. */
export const selectorsSchema = z.object({
  EventSelectors: z
    .array(
      z.object({
        ReadWriteType: z.enum(['All', 'ReadOnly', 'WriteOnly']).default('All'),
        IncludeManagementEvents: z.boolean().default(true),
        DataResources: z.array(z.object({ Type: z.string(), Values: z.array(z.string()).default([]) })).default([]),
        ExcludeManagementEventSources: z.array(z.string()).default([]),
      }),
    )
    .nullish(),
  AdvancedEventSelectors: z
    .array(
      z.object({
        FieldSelectors: z.array(z.looseObject({ Field: z.string(), Equals: z.array(z.string()).nullish() })),
      }),
    )
    .nullish(),
});
type Selectors = z.output<typeof selectorsSchema>;

/** Which events a trail's selectors let through (facts/cloudtrail.md 6). */
export interface Coverage {
  readonly management: 'all' | 'read' | 'write' | 'none';
  /** Event sources whose management events are left out. */
  readonly excluded: readonly string[];
  readonly data: readonly DataCoverage[];
}

export interface DataCoverage {
  readonly service: string;
  readonly resource_type: string;
  /** ARN prefixes; null for every resource, empty where the selector narrows in another way. */
  readonly prefixes: readonly string[] | null;
  readonly read_write: 'all' | 'read' | 'write';
}

type Advanced = NonNullable<Selectors['AdvancedEventSelectors']>[number];
type ReadWrite = DataCoverage['read_write'];

/** Selectors that are not told let nothing through; one that narrows in a way not understood counts as narrowing. */
export function toCoverage(selectors: Selectors | undefined): Coverage {
  const basic = selectors?.EventSelectors ?? [];
  const advanced = selectors?.AdvancedEventSelectors ?? [];
  const management = [
    ...basic
      .filter((selector) => selector.IncludeManagementEvents)
      .map((selector) => ({
        readWrite: toReadWrite(selector.ReadWriteType),
        excluded: selector.ExcludeManagementEventSources,
      })),
    ...advanced.flatMap(toManagement),
  ];
  const data = [
    ...basic.flatMap((selector) =>
      selector.DataResources.map((resource) => ({
        ...toResource(resource.Type),
        prefixes: toPrefixes(resource.Values),
        read_write: toReadWrite(selector.ReadWriteType),
      })),
    ),
    ...advanced.flatMap(toData),
  ];
  return {
    management: joinReadWrite(management.map(({ readWrite }) => readWrite)),
    excluded: leftOut(management),
    data,
  };
}

function toReadWrite(type: 'All' | 'ReadOnly' | 'WriteOnly'): ReadWrite {
  return ({ All: 'all', ReadOnly: 'read', WriteOnly: 'write' } as const)[type];
}

function joinReadWrite(parts: readonly ReadWrite[]): Coverage['management'] {
  if (parts.includes('all') || (parts.includes('read') && parts.includes('write'))) return 'all';
  return parts[0] ?? 'none';
}

/** Event sources that at least one of the selectors leaves out, unless another takes everything. */
function leftOut(parts: readonly { readWrite: ReadWrite; excluded: readonly string[] }[]): string[] {
  if (parts.some(({ readWrite, excluded }) => readWrite === 'all' && excluded.length === 0)) return [];
  return [...new Set(parts.flatMap(({ excluded }) => excluded))].sort();
}

/** `arn:aws:s3` and its like stand for every resource of the account. */
function toPrefixes(values: readonly string[]): readonly string[] | null {
  return values.some((value) => /^arn:[a-z-]+:[a-z0-9]+:*$/.test(value)) ? null : values;
}

function toResource(type: string): Pick<DataCoverage, 'service' | 'resource_type'> {
  return { service: (type.split('::')[1] ?? type).toLowerCase(), resource_type: type };
}

function toManagement(selector: Advanced): { readWrite: ReadWrite; excluded: readonly string[] }[] {
  if (equals(selector, 'eventCategory')?.includes('Management') !== true) return [];
  const sources = selector.FieldSelectors.find(({ Field }) => Field === 'eventSource');
  const left = sources?.['NotEquals'];
  if (sources !== undefined && !(isTexts(left) && onlyHas(sources, ['NotEquals']))) return [];
  if (!narrowedBy(selector, ['eventCategory', 'readOnly', 'eventSource'])) return [];
  return toReadOnly(selector).map((readWrite) => ({ readWrite, excluded: isTexts(left) ? left : [] }));
}

function toData(selector: Advanced): DataCoverage[] {
  if (equals(selector, 'eventCategory')?.includes('Data') !== true) return [];
  const whole = narrowedBy(selector, ['eventCategory', 'readOnly', 'resources.type']);
  const arns = selector.FieldSelectors.find(({ Field }) => Field === 'resources.ARN');
  const prefixes = [...(isTexts(arns?.['StartsWith']) ? arns['StartsWith'] : []), ...(arns?.Equals ?? [])];
  return (equals(selector, 'resources.type') ?? []).flatMap((type) =>
    toReadOnly(selector).map((read_write) => ({ ...toResource(type), prefixes: whole ? null : prefixes, read_write })),
  );
}

function toReadOnly(selector: Advanced): ReadWrite[] {
  const field = selector.FieldSelectors.find(({ Field }) => Field === 'readOnly');
  if (field === undefined) return ['all'];
  const values = onlyHas(field, ['Equals']) ? (field.Equals ?? []) : [];
  return values.map((value) => (value === 'true' ? 'read' : 'write'));
}

function equals(selector: Advanced, name: string): readonly string[] | undefined {
  const field = selector.FieldSelectors.find(({ Field }) => Field === name);
  return field !== undefined && onlyHas(field, ['Equals']) ? (field.Equals ?? undefined) : undefined;
}

/** No field but these narrows the selector. */
function narrowedBy(selector: Advanced, names: readonly string[]): boolean {
  return selector.FieldSelectors.every(({ Field }) => names.includes(Field));
}

function onlyHas(field: Advanced['FieldSelectors'][number], operators: readonly string[]): boolean {
  return Object.entries(field).every(
    ([key, value]) =>
      key === 'Field' || operators.includes(key) || value === null || (Array.isArray(value) && value.length === 0),
  );
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
