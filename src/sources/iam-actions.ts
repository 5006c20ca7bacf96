import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** One row of queries/tables/iam_action.sql, keys in its column order. */
export interface IamAction {
  readonly service: string;
  readonly event_name: string;
  readonly action: string;
  readonly permissionless: boolean;
  readonly uncertain: boolean;
}

/** One row of queries/tables/audit_service.sql, keys in its column order. */
export interface AuditService {
  readonly service: string;
  readonly source: string;
  readonly home_region: string | null;
}

/** One row of queries/tables/data_action.sql, keys in its column order. */
export interface DataAction {
  readonly service: string;
  readonly action: string;
  readonly resource_type: string;
  readonly read_only: boolean;
}

const names = z.array(z.string());
const actionsSchema = z.object({
  prefixes: z.record(z.string(), z.string()),
  permissionless: z.record(z.string(), names),
  all: z.record(z.string(), z.record(z.string(), names)),
  any: z.record(z.string(), z.record(z.string(), names)),
});
const servicesSchema = z.object({
  global: z.record(z.string(), names),
  sources: z.record(z.string(), z.string()),
  data: z.array(z.object({ service: z.string(), resourceType: z.string(), read: names, write: names })),
});

/** Rows of queries/iam-actions.json (facts/cloudtrail.md 9). */
export function readIamActions(): IamAction[] {
  const { prefixes, permissionless, all, any } = actionsSchema.parse(readData('iam-actions.json'));
  const row = (service: string, event_name: string, action: string): IamAction => ({
    service: `${service}.amazonaws.com`,
    event_name,
    action,
    permissionless: false,
    uncertain: false,
  });
  const events = (map: z.output<typeof actionsSchema>['all']): IamAction[] =>
    Object.entries(map).flatMap(([service, byName]) =>
      Object.entries(byName).flatMap(([name, actions]) =>
        actions.map((action) => row(service, name, `${service}:${action}`)),
      ),
    );
  return [
    ...Object.entries(prefixes).map(([service, prefix]) => row(service, '*', `${prefix}:*`)),
    ...Object.entries(permissionless).flatMap(([service, list]) =>
      list.map((name) => ({ ...row(service, name, `${service}:${name}`), permissionless: true })),
    ),
    ...events(all),
    ...events(any).map((action) => ({ ...action, uncertain: true })),
  ];
}

/** Rows of queries/audit-services.json: services that are global, or named otherwise in CloudTrail than in IAM. */
export function readAuditServices(): AuditService[] {
  const { global, sources } = servicesSchema.parse(readData('audit-services.json'));
  const source = (service: string): string => `${sources[service] ?? service}.amazonaws.com`;
  return [
    ...Object.entries(global).flatMap(([home_region, services]) =>
      services.map((service) => ({ service, source: source(service), home_region })),
    ),
    ...Object.keys(sources).map((service) => ({ service, source: source(service), home_region: null })),
  ];
}

/** Rows of queries/audit-services.json: actions whose records are data events. */
export function readDataActions(): DataAction[] {
  const { data } = servicesSchema.parse(readData('audit-services.json'));
  return data.flatMap(({ service, resourceType, read, write }) => [
    ...read.map((action) => toDataAction(service, action, resourceType, true)),
    ...write.map((action) => toDataAction(service, action, resourceType, false)),
  ]);
}

function toDataAction(service: string, action: string, resource_type: string, read_only: boolean): DataAction {
  return { service, action: `${service}:${action}`.toLowerCase(), resource_type, read_only };
}

function readData(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../queries/${name}`, import.meta.url), 'utf8')) as unknown;
}
