-- When may the sensor have lost events, restarted, or was not asked? One row is one gap between two health lines
-- (facts/tetragon.md, Loss points; design 7, Covered). A single dropped line opens no gap: the counters are cumulative and
-- a policy that was switched off or loaded again shows in the next line. From 2.5 times the usual spacing on the collector
-- itself was away; below 5 s that is jitter, and above 2 minutes no usual spacing excuses it.
WITH line AS (
  SELECT *, why IS NULL AS told, lag(time) OVER w AS time_before,
    row_number() OVER (PARTITION BY node, why IS NULL ORDER BY time, evidence) AS k
  FROM sensor
  WHERE kind = 'health'
  WINDOW w AS (PARTITION BY node ORDER BY time, evidence)
),
usual AS (
  -- extra lines at the boundaries of tasks must not make the usual spacing shorter than it is meant to be
  SELECT node,
    least(greatest(2.5 * median(epoch_us(time) - epoch_us(time_before)), coalesce(2500000 * max(every), 0), 5000000), 120000000) AS longest
  FROM line
  WHERE time_before IS NOT NULL
  GROUP BY node
),
pair AS (
  -- what a line tells may have happened until its last answer was there
  SELECT b.node, b.k, a.time AS from_time, b.time AS read_at, coalesce(b.answered, b.time) AS until,
    a.started AS started_before, b.started, b.evidence
  FROM line b
  JOIN line a ON a.node = b.node AND a.k = b.k - 1 AND a.told
  WHERE b.told
),
label AS (
  SELECT DISTINCT node, metric, labels FROM sensor_metric
),
moved AS (
  SELECT p.node, p.from_time, p.until, p.started_before = p.started AS same_start, l.metric, l.labels, p.evidence,
    coalesce(b.value, 0) - coalesce(a.value, 0) AS rise
  FROM pair p
  JOIN label l ON l.node = p.node
  LEFT JOIN sensor_metric a ON a.node = p.node AND a.time = p.from_time AND a.metric = l.metric AND a.labels = l.labels
  LEFT JOIN sensor_metric b ON b.node = p.node AND b.time = p.read_at AND b.metric = l.metric AND b.labels = l.labels
),
life AS (
  SELECT node, min(started) AS first_start, max(image_until) AS last_end, bool_or(image_until IS NULL) AS running,
    min(evidence) AS evidence
  FROM process
  WHERE task_id IS NOT NULL
  GROUP BY node
),
told AS (
  SELECT node, min(time) AS first_time, max(time) AS last_time FROM line WHERE told GROUP BY node
)
SELECT 'tetragon' AS stream, node AS origin, from_time, until, 'sensor-loss' AS why,
  'The counter ' || metric || ' moved' || CASE WHEN min(labels) = '' THEN '' ELSE ' (' || min(labels) || ')' END
    || ': the sensor lost events.' AS detail,
  TRY_CAST(sum(rise) AS BIGINT) AS count, min(evidence) AS evidence
FROM moved
WHERE same_start AND rise > 0
GROUP BY node, from_time, until, metric
UNION ALL
SELECT 'tetragon', node, from_time, until, 'sensor-restart',
  'The sensor''s process started anew, or a counter of it went back.', NULL, min(evidence)
FROM (
  SELECT node, from_time, until, evidence FROM moved WHERE same_start AND rise < 0
  UNION ALL
  SELECT node, from_time, until, evidence FROM pair WHERE started_before <> started
)
GROUP BY node, from_time, until
UNION ALL
SELECT 'tetragon', b.node,
  (SELECT max(t.time) FROM line t WHERE t.told AND t.node = b.node AND t.time < b.time) AS from_time,
  (SELECT min(t.time) FROM line t WHERE t.told AND t.node = b.node AND t.time > b.time) AS until,
  'no-health-evidence', 'The sensor could not be asked how it was: ' || min(b.why) || '.', count(*), min(b.evidence)
FROM line b
WHERE NOT b.told AND EXISTS (FROM told WHERE told.node = b.node)
GROUP BY b.node, from_time, until
UNION ALL
SELECT 'tetragon', l.node, l.time_before, l.time, 'no-health-evidence',
  'No line tells how the sensor was, though there are some before and after.', NULL, l.evidence
FROM line l
JOIN usual u ON u.node = l.node
WHERE epoch_us(l.time) - epoch_us(l.time_before) > u.longest
UNION ALL
-- before the first line and after the last, where the task was there
SELECT 'tetragon', life.node, NULL, told.first_time, 'no-health-evidence',
  'No line tells how the sensor was when the task began.', NULL, life.evidence
FROM life
LEFT JOIN told ON told.node = life.node
WHERE told.first_time IS NULL OR life.first_start < told.first_time
UNION ALL
SELECT 'tetragon', life.node, told.last_time, NULL, 'no-health-evidence',
  'No line tells how the sensor was when the task ended.', NULL, life.evidence
FROM life
JOIN told ON told.node = life.node
WHERE life.running OR life.last_end > told.last_time
