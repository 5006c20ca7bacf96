import { toAddress } from '../model/address.ts';
import type { Finding } from '../model/claim.ts';
import type { Report, ReportConnection, ReportProcess, ReportUse } from '../model/report.ts';

/** What of the report a finding's evidence speaks of. */
export interface Place {
  /** Record id, as in the finding. */
  readonly record: string;
  readonly connection?: ReportConnection;
  readonly use?: ReportUse;
  /** The process itself, or the one that made the connection. */
  readonly process?: ReportProcess;
}

/** Finds connections, uses and processes by the record ids that findings name; made once for a report. */
export function toPlaces(report: Report): (finding: Finding, max: number) => Place[] {
  const connections = new Map(report.connections.map((row) => [row.id, row]));
  const processes = new Map(report.processes.map((row) => [row.execId, row]));
  const started = new Map(report.processes.map((row) => [row.evidence, row]));
  const uses = new Map(report.uses.flatMap((row) => [[row.id, row] as const, [row.evidence, row] as const]));
  return (finding, max) =>
    finding.evidence.slice(0, max).map((record) => {
      const connection = connections.get(record);
      const use = uses.get(record) ?? uses.get(record.slice(record.indexOf('#') + 1));
      const process = connection === undefined ? started.get(record) : processes.get(connection.execId);
      return {
        record,
        ...(connection === undefined ? {} : { connection }),
        ...(use === undefined ? {} : { use }),
        ...(process === undefined ? {} : { process }),
      };
    });
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The address where the text is one, in its plain form. */
export function addressOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : toAddress(text);
}
