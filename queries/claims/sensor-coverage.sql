-- Was every required hook loaded and posting for the whole window on every node where the task ran, and did the tree touch
-- a channel that no hook closes? One row is one finding: a stretch without a hook, a policy whose text changed, or a touched
-- blind spot. Rests on facts/tetragon.md (Policy for egress, ListTracingPolicies) and queries/hooks.json.
WITH bounds AS (
  SELECT window_start AS from_time, coalesce(window_end, newest) AS until_time FROM task
),
task_node AS (
  SELECT DISTINCT node FROM process WHERE task_id IS NOT NULL
),
-- the health lines of the window, and the last one before it and the first one behind it
bracket AS (
  SELECT n.node, min(b.from_time) AS from_time, min(b.until_time) AS until_time,
    coalesce(max(CASE WHEN s.time <= b.from_time THEN s.time END), min(s.time)) AS first_line,
    coalesce(min(CASE WHEN s.time >= b.until_time THEN s.time END), max(s.time)) AS last_line
  FROM task_node n
  CROSS JOIN bounds b
  JOIN sensor s ON s.node = n.node AND s.kind = 'health' AND s.why IS NULL
  GROUP BY n.node
),
spec AS (
  SELECT h.node, h.policy, b.from_time, b.until_time, count(DISTINCT h.spec) AS texts, count(h.spec) AS told,
    count(*) AS hooks, min(h.evidence) AS evidence
  FROM bracket b
  JOIN sensor_hook h ON h.node = b.node AND h.time BETWEEN b.first_line AND b.last_line
  WHERE h.hook IN (SELECT hook FROM required_hook WHERE role <> 'optional')
  GROUP BY h.node, h.policy, b.from_time, b.until_time
),
made AS (
  SELECT e.node, e.time, coalesce(e.i0, 0) AS family, coalesce(e.i1, 0) AS type, coalesce(e.i2, 0) AS protocol, e.evidence
  FROM kernel_event e
  JOIN process p ON p.node = e.node AND p.exec_id = e.exec_id
  WHERE e.hook = 'security_socket_create' AND p.task_id IS NOT NULL
    AND coalesce(e.i3, 0) = 0 -- not those that the kernel makes for itself
),
made_kind AS (
  SELECT node, family, type, protocol, min(time) AS from_time, max(time) AS until_time, min(evidence) AS evidence
  FROM made
  GROUP BY node, family, type, protocol
),
sent AS (
  SELECT node, channel, remote_port, min(opened) AS from_time, max(coalesce(closed, opened)) AS until_time,
    min(evidence) AS evidence
  FROM egress
  WHERE task_id IS NOT NULL AND NOT inside AND carried <> 'no' AND outcome <> 'failed'
  GROUP BY node, channel, remote_port
)
SELECT g.why AS code, 'doubt' AS kind, n.node AS subject, g.detail AS detail,
  g.from_time AS from_time, g.until AS until_time, g.evidence AS evidence
FROM task_node n
CROSS JOIN bounds b
JOIN gap g ON g.stream IN ('tetragon', 'tetragon-grpc') AND g.origin = n.node
WHERE g.why IN ('policy-missing', 'policy-disabled', 'hook-missing')
  AND (g.from_time IS NULL OR g.from_time <= b.until_time)
  AND (g.until IS NULL OR g.until >= b.from_time)
UNION ALL
SELECT 'hook-narrowed', 'doubt', node,
  'The text of the policy ' || policy || ' changed within the window: it may have left events out.',
  from_time, until_time, evidence
FROM spec
WHERE texts > 1
UNION ALL
SELECT 'hook-narrowed', 'note', node,
  'The selectors of policies could not be checked: the lines about the sensor tell no digests of them.',
  CAST(NULL AS TIMESTAMP), CAST(NULL AS TIMESTAMP), min(evidence)
FROM spec
WHERE told < hooks
GROUP BY node
UNION ALL
SELECT 'hook-narrowed', 'doubt', s.node,
  'Events came by the sensor''s export alone, and a list of it leaves some out.', min(s.time), max(s.time), min(s.evidence)
FROM bracket b
JOIN sensor s ON s.node = b.node AND s.kind = 'health' AND s.export_filter = 'some' AND s.time BETWEEN b.first_line AND b.last_line
JOIN way_reach r ON r.node = s.node AND r.way = 'export'
WHERE NOT EXISTS (SELECT 1 FROM way_reach g WHERE g.node = s.node AND g.way = 'grpc')
GROUP BY s.node
UNION ALL
SELECT 'hook-narrowed', 'note', b.node,
  'Events came by the sensor''s export alone, and nothing tells whether its lists leave some out.', min(b.from_time), max(b.until_time), min(s.evidence)
FROM bracket b
JOIN sensor s ON s.node = b.node AND s.kind = 'health' AND s.why IS NULL AND s.time = b.last_line
JOIN way_reach r ON r.node = s.node AND r.way = 'export'
WHERE s.export_filter IS NULL AND NOT EXISTS (SELECT 1 FROM way_reach g WHERE g.node = s.node AND g.way = 'grpc')
GROUP BY b.node
UNION ALL
SELECT 'blind-spot', 'doubt', m.node, s.channel || ': ' || s.detail, m.from_time, m.until_time, m.evidence
FROM made_kind m
JOIN channel_touch t ON t.family = m.family AND (t.type IS NULL OR t.type = m.type)
  AND (t.protocol IS NULL OR t.protocol = m.protocol)
JOIN blind_spot s ON s.channel = t.channel
UNION ALL
SELECT 'blind-spot', 'doubt', m.node,
  'The task made a socket that belongs to no channel with a hook: family ' || CAST(m.family AS VARCHAR) || ', type '
    || CAST(m.type AS VARCHAR) || ', protocol ' || CAST(m.protocol AS VARCHAR) || '.',
  m.from_time, m.until_time, m.evidence
FROM made_kind m
WHERE NOT EXISTS (
  SELECT 1 FROM channel_touch t
  WHERE t.family = m.family AND (t.type IS NULL OR t.type = m.type) AND (t.protocol IS NULL OR t.protocol = m.protocol))
UNION ALL
SELECT 'blind-spot', 'doubt', e.node, s.channel || ': ' || s.detail, e.from_time, e.until_time, e.evidence
FROM sent e
JOIN channel_touch t ON t.egress = e.channel AND (t.port IS NULL OR t.port = e.remote_port)
JOIN blind_spot s ON s.channel = t.channel
UNION ALL
-- Who connects to a unix socket of the task is seen at the other process only, and no event tells its path on this side.
SELECT 'blind-spot', 'doubt', l.node, s.channel || ': ' || s.detail, min(l.time), CAST(NULL AS TIMESTAMP), min(l.evidence)
FROM kernel_event l
JOIN process p ON p.node = l.node AND p.exec_id = l.exec_id AND p.task_id IS NOT NULL
JOIN blind_spot s ON s.channel = 'unix-accept'
WHERE l.hook = 'security_socket_listen' AND l.s_family = 'AF_UNIX'
GROUP BY l.node, s.channel, s.detail
