import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { canonicalJson } from '../evidence/canonical-json.ts';

/** What the agent writes into its export file, and how fast at most: empty lists let everything pass. */
export interface ExportSettings {
  readonly allowList: string;
  readonly denyList: string;
  /** Events a minute; -1 is unlimited, null is not told. */
  readonly rateLimit: number | null;
}

/** The agent's own account of itself (GetInfo). */
export interface SensorInfo {
  /** SHA-256 (hex) of the canonical form of the whole answer: settings, probes, build. */
  readonly digest: string;
  readonly build: Readonly<Record<string, unknown>>;
  /** Undefined when the agent's settings do not tell its export lists. */
  readonly export: ExportSettings | undefined;
  /** The agent's flags by name: texts, flags and numbers as text, lists of texts as lists. */
  readonly settings: ReadonlyMap<string, string | readonly string[]>;
}

let loaded: protobuf.Root | undefined;

/** `proto/` is loaded at the first call: only the collector and the doctor ever talk to an agent. */
function messageType(name: string): protobuf.Type {
  if (loaded === undefined) {
    const root = new protobuf.Root();
    // protobufjs brings google/protobuf/* itself; all else lies in proto/, equally far from src/sources and dist/sources.
    root.resolvePath = (_origin, target) =>
      target.startsWith('google/') ? target : fileURLToPath(new URL(`../../proto/${target}`, import.meta.url));
    root.loadSync('tetragon/sensors.proto', { keepCase: true });
    root.resolveAll();
    loaded = root;
  }
  return loaded.lookupType(name);
}

/**
 * The GetEventsRequest for all events of these kinds. `leaveOut` are paths inside an event's own message that the agent
 * shall not send.
 */
export function encodeGetEvents(eventSet: readonly string[], leaveOut: readonly string[]): Buffer {
  const type = messageType('tetragon.GetEventsRequest');
  const fieldFilter = { event_set: eventSet, fields: { paths: leaveOut }, action: 'EXCLUDE' };
  const request = { allow_list: [{ event_set: eventSet }], field_filters: leaveOut.length === 0 ? [] : [fieldFilter] };
  return Buffer.from(type.encode(type.fromObject(request)).finish());
}

/** The policies of a ListTracingPoliciesResponse in the form of protobuf-JSON with proto names (design 9, `--sensor`). */
export function decodePolicies(bytes: Uint8Array): readonly unknown[] {
  const { policies } = plain('tetragon.ListTracingPoliciesResponse', bytes);
  return Array.isArray(policies) ? (policies as unknown[]) : [];
}

export function decodeVersion(bytes: Uint8Array): string {
  const { version } = plain('tetragon.GetVersionResponse', bytes);
  return typeof version === 'string' ? version : '';
}

export function decodeInfo(bytes: Uint8Array): SensorInfo {
  const { probes, conf, build, ...rest } = plain('tetragon.GetInfoResponse', bytes);
  const entries = Array.isArray(conf) ? (conf as string[]) : [];
  const settings = new Map(entries.flatMap((entry) => readSetting(Buffer.from(entry, 'base64'))));
  const [allowList, denyList] = [settings.get('export-allowlist'), settings.get('export-denylist')];
  const rateLimit = Number(settings.get('export-rate-limit') ?? Number.NaN);
  // the agent lists its settings in the order of a Go map, which is never the same twice
  const sorted = { ...rest, build, conf: entries.toSorted(), probes: Array.isArray(probes) ? probes.toSorted() : [] };
  return {
    digest: createHash('sha256').update(canonicalJson(sorted)).digest('hex'),
    build: typeof build === 'object' && build !== null ? { ...build } : {},
    export:
      typeof allowList !== 'string' || typeof denyList !== 'string'
        ? undefined
        : { allowList, denyList, rateLimit: Number.isNaN(rateLimit) ? null : rateLimit },
    settings,
  };
}

/** As protojson has it: fields that are not set are left out, 64-bit integers and bytes are text, enums are names. */
function plain(name: string, bytes: Uint8Array): Record<string, unknown> {
  const type = messageType(name);
  return type.toObject(type.decode(bytes), { longs: String, enums: String, bytes: String });
}

const known =
  /^type\.googleapis\.com\/google\.protobuf\.((String|Bool|Int32|Int64|UInt32|UInt64|Double)Value|ListValue)$/;

function readSetting(bytes: Uint8Array): [key: string, value: string | string[]][] {
  const type = messageType('tetragon.ConfigEntry');
  const entry = type.toObject(type.decode(bytes)) as {
    key?: string;
    value?: { type_url?: string; value?: Uint8Array };
  };
  const kind = known.exec(entry.value?.type_url ?? '')?.[1];
  if (entry.key === undefined || kind === undefined) return [];
  const inner = messageType(`google.protobuf.${kind}`);
  const content = inner.toObject(inner.decode(entry.value?.value ?? new Uint8Array()), {
    longs: String,
    defaults: true,
  });
  if (kind !== 'ListValue') return [[entry.key, String((content as { value: unknown }).value)]];
  const { values } = content as { values: readonly { readonly stringValue?: string }[] };
  return [[entry.key, values.flatMap(({ stringValue }) => stringValue ?? [])]];
}
