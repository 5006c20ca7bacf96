// A store with a recorded case in it, as a collector would have kept it while its task ran.
/* global Buffer */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

export async function writeStore({ dist, path, privateKey, folder, declaration }) {
  const load = (module) => import(join(dist, module));
  const { openStore } = await load('evidence/store.js');
  const { ledgerKey, maskKey } = await load('attest/keys.js');
  const { ledgerOrigin } = await load('judge/audit-task.js');
  const { readCloudTrail } = await load('sources/cloudtrail-files.js');
  const { toRecord } = await load('sources/cloudtrail-record.js');
  const { toNs } = await load('sources/time-ns.js');
  const store = await openStore(path, {
    signer: { origin: ledgerOrigin, privateKey: ledgerKey(privateKey) },
    maskKey: maskKey(privateKey),
    sealBytes: 16 << 20,
    sealAge: 3600,
    memory: 256 << 20,
  });
  const logs = new Map();
  const put = async (stream, origin, receivedAt, raw) => {
    const key = `${stream} ${origin}`;
    if (!logs.has(key)) logs.set(key, await store.log(stream, origin));
    void logs.get(key).append(Buffer.from(raw), receivedAt);
  };
  const text = (file) => readFileSync(join(folder, file), 'utf8');
  const declared = toNs(/declared: (\S+)/.exec(declaration)[1]);
  const [, task] = /id: ([^\s,}]+)/.exec(declaration);
  await put('tally', 'config', declared, text('config.yaml'));
  const record = { task, declaration, policies: [text('granted.json')], late: false };
  await put('tally', 'declared', declared, JSON.stringify(record));
  for (const [stream, nodeKey] of [
    ['tetragon', 'node_name'],
    ['sensor', 'node'],
  ]) {
    const lines = gunzipSync(readFileSync(join(folder, `${stream}.jsonl.gz`))).toString();
    const timed = [...new Set(lines.split('\n').filter((line) => line !== ''))]
      .map((raw) => ({ raw, value: JSON.parse(raw) }))
      .map(({ raw, value }) => ({ raw, origin: value[nodeKey], time: toNs(value.time) }))
      .sort((a, b) => (a.time < b.time ? -1 : 1));
    for (const { raw, origin, time } of timed) await put(stream, origin, time, raw);
  }
  for await (const item of readCloudTrail([join(folder, 'cloudtrail')])) {
    const { stream, origin, timeNs, raw, inventory } = toRecord(item, createHash('sha256').digest());
    await put(stream, origin, timeNs, raw);
    await put('cloudtrail-object', origin, timeNs, JSON.stringify(inventory));
  }
  await store.close();
  return task;
}
