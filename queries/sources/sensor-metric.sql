-- How did the sensor's loss counters stand? One row is one counter in one health line: those of design 7, Covered, and no
-- others (facts/tetragon.md, Loss points). Probes missed by the kernel count for the sensor's base programs and for policies
-- with a required hook. The counter of overflowed listeners counts for the export too: its writer is one of the listeners.
-- The counter of the export's rate limit does not count when only gRPC frames were taken, and where there are both ways in it is
-- the export's alone (stream-break.sql).
WITH line AS NOT MATERIALIZED (
  SELECT s.node, s.time, s.evidence, unnest(map_entries(from_json(r.raw, '{"metrics":"MAP(VARCHAR, DOUBLE)"}').metrics)) AS m
  FROM record r
  JOIN sensor s ON s.evidence = r.evidence
  WHERE r.stream = 'sensor' AND s.kind = 'health' AND s.why IS NULL
),
counter AS NOT MATERIALIZED (
  SELECT node, time, evidence, m.key AS key, split_part(m.key, '{', 1) AS metric, m.value AS value
  FROM line
  WHERE split_part(m.key, '{', 1) IN (
    'tetragon_bpf_missed_events_total', 'tetragon_observer_ringbuf_events_lost_total',
    'tetragon_observer_ringbuf_queue_events_lost_total', 'tetragon_notify_overflowed_events_total',
    'tetragon_event_cache_fetch_failures_total', 'tetragon_event_cache_errors_total',
    'tetragon_events_missing_process_info_total', 'tetragon_handler_errors_total',
    'tetragon_export_ratelimit_events_dropped_total',
    'tetragon_missed_link_probes_total', 'tetragon_missed_prog_probes_total')
),
labelled AS (
  SELECT *, regexp_extract(key, '^[^{]*\{(.*)\}$', 1) AS labels, metric LIKE '%_probes_total' AS probe,
    regexp_extract(key, 'policy="([^"]*)"', 1) AS policy, regexp_extract(key, 'attach="([^"]*)"', 1) AS attach
  FROM counter
),
needed AS (
  SELECT DISTINCT h.node, h.policy
  FROM sensor_hook h
  JOIN required_hook r ON r.hook = h.hook AND r.role <> 'optional'
)
SELECT c.node, c.time, c.metric, c.labels, c.value, c.evidence
FROM labelled c
LEFT JOIN needed n ON n.node = c.node AND n.policy = c.policy AND c.probe
WHERE c.value IS NOT NULL
  AND (c.metric <> 'tetragon_export_ratelimit_events_dropped_total'
    OR ((EXISTS (FROM record WHERE stream = 'tetragon') OR NOT EXISTS (FROM record WHERE stream = 'tetragon-grpc'))
      AND c.node NOT IN (SELECT node FROM sensor WHERE kind = 'stream' GROUP BY node HAVING count(DISTINCT way) > 1)))
  AND (NOT c.probe OR c.policy = '__base__'
    -- several functions share one link (38 functions, 38 retkprobes): which of them was missed is not told
    OR (n.policy IS NOT NULL AND (c.attach LIKE '% functions)' OR c.attach LIKE '% retkprobes'
      OR c.attach IN (SELECT hook FROM required_hook WHERE role <> 'optional'))))
