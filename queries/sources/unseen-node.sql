-- Uses from an address that another configured node has too, while nothing tells what that node did then: a process there may
-- have made them. One row is one use and one such node. Watched is a node whose hook of connections was loaded in the health
-- lines before and after, with canaries seen before and after, and no gap.
WITH elsewhere AS (
  SELECT DISTINCT u.event_id, u.time, n.name AS node
  FROM "use" AS u
  JOIN address AS a ON a.address = u.source
  JOIN setting AS n ON n.kind = 'node-egress' AND a.hex BETWEEN split_part(n.value, '-', 1) AND split_part(n.value, '-', 2)
  WHERE n.name NOT IN (SELECT node FROM process WHERE task_id IS NOT NULL)
),
hooked AS (
  SELECT node, time, bool_or(hook = 'tcp_connect' AND enabled AND coalesce(hook_state, 'STATUS_LOADED') = 'STATUS_LOADED') AS loaded
  FROM sensor_hook
  GROUP BY node, time
),
line AS (
  SELECT DISTINCT s.node, s.time, coalesce(h.loaded, false) AS loaded
  FROM sensor AS s LEFT JOIN hooked AS h ON h.node = s.node AND h.time = s.time
  WHERE s.kind = 'health' AND s.why IS NULL
),
canary AS (
  SELECT DISTINCT node, time FROM sensor_canary WHERE seen
),
around AS (
  SELECT e.event_id, e.node, e.time, before.loaded AS loaded_before, behind.loaded AS loaded_behind,
    seen_before.time AS seen_before, seen_behind.time AS seen_behind
  FROM elsewhere AS e
  ASOF LEFT JOIN line AS before ON before.node = e.node AND before.time <= e.time
  ASOF LEFT JOIN line AS behind ON behind.node = e.node AND behind.time >= e.time
  ASOF LEFT JOIN canary AS seen_before ON seen_before.node = e.node AND seen_before.time <= e.time
  ASOF LEFT JOIN canary AS seen_behind ON seen_behind.node = e.node AND seen_behind.time >= e.time
)
SELECT w.event_id, w.node, CAST(NULL AS VARCHAR) AS tree
FROM around AS w
WHERE NOT (
  coalesce(w.loaded_before, false) AND coalesce(w.loaded_behind, false) AND w.seen_before IS NOT NULL AND w.seen_behind IS NOT NULL
  AND NOT EXISTS (
    SELECT 1 FROM gap AS g WHERE g.origin IN ('', w.node) AND g.stream IN ('tetragon', 'tetragon-grpc')
      AND (g.from_time IS NULL OR g.from_time <= w.time) AND (g.until IS NULL OR g.until >= w.time)
  )
)
ORDER BY ALL
