-- When was the collector cut off, or the sensor held back? One row is one gap. What breaks a stream, and where several ways in
-- fill each other's breaks: stream-break.sql.
WITH life AS (
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
SELECT 'tetragon' AS stream, b.node AS origin, b.from_time, b.until, 'stream-gap' AS why,
  'The stream of the sensor broke: ' || b.why || '.' AS detail, CAST(NULL AS BIGINT) AS count, b.evidence
FROM stream_break b
LEFT JOIN life ON life.node = b.node
WHERE b.way = '' AND b.told AND (b.broke IS NOT NULL OR NOT b.connection)
  -- the collector's own end, after the task, loses nothing of it; on a node without the task other tasks may be what is missed
  AND (b.until IS NOT NULL OR life.node IS NULL OR life.running OR life.last_end > b.broke OR b.broke IS NULL)
UNION ALL
SELECT 'tetragon', b.node, NULL, b.until, 'stream-gap',
  'The stream of the sensor began after the task did.', NULL, b.evidence
FROM stream_break b
LEFT JOIN life ON life.node = b.node
WHERE b.way = '' AND b.told AND b.broke IS NULL AND b.connection AND (life.node IS NULL OR life.first_start < b.until)
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
  AND node NOT IN (SELECT node FROM stream_break WHERE way <> '' GROUP BY node HAVING count(DISTINCT way) > 1)
