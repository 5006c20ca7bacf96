import { z } from 'zod';

const text = z.string().min(1, 'must not be empty');

/** Seconds, as a number or as text with a unit: 500ms, 10s, 5m, 12h, 7d. */
const duration = z
  .union([z.number(), z.string().regex(/^\d+(\.\d+)?(ms|s|m|h|d)?$/)], 'must be a duration: 10, "10s", "5m" or "12h"')
  .transform(toSeconds)
  .pipe(
    z
      .number()
      .positive()
      .max(31 * 86_400),
  );

const bytes = z
  .union([z.number(), z.string().regex(/^\d+(\.\d+)?\s*([KMG]i?B|B)?$/i)], 'must be a size: 16777216, "16MiB" or "1GB"')
  .transform(toBytes)
  .pipe(z.int().positive());

const units = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 } as const;

function toSeconds(value: number | string): number {
  if (typeof value === 'number') return value;
  const unit = /[a-z]+$/.exec(value)?.[0] as keyof typeof units | undefined;
  return Number.parseFloat(value) * units[unit ?? 's'];
}

function toBytes(value: number | string): number {
  if (typeof value === 'number') return value;
  const [, amount = '', prefix = '', binary = ''] = /^([\d.]+)\s*([KMG]?)(i?)B?$/i.exec(value) ?? [];
  const power = ['', 'k', 'm', 'g'].indexOf(prefix.toLowerCase());
  return Math.round(Number.parseFloat(amount) * (binary === '' ? 1000 : 1024) ** power);
}

const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' });

/** `unix:///path`, or `host:port` (loopback only where we listen). */
const listen = text.regex(/^(unix:\/\/.+|\[?[A-Za-z0-9.:-]+\]?:\d{1,5})$/, 'must be unix:///path or host:port');

const tetragon = z
  .strictObject({
    node: text,
    /** gRPC: `unix:///path` or `host:port`. */
    address: listen.optional(),
    tls: z
      .strictObject({
        ca: text.optional(),
        cert: text.optional(),
        key: text.optional(),
        serverName: text.optional(),
      })
      .refine((tls) => (tls.cert === undefined) === (tls.key === undefined), 'cert and key go together')
      .optional(),
    /** JSON export file that is followed: the lossless way in. */
    export: text.optional(),
    /** URL of the agent's metrics. */
    metrics: httpUrl.optional(),
    /** Folder or file of the tracing policies as loaded: their digests tell whether selectors are what was reviewed. */
    policies: text.optional(),
    /** Asks the agent how it is this often. */
    interval: duration.default(10),
    /** Canaries prove the node on which the collector itself runs; off for a node that is watched from elsewhere. */
    canary: z.union([z.boolean(), z.strictObject({ port: z.int().min(1).max(65535) })]).default(true),
  })
  .refine((node) => node.address !== undefined || node.export !== undefined, 'must have address, export or both')
  .refine(
    (node) => node.tls === undefined || (node.address !== undefined && !node.address.startsWith('unix:')),
    'tls is for a host:port address: Tetragon serves its unix socket without',
  );

const chain = z.strictObject({
  account: z
    .union([z.string(), z.number()])
    .transform(String)
    .pipe(z.string().regex(/^\d{12}$/, 'must be 12 digits in quotes')),
  region: text,
  name: text.optional(),
});

const cloudtrail = z.strictObject({
  bucket: text,
  /** Of the trail, without the slash before AWSLogs. */
  prefix: z.string().default(''),
  /** Region of the bucket, and of the CloudTrail API for the trail's own settings. */
  region: text,
  /** Another S3 or CloudTrail endpoint (tests, VPC endpoints). */
  endpoint: httpUrl.optional(),
  /** Every account, region and trail whose chain is expected, whatever is found. */
  chains: z.array(chain).min(1, 'must name every account and region whose chain is expected'),
  organization: text.optional(),
  interval: duration.default(60),
  /** How many days back objects are looked for at the first start, and for late ones later. */
  lookback: duration.default(2 * 86_400),
  /** LookupEvents as a cross-check; it never counts as the proof. */
  lookup: z.boolean().default(false),
});

/** Where evidence comes from while tasks run. */
export const sourcesSchema = z.strictObject({
  tetragon: z.array(tetragon).default([]),
  cloudtrail: z.array(cloudtrail).default([]),
  /** Files of resolution lines that are followed. */
  resolutions: z.array(text).default([]),
});

export const storeSchema = z.union([
  text.transform((path) => storeDefaults(path)),
  z.strictObject({
    path: text,
    sealBytes: bytes.default(16 << 20),
    sealAge: duration.default(60),
    /** Records that may wait in memory for the disk; what goes beyond is counted and told as a gap. */
    memory: bytes.default(256 << 20),
  }),
]);

function storeDefaults(path: string): { path: string; sealBytes: number; sealAge: number; memory: number } {
  return { path, sealBytes: 16 << 20, sealAge: 60, memory: 256 << 20 };
}

export const keysSchema = z.strictObject({ signing: text });

/** How others reach the collector. */
export const collectorSchema = z.strictObject({
  /** Declarations and health over HTTP; loopback or a unix socket. */
  listen: listen.optional(),
  /** File with the bearer token; needed with a host:port listener. */
  token: text.optional(),
  /** Folder that is watched for declarations (*.yaml, *.yml). */
  declarations: text.optional(),
  /** How often open tasks are judged. */
  judge: duration.default(30),
  /** How far before its declaration evidence of a task is looked at; all of it where this is left out. */
  lookback: duration.optional(),
  log: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
});

/** The configuration is sealed with the evidence: what is secret must not stand in it. A guess: names tell no more. */
const secretHeader =
  /auth|token|secret|bearer|credential|passw|cookie|api[-_]?key|[-_]key$|^key$|dsn|team|license|licence|session|signature/i;

/** A URL may hold secrets too. What is no URL is told by the check before. */
const backendUrl = httpUrl.refine((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url === undefined || [url.username, url.password, url.search].every((part) => part === '');
}, 'must hold no user name, password or query, since the configuration is sealed: send what is secret as a header, in OTEL_EXPORTER_OTLP_HEADERS of the collector');

const backend = {
  /** As in `tally trace --otlp`. */
  otlp: backendUrl,
  protocol: z.enum(['http/protobuf', 'grpc']).optional(),
  headers: z
    .record(
      text
        .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'is no name of a header')
        .refine(
          (name) => !secretHeader.test(name),
          'is secret: put it into OTEL_EXPORTER_OTLP_HEADERS of the collector',
        ),
      text.regex(/^[\t\x20-\x7e]*$/, 'must be printable ASCII'),
    )
    .default({}),
  ca: text.optional(),
  cert: text.optional(),
  key: text.optional(),
};

/** Where the trace of each task goes once its report is final. */
export const tracesSchema = z
  .strictObject({
    ...backend,
    /** Spans beyond this are left out, but none with a finding. */
    maxSpans: z.int().positive().max(999_999_999).default(10_000),
    /** Whose TRACEPARENT a task hangs under. */
    parent: z.enum(['process', 'declaration', 'none']).default('process'),
  })
  .refine(hasCertAndKey, 'cert and key go together');

/** Longer than 24 days is more than a timer holds. */
const sending = duration.refine((s) => s >= 1 && s <= 24 * 86_400, 'must be between 1s and 24d');

/** Where the collector's own metrics go. */
export const telemetrySchema = z
  .strictObject({
    ...backend,
    interval: sending.default(60),
    /** Also a span of each of its steps: sealing, declaring, judging, exporting. */
    spans: z.boolean().default(false),
  })
  .refine(hasCertAndKey, 'cert and key go together');

function hasCertAndKey({ cert, key }: { cert?: string | undefined; key?: string | undefined }): boolean {
  return (cert === undefined) === (key === undefined);
}

export type TetragonSource = z.output<typeof tetragon>;
export type CloudTrailSource = z.output<typeof cloudtrail>;
export type StoreSettings = z.output<typeof storeSchema>;
export type CollectorSettings = z.output<typeof collectorSchema>;
export type TracesSettings = z.output<typeof tracesSchema>;
export type TelemetrySettings = z.output<typeof telemetrySchema>;
