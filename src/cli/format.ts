import { createHash } from 'node:crypto';
import { type Command, Option } from 'commander';
import { TallyError } from '../model/errors.ts';
import type { Report } from '../model/report.ts';
import type { FormOptions } from '../report/form.ts';
import { renderJunit } from '../report/junit.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { renderOcsf } from '../report/ocsf.ts';
import { renderSarif } from '../report/sarif.ts';
import { renderText } from '../report/text.ts';
import type { GlobalFlags, Io } from './io.ts';
import { toJsonText } from './json-text.ts';

/** Forms for other tools: from a report to what is printed. */
const forms = {
  markdown: renderMarkdown,
  sarif: renderSarif,
  junit: renderJunit,
  ocsf: renderOcsf,
} as const satisfies Record<string, (report: Report, options: FormOptions) => string>;

export type Format = 'text' | 'json' | keyof typeof forms;
const formats: readonly Format[] = ['text', 'json', 'markdown', 'sarif', 'junit', 'ocsf'];

export interface FormatFlag {
  readonly format?: Format;
}

export function withFormat(command: Command): Command {
  return command.addOption(new Option('--format <form>', 'form of what is printed (default: text)').choices(formats));
}

/** `--json` is short for `--format json`; two different wishes are a mistake, told before any work is done. */
export function toFormat(flags: FormatFlag, globals: GlobalFlags): Format {
  if (globals.json === true && flags.format !== undefined && flags.format !== 'json') {
    throw new TallyError('usage', `--json and --format ${flags.format} ask for two forms; give one of them.`);
  }
  return flags.format ?? (globals.json === true ? 'json' : 'text');
}

/** Prints a report to stdout; text gives way to --quiet, a form that was asked for does not. */
export function printReport(io: Io, globals: GlobalFlags, format: Format, report: Report): void {
  if (format === 'json') io.stdout(toJsonText(report, 2));
  else if (format !== 'text') io.stdout(renderForm(format, report));
  else if (globals.quiet !== true) io.stdout(renderText(report, { color: io.colour && globals.color !== false }));
}

/** Whether notes beside the result are told on stderr. */
export function tellsNotes(globals: GlobalFlags, format: Format): boolean {
  return globals.quiet !== true && format !== 'json';
}

/** With what was verified and what was not, where it was. */
export function renderForm(
  format: keyof typeof forms,
  report: Report,
  verified?: { readonly checked: readonly string[]; readonly notChecked: readonly string[] },
): string {
  return forms[format](report, {
    sha256,
    ...(verified === undefined ? {} : { verification: verified.checked, notVerified: verified.notChecked }),
  });
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
