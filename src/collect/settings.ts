import { dirname, resolve } from 'node:path';
import {
  type CollectorSettings,
  collectorSchema,
  type StoreSettings,
  type TelemetrySettings,
  type TracesSettings,
} from '../model/collector.ts';
import { type Config, parseConfig } from '../model/config.ts';
import { TallyError } from '../model/errors.ts';

type Sources = NonNullable<Config['sources']>;

/** A configuration that a collector can run by: paths are absolute, relative ones were taken from its file's folder. */
export interface Settings {
  readonly text: string;
  readonly config: Config;
  readonly sources: Sources;
  readonly store: StoreSettings;
  readonly collector: CollectorSettings;
  /** Undefined when traces are exported nowhere. */
  readonly traces: TracesSettings | undefined;
  /** Undefined when the collector's own metrics are exported nowhere. */
  readonly telemetry: TelemetrySettings | undefined;
  /** File of the signing key; undefined when the environment gives it. */
  readonly key: string | undefined;
}

/** Throws TallyError `schema` where the configuration lacks what a collector needs. */
export function toSettings(text: string, path: string): Settings {
  const config = parseConfig(text, path);
  const from = (file: string): string => resolve(dirname(path), file);
  const lacks: string[] = [];
  if (config.store === undefined) lacks.push('store: the folder of the evidence store');
  const sources = config.sources;
  if (sources === undefined || sources.tetragon.length + sources.cloudtrail.length + sources.resolutions.length === 0)
    lacks.push('sources: where evidence comes from (tetragon, cloudtrail)');
  const nodes = (sources?.tetragon ?? []).map(({ node }) => node);
  const twice = nodes.find((node, index) => nodes.indexOf(node) !== index);
  if (twice !== undefined) lacks.push(`sources.tetragon: node ${JSON.stringify(twice)} stands there twice`);
  if (config.store === undefined || sources === undefined || lacks.length > 0)
    throw new TallyError('schema', `The configuration ${path} is not enough for a collector:`, { details: lacks });
  const collector = config.collector ?? collectorSchema.parse({});
  return {
    text,
    config,
    sources: {
      tetragon: sources.tetragon.map((source) => ({
        ...source,
        ...(source.address === undefined ? {} : { address: toAddress(source.address, from) }),
        ...(source.export === undefined ? {} : { export: from(source.export) }),
        ...(source.policies === undefined ? {} : { policies: from(source.policies) }),
        ...(source.tls === undefined ? {} : { tls: absolute(source.tls, from) }),
      })),
      cloudtrail: sources.cloudtrail,
      resolutions: sources.resolutions.map(from),
    },
    store: { ...config.store, path: from(config.store.path) },
    collector: {
      ...collector,
      ...(collector.listen === undefined ? {} : { listen: toAddress(collector.listen, from) }),
      ...(collector.token === undefined ? {} : { token: from(collector.token) }),
      ...(collector.declarations === undefined ? {} : { declarations: from(collector.declarations) }),
    },
    traces: config.traces === undefined ? undefined : absolute(config.traces, from),
    telemetry: config.telemetry === undefined ? undefined : absolute(config.telemetry, from),
    key: config.keys === undefined ? undefined : from(config.keys.signing),
  };
}

function toAddress(address: string, from: (file: string) => string): string {
  const unix = /^unix:\/\/(.+)$/.exec(address)?.[1];
  return unix === undefined ? address : `unix://${from(unix)}`;
}

interface TlsFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

function absolute<T extends TlsFiles>(settings: T, from: (file: string) => string): T {
  const { ca, cert, key } = settings;
  return {
    ...settings,
    ...(ca === undefined ? {} : { ca: from(ca) }),
    ...(cert === undefined ? {} : { cert: from(cert) }),
    ...(key === undefined ? {} : { key: from(key) }),
  };
}
