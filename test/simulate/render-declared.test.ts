import { expect, test } from 'vitest';
import { parseConfig } from '../../src/model/config.ts';
import { parseDeclaration } from '../../src/model/declaration.ts';
import { parseGranted } from '../../src/model/granted.ts';
import { renderDeclared } from './render-declared.ts';
import { handMadeWorld } from './provider/hand-made-world.ts';

test('what the world declares is what the product reads', () => {
  const world = handMadeWorld();
  const [task] = world.tasks;
  Object.assign(task.declaration, {
    workload: [
      { env: { TASK_ID: '7e3' } },
      { container: 'a1b2c3d4e5f6' },
      { pod: { namespace: 'agents', name: 'a-1' } },
    ],
    image: `sha256:${'ab'.repeat(32)}`,
    relays: [{ address: '127.0.0.1:10255', log: 'onecli' }],
    window: { end: 1_795_260_000_123_456_789n },
  });
  Object.assign(world.configuration, {
    ...{ hosts: { 'a.example.net': ['192.0.2.1'] }, resolvers: ['192.0.2.53'], searchDomains: ['example.net'] },
    ...{ issuers: ['arn:aws:iam::111122223333:user/broker'], assume: ['co-tenants-isolated'] },
    ...{ infrastructure: ['192.0.2.53:53/udp'] },
  });
  const { declaration, config, policies } = renderDeclared(world);
  expect(parseDeclaration(declaration, 'task.yaml')).toMatchObject({
    task: { id: '7b3f', type: 'dns-validation' },
    declared: '2026-11-21T10:32:52.000000000Z',
    workload: task.declaration.workload,
    image: task.declaration.image,
    credentials: [{ provider: 'aws', session: 'sess-7b3f-a1c8', policy: 'granted.json' }],
    endpoints: [{ host: 'route53.amazonaws.com', port: 443 }],
    infrastructure: [{ port: 53, protocol: 'udp' }, { path: '/var/run/nscd/socket' }],
    actions: task.declaration.actions,
    relays: [{ address: { port: 10255 }, log: 'onecli' }],
    window: { end: '2026-11-21T11:20:00.123456789Z' },
  });
  expect(parseConfig(config, 'config.yaml')).toMatchObject({
    nodes: { 'node-1': { egress: ['203.0.113.7'] } },
    hosts: world.configuration.hosts,
    resolvers: world.configuration.resolvers,
    searchDomains: world.configuration.searchDomains,
    issuers: world.configuration.issuers,
    assume: world.configuration.assume,
    sessionNames: world.configuration.sessionNames,
    infrastructure: [{ port: 53 }],
  });
  expect(policies.flatMap(parseGranted).map(({ pattern }) => pattern)).toEqual(task.declaration.granted);
});

test('what is empty is left out, so that nothing is declared by it', () => {
  const world = handMadeWorld();
  world.tasks[0].declaration.granted = [];
  const { declaration, config, policies } = renderDeclared(world);
  expect(policies).toEqual([]);
  expect(declaration).not.toMatch(/policy|relays|window|image/);
  expect(parseConfig(config, 'config.yaml').issuers).toBeUndefined();
  expect(config).not.toMatch(/issuers|hosts|resolvers|assume|infrastructure|searchDomains/);
});
