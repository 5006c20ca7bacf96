-- Uses from an address that another configured node has too, while nothing tells what that node did then: a process there may
-- have made them. One row is one use and one such node.
SELECT DISTINCT u.event_id, n.name AS node, CAST(NULL AS VARCHAR) AS tree
FROM "use" AS u
JOIN address AS a ON a.address = u.source
JOIN setting AS n ON n.kind = 'node-egress' AND a.hex BETWEEN split_part(n.value, '-', 1) AND split_part(n.value, '-', 2)
WHERE n.name NOT IN (SELECT node FROM process WHERE task_id IS NOT NULL)
  AND NOT (
    -- its hook was loaded before and after, and canaries arrived
    EXISTS (
      SELECT 1 FROM sensor_hook AS h
      WHERE h.node = n.name AND h.hook = 'tcp_connect' AND h.enabled AND coalesce(h.hook_state, 'STATUS_LOADED') = 'STATUS_LOADED'
        AND h.time = (SELECT max(s.time) FROM sensor AS s WHERE s.node = n.name AND s.kind = 'health' AND s.why IS NULL AND s.time <= u.time)
    )
    AND EXISTS (
      SELECT 1 FROM sensor_hook AS h
      WHERE h.node = n.name AND h.hook = 'tcp_connect' AND h.enabled AND coalesce(h.hook_state, 'STATUS_LOADED') = 'STATUS_LOADED'
        AND h.time = (SELECT min(s.time) FROM sensor AS s WHERE s.node = n.name AND s.kind = 'health' AND s.why IS NULL AND s.time >= u.time)
    )
    AND EXISTS (SELECT 1 FROM sensor_canary AS c WHERE c.node = n.name AND c.seen AND c.time <= u.time)
    AND EXISTS (SELECT 1 FROM sensor_canary AS c WHERE c.node = n.name AND c.seen AND c.time >= u.time)
    AND NOT EXISTS (
      SELECT 1 FROM gap AS g WHERE g.origin IN ('', n.name) AND g.stream IN ('tetragon', 'tetragon-grpc')
        AND (g.from_time IS NULL OR g.from_time <= u.time) AND (g.until IS NULL OR g.until >= u.time)
    )
  )
ORDER BY ALL
