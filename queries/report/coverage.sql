-- For what time each source covers what. One row is one source.
SELECT 'tetragon' AS source, node AS subject, strftime(min(time), '%Y-%m-%dT%H:%M:%S.%fZ') AS "from", strftime(max(time), '%Y-%m-%dT%H:%M:%S.%fZ') AS until, 'kernel' AS basis,
  count(*) || ' events' AS detail
FROM kernel_event WHERE node IN (SELECT node FROM process WHERE task_id IS NOT NULL) GROUP BY node
UNION ALL
SELECT 'sensor', node, strftime(min(time), '%Y-%m-%dT%H:%M:%S.%fZ'), strftime(max(time), '%Y-%m-%dT%H:%M:%S.%fZ'), 'collector',
  count(*) FILTER (WHERE kind = 'health') || ' health lines, ' || count(*) FILTER (WHERE kind = 'canary') || ' canaries'
FROM sensor WHERE node IN (SELECT node FROM process WHERE task_id IS NOT NULL) GROUP BY node
UNION ALL
SELECT 'cloudtrail', coalesce(account, '') || ' ' || coalesce(region, '') || ' ' || coalesce(trail, ''),
  strftime(min(from_time), '%Y-%m-%dT%H:%M:%S.%fZ'), strftime(max(until), '%Y-%m-%dT%H:%M:%S.%fZ'), 'provider-signed',
  count(*) FILTER (WHERE state = 'valid') || ' valid digests of ' || count(*)
FROM audit_object WHERE kind = 'digest' GROUP BY account, region, trail
UNION ALL
SELECT 'trail configuration', account || ' ' || region || ' ' || trail, strftime(min(time), '%Y-%m-%dT%H:%M:%S.%fZ'), strftime(max(time), '%Y-%m-%dT%H:%M:%S.%fZ'), 'provider',
  count(*) || ' snapshots; management events ' || min(management)
FROM audit_snapshot GROUP BY account, region, trail
ORDER BY ALL
