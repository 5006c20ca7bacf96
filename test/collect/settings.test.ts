import { expect, test } from 'vitest';
import { toSettings } from '../../src/collect/settings.ts';
import { TallyError } from '../../src/model/errors.ts';

test('relative paths are taken from the folder of the configuration', () => {
  const settings = toSettings(
    `store: ./store
keys: { signing: tally.key.pem }
sources:
  tetragon:
    - { node: node-1, address: "unix://run/tetragon.sock", export: logs/tetragon.log }
    - { node: node-2, address: "10.0.0.5:54321", tls: { ca: ca.pem, serverName: a.tetragon-grpc.cilium.io } }
collector: { declarations: tasks, listen: "unix://tally.sock", token: token }
`,
    '/etc/tally/tally.yaml',
  );
  expect(settings.store).toEqual({ path: '/etc/tally/store', sealBytes: 16 << 20, sealAge: 60, memory: 256 << 20 });
  expect(settings.key).toBe('/etc/tally/tally.key.pem');
  expect(settings.sources.tetragon).toMatchObject([
    { address: 'unix:///etc/tally/run/tetragon.sock', export: '/etc/tally/logs/tetragon.log', interval: 10 },
    { address: '10.0.0.5:54321', tls: { ca: '/etc/tally/ca.pem', serverName: 'a.tetragon-grpc.cilium.io' } },
  ]);
  expect(settings.collector).toMatchObject({
    declarations: '/etc/tally/tasks',
    listen: 'unix:///etc/tally/tally.sock',
    token: '/etc/tally/token',
    judge: 30,
  });
});

test('every mistake is told with its place', () => {
  const details = (text: string): readonly string[] => {
    try {
      toSettings(text, 'tally.yaml');
    } catch (error) {
      if (error instanceof TallyError) return error.details;
    }
    return [];
  };
  expect(details('{}').join()).toMatch(/store.*sources/s);
  const twice = details('store: s\nsources: { tetragon: [ { node: a, export: x }, { node: a, export: y } ] }\n');
  expect(twice).toEqual(['sources.tetragon: node "a" stands there twice']);
  const wrong = details(
    `store: { path: s, sealAge: soon }
sources:
  tetragon: [ { node: a }, { node: b, address: "unix:///x", tls: { ca: c } }, { node: c, address: "h:1", tls: { cert: c } } ]
  cloudtrail: [ { bucket: b, region: r, chains: [ { account: 12, region: r } ] } ]
`,
  ).join('\n');
  for (const place of ['store', 'tetragon.0', 'tetragon.1', 'tetragon.2', 'chains.0.account']) {
    expect(wrong.replaceAll(/\[(\d+)\]/g, '.$1')).toContain(place);
  }
});
