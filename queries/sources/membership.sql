-- Which processes are the task's: those that a workload selector of the declaration matches (table seed), closed over
-- descendants: by the parent chain, by the fork hook (a daemon that init adopted keeps it), and over a restart of the sensor,
-- which names a living process anew (flag procFS, same pid). One row is one process of the task and how it is tied.
WITH RECURSIVE member AS (
  SELECT node, exec_id, 'selector' AS tied_by FROM seed
  UNION
  SELECT p.node, p.exec_id,
    CASE WHEN p.parent_exec_id = m.exec_id THEN 'parent' WHEN p.fork_parent = m.exec_id THEN 'fork' ELSE 'procfs' END
  FROM member AS m
  JOIN process AS parent ON parent.node = m.node AND parent.exec_id = m.exec_id
  JOIN process AS p ON p.node = m.node AND p.exec_id <> m.exec_id AND (
    p.parent_exec_id = m.exec_id
    OR p.fork_parent = m.exec_id
    OR (p.flags LIKE '%procFS%' AND p.pid = parent.pid AND parent.exited IS NULL
        AND p.started <= parent.started + INTERVAL 20 MILLISECOND)
  )
)
SELECT node, exec_id,
  CASE min(CASE tied_by WHEN 'selector' THEN 1 WHEN 'parent' THEN 2 WHEN 'fork' THEN 3 ELSE 4 END)
    WHEN 1 THEN 'selector' WHEN 2 THEN 'parent' WHEN 3 THEN 'fork' ELSE 'procfs' END AS tied_by
FROM member
GROUP BY node, exec_id
