import type { Config } from '../model/config.ts';
import { insertDeclared } from '../judge/declared.ts';
import { createTables, openDatabase, type Parameter } from '../query/database.ts';
import { readQuery } from '../query/queries.ts';
import type { AuditSnapshot } from '../sources/cloudtrail-trails.ts';
import { readAuditServices, readDataActions, readIamActions } from '../sources/iam-actions.ts';
import type { DeclaredTask } from './doctor-task.ts';

export interface Classes {
  /** Classes of events that are off though the credential could be used with the service. */
  readonly off: readonly {
    readonly service: string;
    readonly detail: string;
    /** Of data events; undefined for management events. */
    readonly resourceType: string | undefined;
  }[];
  /** `account/region` in which the credential can be used. */
  readonly places: readonly string[];
}

/**
 * Asks the judge's own claim what it would say of these snapshots: they are put before and after a task that has just been
 * declared. Of its findings only those about what is switched on are taken; digests and records are not here yet.
 */
export async function judgeClasses(
  rows: readonly AuditSnapshot[],
  config: Config,
  { declaration, policies }: DeclaredTask,
): Promise<Classes> {
  const database = await openDatabase();
  try {
    await createTables(database);
    // which chains are expected must not say where the credential can be used
    const anywhere = { ...config };
    delete anywhere.trails;
    delete anywhere.sources;
    await insertDeclared(database, declaration, anywhere, policies);
    await database.insert('iam_action', readIamActions().map(cells));
    await database.insert('audit_service', readAuditServices().map(cells));
    await database.insert('data_action', readDataActions().map(cells));
    const time = '2000-01-01T00:00:00Z';
    await database.insert(
      'audit_snapshot',
      rows.map((row) => cells({ ...row, time, latest_digest: null })),
    );
    await database.run(
      `INSERT INTO task (task_id, type, declared_basis, window_start, window_end, last_exit, tolerance, newest, has_policy, evidence)
       SELECT ?, '', 'self-reported', t, t, t, INTERVAL 2 SECONDS, t, ?, '' FROM (SELECT CAST(? AS TIMESTAMP) AS t)`,
      [declaration.task.id, policies.length > 0, time],
    );
    const findings = await database.all(
      `SELECT DISTINCT code, subject, detail FROM (${readQuery('claims/audit-complete')})
       WHERE (code = 'class-off' AND kind = 'doubt') OR code = 'digest-missing' ORDER BY ALL`,
    );
    const found = findings.map(({ code, subject, detail }) => ({
      code: String(code),
      subject: String(subject),
      detail: String(detail),
    }));
    return {
      off: found
        .filter(({ code }) => code === 'class-off')
        .map(({ subject, detail }) => ({
          service: subject,
          detail,
          resourceType: /^Data events of (\S+) /.exec(detail)?.[1],
        })),
      places: [
        ...new Set(
          found.flatMap(({ code, subject }) =>
            code === 'digest-missing' ? (/^(\d{12}\/\S+)/.exec(subject)?.slice(1, 2) ?? []) : [],
          ),
        ),
      ],
    };
  } finally {
    await database.close();
  }
}

function cells(row: object): Parameter[] {
  return Object.values(row) as Parameter[];
}
