-- The task's processes. One row is one process image. Of the environment only a TRACEPARENT of the form that W3C gives it:
-- a quote inside another variable's value is escaped in the JSON, so that none can pose as it.
SELECT node, exec_id, coalesce(CASE WHEN tied_by = 'fork' THEN fork_parent END, parent_exec_id) AS parent, pid, "binary", arguments,
  strftime(started, '%Y-%m-%dT%H:%M:%S.%fZ') AS started, strftime(image_until, '%Y-%m-%dT%H:%M:%S.%fZ') AS ended, tied_by,
  uid, container, image, pod_namespace, pod_name, evidence,
  nullif(regexp_extract(env, '\["TRACEPARENT", ?"(00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})"\]', 1), '') AS traceparent
FROM process WHERE task_id IS NOT NULL
ORDER BY started, node, exec_id
