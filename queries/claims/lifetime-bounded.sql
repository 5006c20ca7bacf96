-- Does every use lie between its session's issue and the earliest of expiry and the task's end? One row is one finding. A use
-- that a service made on the session's behalf is told only: when it comes is the service's choice, and it is a doubt of its
-- own elsewhere (delegated-use). Rests on facts/cloudtrail.md 1 (times are whole seconds of the provider's clock) and 4.
WITH
running AS (
  SELECT count(*) AS n FROM process p CROSS JOIN task t
  WHERE p.task_id = t.task_id AND p.exited IS NULL AND p.image_until IS NULL
),
-- The window may be declared longer than the task lived: the last exit then ends it, unless something still runs.
bound AS (
  SELECT
    CASE
      WHEN t.declared_end < coalesce(t.last_exit, t.declared_end + INTERVAL '1' SECOND) THEN t.declared_end
      WHEN t.window_end IS NULL THEN NULL
      WHEN r.n = 0 AND t.last_exit IS NOT NULL AND t.last_exit < t.window_end THEN t.last_exit
      ELSE t.window_end
    END AS task_end,
    t.tolerance
  FROM task t CROSS JOIN running r
),
judged AS (
  SELECT
    u.*,
    coalesce(u.session, u.key, u.event_id) AS subject,
    CASE
      WHEN u.delegated THEN 'note'
      WHEN u.listed IN ('listed', 'pending')
        AND (u.known OR EXISTS (SELECT 1 FROM declared_session d WHERE d.key = u.key)) THEN 'counterexample'
      ELSE 'doubt'
    END AS kind,
    CASE
      WHEN u.delegated THEN ' A service made it on the session''s behalf.'
      WHEN u.listed NOT IN ('listed', 'pending') THEN ' No valid digest vouches for the record.'
      WHEN NOT u.known THEN ' That the session is the task''s is told by its name alone.'
      ELSE ''
    END AS remark
  FROM "use" u
)
SELECT
  'use-after-expiry' AS code,
  j.kind,
  j.subject,
  j.action || ' was used after its credential had expired.' || j.remark AS detail,
  s.expires AS from_time,
  j.time AS until_time,
  j.evidence
FROM judged j
JOIN session s ON s.provider = j.provider AND s.key = j.key
CROSS JOIN bound b
WHERE j.time > s.expires + b.tolerance
UNION ALL
SELECT
  'use-after-task', j.kind, j.subject,
  j.action || ' was used after the task had ended.' || j.remark,
  b.task_end, j.time, j.evidence
FROM judged j
CROSS JOIN bound b
WHERE j.time > b.task_end + b.tolerance
ORDER BY code, subject, until_time, evidence
