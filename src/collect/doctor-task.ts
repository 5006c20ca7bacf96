import type { Config } from '../model/config.ts';
import type { Declaration } from '../model/declaration.ts';
import { type Finding, openNotes } from './doctor-finding.ts';
import type { Wanted } from './doctor-agent.ts';

/** A declaration with the texts of the granted policies that it names. */
export interface DeclaredTask {
  readonly declaration: Declaration;
  readonly policies: readonly string[];
}

/** What these declarations need of the sensor. */
export function toWanted(declarations: readonly Declaration[]): Wanted {
  const selectors = declarations.flatMap(({ workload }) => workload);
  return {
    variables: [...new Set(selectors.flatMap(({ env }) => Object.keys(env ?? {})))].sort(),
    pods: selectors.some(({ pod, labels }) => pod !== undefined || labels !== undefined),
  };
}

/** What a declaration and the configuration say together. */
export function checkTask({ declaration, policies }: DeclaredTask, config: Config): readonly Finding[] {
  const notes = openNotes(`task ${declaration.task.id}`);
  checkResolvers();
  checkCredentials();
  return notes.findings;

  function checkResolvers(): void {
    const hosts = declaration.endpoints.flatMap((endpoint) => (endpoint.kind === 'host' ? [endpoint] : []));
    const asked = hosts.filter(({ host, wildcard }) => wildcard || !(host in config.hosts)).map(({ text }) => text);
    if (asked.length === 0) return;
    const allowed = [...declaration.infrastructure, ...config.infrastructure];
    const known =
      config.resolvers.length > 0 || allowed.some((endpoint) => endpoint.kind === 'range' && endpoint.port === 53);
    if (known) notes.ok('names', 'DNS answers of the resolvers tie addresses to hosts');
    else
      notes.fail(
        'names',
        `no resolver is named, so no address is tied to ${asked.join(', ')}`,
        'set resolvers: [ADDRESS], or infrastructure: [ADDRESS:53/udp]',
      );
  }

  function checkCredentials(): void {
    const aws = declaration.credentials.filter(({ provider }) => provider === 'aws');
    if (declaration.credentials.length === 0)
      notes.warn(
        'credentials',
        'none is declared: every use of one would be undeclared',
        'list them under credentials',
      );
    else if (aws.length < declaration.credentials.length)
      notes.warn('credentials', 'only those of AWS are followed so far', 'expect the others to stay unproven');
    if (aws.length > 0 && (config.sources?.cloudtrail ?? []).length === 0)
      notes.fail('credentials', 'of AWS, but no trail is read', 'set sources.cloudtrail');
    if (aws.length > 0 && policies.length === 0)
      notes.warn(
        'granted policy',
        'is not given: every service of the declared endpoints has to be logged in full',
        'set credentials[].policy: a file with the granted IAM policy',
      );
    for (const { session } of aws) {
      if (session?.length === 64)
        notes.warn(
          'session name',
          `${session} has 64 characters: it may have been cut`,
          'use a shorter name, with the task’s id in full',
        );
    }
  }
}
