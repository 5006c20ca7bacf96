import { TallyError } from '../../src/model/errors.ts';
import type { GapRecord, RecordLog, Records } from '../../src/evidence/record-log.ts';

/** What survives the process: records by `stream/origin`, and gaps. */
export interface Disk {
  readonly kept: Map<string, string[]>;
  readonly gaps: GapRecord[];
  /** While true nothing can be kept. */
  isFull: boolean;
  /** What is written is neither acknowledged nor refused. */
  isStuck: boolean;
}

/** One process's view of the disk. */
export interface FakeRecords extends Records {
  /** As SIGKILL does: of what was not acknowledged, the first `survivors` records of each log are on disk; nothing else happens. */
  kill(survivors: number): void;
  /** Lets go of who still waits. */
  bury(): void;
}

export function newDisk(): Disk {
  return { kept: new Map(), gaps: [], isFull: false, isStuck: false };
}

/** A store whose writes take a moment, in groups, in order; a failed group takes all that waits behind it with it. */
export function openFake(disk: Disk): FakeRecords {
  const logs = new Map<string, RecordLog & { kill(survivors: number): void }>();
  let isDead = false;
  let bury: () => void = () => undefined;
  const buried = new Promise<void>((_, reject) => {
    bury = () => reject(full());
  });
  buried.catch(() => undefined);

  function openLog(key: string): RecordLog & { kill(survivors: number): void } {
    const kept = disk.kept.get(key) ?? [];
    disk.kept.set(key, kept);
    let waiting: { record: string; resolve: () => void; reject: (error: Error) => void }[] = [];
    let isFlushing = false;

    function flush(): void {
      isFlushing = false;
      if (isDead || disk.isStuck) return;
      const group = waiting;
      waiting = [];
      if (disk.isFull) for (const { reject } of group) reject(full());
      else
        for (const { record, resolve } of group) {
          kept.push(record);
          resolve();
        }
    }

    return {
      get nextSeq() {
        return kept.length + waiting.length;
      },
      append(record) {
        if (isDead) return buried;
        return new Promise((resolve, reject) => {
          waiting.push({ record: record.toString(), resolve, reject });
          record.fill(0); // it belongs to the log
          if (!isFlushing) setTimeout(flush, 1);
          isFlushing = true;
        });
      },
      kill(survivors) {
        kept.push(...waiting.slice(0, survivors).map(({ record }) => record));
        for (const { reject } of waiting.splice(0)) buried.catch(reject);
      },
    };
  }

  return {
    log(stream, origin) {
      const key = `${stream}/${origin}`;
      const log = logs.get(key) ?? openLog(key);
      logs.set(key, log);
      return Promise.resolve(log);
    },
    gap(gap) {
      if (isDead || disk.isFull) return Promise.reject(full());
      disk.gaps.push(gap);
      return Promise.resolve();
    },
    kill(survivors) {
      isDead = true;
      for (const log of logs.values()) log.kill(survivors);
    },
    bury: () => bury(),
  };
}

function full(): TallyError {
  return new TallyError('input', 'the disk is full', { retryable: true });
}
