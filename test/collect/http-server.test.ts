import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { askCollector, controlSocket } from '../../src/collect/control-client.ts';
import { type Handler, type HttpServer, openHttp } from '../../src/collect/http-server.ts';
import { TallyError } from '../../src/model/errors.ts';
import { scratchFolder } from '../evidence/scratch-folder.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(listen: string, token: string | undefined, handle: Handler): Promise<HttpServer> {
  const server = await openHttp({ listen, token, open: ['/healthz'], handle });
  servers.push(server);
  return server;
}

const echo: Handler = (request) => Promise.resolve({ status: 200, json: { path: request.path, body: request.body } });

test('a TCP listener wants the token, but for health', async () => {
  const { address } = await serve('127.0.0.1:0', 'secret', echo);
  const get = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
    (await fetch(`http://${address}${path}`, { headers })).status;
  expect(await get('/v1/tasks')).toBe(401);
  expect(await get('/v1/tasks', { authorization: 'Bearer wrong' })).toBe(401);
  expect(await get('/v1/tasks', { authorization: 'Basic secret' })).toBe(401);
  expect(await get('/v1/tasks', { authorization: 'Bearer secret' })).toBe(200);
  expect(await get('/healthz')).toBe(200);
});

test.each(['0.0.0.0:0', '192.0.2.1:80', 'example.com:80', '[::]:0', '[2001:db8::1]:80'])(
  'an address that others may reach is refused: %s',
  async (listen) => {
    await expect(openHttp({ listen, token: 'secret', open: [], handle: echo })).rejects.toThrow('not loopback');
  },
);

test('a TCP listener without a token is refused', async () => {
  await expect(openHttp({ listen: '127.0.0.1:0', token: undefined, open: [], handle: echo })).rejects.toThrow('token');
});

test('a unix socket is reachable for its owner alone, replaces a dead one and not a living one', async () => {
  const folder = await scratchFolder();
  await writeFile(controlSocket(folder), '');
  await serve(`unix://${controlSocket(folder)}`, undefined, echo);
  expect((await stat(controlSocket(folder))).mode & 0o777).toBe(0o600);
  expect(await askCollector(folder, 'POST', '/v1/seal', { now: true })).toEqual({
    status: 200,
    json: { path: '/v1/seal', body: '{"now":true}' },
  });
  await expect(
    openHttp({ listen: `unix://${controlSocket(folder)}`, token: undefined, open: [], handle: echo }),
  ).rejects.toThrow('another process listens');
});

test('nobody answers where no collector runs', async () => {
  const folder = await scratchFolder();
  expect(await askCollector(folder, 'GET', '/v1/tasks')).toBeUndefined();
  await writeFile(join(folder, 'control.sock'), '');
  expect(await askCollector(folder, 'GET', '/v1/tasks')).toBeUndefined();
});

test('mistakes of the caller are 400, what may pass is 503, a bug is 500 without its text', async () => {
  const { address } = await serve('127.0.0.1:0', 'secret', ({ path }) => {
    if (path === '/usage') throw new TallyError('usage', 'say it otherwise', { details: ['here'] });
    if (path === '/full') throw new TallyError('input', 'no room', { retryable: true });
    throw new Error('internal words');
  });
  const headers = { authorization: 'Bearer secret' };
  const usage = await fetch(`http://${address}/usage`, { headers });
  expect([usage.status, await usage.json()]).toEqual([
    400,
    { error: 'say it otherwise', details: ['here'], code: 'usage' },
  ]);
  expect((await fetch(`http://${address}/full`, { headers })).status).toBe(503);
  const bug = await fetch(`http://${address}/other`, { headers });
  expect(bug.status).toBe(500);
  expect(await bug.text()).not.toContain('internal words');
});

test('a body over a megabyte is not held', async () => {
  const { address } = await serve('127.0.0.1:0', 'secret', echo);
  const sent = await fetch(`http://${address}/v1/declarations`, {
    method: 'POST',
    headers: { authorization: 'Bearer secret' },
    body: 'x'.repeat(2 << 20),
  }).then(
    (response) => response.status,
    () => 'closed',
  );
  expect([413, 'closed']).toContain(sent);
  expect((await fetch(`http://${address}/healthz`)).status).toBe(200);
});
