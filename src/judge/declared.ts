import type { Config } from '../model/config.ts';
import type { Declaration, Selector } from '../model/declaration.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { toHexRange } from '../model/address.ts';
import { type GrantedAction, parseGranted } from '../model/granted.ts';
import type { Database, Parameter } from '../query/database.ts';

/** Fills the tables that say what was declared, granted and configured. `policies` are the texts of the granted policies. */
export async function insertDeclared(
  database: Pick<Database, 'insert'>,
  declaration: Declaration,
  config: Config,
  policies: readonly string[],
): Promise<void> {
  await database.insert('declared_endpoint', endpointRows(declaration, config));
  await database.insert(
    'declared_session',
    declaration.credentials.map((c) => [c.provider, c.session ?? null, c.key ?? null, c.role ?? null]),
  );
  const declared = (declaration.actions ?? []).map((pattern): GrantedAction => ({
    effect: 'allow',
    inverted: false,
    statement: 0,
    pattern,
  }));
  await database.insert('declared_action', [
    ...declared.map((action) => actionRow('declaration', action)),
    ...numberStatements(policies.map(parseGranted)).map((action) => actionRow('granted', action)),
  ]);
  await database.insert('setting', settingRows(declaration, config));
}

/** Numbers statements through all policies, so that each number names one. */
function numberStatements(policies: readonly GrantedAction[][]): GrantedAction[] {
  let before = 0;
  return policies.flatMap((actions) => {
    const numbered = actions.map((action) => ({ ...action, statement: action.statement + before }));
    before += Math.max(0, ...actions.map(({ statement }) => statement));
    return numbered;
  });
}

function endpointRows(declaration: Declaration, config: Config): Parameter[][] {
  return [
    ...declaration.endpoints.map((endpoint) => endpointRow('endpoints', endpoint)),
    ...declaration.infrastructure.map((endpoint) => endpointRow('infrastructure', endpoint)),
    ...config.infrastructure.map((endpoint) => endpointRow('infrastructure', endpoint)),
    ...declaration.relays.map((relay) => endpointRow('relay', relay.address)),
  ];
}

/** `us-west-2` of `kms.us-west-2.amazonaws.com`; null for a host that names none, or is not AWS's. */
export function regionOf(host: string): string | null {
  if (!`.${host}`.endsWith('.amazonaws.com')) return null;
  return /(?:^|\.)((?:[a-z]{2}|us-gov|us-iso[a-z]?)-[a-z]+-\d+)\./.exec(host)?.[1] ?? null;
}

function endpointRow(kind: string, endpoint: Endpoint): Parameter[] {
  switch (endpoint.kind) {
    case 'host': {
      const host = endpoint.wildcard ? `.${endpoint.host}` : endpoint.host;
      return [
        kind,
        endpoint.text,
        host,
        endpoint.wildcard,
        null,
        null,
        null,
        endpoint.port,
        endpoint.protocol,
        regionOf(host),
      ];
    }
    case 'range':
      return [
        kind,
        endpoint.text,
        null,
        false,
        endpoint.first,
        endpoint.last,
        null,
        endpoint.port,
        endpoint.protocol,
        null,
      ];
    case 'unix':
      return [kind, endpoint.text, null, false, null, null, endpoint.path, null, null, null];
  }
}

function actionRow(source: string, { effect, inverted, statement, pattern }: GrantedAction): Parameter[] {
  const service = pattern === '*' ? '*' : (pattern.split(':')[0] ?? '*').toLowerCase();
  return [source, effect, inverted, statement, pattern, service, wildcardRegex(pattern)];
}

/** Anchored and lower case: IAM actions compare without case, `*` and `?` are wildcards. */
function wildcardRegex(pattern: string): string {
  const escaped = pattern.toLowerCase().replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return `^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`;
}

function settingRows(declaration: Declaration, config: Config): Parameter[][] {
  const rows: Parameter[][] = [];
  for (const [node, { egress }] of Object.entries(config.nodes)) {
    for (const text of egress) rows.push(['node-egress', node, rangeText(text)]);
  }
  for (const text of config.resolvers) rows.push(['resolver', text, rangeText(text)]);
  for (const endpoint of [...declaration.infrastructure, ...config.infrastructure]) {
    if (endpoint.kind === 'range' && endpoint.port === 53) {
      rows.push(['resolver', endpoint.text, `${endpoint.first}-${endpoint.last}`]);
    }
  }
  for (const domain of config.searchDomains) rows.push(['search-domain', domain, domain]);
  for (const issuer of config.issuers ?? []) rows.push(['issuer', issuer, issuer]);
  for (const name of config.assume) rows.push(['assume', name, name]);
  for (const { account, region, name } of requiredChains(config))
    rows.push(['trail-required', `${account}/${region}`, name ?? '']);
  if (declaration.image !== undefined) rows.push(['context', 'image', 'image']);
  for (const name of ['commit', 'run'])
    if (declaration.trigger?.[name] !== undefined) rows.push(['context', name, name]);
  for (const name of declaration.require) rows.push(['require', name, name]);
  for (const template of config.sessionNames) {
    rows.push(['session-name', sessionNameRegex(template, declaration.task.id), template]);
    // without a hyphen in what stands beside it, the id can be no part of a longer one
    rows.push(['session-name-sure', sessionNameRegex(template, declaration.task.id, '[A-Za-z0-9_+=,.@]+'), template]);
  }
  return rows;
}

/** Chains that are missed when nothing of them is there: those listed as such, and those that a collector is to read. */
function requiredChains({ trails, sources }: Config): { account: string; region: string; name?: string | undefined }[] {
  const listed = trails === undefined || 'file' in trails ? [] : trails;
  const chains = [...listed, ...(sources?.cloudtrail ?? []).flatMap((source) => source.chains)];
  return chains.filter(
    ({ account, region, name }, index) =>
      chains.findIndex((one) => one.account === account && one.region === region && one.name === name) === index,
  );
}

/** `first-last` in 32 hex digits each. */
function rangeText(text: string): string {
  const range = toHexRange(text);
  return range === undefined ? '' : `${range.first}-${range.last}`;
}

/** Matches the whole session name of this task; every other placeholder stands for one or more allowed characters. */
export function sessionNameRegex(template: string, taskId: string, other = '[A-Za-z0-9_+=,.@-]+'): string {
  return `^${templateParts(template)
    .map((part) => (part === '{task}' ? escapeRegex(taskId) : part.startsWith('{') ? other : escapeRegex(part)))
    .join('')}$`;
}

function templateParts(template: string): string[] {
  return template.split(/(\{[a-z]+\})/).filter((part) => part !== '');
}

function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** SQL condition on table process (alias p) under which a workload selector matches; values go in as parameters. */
export function selectorSql(selector: Selector): { condition: string; parameters: Parameter[] } {
  const conditions: string[] = [];
  const parameters: Parameter[] = [];
  const add = (condition: string, ...values: Parameter[]): void => {
    conditions.push(condition);
    parameters.push(...values);
  };
  for (const pair of Object.entries(selector.env ?? {})) add('contains(p.env, ?)', JSON.stringify(pair));
  if (selector.container !== undefined) {
    // the sensor may give a prefix of the id
    add(
      'p.container IS NOT NULL AND (starts_with(p.container, ?) OR (length(p.container) >= 12 AND starts_with(?, p.container)))',
      selector.container,
      selector.container,
    );
  }
  if (selector.pod !== undefined)
    add('p.pod_namespace = ? AND p.pod_name = ?', selector.pod.namespace, selector.pod.name);
  for (const [key, value] of Object.entries(selector.labels ?? {})) {
    // exported as a list of "key=value" (behind a source prefix) or as an object
    add(
      '(contains(p.pod_labels, ?) OR contains(p.pod_labels, ?) OR contains(p.pod_labels, ?))',
      `:${key}=${value}"`,
      JSON.stringify(`${key}=${value}`),
      `${JSON.stringify(key)}:${JSON.stringify(value)}`,
    );
  }
  if (selector.process !== undefined) {
    add(
      'p.node = ? AND p.pid = ? AND abs(epoch_ns(p.started) - epoch_ns(CAST(? AS TIMESTAMP_NS))) <= 10000000',
      selector.process.node,
      selector.process.pid,
      selector.process.started,
    );
  }
  if (selector.execId !== undefined) add('p.exec_id = ?', selector.execId);
  return { condition: conditions.join(' AND '), parameters };
}
