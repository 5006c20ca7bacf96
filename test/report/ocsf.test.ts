import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { renderOcsf } from '../../src/report/ocsf.ts';
import { at, claims, pending, proven, unproven, violated } from './fixture.ts';
import { formOptions } from './form-options.ts';
import { hostileReport, hostileText } from './hostile-report.ts';
import { ocsfMistakes } from './ocsf-schema.ts';
import { contradictory, unexplained } from './unexplained.ts';

interface Event {
  readonly severity_id: number;
  readonly status_id: number;
  readonly is_alert: boolean;
  readonly time: number;
  readonly type_uid: number;
  readonly metadata: { readonly uid: string; readonly correlation_uid: string; readonly event_code: string };
  readonly finding_info: {
    readonly uid: string;
    readonly title: string;
    readonly types: readonly string[];
    readonly first_seen_time?: number;
  };
  readonly evidences?: readonly object[];
  readonly resources?: readonly { readonly uid: string }[];
  readonly unmapped: Readonly<Record<string, unknown>>;
  readonly observables?: readonly { readonly type_id: number; readonly value: string }[];
}

/** One event a line, none with a mistake. */
function render(report: Report): Event[] {
  const printed = renderOcsf(report, formOptions);
  expect(printed.endsWith('\n')).toBe(true);
  return printed
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      const event = JSON.parse(line) as Event;
      expect(ocsfMistakes(event)).toEqual([]);
      return event;
    });
}

describe('events', () => {
  it('are the verdict, then each open finding', () => {
    expect(render(violated).map(({ finding_info, severity_id }) => [finding_info.title, severity_id])).toEqual([
      ['Task 7b3f: violated', 4],
      ['undeclared-endpoint: collector.evil.example:443', 4],
      ['foreign-use: route53:ListHostedZones', 4],
      ['undeclared-action: route53:ListHostedZones', 4],
      ['undeclared-action: route53:GetChange', 4],
      ['undeclared-action: route53:ListTagsForResource', 4],
    ]);
    expect(render(unproven).map(({ severity_id }) => severity_id)).toEqual([3, 3, 3]);
    expect(render(pending).map(({ severity_id }) => severity_id)).toEqual([2, 2]);
  });

  it('are one informational, resolved event for what is proven', () => {
    const [event, ...more] = render(proven);
    expect(more).toEqual([]);
    expect(event).toMatchObject({ severity_id: 1, status_id: 4, is_alert: false, type_uid: 200_401 });
    expect(render(violated).every(({ is_alert, status_id }) => is_alert && status_id === 1)).toBe(true);
  });

  it('are never the verdict alone where it is not proven, and pass over no claim that says it holds', () => {
    const titles = (report: Report): string[] => render(report).map(({ finding_info }) => finding_info.title);
    expect(titles(unexplained)).toEqual(['Task 7b3f: unproven', 'unexplained-result: 7b3f']);
    expect(titles(contradictory)).toEqual(['Task 7b3f: violated', 'undeclared-endpoint: collector.evil.example:443']);
  });

  it('say how many sessions they left out', () => {
    const sessions = Array.from({ length: 53 }, (_, n) =>
      proven.sessions.map((row) => ({ ...row, key: `AKIAEXAMPLE${n}` })),
    ).flat();
    const [event] = render({ ...proven, sessions });
    expect(event?.resources).toHaveLength(50);
    expect(event?.unmapped).toMatchObject({ resources_left_out: 3 });
    expect(render(proven)[0]?.unmapped).not.toHaveProperty('resources_left_out');
  });

  it('tell what was verified, and what was not', () => {
    const told = { ...formOptions, verification: ['the bundle'], notVerified: ['the evidence'] };
    const [event] = renderOcsf(violated, told).split('\n');
    expect(JSON.parse(event ?? '')).toMatchObject({
      unmapped: { verification: ['the bundle'], not_verified: ['the evidence'] },
    });
  });

  it('bear the task, and the time of the evidence', () => {
    for (const event of render(violated)) {
      expect(event.metadata.correlation_uid).toBe('7b3f');
      expect(event.time).toBe(Date.parse(at(42)));
    }
    expect(render(violated)[1]?.finding_info.first_seen_time).toBe(Date.parse(at(21.05)));
    const unseen = { ...violated, window: {} };
    expect(render(unseen)[0]?.time).toBe(Date.parse(at(35)));
    expect(render({ ...proven, window: {}, sessions: [], uses: [], connections: [] })[0]?.time).toBe(0);
  });

  it('show the connection and its process, with what others search for', () => {
    const [, endpoint] = render(violated);
    expect(endpoint?.evidences).toEqual([
      {
        uid: 'tetragon/node-1/18207',
        name: 'connection',
        actor: {
          process: {
            pid: 4706,
            uid: 'bm9kZS0x6',
            name: 'grep',
            cmd_line: '/usr/bin/grep -c _acme-challenge',
            created_time: Date.parse(at(21)),
            terminated_time: Date.parse(at(21.2)),
            file: { name: 'grep', path: '/usr/bin/grep', type_id: 1, type: 'Regular File' },
          },
        },
        dst_endpoint: { name: 'collector.evil.example:443' },
        connection_info: { uid: 'tetragon/node-1/18207', protocol_name: 'tcp', direction_id: 2, direction: 'Outbound' },
      },
    ]);
    expect(endpoint?.observables).toContainEqual({
      name: 'evidences[0].actor.process.name',
      type_id: 9,
      type: 'Process Name',
      value: 'grep',
    });
  });

  it('show the use and its session', () => {
    const [, , foreign] = render(violated);
    expect(foreign?.evidences).toEqual([
      {
        uid: 'cloudtrail/111122223333-us-east-1/7#c0ffee11-2222-4333-8444-555566667777',
        name: 'credential use',
        actor: { session: { uid: 'ironclaw-task-7b3f-a1c8', credential_uid: 'ASIAEXAMPLE7B3FA1C8X' } },
        api: { operation: 'route53:ListHostedZones' },
        src_endpoint: { ip: '198.51.100.23' },
        dst_endpoint: { hostname: 'route53.amazonaws.com' },
      },
    ]);
    expect(foreign?.resources?.map(({ uid }) => uid)).toEqual(['ASIAEXAMPLE7B3FA1C8X']);
    expect(foreign?.observables?.map(({ type_id, value }) => [type_id, value])).toEqual([
      [2, '198.51.100.23'],
      [1, 'route53.amazonaws.com'],
      [10, 'ASIAEXAMPLE7B3FA1C8X'],
    ]);
  });
});

describe('ids', () => {
  it('differ within a report, and from task to task', () => {
    const uids = render(violated).map(({ finding_info }) => finding_info.uid);
    expect(new Set(uids).size).toBe(uids.length);
    const other = render({ ...violated, task: { ...violated.task, id: '9aa1' } });
    expect(other.filter(({ finding_info }) => uids.includes(finding_info.uid))).toEqual([]);
  });

  it('of a finding stay when the task is judged again; the event is another', () => {
    const later = {
      ...pending,
      verdict: 'violated' as const,
      claims: claims({
        'audit-complete': {
          result: 'violated',
          findings: pending.claims
            .flatMap((claim) => claim.findings.filter(({ kind }) => kind === 'wait'))
            .map((finding) => ({
              ...finding,
              kind: 'counterexample' as const,
              detail: 'Another sentence.',
              evidence: ['x/y/1'],
            })),
        },
      }),
    };
    const [first, second] = [render(pending), render(later)];
    expect(second.map(({ finding_info }) => finding_info.uid)).toEqual(
      first.map(({ finding_info }) => finding_info.uid),
    );
    expect(second[0]?.metadata.uid).not.toBe(first[0]?.metadata.uid);
    expect(second[1]?.metadata.uid).not.toBe(first[1]?.metadata.uid);
  });

  it('and all else are the same for the same report', () => {
    expect(renderOcsf(violated, formOptions)).toBe(renderOcsf(structuredClone(violated), formOptions));
  });
});

describe('the schema of the test', () => {
  it.each([
    ['a missing field', { metadata: undefined }, " must have required property 'metadata'"],
    ['a wrong number', { severity_id: 7 }, '/severity_id must be equal to one of the allowed values'],
    ['another class', { class_uid: 2003 }, '/class_uid must be equal to constant'],
    ['a field that the class has not', { verdict_note: 'x' }, ' must NOT have additional properties'],
    ['a time in seconds with a fraction', { time: 1.5 }, '/time must be integer'],
    ['evidence of nothing', { evidences: [{ uid: 'x' }] }, '/evidences/0 must match a schema in anyOf'],
  ])('refuses %s', (_what, change, mistake) => {
    const [event] = render(violated);
    expect(ocsfMistakes(JSON.parse(JSON.stringify({ ...event, ...change })))).toContain(mistake);
  });
});

describe('hostile text', () => {
  it('stays within the schema, one line each, safe on a terminal', () => {
    const count = render(hostileReport('calm')).length;
    fc.assert(
      fc.property(hostileText, (text) => {
        const report = hostileReport(text);
        expect(renderOcsf(report, formOptions)).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
        expect(render(report)).toHaveLength(count);
      }),
      { numRuns: 50 },
    );
  }, 60_000);
});
