import type { Records } from '../evidence/record-log.ts';
import { type Declaration, parseDeclaration } from '../model/declaration.ts';
import type { DeclaredRecord } from '../model/declared-record.ts';
import { TallyError } from '../model/errors.ts';
import { parseGranted } from '../model/granted.ts';

/** A declaration as it is handed in. */
export interface Submission {
  /** YAML. */
  readonly declaration: string;
  /** Texts of the granted policies that it names, in its order. */
  readonly policies: readonly string[];
  /** Record it even though the task has egress already. */
  readonly late: boolean;
  /** For messages: the file or the caller. */
  readonly name: string;
}

/** `declared`: RFC 3339. `already`: the same declaration had been recorded before; that time stands. */
export interface Recorded {
  readonly task: string;
  readonly declared: string;
  readonly already: boolean;
}

export interface DeclarationBook {
  record(submission: Submission): Promise<Recorded>;
  readonly tasks: ReadonlyMap<string, KnownTask>;
}

export interface KnownTask {
  readonly record: DeclaredRecord;
  readonly declared: string;
}

/** Why a declaration is not taken: the task was declared otherwise, or was there before it. */
export class DeclarationConflict extends TallyError {}

/**
 * Records declarations, each once. `firstEgress` looks for egress that the task already has. Of two declarations of one
 * task the first holds: a later one could only widen what was promised.
 */
export function openBook(
  records: Records,
  known: ReadonlyMap<string, KnownTask>,
  firstEgress: (declaration: Declaration) => Promise<string | undefined>,
  nowNs: () => bigint,
): DeclarationBook {
  const tasks = new Map(known);
  let turn: Promise<unknown> = Promise.resolve(); // one at a time: two at once could both be the first
  async function take(submission: Submission): Promise<Recorded> {
    const receivedAt = nowNs();
    const declaration = parseDeclaration(submission.declaration, submission.name);
    checkPolicies(declaration, submission);
    const task = declaration.task.id;
    const before = tasks.get(task);
    if (before !== undefined) {
      if (
        before.record.declaration === submission.declaration &&
        sameTexts(before.record.policies, submission.policies)
      )
        return { task, declared: before.declared, already: true };
      throw new DeclarationConflict(
        'usage',
        `task ${task} was declared otherwise at ${before.declared}, and that holds; give the new task an id of its own.`,
      );
    }
    const egress = submission.late ? undefined : await firstEgress(declaration);
    if (egress !== undefined) {
      throw new DeclarationConflict(
        'usage',
        `task ${task} has had egress since ${egress}: declare before it runs, or record it as late (--late), which its report will say.`,
      );
    }
    const record = {
      task,
      declaration: submission.declaration,
      policies: [...submission.policies],
      late: submission.late,
    };
    const log = await records.log('tally', 'declared');
    await log.append(Buffer.from(JSON.stringify(record)), receivedAt);
    const declared = toTime(receivedAt);
    tasks.set(task, { record, declared });
    return { task, declared, already: false };
  }
  return {
    tasks,
    record(submission) {
      const next = turn.then(() => take(submission));
      turn = next.catch(() => undefined);
      return next;
    },
  };
}

function checkPolicies(declaration: Declaration, { policies, name }: Submission): void {
  const named = declaration.credentials.filter(({ provider, policy }) => provider === 'aws' && policy !== undefined);
  if (named.length !== policies.length) {
    throw new TallyError(
      'usage',
      `${name} names ${named.length} granted policies, but ${policies.length} came with it; send their texts under "policies".`,
    );
  }
  for (const [index, text] of policies.entries()) {
    try {
      parseGranted(text);
    } catch (error) {
      if (!(error instanceof TallyError)) throw error;
      const which = named[index]?.policy ?? '';
      throw new TallyError(error.code, `${name}: the granted policy ${which}: ${error.message}`, { cause: error });
    }
  }
}

function sameTexts(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((text, index) => text === others[index]);
}

/** ns since 1970 as RFC 3339, to the microsecond, as the tables hold it. */
export function toTime(ns: bigint): string {
  const micros = (ns / 1000n) % 1_000_000n;
  return `${new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19)}.${String(micros).padStart(6, '0')}Z`;
}
