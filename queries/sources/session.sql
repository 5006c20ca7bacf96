-- Which credential sessions are the task's? Seeds are issuances that are declared or bear the task's id (in the session name by
-- the configured templates, in source identity or session tags as a whole token); what was issued with one of their keys
-- follows, to a fixed point. One row is one issued key, or a declared session without issuance. A name is chosen by the caller,
-- the issuance record is what proves. Rests on facts/cloudtrail.md 4 and 5.
WITH RECURSIVE issuance AS (
  SELECT
    e.*,
    -- A role assumed from another account shows no caller here; the record of that account does, where its log is here too.
    coalesce(e.access_key, other.access_key) AS parent_key,
    coalesce(e.arn, other.arn, e.principal_id, e.invoked_by, e.identity_account) AS issued_by,
    coalesce(nullif(split_part(e.issued_role, ':', 5), ''), e.account) AS into_account
  FROM audit_event e
  LEFT JOIN (
    SELECT shared_event_id, issued_key, min(access_key) AS access_key, min(arn) AS arn
    FROM audit_event
    WHERE shared_event_id IS NOT NULL AND access_key IS NOT NULL
    GROUP BY shared_event_id, issued_key
  ) other ON other.shared_event_id = e.shared_event_id AND other.issued_key IS NOT DISTINCT FROM e.issued_key
  WHERE e.issued_key IS NOT NULL
  QUALIFY row_number() OVER (
    PARTITION BY e.issued_key
    ORDER BY
      CASE e.listed WHEN 'listed' THEN 0 WHEN 'pending' THEN 1 ELSE 2 END,
      coalesce(e.access_key, other.access_key) IS NULL, e.time, e.event_id,
      -- what corrects a record stands before it
      coalesce(e.addendum, '') <> 'UPDATED_DATA', e.evidence
  ) = 1
),
token AS (
  SELECT '(^|[^A-Za-z0-9])' || regexp_escape(task_id) || '($|[^A-Za-z0-9])' AS pattern, task_id FROM task
),
judged AS (
  SELECT
    i.*,
    EXISTS (
      FROM declared_session d
      WHERE d.provider = 'aws'
        AND (d.key = i.issued_key
          OR (d.key IS NULL AND d.name = i.issued_name AND (d.role IS NULL OR d.role = i.issued_role)))
    ) AS declared,
    EXISTS (FROM setting s WHERE s.kind = 'session-name' AND regexp_full_match(i.issued_name, s.name))
      OR EXISTS (FROM declared_session d WHERE d.provider = 'aws' AND d.name = i.issued_name) AS bears_name,
    coalesce(regexp_matches(i.issued_source_identity, t.pattern), false)
      OR EXISTS (FROM setting s WHERE s.kind = 'session-name' AND regexp_full_match(i.issued_source_identity, s.name))
      AS bears_source_identity,
    coalesce(regexp_matches(i.issued_tags, t.pattern), false) AS bears_tag,
    EXISTS (FROM setting s WHERE s.kind = 'session-name-sure'
        AND (regexp_full_match(i.issued_name, s.name) OR regexp_full_match(i.issued_source_identity, s.name)))
      OR EXISTS (FROM declared_session d WHERE d.provider = 'aws' AND d.name = i.issued_name)
      OR coalesce(i.issued_source_identity = t.task_id, false) AS bears_surely
  FROM issuance i CROSS JOIN token t
),
closure(key, principal) AS (
  SELECT issued_key, issued_principal FROM judged
  WHERE declared OR bears_name OR bears_source_identity OR bears_tag
  UNION
  SELECT i.issued_key, i.issued_principal
  FROM closure c
  JOIN issuance i ON i.parent_key = c.key OR (i.parent_key IS NULL AND i.principal_id = c.principal)
),
link AS (
  SELECT i.issued_key AS key, c.key AS parent
  FROM closure c
  JOIN issuance i ON i.parent_key = c.key OR (i.parent_key IS NULL AND i.principal_id = c.principal)
  WHERE i.issued_key <> c.key
),
-- 32 hops are more than a chain can have; the bound ends what hostile records make go in circles.
hop(key, depth) AS (
  SELECT c.key, 0 FROM closure c WHERE NOT EXISTS (FROM link l WHERE l.key = c.key)
  UNION
  SELECT l.key, h.depth + 1 FROM hop h JOIN link l ON l.parent = h.key WHERE h.depth < 32
),
member AS (
  SELECT c.key, coalesce(min(h.depth), 0) AS depth FROM closure c LEFT JOIN hop h ON h.key = c.key GROUP BY c.key
)
SELECT
  'aws' AS provider,
  j.issued_key AS key,
  j.issued_principal AS principal,
  j.issued_name AS name,
  j.issued_role AS role,
  j.into_account AS account,
  j.declared,
  CASE WHEN j.declared THEN 'declared' WHEN j.bears_name THEN 'name' WHEN j.bears_source_identity THEN 'source-identity'
       WHEN j.bears_tag THEN 'tag' ELSE 'chained' END AS bears,
  m.depth,
  j.time AS issued,
  j.issued_expires AS expires,
  j.issued_by,
  j.parent_key,
  j.request_id,
  j.issued_for,
  j.event_name AS action,
  NOT EXISTS (FROM audit_event a WHERE a.account = j.into_account)
    AND NOT EXISTS (FROM audit_object o WHERE o.account = j.into_account AND o.state <> 'missing') AS foreign_account,
  CASE WHEN j.listed IN ('listed', 'pending') THEN j.listed ELSE 'unlisted' END AS listed,
  j.evidence,
  j.declared OR j.bears_surely AS sure
FROM member m
JOIN judged j ON j.issued_key = m.key
UNION ALL
SELECT
  'aws', NULL, NULL, d.name, d.role, nullif(split_part(d.role, ':', 5), ''), true, 'declared', 0,
  NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, 'unlisted', t.evidence, true
FROM declared_session d CROSS JOIN task t
WHERE d.provider = 'aws'
  AND NOT EXISTS (
    FROM judged j
    WHERE d.key = j.issued_key
      OR (d.key IS NULL AND d.name = j.issued_name AND (d.role IS NULL OR d.role = j.issued_role))
  )
ORDER BY issued, key, name, role
