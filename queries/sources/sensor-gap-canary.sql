-- When was a canary missed? One row is one gap between the two seen canaries around those that did not arrive, or whose
-- numbers are missing altogether, or around a time in which none was made (more than 2.5 times the usual spacing).
WITH canary AS (
  SELECT *, lag(n) OVER w AS n_before, lag(time) OVER w AS time_before,
    max(CASE WHEN seen THEN time END) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS seen_before,
    min(CASE WHEN seen THEN time END) OVER (w ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS seen_after
  FROM sensor_canary
  WINDOW w AS (PARTITION BY node ORDER BY time, n)
),
meant AS (
  -- extra canaries at the boundaries of tasks must not make the usual spacing shorter than it is meant to be
  SELECT node, 2500000 * max(every) AS longest FROM sensor WHERE kind = 'canary' GROUP BY node
),
usual AS (
  -- a hiccup of a collector that makes one each second must not count: ten seconds at least
  SELECT c.node,
    greatest(2.5 * median(epoch_us(c.time) - epoch_us(c.time_before)), coalesce(max(m.longest), 0), 10000000) AS longest
  FROM canary c
  LEFT JOIN meant m ON m.node = c.node
  WHERE c.time_before IS NOT NULL
  GROUP BY c.node
),
missed AS (
  -- numbers that go back are another run of the collector: nothing says that some are missing between
  SELECT node, seen_before AS from_time, seen_after AS until, evidence,
    CASE WHEN seen THEN 0 ELSE 1 END + CASE WHEN n > n_before + 1 THEN n - n_before - 1 ELSE 0 END AS count
  FROM canary
)
SELECT 'tetragon' AS stream, node AS origin, from_time, until, 'canary-missed' AS why,
  'Canaries of the collector were not seen by the sensor.' AS detail,
  CAST(sum(count) AS BIGINT) AS count, min(evidence) AS evidence
FROM missed
WHERE count > 0
GROUP BY node, from_time, until
UNION ALL
SELECT 'tetragon', c.node, c.time_before, c.time, 'canary-missed',
  'The collector made no canaries, though it did before and after.', NULL, c.evidence
FROM canary c
JOIN usual u ON u.node = c.node
WHERE epoch_us(c.time) - epoch_us(c.time_before) > u.longest
UNION ALL
-- The collector stopped making them before the task had ended.
SELECT 'tetragon', c.node, max(c.time), NULL, 'canary-missed',
  'The collector made no more canaries, though the task still ran.', NULL, max(c.evidence)
FROM sensor_canary c
JOIN usual u ON u.node = c.node
JOIN (
  SELECT node, max(coalesce(image_until, TIMESTAMP '9999-01-01')) AS last_exit FROM process WHERE task_id IS NOT NULL GROUP BY node
) life ON life.node = c.node
GROUP BY c.node, u.longest, life.last_exit
HAVING epoch_us(least(life.last_exit, (SELECT max(time) FROM kernel_event e WHERE e.node = c.node))) - epoch_us(max(c.time)) > u.longest
