-- When was a way in to a node's sensor not whole, and when was none? One row is one stretch of one way, or (way '') of the node.
-- What was under way to a subscriber when its stream broke is lost with it (facts/tetragon.md: no replay), so a break begins
-- at the last canary seen before, or 30 s earlier, which is how long the sensor may hold an event. Where there are two ways, a
-- canary does not tell which of them it came by, so it is 30 s then; and a node's break is where both were not whole. A way
-- fills what the other lost only up to 30 s before its own newest event; and the export only where lines tell that no list
-- leaves events out of it. The export's way tells now and then that it is connected: everything written since `since` was kept
-- up to then; with `resumed`, nothing was lost since its line before.
WITH line AS (
  SELECT node, way, time, state, why, resumed, since, evidence,
    lag(state) OVER w AS state_before, lag(time) OVER w AS time_before,
    lead(time) OVER w AS time_after, lead(since) OVER w AS since_after, coalesce(lead(resumed) OVER w, false) AS resumed_after
  FROM sensor
  WHERE kind = 'stream'
  WINDOW w AS (PARTITION BY node, way ORDER BY time, evidence)
),
several AS (
  SELECT node FROM line GROUP BY node HAVING count(DISTINCT way) > 1
),
connection AS (
  SELECT node, way, true AS told, time AS broke,
    CASE WHEN since_after > time THEN least(since_after, time_after) ELSE time_after END AS until, coalesce(why, 'no reason told') AS why, evidence
  FROM line
  WHERE state = 'disconnected' AND NOT resumed_after
  UNION ALL
  -- connected twice: the end of the first stream was not told; that of the export was whole up to its line
  SELECT node, way, true, CASE way WHEN 'export' THEN time_before ELSE time END, CASE WHEN since > time_before THEN least(since, time) ELSE time END,
    'its end was not told', evidence
  FROM line
  WHERE state = 'connected' AND state_before = 'connected' AND NOT resumed
  UNION ALL
  SELECT node, way, state = 'connected' OR node IN (SELECT node FROM several), NULL, least(since, time), 'it was not connected yet', evidence
  FROM line
  WHERE state_before IS NULL
),
broken AS (
  SELECT c.node, c.way, true AS connection, c.told,
    CASE WHEN c.node IN (SELECT node FROM several) THEN c.broke - INTERVAL 30 SECONDS
         ELSE greatest(c.broke - INTERVAL 30 SECONDS, coalesce(
           (SELECT max(s.time) FROM sensor_canary s WHERE s.seen AND s.node = c.node AND s.time <= c.broke),
           c.broke - INTERVAL 30 SECONDS)) END AS from_time,
    c.broke, c.until, c.why, c.evidence
  FROM connection c
  UNION ALL
  SELECT g.origin, CASE g.stream WHEN 'tetragon' THEN 'export' ELSE 'grpc' END, false, true, g.from_time, g.from_time, g.until,
    rtrim(g.detail, '.'), g.evidence
  FROM own_gap g
  JOIN several ON several.node = g.origin
  WHERE g.stream IN ('tetragon', 'tetragon-grpc')
),
health AS (
  SELECT node, time, evidence, lag(time) OVER w AS time_before, lead(time) OVER w AS time_after,
    CASE WHEN export_filter = 'some' THEN 'a list leaves events out of it'
         WHEN export_filter IS NULL THEN 'nothing tells whether a list leaves events out of it'
         WHEN dropped <> lag(dropped) OVER w THEN 'its rate limit dropped events' END AS why
  FROM (
    SELECT *, coalesce(try_cast(metrics->>'$.tetragon_export_ratelimit_events_dropped_total' AS DOUBLE), 0) AS dropped
    FROM sensor WHERE kind = 'health' AND why IS NULL
  )
  WINDOW w AS (PARTITION BY node ORDER BY time, evidence)
),
island AS (
  SELECT *, row_number() OVER (PARTITION BY node ORDER BY time, evidence)
    - row_number() OVER (PARTITION BY node, why ORDER BY time, evidence) AS k
  FROM health
),
-- where a way can't fill what the other one lost
unfit AS (
  SELECT node, way, connection, told, from_time, broke, until, why, evidence FROM broken
  UNION ALL
  SELECT s.node, w.way, false, true, r.until - INTERVAL 30 SECONDS, r.until - INTERVAL 30 SECONDS, NULL,
    'no later event came by it', ''
  FROM several s
  CROSS JOIN (VALUES ('grpc'), ('export')) AS w(way)
  LEFT JOIN way_reach r ON r.node = s.node AND r.way = w.way
  UNION ALL
  SELECT node, 'export', false, true, CASE WHEN bool_or(time_before IS NULL) THEN NULL ELSE min(time_before) END,
    CASE WHEN bool_or(time_before IS NULL) THEN NULL ELSE min(time_before) END,
    CASE WHEN bool_or(time_after IS NULL) THEN NULL ELSE max(time_after) END, why, min(evidence)
  FROM island
  WHERE why IS NOT NULL AND node IN (SELECT node FROM several)
  GROUP BY node, why, k
  UNION ALL
  -- told once a minute by the export, whose writer may be half a minute behind
  SELECT node, 'export', false, true, time - INTERVAL 90 SECONDS, time - INTERVAL 90 SECONDS, time, 'its rate limit dropped events', evidence
  FROM kernel_event
  WHERE kind = 'rate_limit_info' AND node IN (SELECT node FROM several)
  UNION ALL
  SELECT s.node, 'export', false, true, NULL, NULL, NULL, 'nothing tells whether a list leaves events out of it', ''
  FROM several s
  WHERE s.node NOT IN (SELECT node FROM health)
),
both_broken AS (
  SELECT a.node, a.connection AND b.connection AS connection, a.told AND b.told AS told,
    greatest(a.from_time, b.from_time) AS from_time, greatest(a.broke, b.broke) AS broke, least(a.until, b.until) AS until,
    CASE WHEN a.way < b.way THEN a.way || ': ' || a.why || '; ' || b.way || ': ' || b.why
         ELSE b.way || ': ' || b.why || '; ' || a.way || ': ' || a.why END AS why,
    CASE WHEN a.evidence < b.evidence THEN trim(a.evidence || ' ' || b.evidence) ELSE trim(b.evidence || ' ' || a.evidence) END AS evidence
  FROM broken a
  JOIN unfit b ON b.node = a.node AND b.way <> a.way
    AND (a.from_time IS NULL OR b.until IS NULL OR a.from_time <= b.until)
    AND (b.from_time IS NULL OR a.until IS NULL OR b.from_time <= a.until)
  WHERE a.node IN (SELECT node FROM several)
)
SELECT node, way, connection, told, from_time, broke, until, why, evidence FROM broken
UNION ALL
SELECT node, '', connection, told, from_time, broke, until, why, evidence FROM broken WHERE node NOT IN (SELECT node FROM several)
UNION ALL
SELECT DISTINCT node, '', connection, told, from_time, broke, until, why, evidence FROM both_broken
