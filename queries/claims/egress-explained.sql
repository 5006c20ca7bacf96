-- Does every connection to a host where credentials are used have a use of a declared session? One row is one connection that
-- has not. It convicts only where both halves were covered and a record of another principal fits it (design 7): then the task
-- used a credential that it was not given.
WITH credential_host AS (
  SELECT DISTINCT e.id FROM egress AS e
  WHERE e.task_id IS NOT NULL AND e.host IS NOT NULL AND (
    EXISTS (SELECT 1 FROM "use" AS u WHERE u.host = e.host)
    OR EXISTS (SELECT 1 FROM audit_event AS a WHERE a.host = e.host AND a.access_key IS NOT NULL)
    OR (EXISTS (SELECT 1 FROM declared_session WHERE provider = 'aws')
        AND (e.host LIKE '%.amazonaws.com' OR e.host LIKE '%.api.aws' OR e.host LIKE '%.amazonaws.com.cn'))
  )
),
unexplained AS (
  SELECT e.* FROM egress AS e JOIN credential_host AS c ON c.id = e.id
  WHERE NOT e.inside AND e.channel IN ('tcp', 'udp', 'inherited', 'received') AND e.carried <> 'no'
    AND coalesce(e.declared_as, 'endpoints') = 'endpoints'
    AND NOT EXISTS (
      SELECT 1 FROM use_match AS m JOIN "use" AS u ON u.event_id = m.event_id
      WHERE m.egress_id = e.id AND m.chosen AND u.declared AND u.listed IN ('listed', 'pending')
    )
    -- the task fetched the session itself, with a token instead of a key
    AND NOT EXISTS (
      SELECT 1 FROM use_match AS m
      JOIN audit_event AS a ON a.event_id = m.event_id AND a.access_key IS NULL AND a.listed IN ('listed', 'pending')
        AND a.event_name IN ('AssumeRoleWithWebIdentity', 'AssumeRoleWithSAML')
      JOIN session AS s ON s.key = a.issued_key AND s.declared
      WHERE m.egress_id = e.id AND m.chosen
    )
),
-- Records of another key that fit the connection.
stranger AS (
  SELECT x.id, min(a.evidence) AS evidence, min(coalesce(a.arn, a.access_key, a.principal_id)) AS principal
  FROM unexplained AS x CROSS JOIN task AS t
  JOIN audit_event AS a ON a.host = x.host AND a.listed = 'listed' AND a.access_key IS NOT NULL
    AND a.time + INTERVAL '1' SECOND + t.tolerance >= x.opened AND (x.closed IS NULL OR a.time - t.tolerance <= x.closed)
    AND NOT EXISTS (SELECT 1 FROM "use" AS u WHERE u.event_id = a.event_id)
  JOIN address AS s ON s.address = a.source
  JOIN setting AS n ON n.kind = 'node-egress' AND n.name = x.node
    AND s.hex BETWEEN split_part(n.value, '-', 1) AND split_part(n.value, '-', 2)
  -- another tree on the node may have made that request over a connection of its own
  WHERE NOT EXISTS (
    SELECT 1 FROM flow AS f LEFT JOIN process AS p ON p.node = f.node AND p.exec_id = f.exec_id
    WHERE p.task_id IS NULL AND f.node = x.node AND f.channel IN ('tcp', 'udp') AND f.remote_port = x.remote_port
      AND f.outcome <> 'failed'
      AND a.time + INTERVAL '1' SECOND + t.tolerance >= f.opened AND (f.closed IS NULL OR a.time - t.tolerance <= f.closed)
  )
  GROUP BY x.id
),
covered AS (
  SELECT CASE WHEN EXISTS (SELECT 1 FROM claim_finding WHERE claim IN ('audit-complete', 'sensor-continuity', 'sensor-coverage') AND kind IN ('doubt', 'wait'))
      -- the other principal may be the task's own session then
      OR EXISTS (SELECT 1 FROM claim_finding WHERE claim = 'sessions-known' AND code IN ('unknown-issuance', 'truncated-session-name'))
    THEN false ELSE true END AS both_halves,
  CASE WHEN EXISTS (SELECT 1 FROM claim_finding WHERE claim = 'audit-complete' AND kind = 'wait')
    AND NOT EXISTS (SELECT 1 FROM claim_finding WHERE claim = 'audit-complete' AND kind IN ('doubt', 'counterexample'))
    THEN true ELSE false END AS only_time
)
SELECT 'unexplained-connection' AS code,
  CASE WHEN s.id IS NOT NULL AND c.both_halves THEN 'counterexample' WHEN c.only_time THEN 'wait' ELSE 'doubt' END AS kind,
  x.endpoint AS subject,
  CASE WHEN s.id IS NOT NULL THEN 'No use of a declared session explains the connection, but a request of ' || s.principal || ' fits it.'
       ELSE 'No use of a declared session explains the connection.' END AS detail,
  x.opened AS from_time,
  CASE WHEN c.only_time AND s.id IS NULL THEN (SELECT max(until_time) FROM claim_finding WHERE claim = 'audit-complete' AND kind = 'wait') ELSE x.closed END AS until_time,
  x.evidence || coalesce(' ' || s.evidence, '') AS evidence
FROM unexplained AS x CROSS JOIN covered AS c LEFT JOIN stranger AS s ON s.id = x.id
