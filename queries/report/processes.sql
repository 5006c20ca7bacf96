-- The task's processes. One row is one process image.
SELECT node, exec_id, coalesce(CASE WHEN tied_by = 'fork' THEN fork_parent END, parent_exec_id) AS parent, pid, "binary", arguments,
  strftime(started, '%Y-%m-%dT%H:%M:%S.%fZ') AS started, strftime(image_until, '%Y-%m-%dT%H:%M:%S.%fZ') AS ended, tied_by
FROM process WHERE task_id IS NOT NULL
ORDER BY started, node, exec_id
