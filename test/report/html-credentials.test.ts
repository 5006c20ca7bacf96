import { describe, expect, it } from 'vitest';
import { fitsGrant, renderLifetime } from '../../src/report/html-credentials.ts';
import { toHtml } from '../../src/report/markup.ts';
import { at, proven } from './fixture.ts';

describe('fitsGrant', () => {
  it.each([
    ['route53:Get*', 'route53:GetHostedZone', true],
    ['ROUTE53:gethostedzone', 'route53:GetHostedZone', true],
    ['route53:Get*', 'route53:ListHostedZones', false],
    ['s3:*Object?', 's3:GetObjectX', true],
    ['s3:*Object?', 's3:GetObject', false],
    ['*', 'sts:GetCallerIdentity', true],
    ['s3:Get', 's3:GetObject', false],
  ])('%s of %s: %s', (pattern, action, fits) => {
    expect(fitsGrant(pattern, action)).toBe(fits);
  });

  it('ends soon whatever the pattern', () => {
    expect(fitsGrant('*a'.repeat(200) + 'b', 'a'.repeat(5000))).toBe(false);
  });
});

describe('renderLifetime', () => {
  const [session] = proven.sessions;
  if (session === undefined) throw new Error('the fixture has a session');

  it('says how long a credential was valid and how much of that was used', () => {
    const html = toHtml(renderLifetime(session, proven.window));
    expect(html).toContain('<b>valid for 1 h</b>');
    expect(html).toContain('used for 7 s, less than 1 % of it');
    expect(html.match(/<rect class="(life|bar matched)"/g)).toHaveLength(2);
  });

  it('says what is not known', () => {
    const open = Object.fromEntries(Object.entries(session).filter(([name]) => name !== 'expires')) as typeof session;
    const html = toHtml(renderLifetime({ ...open, uses: 0 }, { start: at(0) }));
    expect(html).toContain('length unknown');
    expect(html).toContain('never used');
    expect(html).toContain('expires unknown');
  });
});
