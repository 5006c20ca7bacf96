-- The task's ways out with the uses matched to them. One row is one way out.
SELECT e.id, e.node, e.exec_id, e.endpoint, e.channel, strftime(e.opened, '%Y-%m-%dT%H:%M:%S.%fZ') AS opened, strftime(e.closed, '%Y-%m-%dT%H:%M:%S.%fZ') AS closed,
  coalesce(CAST(to_json(list_sort(list(m.event_id) FILTER (WHERE m.event_id IS NOT NULL))) AS VARCHAR), '[]') AS uses,
  e.local_address, e.local_port, e.remote_address, e.remote_port, e.outcome, e.carried, e.inside, e.declared, e.basis, e.host
FROM egress AS e LEFT JOIN use_match AS m ON m.egress_id = e.id
WHERE e.task_id IS NOT NULL
GROUP BY ALL
ORDER BY opened, e.id
