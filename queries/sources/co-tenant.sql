-- Uses that another process tree could have made: it had an outgoing connection to the same address and port, or to another
-- address of the same host, behind the same egress address at that time. One row is one use and one such connection.
WITH t AS (SELECT tolerance FROM task),
node_egress AS (
  SELECT name AS node, split_part(value, '-', 1) AS first_hex, split_part(value, '-', 2) AS last_hex
  FROM setting WHERE kind = 'node-egress'
),
host_address AS (
  SELECT DISTINCT e.host, e.remote_port, e.remote_address FROM egress AS e WHERE e.task_id IS NOT NULL AND e.host IS NOT NULL AND e.remote_address IS NOT NULL
  UNION
  SELECT DISTINCT e.host, e.remote_port, r.address FROM egress AS e JOIN resolution AS r ON r.host = e.host WHERE e.task_id IS NOT NULL
  UNION
  SELECT DISTINCT e.host, e.remote_port, d.address FROM egress AS e JOIN dns_message AS d ON d.name = e.host AND d.address IS NOT NULL WHERE e.task_id IS NOT NULL
)
SELECT DISTINCT u.event_id, f.node, f.exec_id, f.opened, f.evidence
FROM "use" AS u
CROSS JOIN t
JOIN address AS a ON a.address = u.source
JOIN node_egress AS n ON a.hex BETWEEN n.first_hex AND n.last_hex
JOIN flow AS f ON f.node = n.node AND f.channel IN ('tcp', 'udp') AND f.outcome <> 'failed'
  AND u.time + INTERVAL 1 SECOND + t.tolerance >= f.opened
  AND (f.closed IS NULL OR u.time - t.tolerance <= f.closed)
LEFT JOIN process AS p ON p.node = f.node AND p.exec_id = f.exec_id
WHERE p.task_id IS NULL AND NOT u.delegated
  AND EXISTS (
    SELECT 1 FROM host_address AS h
    WHERE h.remote_address = f.remote_address AND h.remote_port = f.remote_port
      AND (h.host = u.host OR (u.host IS NULL AND service_host(u.service, h.host)))
  )
ORDER BY ALL
