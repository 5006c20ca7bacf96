-- Is every action used declared (if any are) and granted? One row is one finding. A denied attempt at an action that is not
-- declared is a use of it too. What a service did on the session's behalf is told only: the call that made it do so is the
-- session's own and judged here, and the service's use is a doubt of its own elsewhere (delegated-use). An explicit deny may
-- have conditions that are not known here: against a use that succeeded it only raises a doubt. Rests on facts/cloudtrail.md 9.
WITH
given AS (
  SELECT
    t.has_policy,
    EXISTS (SELECT 1 FROM declared_action d WHERE d.source = 'declaration') AS has_actions
  FROM task t
),
needed AS (
  SELECT
    u.event_id,
    u.evidence,
    coalesce(a.action, u.action) AS action,
    coalesce(a.uncertain, FALSE) AS uncertain,
    EXISTS (
      SELECT 1 FROM iam_action p WHERE p.permissionless AND p.service = u.service AND p.action = u.action
    ) AS permissionless
  FROM "use" u
  LEFT JOIN iam_action a ON a.service = u.service AND a.event_name = u.event_name
),
wanted AS (
  SELECT DISTINCT action FROM needed
),
statement AS (
  SELECT
    w.action,
    d.source,
    d.effect,
    d.statement,
    d.inverted,
    bool_or(
      lower(w.action) LIKE replace(replace(replace(lower(d.pattern), '_', '\_'), '*', '%'), '?', '_') ESCAPE '\'
    ) AS hit
  FROM wanted w
  CROSS JOIN declared_action d
  GROUP BY w.action, d.source, d.effect, d.statement, d.inverted
),
applied AS (
  SELECT
    w.action,
    coalesce(bool_or(s.source = 'declaration' AND s.hit), FALSE) AS declared,
    coalesce(bool_or(s.source = 'granted' AND s.effect = 'allow' AND s.hit <> s.inverted), FALSE) AS allowed,
    coalesce(bool_or(s.source = 'granted' AND s.effect = 'deny' AND s.hit <> s.inverted), FALSE) AS denied
  FROM wanted w
  LEFT JOIN statement s ON s.action = w.action
  GROUP BY w.action
),
judged AS (
  SELECT
    n.event_id,
    n.evidence,
    n.action,
    n.uncertain,
    CASE
      WHEN g.has_actions THEN NOT a.declared
      WHEN g.has_policy THEN NOT n.permissionless AND (NOT a.allowed OR (a.denied AND u.outcome = 'denied'))
      ELSE FALSE
    END AS undeclared,
    g.has_policy AND NOT n.permissionless AND (NOT a.allowed OR a.denied) AS ungranted,
    g.has_actions,
    u.outcome,
    u.delegated,
    u.listed,
    u.time,
    coalesce(u.session, u.key, u.event_id) AS session,
    u.known OR EXISTS (SELECT 1 FROM declared_session d WHERE d.key = u.key) AS tied
  FROM needed n
  JOIN "use" u ON u.event_id = n.event_id AND u.evidence = n.evidence
  JOIN applied a ON a.action = n.action
  CROSS JOIN given g
),
-- Where the record leaves open which of several actions it needed, one that is declared may have been it.
alternative AS (
  SELECT event_id, evidence, bool_or(NOT undeclared) AS some_declared, bool_or(NOT ungranted) AS some_granted
  FROM judged
  GROUP BY event_id, evidence
)
SELECT
  'undeclared-action' AS code,
  CASE
    WHEN j.delegated THEN 'note'
    WHEN j.listed NOT IN ('listed', 'pending') OR NOT j.tied OR (j.uncertain AND x.some_declared) THEN 'doubt'
    ELSE 'counterexample'
  END AS kind,
  j.action AS subject,
  'Session ' || j.session
    || CASE j.outcome WHEN 'denied' THEN ' tried ' ELSE ' used ' END
    || 'an action that '
    || CASE WHEN j.has_actions THEN 'is not declared' ELSE 'the granted policy does not allow' END
    || CASE j.outcome WHEN 'denied' THEN '; it was denied.' ELSE '.' END
    || CASE
      WHEN j.delegated THEN ' A service made the call on its behalf.'
      WHEN j.listed NOT IN ('listed', 'pending') THEN ' No valid digest vouches for the record.'
      WHEN NOT j.tied THEN ' That the session is the task''s is told by its name alone.'
      WHEN j.uncertain AND x.some_declared THEN ' The record does not tell which of several actions was needed.'
      ELSE ''
    END AS detail,
  j.time AS from_time,
  j.time AS until_time,
  j.evidence
FROM judged j
JOIN alternative x ON x.event_id = j.event_id AND x.evidence = j.evidence
WHERE j.undeclared
UNION ALL
SELECT
  'denied-action', CASE WHEN j.delegated THEN 'note' ELSE 'doubt' END, j.action,
  'Session ' || j.session || ' used an action that the given policy does not grant: it was granted more than the policy says.',
  j.time, j.time, j.evidence
FROM judged j
JOIN alternative x ON x.event_id = j.event_id AND x.evidence = j.evidence
WHERE NOT j.undeclared AND j.ungranted AND j.outcome = 'ok' AND NOT (j.uncertain AND x.some_granted)
UNION ALL
SELECT
  'denied-action', 'note', j.action,
  'Session ' || j.session || ' was denied a declared action.',
  j.time, j.time, j.evidence
FROM judged j
WHERE NOT j.undeclared AND j.outcome = 'denied'
ORDER BY code, subject, from_time, evidence
