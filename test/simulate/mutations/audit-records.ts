import type { CloudFile, Evidence } from '../evidence.ts';
import type { Random } from '../random.ts';
import type { World } from '../world.ts';
import { freshAddress, freshUuid } from './additions.ts';
import type { EvidenceMutation } from './mutation.ts';
import { resign } from './resign.ts';
import { type Fields, nameOf, recordsOf, taskFiles, toLog } from './trail-files.ts';

/** What the provider itself may write otherwise than usual: the chain lists and signs it so. */
export const recordMutations: readonly EvidenceMutation[] = [
  {
    id: 'records-reordered',
    group: 'harmless',
    about: 'Records and files stand in another order.',
    changes: 'records',
    apply(evidence, _, random) {
      for (const log of evidence.cloudtrail) {
        if (log.kind === 'log') log.text = toLog(random.shuffle(recordsOf(log)));
      }
      resign(evidence);
      evidence.cloudtrail = random.shuffle(evidence.cloudtrail);
      return { truth: 'harmless', codes: [], names: [] };
    },
  },
  {
    id: 'files-loose',
    group: 'harmless',
    about: 'The files lie in one folder, without the layout of the bucket.',
    changes: 'evidence',
    apply(evidence) {
      evidence.cloudtrail = evidence.cloudtrail.map((file) => ({ ...file, path: nameOf(file) }));
      return { truth: 'harmless', codes: [], names: [] };
    },
  },
  {
    id: 'record-told-twice',
    group: 'harmless',
    about: "A record of the task's stands in two log files: delivery is at least once.",
    changes: 'records',
    apply(evidence, world, random) {
      const one = pickUse(evidence, world, random);
      const log = one && random.maybe(taskFiles(evidence, world).own.filter((other) => other !== one.log));
      if (one === undefined || log === undefined) return undefined;
      log.text = toLog([...recordsOf(log), one.use]);
      resign(evidence);
      return { truth: 'harmless', codes: [], names: [] };
    },
  },
  {
    id: 'record-delayed-told',
    group: 'harmless',
    about: 'A record says that it was delivered late.',
    changes: 'records',
    apply(evidence, world, random) {
      const changed = changeUse(evidence, world, random, (use) => ({ ...use, addendum: { reason: 'DELIVERY_DELAY' } }));
      return changed && { truth: 'harmless', codes: [], names: [] };
    },
  },
  {
    id: 'record-corrected-alike',
    group: 'harmless',
    about: 'A later record corrects one of the task in something that does not matter.',
    changes: 'records',
    apply(evidence, world, random) {
      const id = correct(evidence, world, random, { userAgent: 'corrected/1.0' });
      return id === undefined ? undefined : { truth: 'harmless', codes: [], names: [] };
    },
  },
  {
    id: 'record-corrected-to-elsewhere',
    group: 'audit',
    about: 'A later record corrects where one of the task came from: elsewhere.',
    changes: 'records',
    apply(evidence, world, random) {
      const source = freshAddress(world, random);
      const id = correct(evidence, world, random, { sourceIPAddress: source });
      return id === undefined ? undefined : { truth: 'violation', codes: ['foreign-use'], names: [id, source] };
    },
  },
  {
    id: 'service-outage-told',
    group: 'audit',
    about: 'A record says that the service could not log for a time.',
    changes: 'records',
    apply(evidence, world, random) {
      const one = changeUse(evidence, world, random, (use) => ({ ...use, addendum: { reason: 'SERVICE_OUTAGE' } }));
      const source = String(one?.use['eventSource']);
      return one && { truth: 'doubt', codes: ['log-loss'], names: [source, String(one.use['eventID'])] };
    },
  },
  {
    id: 'parameters-omitted',
    group: 'harmless',
    about: "A record's parameters were too large and are left out.",
    changes: 'records',
    apply(evidence, world, random) {
      const one = changeUse(
        evidence,
        world,
        random,
        (use) => ({ ...use, requestParameters: { omitted: true }, responseElements: null }),
        // A call that hands out a credential says in its answer which.
        (use) => use['eventSource'] !== 'sts.amazonaws.com',
      );
      return one && { truth: 'harmless', codes: [], names: [] };
    },
  },
  {
    id: 'issuance-omitted',
    group: 'audit',
    about: "The record that issued the task's credential does not tell which: the answer was left out.",
    changes: 'records',
    apply(evidence, world, random) {
      const sessions = taskFiles(evidence, world).life.sessions.filter(({ logged }) => logged);
      const session = random.maybe(sessions);
      const one = changeUse(
        evidence,
        world,
        random,
        (use) => ({ ...use, responseElements: { omitted: true } }),
        (use) => use['eventID'] === session?.eventId,
        true,
      );
      if (one === undefined || session === undefined) return undefined;
      const names = [session.key, session.name, session.eventId];
      return { truth: 'doubt', codes: ['unknown-issuance', 'open-chain', 'log-loss'], names };
    },
  },
  {
    id: 'key-not-told',
    group: 'harmless',
    about: 'A record does not tell the access key; the role session that it names was issued once only.',
    changes: 'records',
    apply(evidence, world, random) {
      const names = world.sessions.map(({ roleId, name }) => `${roleId}:${name}`);
      const one = changeUse(
        evidence,
        world,
        random,
        (use) => ({ ...use, userIdentity: { ...identityOf(use), accessKeyId: '' } }),
        (use) => names.filter((name) => name === identityOf(use)['principalId']).length === 1,
      );
      return one && { truth: 'harmless', codes: [], names: [] };
    },
  },
];

function identityOf(use: Fields): Fields {
  return (use['userIdentity'] ?? {}) as Fields;
}

interface Found {
  readonly log: CloudFile;
  readonly use: Fields;
}

/** A record of a call of the task; with `issuing`, any record that bears one of its keys. */
function pickUse(
  evidence: Evidence,
  world: World,
  random: Random,
  fits: (use: Fields) => boolean = () => true,
  issuing = false,
): Found | undefined {
  const { life, own } = taskFiles(evidence, world);
  const ids = new Set(life.calls.map(({ eventId }) => eventId));
  const found = own.flatMap((log) =>
    recordsOf(log)
      .filter((use) => (issuing || ids.has(String(use['eventID']))) && fits(use))
      .map((use): Found => ({ log, use })),
  );
  return random.maybe(found);
}

function changeUse(
  evidence: Evidence,
  world: World,
  random: Random,
  change: (use: Fields) => Fields,
  fits?: (use: Fields) => boolean,
  issuing?: boolean,
): Found | undefined {
  const one = pickUse(evidence, world, random, fits, issuing);
  if (one === undefined) return undefined;
  const id = one.use['eventID'];
  one.log.text = toLog(recordsOf(one.log).map((use) => (use['eventID'] === id ? change(use) : use)));
  resign(evidence);
  return one;
}

/** Adds a record that corrects one of the task (facts/cloudtrail.md 1, addendum); gives the id of what it corrects. */
function correct(evidence: Evidence, world: World, random: Random, fields: Fields): string | undefined {
  const one = pickUse(evidence, world, random, (use) => /^[\d.:a-f]+$/.test(String(use['sourceIPAddress'])));
  if (one === undefined) return undefined;
  const original = String(one.use['eventID']);
  const addendum = {
    reason: 'UPDATED_DATA',
    updatedFields: Object.keys(fields).join(','),
    originalRequestID: one.use['requestID'],
    originalEventID: original,
  };
  const record = { ...one.use, ...fields, eventID: freshUuid(random), addendum };
  one.log.text = toLog([...recordsOf(one.log), record]);
  resign(evidence);
  return original;
}
