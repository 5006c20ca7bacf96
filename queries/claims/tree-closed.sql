-- Is every process that can belong to the task accounted for, from root to exit? One row is one process, or event, that is
-- not (facts/tetragon.md, Process identity; lab REPORT, How processes appear).
WITH bounds AS (
  SELECT p.node, t.task_id, min(t.window_start) AS window_start,
    max(coalesce(t.last_exit, t.newest)) AS window_end
  FROM process AS p CROSS JOIN task AS t
  WHERE p.task_id IS NOT NULL
  GROUP BY p.node, t.task_id
)
SELECT 'unknown-parent' AS code, 'doubt' AS kind, t.task_id AS subject,
  'No process in the evidence matches the workload that the declaration names.' AS detail,
  t.window_start AS from_time, t.window_end AS until_time, t.evidence AS evidence
FROM task AS t WHERE NOT EXISTS (SELECT 1 FROM process WHERE task_id IS NOT NULL)
UNION ALL
-- It began after the collector recorded the declaration, and before the sensor: what marks the task's processes is not known of it.
SELECT 'unknown-parent', 'doubt', p.node || ' pid ' || CAST(p.pid AS VARCHAR),
  coalesce(p.binary, 'A process') || ' is older than the sensor, which does not tell its environment, and began after the task was declared.',
  p.started, p.image_until, p.evidence
FROM process AS p
JOIN bounds AS b ON b.node = p.node
JOIN task AS t ON t.declared_basis = 'collector' AND p.started >= t.declared
WHERE p.task_id IS NULL AND p.flags LIKE '%procFS%' AND p.started <= b.window_end AND p.env IS NULL
UNION ALL
-- Adopted by init, or without a known parent, and no fork in evidence: it may come from the task.
SELECT CASE WHEN parent.exec_id IS NULL THEN 'unknown-parent' ELSE 'escaped-process' END, 'doubt',
  p.node || ' pid ' || CAST(p.pid AS VARCHAR),
  CASE WHEN parent.exec_id IS NULL THEN 'The parent of ' ELSE 'Init adopted ' END || coalesce(p.binary, 'a process')
    || CASE WHEN parent.exec_id IS NULL THEN ' is not in the evidence, so it may belong to the task.'
            ELSE ', and no fork in the evidence tells where it came from, so it may belong to the task.' END,
  p.started, p.image_until, p.evidence
FROM process AS p
JOIN bounds AS b ON b.node = p.node AND p.started >= b.window_start AND p.started <= b.window_end
LEFT JOIN process AS parent ON parent.node = p.node AND parent.exec_id = p.parent_exec_id
WHERE p.task_id IS NULL AND p.fork_parent IS NULL AND coalesce(p.flags, '') NOT LIKE '%procFS%'
  AND (parent.exec_id IS NULL OR (parent.pid = 1 AND p.pid <> 1))
UNION ALL
SELECT 'anonymous-event', 'doubt', p.node || ' pid ' || coalesce(CAST(p.pid AS VARCHAR), '?'),
  'The sensor knew little of ' || coalesce(p."binary", 'a process') || ' (flags ' || coalesce(p.flags, 'none') || '), so it may be the task''s.',
  p.started, p.image_until, p.evidence
FROM process AS p JOIN bounds AS b ON b.node = p.node
WHERE p.task_id IS NULL AND p.seen
  AND (p.started IS NULL OR ((p.flags LIKE '%unknown%' OR p.flags LIKE '%miss%') AND p.started >= b.window_start AND p.started <= b.window_end))
UNION ALL
SELECT 'anonymous-event', 'doubt', e.node || coalesce(' pid ' || CAST(e.pid AS VARCHAR), ''),
  'Events without a process: the sensor did not know who made them, so they may be the task''s.',
  min(e.time), max(e.time), min(e.evidence)
FROM kernel_event AS e JOIN bounds AS b ON b.node = e.node AND e.time >= b.window_start AND e.time <= b.window_end
WHERE e.exec_id IS NULL AND e.kind NOT IN ('throttle', 'rate_limit_info')
GROUP BY e.node, e.pid
UNION ALL
SELECT 'injected-process', 'doubt', p.node || ' pid ' || CAST(p.pid AS VARCHAR),
  coalesce(p.binary, 'A process') || ' was put into the container from outside (not started by its first process).',
  p.started, p.image_until, p.evidence
FROM process AS p
WHERE p.task_id IS NOT NULL AND p.container IS NOT NULL AND p.in_init_tree = false
UNION ALL
SELECT 'injected-process', 'doubt', p.node || ' pid ' || CAST(p.pid AS VARCHAR),
  coalesce(p.binary, 'A process') || ' ran in a container of the task without being of its tree.',
  p.started, p.image_until, p.evidence
FROM process AS p
JOIN bounds AS b ON b.node = p.node AND p.started <= b.window_end AND (p.image_until IS NULL OR p.image_until >= b.window_start)
WHERE p.task_id IS NULL AND p.container IS NOT NULL
  AND EXISTS (SELECT 1 FROM process AS m WHERE m.task_id IS NOT NULL AND m.node = p.node AND m.container = p.container)
UNION ALL
SELECT 'still-running', 'doubt', p.node || ' pid ' || CAST(p.pid AS VARCHAR),
  'No exit of ' || coalesce(p.binary, 'the process') || ' is in the evidence: it may still run, or its exit is lost.',
  p.started, CAST(NULL AS TIMESTAMP), p.evidence
FROM process AS p
WHERE p.task_id IS NOT NULL AND p.image_until IS NULL
UNION ALL
SELECT 'contested-process', 'doubt', p.node || ' pid ' || CAST(p.pid AS VARCHAR),
  coalesce(p.binary, 'A process') || ' descends from the task but bears the mark of another one: ' || p.contested || '.',
  p.started, p.image_until, p.evidence
FROM process AS p WHERE p.task_id IS NOT NULL AND p.contested IS NOT NULL
UNION ALL
-- A fork whose child never appears again, not even by its exit.
SELECT 'escaped-process', 'doubt', e.node || ' pid ' || CAST(e.i0 AS VARCHAR),
  'A process that the task forked is never seen again, not even by its exit.',
  e.time, CAST(NULL AS TIMESTAMP), e.evidence
FROM kernel_event AS e
JOIN process AS forker ON forker.node = e.node AND forker.exec_id = e.exec_id AND forker.task_id IS NOT NULL
WHERE e.hook = 'wake_up_new_task' AND e.i0 = e.i1
  AND NOT EXISTS (
    SELECT 1 FROM process AS c
    WHERE c.node = e.node AND c.pid = e.i0 AND c.seen AND c.task_id IS NOT NULL AND c.started >= e.time - INTERVAL '1' SECOND
      -- not one that got the same pid by a later fork
      AND NOT EXISTS (
        SELECT 1 FROM kernel_event AS later
        WHERE later.hook = 'wake_up_new_task' AND later.node = e.node AND later.i0 = e.i0 AND later.i1 = later.i0
          AND later.time > e.time AND later.time <= c.started + INTERVAL '0.1' SECOND
      )
  )
