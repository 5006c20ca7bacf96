import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openTetragon } from '../../src/sources/tetragon-api.ts';
import { decodeInfo, decodePolicies, encodeGetEvents } from '../../src/sources/tetragon-messages.ts';
import { openServer } from '../collect/tetragon-server.ts';

const shared = process.env['TALLY_SHARED'] ?? join(import.meta.dirname, '../../../shared');
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

it('a request is these bytes', () => {
  expect(encodeGetEvents(['PROCESS_EXEC', 'RATE_LIMIT_INFO'], [])).toEqual(hex('0a 06 32 04 01 c1b802'));
  expect(encodeGetEvents(['PROCESS_EXEC'], ['process.cap'])).toEqual(
    hex('0a 03 32 01 01 22 14 0a 01 01 12 0d 0a 0b 70726f636573732e636170 18 01'),
  );
});

it('policies are read from these bytes', () => {
  const hook = '72 0d 0a 07 6b70726f626573 10 01 1a 00'.replaceAll(' ', '');
  const status = hex(
    `08 05 12 03 646e73 2a 01 67 30 01 48 08 50 8080808010 58 03 62 04 0a 02 08 28 6a 04 67727063 ${hook}`,
  );
  expect(decodePolicies(Buffer.concat([Buffer.from([0x0a, status.length]), status]))).toEqual([
    {
      id: '5',
      name: 'dns',
      sensors: ['g'],
      enabled: true,
      state: 'TP_STATE_PARTIALLY_ENABLED',
      kernel_memory_bytes: '4294967296',
      mode: 'TP_MODE_MONITOR_ONLY',
      stats: { action_counters: { post: '40' } },
      domain: 'grpc',
      hook_statuses: [{ section: 'kprobes', state: 'STATUS_LOADED' }],
    },
  ]);
});

it("the agent's settings are those of its flags", async () => {
  const server = await openServer({ rpc: join(shared, 'lab/rpc-full.json') });
  const tetragon = await openTetragon({ address: server.address, tls: undefined });
  const { settings } = await tetragon.info();
  tetragon.close();
  expect(settings.size).toBe(95);
  expect(settings.get('filter-environment-variables')).toEqual(['TASK_ID', 'AWS_ROLE_SESSION_NAME']);
  expect(settings.get('enable-process-environment-variables')).toBe('true');
  expect(settings.get('export-file-max-size-mb')).toBe('4000');
  const recorded = JSON.parse(readFileSync(join(shared, 'lab/rpc-full.json'), 'utf8')) as {
    GetInfo: { conf: { key: string; value: { value: unknown } }[] };
  };
  for (const { key, value } of recorded.GetInfo.conf) {
    expect(settings.get(key), key).toEqual(Array.isArray(value.value) ? value.value : String(value.value));
  }
});

it('a setting of a kind that is not known is in the digest only', () => {
  const entry = (value: string): Buffer => hex(`22 0b 0a 01 78 12 06 0a 01 79 12 01 ${value}`);
  expect(decodeInfo(entry('01')).settings.size).toBe(0);
  expect(decodeInfo(entry('01')).digest).not.toBe(decodeInfo(entry('02')).digest);
});
