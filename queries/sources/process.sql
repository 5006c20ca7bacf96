-- The process tree from the process and parent fields of every event (facts/tetragon.md, Process identity): one row is one
-- process image. A forked process that never execs has no event of its own; it is known from its hooked calls, its exit,
-- as a parent, or from the fork hook. exec_id is base64("node:ktime:pid").
WITH named AS (
  SELECT node, process AS p, time, kind, evidence, true AS own FROM tetragon_event WHERE process.exec_id <> ''
  UNION ALL
  SELECT node, parent AS p, time, 'parent' AS kind, evidence, false AS own FROM tetragon_event WHERE parent.exec_id <> ''
),
image AS (
  SELECT
    node,
    p.exec_id AS exec_id,
    min(nullif(p.parent_exec_id, '')) AS parent_exec_id,
    min(p.pid) AS pid,
    min(try_cast(p.start_time AS TIMESTAMP)) AS started,
    min(time) FILTER (WHERE kind = 'exit') AS exited,
    min(p.binary) FILTER (WHERE p.binary <> '') AS binary,
    coalesce(min(p.arguments), '') AS arguments,
    min(p.cwd) AS cwd,
    min(p.uid) AS uid,
    min(p.flags) AS flags,
    min(CAST(to_json(list_sort(list_transform(p.environment_variables, lambda v: [v.Key, coalesce(v.Value, '')]))) AS VARCHAR))
      FILTER (WHERE len(p.environment_variables) > 0) AS env,
    coalesce(max(regexp_replace(p.pod.container.id, '^[a-z0-9.-]+://', '')), max(nullif(p.docker, ''))) AS container,
    min(p.pod.container.image.name) AS image,
    min(p.pod.container.image.id) AS image_id,
    min(p.pod.namespace) AS pod_namespace,
    min(p.pod.name) AS pod_name,
    min(CAST(p.pod.pod_labels AS VARCHAR)) AS pod_labels,
    bool_or(p.in_init_tree) AS in_init_tree,
    min(p.ns.net.inum) AS netns,
    bool_or(kind = 'exec') AS announced,
    bool_or(own) AS seen,
    coalesce(min(evidence) FILTER (WHERE kind = 'exec'), min(evidence)) AS evidence
  FROM named
  GROUP BY node, p.exec_id
),
-- Threads are no processes: their pid differs from the thread group's.
fork AS (
  SELECT node, time, exec_id AS forker, i0 AS child
  FROM kernel_event
  WHERE hook = 'wake_up_new_task' AND i0 = i1 AND exec_id IS NOT NULL
),
-- The image that a fork made is the one that starts next with that pid; later images of the pid follow by exec, which keeps
-- the parent chain. A pid that exited between the fork and the start belongs to somebody else.
forked AS (
  SELECT i.node, i.exec_id, f.forker, f.time,
    row_number() OVER (PARTITION BY i.node, i.exec_id ORDER BY f.time DESC) AS nearest
  FROM image AS i
  JOIN fork AS f ON f.node = i.node AND f.child = i.pid AND f.time <= i.started + INTERVAL 50 MILLISECOND
  WHERE f.forker <> i.exec_id
    AND NOT EXISTS (
      SELECT 1 FROM image AS gone
      WHERE gone.node = i.node AND gone.pid = i.pid AND gone.exec_id <> i.exec_id
        AND gone.exited > f.time AND gone.exited < i.started
    )
),
-- A restarted sensor names what runs anew (flag procFS), from when the process began and not its last image: the two are one
-- life. An image that has a successor, or that the renamed one turned into by exec, is another matter.
renamed AS (
  SELECT t.node, t.exec_id, i.exec_id AS old_exec_id, t.exited
  FROM image AS t
  JOIN image AS i ON i.node = t.node AND i.pid = t.pid AND i.exec_id <> t.exec_id
    AND t.started <= i.started + INTERVAL 20 MILLISECOND AND i.parent_exec_id IS DISTINCT FROM t.exec_id
  WHERE t.flags LIKE '%procFS%' AND i.flags NOT LIKE '%procFS%' AND i.exited IS NULL
    AND NOT EXISTS (SELECT 1 FROM image AS n WHERE n.node = i.node AND n.pid = i.pid AND n.parent_exec_id = i.exec_id)
)
SELECT
  i.node, i.exec_id, i.parent_exec_id, f.forker AS fork_parent, i.pid, i.started, i.exited,
  CASE WHEN again.exec_id IS NOT NULL THEN i.exited
       ELSE least(coalesce(i.exited, before.exited), lead(i.started) OVER (PARTITION BY i.node, i.pid ORDER BY i.started, i.exec_id))
  END AS image_until,
  i.binary, i.arguments, i.cwd, i.uid, i.flags, i.env, i.container, i.image, i.image_id,
  i.pod_namespace, i.pod_name, i.pod_labels, i.in_init_tree, i.netns, i.announced, i.seen,
  CAST(NULL AS VARCHAR) AS task_id, CAST(NULL AS VARCHAR) AS tied_by, CAST(NULL AS VARCHAR) AS contested, i.evidence
FROM image AS i
LEFT JOIN forked AS f ON f.node = i.node AND f.exec_id = i.exec_id AND f.nearest = 1
LEFT JOIN renamed AS before ON before.node = i.node AND before.old_exec_id = i.exec_id
LEFT JOIN (SELECT DISTINCT node, exec_id FROM renamed) AS again ON again.node = i.node AND again.exec_id = i.exec_id
