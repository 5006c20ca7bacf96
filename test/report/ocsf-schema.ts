import { Ajv2020 } from 'ajv/dist/2020.js';

/*
 * What of OCSF 1.9.0 an event of ours uses, by its definitions (events/findings/detection_finding.json, finding.json, the
 * objects of the same names): what is required there is required here, and nothing is let through that is not listed, so that
 * a wrong name is found. `base_event` lets anything into `unmapped`.
 */

const text = { type: 'string' };
const words = { type: 'string', minLength: 1 };
const millis = { type: 'integer', minimum: 0 };
const ip = {
  anyOf: [
    { type: 'string', pattern: '^\\d+(\\.\\d+){3}$' },
    { type: 'string', pattern: '^[0-9a-f:.]*:[0-9a-f:.]*$' },
  ],
};

function object(properties: object, required: readonly string[] = [], atLeastOne: readonly string[] = []): object {
  const anyOf = atLeastOne.length === 0 ? {} : { anyOf: atLeastOne.map((name) => ({ required: [name] })) };
  return { type: 'object', properties, required, additionalProperties: false, ...anyOf };
}

const endpoint = object(
  { hostname: text, name: text, ip, port: { type: 'integer', minimum: 0, maximum: 65_535 } },
  [],
  ['ip', 'name', 'hostname'],
);
const file = object({ name: words, path: text, type_id: { enum: [0, 1, 2, 3, 4, 5, 6, 7, 99] }, type: text }, [
  'name',
  'type_id',
]);
const process = object(
  {
    pid: { type: 'integer' },
    uid: text,
    name: text,
    cmd_line: text,
    created_time: millis,
    terminated_time: millis,
    file,
    user: object({ uid: text, name: text }, [], ['uid', 'name']),
  },
  [],
  ['pid', 'uid'],
);
const session = object({ uid: text, credential_uid: text });
const actor = object({ process, session }, [], ['process', 'session']);
const api = object(
  {
    operation: text,
    service: object({ name: text, uid: text }, [], ['name', 'uid']),
    request: object({ uid: text }, ['uid']),
    response: object({ error: text }),
  },
  ['operation'],
);
const connection = object(
  { uid: text, protocol_name: text, direction_id: { enum: [0, 1, 2, 3, 99] }, direction: text },
  ['direction_id'],
);
const evidence = object(
  {
    uid: text,
    name: text,
    actor,
    process,
    api,
    src_endpoint: endpoint,
    dst_endpoint: endpoint,
    connection_info: connection,
    data: { type: 'object' },
  },
  [],
  ['actor', 'api', 'connection_info', 'data', 'dst_endpoint', 'process', 'src_endpoint'],
);
const analytic = object(
  {
    name: text,
    uid: text,
    desc: text,
    type_id: { enum: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 99] },
    type: text,
    version: text,
  },
  ['type_id'],
);

const detectionFinding = object(
  {
    activity_id: { enum: [0, 1, 2, 3, 99] },
    activity_name: text,
    category_uid: { const: 2 },
    category_name: { const: 'Findings' },
    class_uid: { const: 2004 },
    class_name: { const: 'Detection Finding' },
    type_uid: { enum: [200_400, 200_401, 200_402, 200_403, 200_499] },
    type_name: text,
    severity_id: { enum: [0, 1, 2, 3, 4, 5, 6, 99] },
    severity: { enum: ['Unknown', 'Informational', 'Low', 'Medium', 'High', 'Critical', 'Fatal', 'Other'] },
    status_id: { enum: [0, 1, 2, 3, 4, 5, 6, 99] },
    status: { enum: ['Unknown', 'New', 'In Progress', 'Suppressed', 'Resolved', 'Archived', 'Deleted', 'Other'] },
    is_alert: { type: 'boolean' },
    time: millis,
    start_time: millis,
    end_time: millis,
    message: text,
    metadata: object(
      {
        version: { const: '1.9.0' },
        product: object({ name: words, vendor_name: words, version: text }, ['name', 'vendor_name']),
        correlation_uid: text,
        uid: words,
        event_code: text,
        log_name: text,
      },
      ['version', 'product'],
    ),
    finding_info: object(
      {
        uid: words,
        title: text,
        desc: text,
        types: { type: 'array', items: text, minItems: 1 },
        analytic,
        first_seen_time: millis,
        last_seen_time: millis,
      },
      ['uid', 'title'],
    ),
    evidences: { type: 'array', minItems: 1, items: evidence },
    resources: {
      type: 'array',
      minItems: 1,
      items: object({ uid: text, name: text, type: text, data: { type: 'object' } }),
    },
    observables: {
      type: 'array',
      minItems: 1,
      items: object({ name: words, type_id: { enum: [1, 2, 9, 10] }, type: text, value: words }, ['name', 'type_id']),
    },
    unmapped: { type: 'object' },
  },
  ['activity_id', 'category_uid', 'class_uid', 'type_uid', 'severity_id', 'time', 'metadata', 'finding_info'],
);

const check = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictRequired: false }).compile(detectionFinding);

/** What is wrong with an event, by the definitions of its class. */
export function ocsfMistakes(event: unknown): string[] {
  check(event);
  return (check.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
}
