-- Was the declaration recorded before the task's first egress and first use? One row is one thing that came before it, or the
-- lack of a time. Provider times are whole seconds, completed by another clock (facts/cloudtrail.md 1).
WITH first_egress AS (
  SELECT opened, evidence, row_number() OVER (ORDER BY opened, evidence) AS n FROM egress WHERE task_id IS NOT NULL AND NOT inside
),
first_use AS (
  SELECT time, event_id, evidence, row_number() OVER (ORDER BY time, event_id) AS n FROM "use" WHERE listed <> 'unlisted'
)
SELECT 'late-declaration' AS code, 'counterexample' AS kind, t.task_id AS subject,
  'The declaration was made after the task''s first egress.' AS detail,
  e.opened AS from_time, t.declared AS until_time, e.evidence AS evidence
FROM task AS t JOIN first_egress AS e ON e.n = 1
WHERE t.declared > e.opened + t.tolerance
UNION ALL
SELECT 'late-declaration', 'counterexample', t.task_id,
  'The declaration was made after the first use of the task''s credentials.', u.time, t.declared, u.evidence
FROM task AS t JOIN first_use AS u ON u.n = 1
WHERE t.declared > u.time + INTERVAL '1' SECOND + t.tolerance
UNION ALL
SELECT 'late-declaration', 'doubt', t.task_id,
  'Nothing tells when the declaration was made: give it a time under declared:, or record it before the task runs.',
  NULL, NULL, t.evidence
FROM task AS t WHERE t.declared IS NULL
UNION ALL
SELECT 'late-declaration', 'note', t.task_id,
  'The task was declared anew and otherwise; its first declaration is the one that counts.', r.time, NULL, r.evidence
FROM task AS t CROSS JOIN redeclared AS r
