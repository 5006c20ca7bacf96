-- Which connection of the task's tree fits which use, or which issuance that a token instead of a key paid for: same host, the source address is one that providers see for the node,
-- and the record's time lies within the connection's life, tolerance either way (design 7, Matching). One row is one pair.
WITH t AS (SELECT tolerance FROM task),
node_egress AS (
  SELECT name AS node, split_part(value, '-', 1) AS first_hex, split_part(value, '-', 2) AS last_hex
  FROM setting WHERE kind = 'node-egress'
),
connection AS (
  SELECT * FROM egress
  WHERE task_id IS NOT NULL AND NOT inside AND host IS NOT NULL AND channel IN ('tcp', 'udp', 'inherited', 'received') AND carried <> 'no'
),
-- the issuance is no use of the session, but explains the connection to its issuer
asked AS (
  SELECT event_id, time, source, host, service FROM "use" WHERE NOT delegated
  UNION ALL
  SELECT a.event_id, a.time, a.source, a.host, a.service
  FROM audit_event AS a
  JOIN session AS s ON s.provider = 'aws' AND s.key = a.issued_key AND s.declared
  WHERE a.access_key IS NULL AND a.event_name IN ('AssumeRoleWithWebIdentity', 'AssumeRoleWithSAML') AND a.invoked_by IS NULL
    AND a.listed IN ('listed', 'pending') AND a.event_id NOT IN (SELECT event_id FROM "use")
)
SELECT DISTINCT u.event_id, c.id AS egress_id, u.time AS use_time, c.opened, c.closed
FROM asked AS u
CROSS JOIN t
JOIN address AS a ON a.address = u.source
JOIN connection AS c
  ON u.time + INTERVAL 1 SECOND + t.tolerance >= c.opened
  AND (c.closed IS NULL OR u.time - t.tolerance <= c.closed)
  AND (c.host = u.host OR (u.host IS NULL AND service_host(u.service, c.host)))
JOIN node_egress AS n ON n.node = c.node AND a.hex BETWEEN n.first_hex AND n.last_hex
ORDER BY ALL
