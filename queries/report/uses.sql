-- Uses of the task's credentials. One row is one use.
SELECT u.event_id, strftime(u.time, '%Y-%m-%dT%H:%M:%S.%fZ') AS time, u.key, u.session, u.action, u.host, u.source, u.outcome,
  min(m.egress_id) AS connection, min(m.strength) AS strength
FROM "use" AS u LEFT JOIN use_match AS m ON m.event_id = u.event_id
GROUP BY ALL
ORDER BY time, u.event_id
