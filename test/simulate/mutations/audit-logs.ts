import type { CloudFile, Evidence } from '../evidence.ts';
import type { Random } from '../random.ts';
import { freshAddress, freshUuid } from './additions.ts';
import type { EvidenceMutation, Expected } from './mutation.ts';
import { type Fields, nameOf, recordsOf, type TaskFiles, taskFiles, toLog } from './trail-files.ts';
import type { TaskLife } from './task-life.ts';

/** What may be done to log files that were delivered. */
export const logMutations: readonly EvidenceMutation[] = [
  {
    id: 'log-removed',
    group: 'audit',
    about: 'A log file with records of the task is not here.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const { own, life } = taskFiles(evidence, world);
      const told = remove(evidence, random.maybe(own), ['log-file-missing', 'unknown-issuance']);
      return told && { ...told, names: [...told.names, ...life.sessions.flatMap(({ key, name }) => [key, name])] };
    },
  },
  {
    id: 'log-of-others-removed',
    group: 'audit',
    about: 'A log file of the time is not here; it had no record of the task, which only its content could tell.',
    changes: 'evidence',
    apply: (evidence, world, random) =>
      remove(evidence, random.maybe(taskFiles(evidence, world).others), ['log-file-missing']),
  },
  {
    id: 'log-byte-altered',
    group: 'audit',
    about: 'One byte of a log file is another one.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const { own, others, life } = taskFiles(evidence, world);
      const log = random.maybe([...own, ...others]);
      const at = log === undefined ? -1 : log.text.indexOf('"userAgent":"') + 13;
      if (log === undefined || at < 13) return undefined;
      log.text = `${log.text.slice(0, at)}${log.text[at] === 'x' ? 'y' : 'x'}${log.text.slice(at + 1)}`;
      return altered(log, life);
    },
  },
  {
    id: 'log-record-deleted',
    group: 'audit',
    about: 'A record was taken out of a log file.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const { own, others, life } = taskFiles(evidence, world);
      const log = random.maybe([...own, ...others]);
      if (log === undefined) return undefined;
      const records = recordsOf(log);
      records.splice(random.int(0, records.length - 1), 1);
      log.text = toLog(records);
      return altered(log, life);
    },
  },
  {
    id: 'log-record-added',
    group: 'audit',
    about: 'A record was put into a log file.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const { own, life } = taskFiles(evidence, world);
      const log = random.maybe(own);
      if (log === undefined) return undefined;
      const records = recordsOf(log);
      log.text = toLog([...records, { ...random.pick(records), eventID: freshUuid(random) }]);
      return altered(log, life);
    },
  },
  {
    id: 'log-unreadable',
    group: 'audit',
    about: 'A log file breaks off in the middle.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const { own, life } = taskFiles(evidence, world);
      const log = random.maybe(own);
      if (log === undefined) return undefined;
      log.text = log.text.slice(0, random.int(1, log.text.length - 1));
      return { ...altered(log, life), codes: ['log-loss', 'log-file-altered', 'log-file-missing'] };
    },
  },
  {
    id: 'log-emptied',
    group: 'audit',
    about: 'A log file has no records any more.',
    changes: 'evidence',
    apply(evidence, world, random) {
      const { own, life } = taskFiles(evidence, world);
      const log = random.maybe(own);
      if (log === undefined) return undefined;
      log.text = toLog([]);
      return altered(log, life);
    },
  },
  {
    id: 'log-unlisted-proving',
    group: 'audit',
    about: 'A log file that no digest lists has a further use by the task that fits.',
    changes: 'evidence',
    apply: (evidence, world, random) => addUnlisted(evidence, taskFiles(evidence, world), random, (use) => use),
  },
  {
    id: 'log-unlisted-accusing',
    group: 'audit',
    about: 'A log file that no digest lists has a use of the credential from elsewhere.',
    changes: 'evidence',
    apply: (evidence, world, random) =>
      addUnlisted(evidence, taskFiles(evidence, world), random, (use) => ({
        ...use,
        sourceIPAddress: freshAddress(world, random),
        eventName: 'DeleteHostedZone',
        eventSource: 'route53.amazonaws.com',
      })),
  },
  {
    id: 'log-unlisted-of-others',
    group: 'audit',
    about: 'A log file that no digest lists has records of others.',
    changes: 'evidence',
    apply: (evidence, world, random) =>
      addUnlisted(evidence, taskFiles(evidence, world), random, (use) => ({
        ...use,
        userIdentity: { type: 'AWSService', invokedBy: 'config.amazonaws.com' },
        sourceIPAddress: 'config.amazonaws.com',
      })),
  },
];

function remove(evidence: Evidence, log: CloudFile | undefined, codes: readonly string[]): Expected | undefined {
  if (log === undefined) return undefined;
  evidence.cloudtrail = evidence.cloudtrail.filter((file) => file !== log);
  return { truth: 'doubt', codes, names: [nameOf(log)] };
}

/** Where the file held the issuance, what is missing is told by the credential. */
function altered(log: CloudFile, life: TaskLife): Expected {
  const names = [nameOf(log), ...life.sessions.flatMap(({ key, name }) => [key, name])];
  return { truth: 'doubt', codes: ['log-file-altered', 'unknown-issuance'], names };
}

/** A file that looks delivered like the one whose use it varies. */
function addUnlisted(
  evidence: Evidence,
  files: TaskFiles,
  random: Random,
  vary: (use: Fields) => Fields,
): Expected | undefined {
  const ids = new Set(files.life.calls.map(({ eventId }) => eventId));
  // what came after the newest digest may be listed yet
  const settled = files.own.filter((log) => files.chains.some((chain) => (chain.at(-1)?.at ?? 0n) > log.at));
  const found = settled.flatMap((log) =>
    recordsOf(log).flatMap((use) => (ids.has(String(use['eventID'])) ? [{ log, use }] : [])),
  );
  const one = random.maybe(found);
  if (one === undefined) return undefined;
  const path = one.log.path.replace(/_\w{16}\.json/, `_${random.base32(16)}.json`);
  const record = { ...vary(one.use), eventID: freshUuid(random), requestID: freshUuid(random) };
  const file: CloudFile = { ...one.log, path, text: toLog([record]) };
  evidence.cloudtrail.push(file);
  return { truth: 'doubt', codes: ['log-file-unlisted'], names: [nameOf(file)] };
}
