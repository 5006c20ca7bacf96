-- Uses of the task's credentials. One row is one use.
SELECT u.event_id, strftime(u.time, '%Y-%m-%dT%H:%M:%S.%fZ') AS time, u.key, u.session, u.action, u.host, u.source, u.outcome,
  min(m.egress_id) AS connection, min(m.strength) AS strength, max(m.alternatives) AS alternatives,
  min(u.provider) AS provider, min(u.service) AS service, min(u.event_name) AS event_name, min(u.account) AS account, min(u.region) AS region,
  min(u.request_id) AS request_id, min(u.evidence) AS evidence
FROM "use" AS u LEFT JOIN use_match AS m ON m.event_id = u.event_id
GROUP BY ALL
ORDER BY time, u.event_id
