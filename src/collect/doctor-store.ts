import { createPrivateKey } from 'node:crypto';
import { dirname, join } from 'node:path';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { ledgerKey, loadPrivateKey } from '../attest/keys.ts';
import { toVkey } from '../evidence/signed-note.ts';
import { TallyError } from '../model/errors.ts';
import { type Finding, type Notes, openNotes } from './doctor-finding.ts';
import type { FileProbe, Probes } from './doctor-probes.ts';
import type { Settings } from './settings.ts';

const GiB = 2 ** 30;
const ledgerName = 'tallystick.dev/ledger';

/** The signing key: there, the owner's alone, of a kind that signs, and the one that signs this store's ledger. */
export async function checkKey(
  settings: Settings,
  files: FileProbe,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly Finding[]> {
  const notes = openNotes('signing key');
  const file = env['TALLY_KEY'] === undefined ? settings.key : undefined; // as the collector takes it
  try {
    const key = loadPrivateKey(file, env);
    notes.ok('key', `${file ?? 'TALLY_KEY'}: ${key.asymmetricKeyType ?? ''}`);
    const path = join(settings.store.path, 'ledger.vkey');
    const look = await files.look(path);
    if (look === undefined) return notes.findings;
    if (look === 'denied' || !look.readable) {
      notes.fail('ledger', `${path} can’t be read`, 'run as the user that owns the store');
      return notes.findings;
    }
    const vkey = (await files.readText(path)).trim();
    const origin = settings.config.attest?.origin ?? ledgerName;
    if (vkey === toVkey(origin, createPrivateKey(ledgerKey(key).export({ type: 'pkcs8', format: 'pem' }))))
      notes.ok('ledger', 'is signed by this key');
    else
      notes.fail(
        'ledger',
        `${path} is of another key: this one can’t go on with the store`,
        'use the key that the store was begun with, or begin a new store',
      );
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    notes.fail('key', error.message, 'set keys.signing to the key’s file; tally keygen --out DIR makes one');
  }
  return notes.findings;
}

/** The store's folder and its disk. */
export async function checkStore(path: string, probes: Probes): Promise<readonly Finding[]> {
  const notes = openNotes('store');
  const { files } = probes;
  const place = await existing(path, files);
  const look = await files.look(place);
  if (look === undefined || look === 'denied' || look.kind !== 'folder' || !look.writable) {
    notes.fail(
      'folder',
      `${place} can’t be written`,
      `give the collector’s user a folder at ${path}, and run as that user`,
    );
    return notes.findings;
  }
  notes.ok('folder', place === path ? `${path} can be written` : `${path} will be made`);
  checkSpace(notes, await files.space(place), path);
  if (place !== path) return notes.findings;
  if ((look.mode & 0o007) !== 0)
    notes.warn('folder', `${path} is open to every user: evidence holds what tasks did`, `chmod 700 ${path}`);
  const writer = await probes.net.writer(path);
  if (writer === 'collector') notes.ok('collector', 'runs, and answers');
  else if (writer === 'other')
    notes.fail(
      'collector',
      'another process writes this store, but does not answer',
      'stop it, or give this collector a store of its own',
    );
  return notes.findings;
}

/** The folder itself, or the nearest above that is there. */
async function existing(path: string, files: FileProbe): Promise<string> {
  for (let at = path; ; at = dirname(at)) if ((await files.look(at)) !== undefined || at === dirname(at)) return at;
}

function checkSpace(notes: Notes, { free, total }: { free: number; total: number }, path: string): void {
  const share = total === 0 ? 0 : free / total;
  const text = `${(free / GiB).toFixed(1)} GiB free, ${Math.round(share * 100)} %`;
  const fix = `make room on the disk of ${path}: while it is full nothing is kept`;
  if (free < GiB) notes.fail('disk', text, fix);
  else if (share < 0.1) notes.warn('disk', text, fix);
  else notes.ok('disk', text);
}

/** How others reach the collector, and the folder of declarations. */
export async function checkCollector(settings: Settings, files: FileProbe): Promise<readonly Finding[]> {
  const notes = openNotes('collector');
  const { listen, token, declarations } = settings.collector;
  if (listen !== undefined) await checkListen(notes, listen, token, files);
  if (declarations !== undefined) {
    const look = await files.look(declarations);
    if (look === undefined || look === 'denied' || look.kind !== 'folder' || !look.readable)
      notes.fail(
        'declarations',
        `${declarations} can’t be read`,
        `mkdir -m 700 ${declarations}, owned by the collector’s user`,
      );
    else if ((look.mode & 0o002) !== 0)
      notes.fail('declarations', `every user may declare tasks in ${declarations}`, `chmod o-w ${declarations}`);
    else notes.ok('declarations', `${declarations} is watched`);
  }
  return notes.findings;
}

async function checkListen(notes: Notes, listen: string, token: string | undefined, files: FileProbe): Promise<void> {
  if (!listen.startsWith('unix:')) {
    const host = /^\[?([^\]]+)\]?:\d+$/.exec(listen)?.[1] ?? '';
    const address = host === 'localhost' ? '127.0.0.1' : host;
    if (isIP(address) === 0 || ipaddr.process(address).range() !== 'loopback') {
      notes.fail('listen', `${listen} can be reached from elsewhere`, 'set listen: 127.0.0.1:PORT or unix:///PATH');
      return;
    }
    if (token === undefined) {
      notes.fail('listen', `${listen} needs a token`, 'set token: a file (mode 600) with a long random text');
      return;
    }
  }
  if (token === undefined) {
    notes.ok('listen', `${listen}, for its owner alone`);
    return;
  }
  const look = await files.look(token);
  if (look === undefined || look === 'denied' || look.kind !== 'file' || !look.readable)
    notes.fail('token', `${token} can’t be read`, `openssl rand -hex 32 > ${token}; chmod 600 ${token}`);
  else if ((look.mode & 0o077) !== 0)
    notes.fail('token', `others than its owner can read ${token}`, `chmod 600 ${token}`);
  else if (look.size < 16) notes.fail('token', `${token} is too short to be secret`, `openssl rand -hex 32 > ${token}`);
  else notes.ok('listen', `${listen}, with a token`);
}

/** What the configuration has to say of the nodes and names, whatever the task. */
export function checkNames(settings: Settings): readonly Finding[] {
  const notes = openNotes('configuration');
  const { config, sources } = settings;
  if (sources.tetragon.length === 0)
    notes.fail('sensor', 'no node is watched', 'set sources.tetragon: [{ node, address, export, metrics }]');
  if (sources.cloudtrail.length === 0)
    notes.warn(
      'CloudTrail',
      'no trail is read: a task with AWS credentials can’t be proven',
      'set sources.cloudtrail: [{ bucket, region, chains }]',
    );
  for (const { node } of sources.tetragon) {
    if ((config.nodes[node]?.egress ?? []).length > 0) notes.ok('egress addresses', `of ${node} are known`);
    else
      notes.fail(
        'egress addresses',
        `nothing says which address providers see for ${node}`,
        `set nodes: { ${JSON.stringify(node)}: { egress: [ADDRESS] } }`,
      );
  }
  const unknown = Object.keys(config.nodes).filter((node) => !sources.tetragon.some((source) => source.node === node));
  if (unknown.length > 0)
    notes.warn('nodes', `nobody watches ${unknown.join(', ')} from here`, 'run a collector there, or remove them');
  if (sources.cloudtrail.length > 0) checkTrails(notes, settings);
  return notes.findings;
}

/** A chain that must be there but that nobody reads would be missing for ever. */
function checkTrails(notes: Notes, { config, sources }: Settings): void {
  const chains = sources.cloudtrail.flatMap((source) => source.chains);
  const listed = config.trails === undefined || 'file' in config.trails ? [] : config.trails;
  const unread = listed.filter(
    ({ account, region }) => !chains.some((chain) => chain.account === account && chain.region === region),
  );
  if (unread.length === 0) notes.ok('trails', 'every chain that must be there is read');
  else
    notes.fail(
      'trails',
      `nobody reads ${unread.map(({ account, region }) => `${account}/${region}`).join(', ')}, which must be there`,
      'add them to the chains of sources.cloudtrail',
    );
}
