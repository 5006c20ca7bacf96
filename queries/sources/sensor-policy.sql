-- Which hooks did each health line tell? One row is one hook of one policy in one health line (facts/tetragon.md,
-- ListTracingPolicies). Tracepoint and LSM policies have no hook statuses: which hooks they have is told by their events.
WITH line AS NOT MATERIALIZED (
  -- unnest keeps the parse from being repeated for every field that is read from it
  SELECT s.node, s.time, s.evidence, unnest([from_json(r.raw, '{"specs":[{"name":"VARCHAR","sha256":"VARCHAR"}],"policies":[
      {"id":"VARCHAR","name":"VARCHAR","sensors":["VARCHAR"],"enabled":"BOOLEAN","namespace":"VARCHAR","filter_id":"VARCHAR",
      "state":"VARCHAR","stats":{"action_counters":{"post":"VARCHAR"}},
      "hook_statuses":[{"state":"VARCHAR","hook_description":"VARCHAR"}]}]}')]) AS j
  FROM record r
  JOIN sensor s ON s.evidence = r.evidence
  WHERE r.stream = 'sensor' AND s.kind = 'health' AND s.why IS NULL
),
policy AS (
  SELECT node, time, evidence, j.specs AS specs, unnest(j.policies) AS p FROM line
),
by_event AS (
  SELECT node, kind, list(DISTINCT {'state': NULL::VARCHAR, 'hook_description': kind || ':' || hook}) AS hooks
  FROM kernel_event
  WHERE kind IN ('lsm', 'tracepoint')
  GROUP BY node, kind
),
hooked AS (
  SELECT
    policy.*,
    unnest(CASE WHEN len(p.hook_statuses) > 0 THEN p.hook_statuses
                WHEN by_event.hooks IS NOT NULL THEN by_event.hooks
                ELSE [{'state': NULL::VARCHAR, 'hook_description': NULL::VARCHAR}] END) AS h
  FROM policy
  LEFT JOIN by_event ON by_event.node = policy.node
    AND list_contains(p.sensors, 'generic_' || by_event.kind)
)
SELECT
  node, time,
  coalesce(p.id, p.name, '') AS policy_id,
  coalesce(p.name, '') AS policy,
  -- agents that know no state tell only whether it is enabled
  coalesce(p.state IN ('TP_STATE_ENABLED', 'TP_STATE_PARTIALLY_ENABLED'), p.enabled, false)
    -- a policy for one namespace or set of pods says nothing of the rest of the node
    AND coalesce(p.namespace, '') = '' AND coalesce(p.filter_id, '0') IN ('', '0') AS enabled,
  CASE WHEN coalesce(p.namespace, '') <> '' THEN 'limited to the namespace ' || p.namespace
       WHEN coalesce(p.filter_id, '0') NOT IN ('', '0') THEN 'limited to some pods'
       ELSE coalesce(p.state, CASE WHEN p.enabled THEN 'TP_STATE_ENABLED' ELSE 'TP_STATE_UNKNOWN' END) END AS state,
  coalesce(try_cast(p.stats.action_counters.post AS BIGINT), 0) AS posts,
  h.hook_description AS hook,
  CASE WHEN len(p.hook_statuses) > 0 THEN coalesce(h.state, 'STATUS_UNSPECIFIED') END AS hook_state,
  list_filter(specs, lambda x: x.name = p.name)[1].sha256 AS spec,
  evidence
FROM hooked
