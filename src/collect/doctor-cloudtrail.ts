import type { CloudTrailSource } from '../model/collector.ts';
import type { Config } from '../model/config.ts';
import { AwsError } from '../sources/aws-error.ts';
import { type AuditSnapshot, parseSnapshots } from '../sources/cloudtrail-trails.ts';
import { checkClock } from './doctor-clock.ts';
import { judgeClasses } from './doctor-classes.ts';
import { type Finding, type Notes, openNotes, reason } from './doctor-finding.ts';
import type { Probes } from './doctor-probes.ts';
import type { DeclaredTask } from './doctor-task.ts';

type Chain = CloudTrailSource['chains'][number];

const hour = 3_600_000;

/** Everything about the trails of one bucket, for one task where one is given. */
export async function checkCloudTrail(
  source: CloudTrailSource,
  probes: Probes,
  config: Config,
  task: DeclaredTask | undefined,
): Promise<readonly Finding[]> {
  const about = openNotes(`CloudTrail ${source.bucket}`);
  await checkTime(about, source, probes, config.tolerance);
  const rows = await askTrails(about, source, probes);
  const findings: Finding[] = [];
  for (const chain of source.chains) {
    const notes = openNotes(
      `trail ${chain.account}/${chain.region}${chain.name === undefined ? '' : ` ${chain.name}`}`,
    );
    if (rows !== undefined) checkChain(notes, chain, rows);
    await checkDigests(notes, source, chain, probes);
    findings.push(...notes.findings);
  }
  if (task !== undefined && rows !== undefined && rows.length > 0)
    await checkClasses(about, source, rows, config, task);
  return [...about.findings, ...findings];
}

async function checkTime(notes: Notes, source: CloudTrailSource, probes: Probes, tolerance: number): Promise<void> {
  const date = await probes.net.date(source.endpoint ?? `https://s3.${source.region}.amazonaws.com`);
  // of a server that can't be reached the next checks tell
  if (date !== undefined) checkClock(notes, probes.now(), date, tolerance, 'set this host’s clock by NTP');
}

/** Undefined where the API could not be asked at all: then nothing is said of single chains. */
async function askTrails(notes: Notes, source: CloudTrailSource, probes: Probes): Promise<AuditSnapshot[] | undefined> {
  const regions = [...new Set([source.region, ...source.chains.map(({ region }) => region)])];
  const rows: AuditSnapshot[] = [];
  let asked = 0;
  for (const region of regions) {
    try {
      const { texts, failed } = await probes.audit.snapshots(source, region);
      for (const error of failed) notes.fail('trail settings', reason(error), awsFix(error, trailActions));
      for (const text of texts) {
        const snapshot = parseSnapshots(text, 'snapshot');
        rows.push(...snapshot.rows);
        for (const problem of snapshot.problems)
          notes.warn('trail settings', `${region}: ${problem}`, 'see that all of the trail’s settings may be read');
      }
      asked += 1;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      notes.fail('trail settings', reason(error), awsFix(error, trailActions));
    }
  }
  return asked === 0 ? undefined : rows;
}

const trailActions =
  'cloudtrail:DescribeTrails, cloudtrail:GetTrailStatus, cloudtrail:GetEventSelectors and cloudtrail:ListPublicKeys';

function awsFix({ trouble }: AwsError, actions: string): string {
  switch (trouble) {
    case 'credentials':
      return 'give the collector AWS credentials that renew themselves: an instance role, or AWS_PROFILE in its environment';
    case 'forbidden':
      return `allow ${actions} (deploy/aws/collector-policy.json)`;
    case 'clock':
      return 'set this host’s clock by NTP';
    case 'bucket':
    case 'not-found':
      return 'check bucket, prefix and region of sources.cloudtrail';
    case 'throttled':
      return 'wait, then ask again; others use up the same quota';
    case 'unreachable':
      return 'check region, endpoint and the network between';
  }
}

function checkChain(notes: Notes, chain: Chain, rows: readonly AuditSnapshot[]): void {
  const own = rows.filter(
    (row) =>
      row.account === chain.account &&
      (row.region === chain.region || row.multi_region) &&
      (chain.name === undefined || row.trail === chain.name),
  );
  const [best] = own
    .map((row) => ({ row, faults: toFaults(row, chain) }))
    .sort((a, b) => a.faults.length - b.faults.length);
  if (best === undefined) {
    const single = rows.find((row) => row.account === chain.account && (chain.name ?? row.trail) === row.trail);
    notes.fail(
      'trail',
      single === undefined
        ? 'there is none that watches this region'
        : `${single.trail} watches ${single.region} alone`,
      single === undefined
        ? 'make one: deploy/aws/trail.sh; for another account give credentials that may read its trails'
        : `aws cloudtrail update-trail --name ${single.trail} --is-multi-region-trail`,
    );
    return;
  }
  for (const { check, detail, fix } of best.faults) notes.fail(check, detail, fix);
  if (best.faults.length === 0) notes.ok('trail', `${best.row.trail} logs, validated, all management events`);
  if (best.row.excluded !== '[]')
    notes.warn(
      'management events',
      `of ${(JSON.parse(best.row.excluded) as string[]).join(', ')} are left out`,
      'remove ExcludeManagementEventSources, or grant no task these services',
    );
}

function toFaults(row: AuditSnapshot, chain: Chain): { check: string; detail: string; fix: string }[] {
  const update = `aws cloudtrail update-trail --name ${row.trail}`;
  return [
    ...(row.logging
      ? []
      : [
          {
            check: 'logging',
            detail: `${row.trail} is switched off`,
            fix: `aws cloudtrail start-logging --name ${row.trail}`,
          },
        ]),
    ...(row.validated
      ? []
      : [
          {
            check: 'digests',
            detail: `log file validation of ${row.trail} is off: a deleted log file would go unseen`,
            fix: `${update} --enable-log-file-validation`,
          },
        ]),
    ...(chain.region !== 'us-east-1' || row.global_events
      ? []
      : [
          {
            check: 'global services',
            detail: `${row.trail} leaves out IAM, STS, Route 53 and the like`,
            fix: `${update} --include-global-service-events`,
          },
        ]),
    ...(row.management === 'all'
      ? []
      : [
          {
            check: 'management events',
            detail: `${row.trail} logs ${row.management === 'none' ? 'none' : `only those that ${row.management}`}`,
            fix: 'put-event-selectors: ReadWriteType All, IncludeManagementEvents true (deploy/aws/trail.sh)',
          },
        ]),
  ];
}

async function checkDigests(notes: Notes, source: CloudTrailSource, chain: Chain, probes: Probes): Promise<void> {
  try {
    const end = await probes.audit.newestDigest(source, chain);
    if (end === undefined) {
      notes.fail(
        'newest digest',
        `there is none under ${source.bucket}/${source.prefix}`,
        'check prefix, account and region; the first one comes within two hours of switching validation on',
      );
      return;
    }
    const age = probes.now().getTime() - end.getTime();
    const text = `ends ${end.toISOString().slice(0, 19)}Z, ${(age / hour).toFixed(1)} h ago`;
    if (age > 2 * hour)
      notes.fail('newest digest', text, 'see aws cloudtrail get-trail-status: LatestDigestDeliveryError');
    else notes.ok('newest digest', text);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    notes.fail('bucket', reason(error), awsFix(error, 's3:ListBucket and s3:GetObject'));
  }
}

/** Classes of events that the task's credentials need, by the rule of the judge. */
async function checkClasses(
  notes: Notes,
  source: CloudTrailSource,
  rows: readonly AuditSnapshot[],
  config: Config,
  task: DeclaredTask,
): Promise<void> {
  const { off, places } = await judgeClasses(rows, config, task);
  for (const { service, detail, resourceType } of off)
    notes.fail(`events of ${service}`, detail, classFix(detail, resourceType));
  if (off.length === 0) notes.ok('classes of events', `that task ${task.declaration.task.id} needs are logged`);
  const accounts = new Set(source.chains.map(({ account }) => account));
  for (const place of places) {
    const [account = '', region = ''] = place.split('/');
    if (!accounts.has(account) || source.chains.some((chain) => chain.account === account && chain.region === region))
      continue;
    notes.fail(
      'chains',
      `the task’s credentials can be used in ${place}, where no chain is expected`,
      `add { account: '${account}', region: ${region} } to chains`,
    );
  }
}

function classFix(detail: string, resourceType: string | undefined): string {
  if (resourceType !== undefined)
    return `put-event-selectors: { eventCategory: Data, resources.type: ${resourceType} }, or do not grant it`;
  return detail.includes('in no class')
    ? 'no setting shows these calls: do not grant them'
    : 'put-event-selectors: all management events (deploy/aws/trail.sh), or grant less';
}
