-- When was the collector cut off, or the sensor held back? One row is one gap. What was under way to a subscriber when its
-- stream broke is lost with it (facts/tetragon.md: no replay), so a gap begins at the last canary seen before, or 30 s
-- earlier, which is how long the sensor may hold an event.
WITH line AS (
  SELECT *, lag(state) OVER w AS state_before, lead(state) OVER w AS state_after, lead(time) OVER w AS time_after
  FROM sensor
  WHERE kind = 'stream'
  WINDOW w AS (PARTITION BY node ORDER BY time, evidence)
),
broken AS (
  SELECT node, time AS broke, time_after AS until, coalesce(why, 'no reason told') AS why, evidence
  FROM line
  WHERE state = 'disconnected'
  UNION ALL
  -- connected twice: the end of the first stream was not told
  SELECT node, time, time, 'its end was not told', evidence
  FROM line
  WHERE state = 'connected' AND state_before = 'connected'
),
life AS (
  SELECT node, min(started) AS first_start, max(image_until) AS last_end, bool_or(image_until IS NULL) AS running,
    min(evidence) AS evidence
  FROM process
  WHERE task_id IS NOT NULL
  GROUP BY node
),
turn AS (
  SELECT node, time, hook, evidence,
    sum(CASE hook WHEN 'THROTTLE_START' THEN 1 ELSE -1 END) OVER (PARTITION BY node ORDER BY time, evidence) AS depth
  FROM kernel_event
  WHERE kind = 'throttle' AND hook IN ('THROTTLE_START', 'THROTTLE_STOP')
),
throttle AS (
  -- an end without a beginning was held back since before the evidence begins
  SELECT *, depth - least(0, min(depth) OVER (PARTITION BY node)) AS held,
    lead(time) OVER (PARTITION BY node ORDER BY time, evidence) AS time_after,
    row_number() OVER (PARTITION BY node ORDER BY time, evidence) AS k
  FROM turn
)
SELECT 'tetragon' AS stream, b.node AS origin,
  greatest(b.broke - INTERVAL 30 SECONDS, coalesce(
    (SELECT max(c.time) FROM sensor_canary c WHERE c.seen AND c.node = b.node AND c.time <= b.broke),
    b.broke - INTERVAL 30 SECONDS)) AS from_time,
  b.until, 'stream-gap' AS why,
  'The stream of the sensor broke: ' || b.why || '.' AS detail, CAST(NULL AS BIGINT) AS count, b.evidence
FROM broken b
LEFT JOIN life ON life.node = b.node
-- the collector's own end, after the task, loses nothing of it
WHERE b.until IS NOT NULL OR life.running OR life.last_end > b.broke
UNION ALL
SELECT 'tetragon', l.node, NULL, l.time, 'stream-gap',
  'The stream of the sensor began after the task did.', NULL, l.evidence
FROM line l
JOIN life ON life.node = l.node
WHERE l.state_before IS NULL AND l.state = 'connected' AND life.first_start < l.time
UNION ALL
SELECT 'tetragon', node, time, time_after, 'throttled',
  'The sensor held back events of a busy group of processes.', NULL, evidence
FROM throttle
WHERE held > 0
UNION ALL
SELECT 'tetragon', node, NULL, time, 'throttled',
  'The sensor held back events of a busy group of processes.', NULL, evidence
FROM throttle
WHERE k = 1 AND hook = 'THROTTLE_STOP'
UNION ALL
-- told once a minute by the export, whose writer may be half a minute behind
SELECT 'tetragon', node, time - INTERVAL 90 SECONDS, time, 'throttled',
  'The rate limit of the sensor''s export dropped events.', NULL, evidence
FROM kernel_event
WHERE kind = 'rate_limit_info'
