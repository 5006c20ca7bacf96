import type { CloudFile } from '../evidence.ts';
import { deliver } from './delivery.ts';
import { renderDigests } from './digests.ts';
import { findKeyHolders } from './identity.ts';
import { renderIssuance } from './issuance.ts';
import { renderPublicKeys } from './key.ts';
import { type AuditRecord, renderCall } from './record.ts';
import { homeRegion, renderTrails } from './trails.ts';
import type { World } from '../world.ts';

/**
 * What the trails of a world left behind: log files, signed digest chains, public keys and snapshots of the trails. All but
 * the key is the same for the same world.
 */
export function renderProvider(world: World): CloudFile[] {
  const records = renderRecords(world);
  const objects = world.trails.flatMap((trail) => {
    const logs = deliver(trail, records);
    return [...logs.map(({ file }) => file), ...renderDigests(trail, homeRegion(world, trail), logs)];
  });
  return [...objects, renderPublicKeys(world), renderTrails(world)];
}

/** A session that was issued by one of the calls has one record, not two. */
function renderRecords(world: World): AuditRecord[] {
  const holders = findKeyHolders(world);
  const calls = new Map(world.calls.map((call) => [call.id, call]));
  const issuing = new Set(world.sessions.map(({ id }) => id));
  return [
    ...world.sessions
      .filter(({ id, logged }) => logged && calls.get(id)?.logged !== false)
      .flatMap((session) => renderIssuance(holders, session, calls.get(session.id))),
    ...world.calls.filter(({ id, logged }) => logged && !issuing.has(id)).map((call) => renderCall(holders, call)),
  ];
}
