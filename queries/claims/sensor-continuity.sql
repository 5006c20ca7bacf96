-- Was nothing lost between kernel and store for the window, and has the stream settled? One row is one finding: a gap that
-- reaches into the window, a side of the window that no line about the sensor holds, or a tail that may still be on its way.
-- Rests on facts/tetragon.md (Loss points: nothing in the stream itself tells a loss) and design 7, Covered.
WITH bounds AS (
  SELECT window_start AS from_time, coalesce(window_end, newest) AS until_time, newest,
    coalesce(last_exit, window_end) AS last_exit,
    coalesce(last_exit, window_end) + INTERVAL '30' SECOND AS settled_at,
    coalesce(window_end, last_exit, newest) + INTERVAL '30' SECOND AS wait_until
  FROM task
),
task_node AS (
  SELECT DISTINCT node FROM process WHERE task_id IS NOT NULL
),
known_node AS (
  SELECT node FROM process UNION SELECT node FROM sensor UNION SELECT origin FROM own_gap
),
-- gaps of the sensor's stream in the window; one whose origin is a file may be of any node
cut AS (
  SELECT n.node, g.why, g.detail, g.from_time, g.until, g.count, g.evidence
  FROM task_node n
  CROSS JOIN bounds b
  JOIN gap g ON g.stream IN ('tetragon', 'tetragon-grpc')
    AND (g.origin = n.node OR g.origin NOT IN (SELECT node FROM known_node))
  WHERE g.why NOT IN ('policy-missing', 'policy-disabled', 'hook-missing')
    -- open to the end, because no later line is there: judged below, where it may only be a matter of time
    AND NOT (g.why = 'no-health-evidence' AND g.from_time IS NOT NULL AND g.until IS NULL)
    AND (g.from_time IS NULL OR g.from_time <= b.until_time)
    AND (g.until IS NULL OR g.until >= b.from_time)
),
health AS (
  SELECT n.node, count(s.time) AS lines,
    max(CASE WHEN s.time <= b.from_time THEN 1 ELSE 0 END) AS before,
    max(CASE WHEN s.time >= b.until_time THEN 1 ELSE 0 END) AS behind
  FROM task_node n
  CROSS JOIN bounds b
  LEFT JOIN sensor s ON s.node = n.node AND s.kind = 'health' AND s.why IS NULL
  GROUP BY n.node
),
canary AS (
  SELECT n.node, count(c.time) AS made,
    max(CASE WHEN c.seen AND c.time <= b.from_time THEN 1 ELSE 0 END) AS before
  FROM task_node n
  CROSS JOIN bounds b
  LEFT JOIN sensor_canary c ON c.node = n.node
  GROUP BY n.node
),
-- where no way in to the node was connected
cut_off AS (
  SELECT node, broke, until FROM stream_break WHERE way = '' AND connection AND (until IS NULL OR broke IS NULL OR until > broke)
),
stream AS (
  SELECT n.node,
    (SELECT count(*) FROM sensor s WHERE s.node = n.node AND s.kind = 'stream') AS lines,
    max(CASE WHEN (c.broke IS NULL OR c.broke <= b.from_time) AND (c.until IS NULL OR c.until > b.from_time) THEN 1 ELSE 0 END) AS off_before,
    min(CASE WHEN c.broke > b.from_time THEN c.broke END) AS broke,
    min(CASE WHEN c.broke > b.last_exit THEN c.broke END) AS broke_behind
  FROM task_node n
  CROSS JOIN bounds b
  LEFT JOIN cut_off c ON c.node = n.node
  GROUP BY n.node
),
-- With several ways in, what came late proves only that its own way is not behind: it counts up to where a way that was whole
-- reaches, or all of them do.
several AS (
  SELECT node, count(DISTINCT way) AS ways FROM sensor WHERE kind = 'stream' GROUP BY node HAVING count(DISTINCT way) > 1
),
reached AS (
  SELECT s.node, max(CASE WHEN x.node IS NULL THEN r.until END) AS by_whole_way,
    CASE WHEN count(DISTINCT r.way) >= min(s.ways) THEN min(r.until) END AS by_all
  FROM several s
  CROSS JOIN bounds b
  JOIN way_reach r ON r.node = s.node
  LEFT JOIN stream_break x ON x.node = r.node AND x.way = r.way AND (x.from_time IS NULL OR x.from_time <= b.last_exit)
    AND (x.until IS NULL OR x.until >= b.from_time)
  GROUP BY s.node
),
-- a seen canary behind the last exit, and behind it a line that shows that the sensor holds no event back
emptied AS (
  SELECT DISTINCT c.node
  FROM bounds b
  JOIN sensor_canary c ON c.seen AND c.time > b.last_exit
  JOIN sensor s ON s.node = c.node AND s.kind = 'health' AND s.why IS NULL AND s.cache_entries = 0 AND s.time >= c.time
  JOIN stream t ON t.node = c.node AND (t.broke_behind IS NULL OR t.broke_behind >= s.time)
  LEFT JOIN reached r ON r.node = c.node
  WHERE c.node NOT IN (SELECT node FROM several) OR r.by_whole_way >= c.time OR r.by_all >= c.time
),
-- or evidence of the same stream from so much later that nothing is held back any more
outlasted AS (
  SELECT t.node
  FROM stream t
  CROSS JOIN bounds b
  LEFT JOIN reached r ON r.node = t.node
  WHERE (t.broke_behind IS NULL OR t.broke_behind >= b.settled_at)
    AND (t.node NOT IN (SELECT node FROM several) OR r.by_whole_way >= b.settled_at OR r.by_all >= b.settled_at)
    AND (EXISTS (SELECT 1 FROM kernel_event e WHERE e.node = t.node AND e.time >= b.settled_at)
      OR EXISTS (SELECT 1 FROM sensor_canary c WHERE c.node = t.node AND c.seen AND c.time >= b.settled_at))
)
SELECT
  CASE WHEN c.why IN ('stream-gap', 'sensor-loss', 'sensor-restart', 'throttled', 'canary-missed', 'no-health-evidence')
       THEN c.why ELSE 'stream-gap' END AS code,
  CASE WHEN c.why = 'canary-missed' AND c.from_time IS NOT NULL AND c.until IS NULL
         AND b.newest < b.wait_until AND s.broke_behind IS NULL THEN 'wait' ELSE 'doubt' END AS kind,
  c.node AS subject,
  c.detail || CASE WHEN c.count IS NULL THEN '' ELSE ' Count: ' || CAST(c.count AS VARCHAR) || '.' END AS detail,
  c.from_time AS from_time,
  CASE WHEN c.why = 'canary-missed' AND c.from_time IS NOT NULL AND c.until IS NULL
         AND b.newest < b.wait_until AND s.broke_behind IS NULL THEN b.wait_until ELSE c.until END AS until_time,
  c.evidence AS evidence
FROM cut c
JOIN stream s ON s.node = c.node
CROSS JOIN bounds b
UNION ALL
SELECT 'no-health-evidence', 'doubt', h.node,
  CASE WHEN h.lines = 0 THEN 'No line tells how the sensor was on this node.'
       ELSE 'No line tells how the sensor was before the window begins.' END,
  CAST(NULL AS TIMESTAMP), b.from_time, NULL
FROM health h
CROSS JOIN bounds b
WHERE h.before = 0
  AND NOT EXISTS (SELECT 1 FROM cut c WHERE c.node = h.node AND c.why = 'no-health-evidence' AND c.from_time IS NULL)
UNION ALL
SELECT 'no-health-evidence',
  CASE WHEN b.newest < b.wait_until AND s.broke_behind IS NULL THEN 'wait' ELSE 'doubt' END, h.node,
  'No line tells how the sensor was after the window ends.',
  b.until_time, CASE WHEN b.newest < b.wait_until AND s.broke_behind IS NULL THEN b.wait_until END, NULL
FROM health h
JOIN stream s ON s.node = h.node
CROSS JOIN bounds b
WHERE h.lines > 0 AND h.behind = 0
UNION ALL
SELECT 'stream-gap', 'doubt', s.node,
  'The stream of the sensor was not connected when the window began.', CAST(NULL AS TIMESTAMP), b.from_time, NULL
FROM stream s
CROSS JOIN bounds b
WHERE s.lines > 0 AND s.off_before = 1
  AND NOT EXISTS (SELECT 1 FROM cut c WHERE c.node = s.node AND c.why = 'stream-gap')
UNION ALL
SELECT 'stream-gap', 'doubt', s.node,
  'The stream of the sensor broke before the window ended.', s.broke, CAST(NULL AS TIMESTAMP), NULL
FROM stream s
CROSS JOIN bounds b
WHERE s.broke <= b.until_time
  AND NOT EXISTS (SELECT 1 FROM cut c WHERE c.node = s.node AND c.why = 'stream-gap')
UNION ALL
SELECT DISTINCT 'stream-gap', 'note', x.node,
  'The way in by ' || CASE x.way WHEN 'grpc' THEN 'gRPC' ELSE 'the export' END || ' was not whole (' || x.why
    || '); where no gap is told, the other one was.', x.from_time, x.until, x.evidence
FROM stream_break x
JOIN task_node n ON n.node = x.node
JOIN several v ON v.node = x.node
CROSS JOIN bounds b
WHERE x.way <> '' AND (x.from_time IS NULL OR x.from_time <= b.until_time) AND (x.until IS NULL OR x.until >= b.from_time)
UNION ALL
SELECT 'stream-gap', 'note', s.node,
  'No line tells when the sensor''s stream was connected: continuity rests on canaries and health lines.',
  CAST(NULL AS TIMESTAMP), CAST(NULL AS TIMESTAMP), NULL
FROM stream s
JOIN health h ON h.node = s.node
WHERE s.lines = 0 AND h.lines > 0
UNION ALL
SELECT 'canary-missed', 'doubt', c.node,
  CASE WHEN c.made = 0 THEN 'No canary was made on this node: nothing proves that its hooks posted.'
       ELSE 'No canary was seen before the window begins: nothing proves that the hooks posted by then.' END,
  CAST(NULL AS TIMESTAMP), b.from_time, NULL
FROM canary c
JOIN health h ON h.node = c.node AND h.lines > 0
CROSS JOIN bounds b
WHERE c.before = 0
  AND NOT EXISTS (SELECT 1 FROM cut x WHERE x.node = c.node AND x.why = 'canary-missed' AND x.from_time IS NULL)
UNION ALL
SELECT 'stream-gap',
  CASE WHEN b.newest < b.settled_at AND s.broke_behind IS NULL THEN 'wait' ELSE 'doubt' END, s.node,
  'Events of the last processes may still be on their way: no canary made after the last exit arrived before a line '
    || 'that shows no event held back, and the stream does not reach 30 s behind it.',
  b.last_exit, CASE WHEN b.newest < b.settled_at AND s.broke_behind IS NULL THEN b.settled_at END, NULL
FROM stream s
JOIN health h ON h.node = s.node AND h.lines > 0
CROSS JOIN bounds b
WHERE b.last_exit IS NOT NULL
  AND s.node NOT IN (SELECT node FROM emptied)
  AND s.node NOT IN (SELECT node FROM outlasted)
UNION ALL
SELECT 'no-health-evidence', 'note', 'sensor',
  CAST(count(*) AS VARCHAR) || ' lines about the sensor could not be read; the lines around them were judged.',
  CAST(NULL AS TIMESTAMP), CAST(NULL AS TIMESTAMP), min(evidence)
FROM gap
WHERE stream = 'sensor' AND why = 'broken-line'
HAVING count(*) > 0
UNION ALL
-- An argument that the kernel could not read is a gap inside an event: the far end is not known then.
SELECT 'sensor-loss', 'doubt', e.node || ' pid ' || CAST(e.pid AS VARCHAR),
  'An argument of ' || e.hook || ' could not be read: ' || e.arg_error || '.', min(e.time), max(e.time), min(e.evidence)
FROM kernel_event e
JOIN process p ON p.node = e.node AND p.exec_id = e.exec_id AND p.task_id IS NOT NULL
WHERE e.arg_error IS NOT NULL AND e.kind IN ('kprobe', 'lsm')
  AND e.hook NOT IN ('tcp_sendmsg', 'skb_consume_udp') AND NOT (e.hook = 'udp_sendmsg' AND e.i2 IS NULL)
GROUP BY e.node, e.pid, e.hook, e.arg_error
