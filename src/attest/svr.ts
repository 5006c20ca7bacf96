import type { Manifest } from '../model/record.ts';
import type { Report } from '../model/report.ts';

export const svrType = 'https://in-toto.io/attestation/svr/v0.2';

/**
 * Predicate of an in-toto simple verification result, for policy engines: what holds, by name, and nothing else. A task
 * that is not proven has no TALLYSTICK_PROVEN, and what holds only under accepted assumptions has their names behind, so
 * that a policy which asks for the bare name never takes it. `timeCreated` is the newest time in the evidence, since
 * judging reads no clock: it is never later than when the verification really took place.
 */
export function toSvr(report: Report, manifest: Pick<Manifest, 'queries'>, manifestSha256: string): object {
  const given = report.assumptions.map(({ name }) => nameOf(name)).sort();
  const suffix = given.length === 0 ? '' : `_GIVEN_${given.join('_AND_')}`;
  const holding = report.claims.filter(({ result }) => result === 'holds').map(({ id }) => nameOf(id));
  return {
    verifier: {
      id: 'https://tallystick.dev/verifier/v1',
      policies: manifest.queries.map(({ path, sha256 }) => ({ name: path, digest: { sha256 } })),
      tallystick_version: report.tool.version,
    },
    timeCreated: newestTime(report),
    properties: [...(report.verdict === 'proven' ? ['PROVEN'] : []), ...holding].map(
      (one) => `TALLYSTICK_${one}${suffix}`,
    ),
    tallystick_report: { name: 'manifest.json', digest: { sha256: manifestSha256 } },
  };
}

function nameOf(id: string): string {
  return id.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_');
}

/** Times in a report are RFC 3339 in UTC: they compare as texts. */
function newestTime({ coverage, window }: Report): string {
  const times = [...coverage.map(({ until }) => until), window.end ?? '', window.start ?? ''];
  return times.reduce((a, b) => (a > b ? a : b), '') || '1970-01-01T00:00:00Z';
}
