-- Which audit records did the task's credential sessions authenticate? One row is one such record, a denied one too. The access
-- key ties a record to its session; where a record has none, the principal does. A record of a session that is declared or
-- bears the task's id by its name alone, under a key that was never issued here, is told as not known. Rests on
-- facts/cloudtrail.md 2, 3, 4 and 9.
WITH token AS (
  SELECT '(^|[^A-Za-z0-9])' || regexp_escape(task_id) || '($|[^A-Za-z0-9])' AS pattern FROM task
),
event AS (
  SELECT
    *,
    coalesce(regexp_matches(source, '(^|\.)amazonaws\.com(\.cn)?$') OR source LIKE 'AWS Internal%', false)
      OR invoked_by IS NOT NULL AS delegated
  FROM audit_event
  WHERE time IS NOT NULL AND coalesce(addendum, '') <> 'UNREADABLE'
),
-- The session that had been issued last when the record was made, where several have one principal.
by_principal AS (
  SELECT e.event_id, e.evidence, arg_max(s.key, (coalesce(s.issued, TIMESTAMP '1970-01-01'), s.key)) AS key
  FROM event e
  JOIN session s ON s.provider = 'aws' AND s.key IS NOT NULL AND s.principal = e.principal_id
  -- A service acts for a session under keys of its own.
  WHERE (e.access_key IS NULL OR e.delegated) AND coalesce(s.issued, e.time) <= e.time + INTERVAL 2 SECOND
  GROUP BY e.event_id, e.evidence
),
named AS (
  SELECT
    e.event_id,
    e.evidence,
    EXISTS (
      FROM declared_session d
      WHERE d.provider = 'aws' AND d.name = e.session_name
        AND (d.role IS NULL
          OR (split_part(d.role, ':', 5) = split_part(e.arn, ':', 5)
            AND list_last(string_split(d.role, '/')) = split_part(e.arn, '/', 2)))
    ) AS declared,
    coalesce(regexp_matches(e.source_identity, t.pattern), false)
      OR EXISTS (FROM setting s WHERE s.kind = 'session-name' AND regexp_full_match(e.session_name, s.name))
      OR EXISTS (FROM declared_session d WHERE d.provider = 'aws' AND d.name = e.session_name) AS bears
  FROM event e CROSS JOIN token t
  WHERE e.identity_type = 'AssumedRole'
),
tied AS (
  SELECT
    e.*,
    coalesce(s.key, e.access_key) AS used_key,
    s.key IS NOT NULL AS known,
    CASE WHEN s.key IS NOT NULL THEN s.declared
         ELSE coalesce(n.declared, false) OR EXISTS (FROM declared_session d WHERE d.provider = 'aws' AND d.key = e.access_key)
    END AS declared,
    s.name AS issued_as
  FROM event e
  LEFT JOIN by_principal p ON p.event_id = e.event_id AND p.evidence = e.evidence
  LEFT JOIN session s ON s.provider = 'aws' AND s.key IS NOT NULL
    AND s.key = CASE WHEN EXISTS (FROM session o WHERE o.provider = 'aws' AND o.key = e.access_key) THEN e.access_key ELSE p.key END
  LEFT JOIN named n ON n.event_id = e.event_id AND n.evidence = e.evidence
  WHERE s.key IS NOT NULL
    OR coalesce(n.bears, false)
    OR EXISTS (FROM declared_session d WHERE d.provider = 'aws' AND d.key = e.access_key)
),
-- Some services put the date of the API's version behind the name (ListFunctions20150331, CreateDistribution2020_05_31).
plain AS (
  SELECT *, regexp_replace(event_name, '\d{4}_?\d{2}_?\d{2}(v\d+)?$', '') AS plain_name FROM tied
),
mapped AS (
  SELECT service, event_name, min(action) AS action FROM iam_action WHERE event_name <> '*' GROUP BY service, event_name
),
prefixed AS (
  SELECT
    p.*,
    m.action AS mapped_action,
    coalesce(
      (SELECT min(replace(x.action, ':*', '')) FROM iam_action x WHERE x.event_name = '*' AND x.service = p.service),
      regexp_replace(p.service, '\.amazonaws\.com(\.cn)?$', '')
    ) AS prefix
  FROM plain p
  LEFT JOIN mapped m ON m.service = p.service AND m.event_name = p.plain_name
)
SELECT
  'aws' AS provider,
  event_id,
  time,
  used_key AS key,
  coalesce(session_name, issued_as) AS session,
  known,
  declared,
  account,
  region,
  coalesce(service, '') AS service,
  coalesce(event_name, '') AS event_name,
  coalesce(mapped_action, coalesce(prefix, '') || ':' || CASE
    -- API Gateway's permissions are named for the HTTP verb.
    WHEN prefix <> 'apigateway' THEN plain_name
    WHEN event_name LIKE 'Get%' THEN 'GET'
    WHEN event_name LIKE 'Delete%' OR event_name LIKE 'Untag%' OR event_name LIKE 'Flush%' THEN 'DELETE'
    WHEN event_name LIKE 'Update%' THEN 'PATCH'
    WHEN event_name LIKE 'Put%' OR event_name LIKE 'Tag%' THEN 'PUT'
    ELSE 'POST' END, '') AS action,
  host,
  CASE WHEN lower(source) LIKE '::ffff:%.%' THEN substr(lower(source), 8)
       WHEN regexp_full_match(source, '[0-9A-Fa-f.:]+') THEN lower(source)
       ELSE source END AS source,
  delegated,
  CASE WHEN error_code IS NULL THEN 'ok'
       WHEN regexp_matches(error_code, '(?i)(access.?denied|unauthori[sz]ed|not.?authori[sz]ed|forbidden|auth.?failure|authorizationerror|expiredtoken|invalidclienttoken)') THEN 'denied'
       ELSE 'error' END AS outcome,
  read_only,
  category,
  request_id,
  vpc_endpoint,
  resources,
  user_agent,
  CASE WHEN listed IN ('listed', 'pending') THEN listed ELSE 'unlisted' END AS listed,
  evidence
FROM prefixed
ORDER BY time, event_id, evidence
