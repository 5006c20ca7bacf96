-- One row is one use: whether the kernel half was covered at a time on a node where the task ran: health lines on both sides, and no gap there.
SELECT u.event_id,
  CASE WHEN EXISTS (
    SELECT 1 FROM process AS p WHERE p.task_id IS NOT NULL
      AND EXISTS (SELECT 1 FROM sensor AS s WHERE s.node = p.node AND s.kind = 'health' AND s.why IS NULL AND s.time <= u.time)
      AND EXISTS (SELECT 1 FROM sensor AS s WHERE s.node = p.node AND s.kind = 'health' AND s.why IS NULL AND s.time >= u.time)
  ) AND NOT EXISTS (
    SELECT 1 FROM gap AS g
    WHERE g.stream IN ('tetragon', 'tetragon-grpc')
      AND (g.origin = '' OR g.origin IN (SELECT node FROM process WHERE task_id IS NOT NULL))
      AND (g.from_time IS NULL OR g.from_time <= u.time + INTERVAL '3' SECOND)
      AND (g.until IS NULL OR g.until >= u.time - INTERVAL '3' SECOND)
  ) THEN true ELSE false END AS covered
FROM "use" AS u
