-- When did a required hook not post? One row is one gap between two health lines that both show it posting, open where
-- there is none. Between two lines a hook is covered when one and the same loaded policy (its id is given anew on loading)
-- has it in both and that policy's counters did not go back, as they do when it is switched off and on.
-- Hooks are found by name, so it does not matter how a policy is called.
WITH touched AS (
  SELECT DISTINCT p.node, t.channel
  FROM kernel_event e
  JOIN process p ON p.node = e.node AND p.exec_id = e.exec_id AND p.task_id IS NOT NULL
  JOIN channel_touch t ON t.family = coalesce(e.i0, 0) AND (t.type IS NULL OR t.type = coalesce(e.i1, 0))
    AND (t.protocol IS NULL OR t.protocol = coalesce(e.i2, 0))
  WHERE e.hook = 'security_socket_create'
),
slot AS (
  SELECT channel, slot, list_sort(list(DISTINCT hook)) AS hooks, min(role) AS role, max(copies) AS copies,
    channel IN (SELECT channel FROM required_hook WHERE role = 'gate') AS gated
  FROM required_hook
  WHERE role <> 'optional'
  GROUP BY channel, slot
),
line AS (
  SELECT node, time, min(evidence) AS evidence, row_number() OVER (PARTITION BY node ORDER BY time) AS k
  FROM sensor
  WHERE kind = 'health' AND why IS NULL
  GROUP BY node, time
),
-- what is needed on a node; `lenient` where a kernel without the function is fine, because the tree never touched it
need AS (
  SELECT n.node, s.hooks, max(s.copies) AS copies,
    bool_and(s.gated AND s.role <> 'gate' AND t.channel IS NULL) AS lenient
  FROM (SELECT DISTINCT node FROM line) n
  CROSS JOIN slot s
  LEFT JOIN touched t ON t.node = n.node AND t.channel = s.channel
  GROUP BY n.node, s.hooks
),
-- the hooks of a need in a line, whatever their state
candidate AS (
  SELECT l.node, l.k, need.hooks, need.copies, h.policy_id, h.policy, h.hook, h.enabled, h.state, h.hook_state, h.posts,
    h.enabled AND coalesce(h.hook_state = 'STATUS_LOADED'
      OR (need.lenient AND h.hook_state = 'STATUS_CALL_NOT_FOUND'), true) AS posting
  FROM line l
  JOIN need ON need.node = l.node
  JOIN sensor_hook h ON h.node = l.node AND h.time = l.time AND list_contains(need.hooks, h.hook)
),
-- of two enabled policies with the same hook both must have it: what one takes down the other may not
hook_state AS (
  SELECT node, k, hooks, hook,
    count(*) FILTER (WHERE posting) >= max(copies) AND NOT bool_or(enabled AND NOT posting) AS posting
  FROM candidate
  GROUP BY node, k, hooks, hook
),
state AS (
  SELECT l.node, l.k, l.time, l.evidence, need.hooks, coalesce(bool_or(s.posting), false) AS posting
  FROM line l
  JOIN need ON need.node = l.node
  LEFT JOIN hook_state s ON s.node = l.node AND s.k = l.k AND s.hooks = need.hooks
  GROUP BY l.node, l.k, l.time, l.evidence, need.hooks
),
kept AS (
  SELECT DISTINCT b.node, b.k, b.hooks
  FROM candidate b
  SEMI JOIN candidate a ON b.node = a.node AND b.k = a.k + 1 AND b.hooks = a.hooks AND b.policy_id = a.policy_id
    AND b.hook = a.hook AND a.posting AND b.posting AND b.posts >= a.posts
  GROUP BY b.node, b.k, b.hooks, b.hook
  HAVING count(*) >= max(b.copies)
),
-- the policy that has the hook in any line of the node, to be named where it is gone
carrier AS (
  SELECT node, hooks, min(policy) AS policy, min(policy_id) AS policy_id, min(hook) AS hook
  FROM candidate
  GROUP BY node, hooks
),
fault AS (
  SELECT s.node, s.k, s.hooks,
    CASE WHEN bool_or(c.enabled AND NOT c.posting) THEN 'hook-missing'
         WHEN count(c.policy) > 0 OR bool_or(named.policy IS NOT NULL) THEN 'policy-disabled'
         ELSE 'policy-missing' END AS why,
    coalesce(min(c.policy), min(named.policy), min(carrier.policy)) AS policy,
    coalesce(min(CASE WHEN c.enabled AND NOT c.posting THEN c.hook_state END), min(c.state), min(named.state)) AS state
  FROM state s
  LEFT JOIN candidate c ON c.node = s.node AND c.k = s.k AND c.hooks = s.hooks AND NOT c.posting
  LEFT JOIN carrier ON carrier.node = s.node AND carrier.hooks = s.hooks
  LEFT JOIN sensor_hook named ON named.node = s.node AND named.time = s.time AND named.policy_id = carrier.policy_id
    AND named.policy = carrier.policy AND NOT named.enabled
  WHERE NOT s.posting
  GROUP BY s.node, s.k, s.hooks
),
-- step k reaches from line k - 1 to line k; the first and the last are open
step AS (
  SELECT node, hooks, k, lag(time) OVER w AS from_time, time AS until, evidence,
    NOT posting OR NOT coalesce(lag(posting) OVER w, true) AS off,
    k > 1 AND NOT EXISTS (FROM kept WHERE kept.node = state.node AND kept.k = state.k AND kept.hooks = state.hooks) AS anew
  FROM state
  WINDOW w AS (PARTITION BY node, hooks ORDER BY k)
  UNION ALL
  SELECT node, hooks, k + 1, time, NULL, evidence, NOT posting, false
  FROM state
  QUALIFY k = max(k) OVER (PARTITION BY node)
),
stretch AS (
  SELECT *, k - row_number() OVER (PARTITION BY node, hooks ORDER BY k) AS island
  FROM step
  WHERE off OR anew
),
gap_of_hook AS (
  SELECT s.node, s.hooks, s.island,
    CASE WHEN bool_or(s.from_time IS NULL) THEN NULL ELSE min(s.from_time) END AS from_time,
    CASE WHEN bool_or(s.until IS NULL) THEN NULL ELSE max(s.until) END AS until,
    min_by(f.why, f.k) AS why, min_by(f.policy, f.k) AS policy, min_by(f.state, f.k) AS state, min(s.evidence) AS evidence
  FROM stretch s
  LEFT JOIN fault f ON f.node = s.node AND f.hooks = s.hooks AND f.k = s.k
  GROUP BY s.node, s.hooks, s.island
),
gap_of_policy AS (
  SELECT g.node, g.from_time, g.until, g.why, coalesce(g.policy, c.policy) AS policy, g.state,
    list_sort(list(coalesce(c.hook, g.hooks[1]))) AS hooks, min(g.evidence) AS evidence
  FROM gap_of_hook g
  LEFT JOIN carrier c ON c.node = g.node AND c.hooks = g.hooks
  GROUP BY g.node, g.from_time, g.until, g.why, coalesce(g.policy, c.policy), g.state
)
SELECT 'tetragon' AS stream, node AS origin, from_time, until, coalesce(why, 'policy-disabled') AS why,
  CASE
    WHEN why IS NULL THEN 'The policy ' || policy || ' was switched off or loaded anew between two health lines'
    WHEN why = 'policy-disabled' THEN 'The policy ' || policy || ' was ' || state
    WHEN why = 'hook-missing' THEN 'The policy ' || policy || ' did not have all its hooks (' || state || ')'
    WHEN policy IS NOT NULL THEN 'The policy ' || policy || ' was not loaded'
    ELSE 'No loaded policy has all the hooks that are needed'
  END || ': nothing was posted by ' || array_to_string(hooks[1:3], ', ')
    || CASE WHEN len(hooks) > 3 THEN ' and ' || (len(hooks) - 3) || ' more' ELSE '' END || '.' AS detail,
  CAST(len(hooks) AS BIGINT) AS count, evidence
FROM gap_of_policy
