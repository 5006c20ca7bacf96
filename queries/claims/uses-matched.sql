-- Does every use have egress of the task's own tree to that host, at that time, from that source address? One row is one use
-- that has not, or that another tree could have made (design 7, Matching and Gaps). A record of an unlisted log file neither
-- proves nor convicts.
WITH u AS (
  SELECT "use".*, c.covered,
    EXISTS (SELECT 1 FROM setting WHERE kind = 'node-egress') AS nodes_known
  FROM "use" JOIN kernel_covered AS c ON c.event_id = "use".event_id
  WHERE "use".listed IN ('listed', 'pending')
),
m AS (
  SELECT event_id, max(fits) AS fits, min(strength) AS strength, max(alternatives) AS alternatives, min(unwatched) AS unwatched, bool_or(source_known) AS source_known, bool_or(own_node) AS own_node
  FROM use_match GROUP BY event_id
),
-- A connection open then whose host is not known may be the one.
unnamed AS (
  SELECT DISTINCT u.event_id FROM u CROSS JOIN task AS t
  JOIN egress AS e ON e.task_id IS NOT NULL AND NOT e.inside AND e.host IS NULL AND NOT e.declared AND e.channel IN ('tcp', 'udp', 'inherited', 'received')
    AND e.carried <> 'no'
    AND u.time + INTERVAL '1' SECOND + t.tolerance >= e.opened AND (e.closed IS NULL OR u.time - t.tolerance <= e.closed)
),
-- A way out that the kernel's half can't follow may have carried the use.
open_half AS (
  SELECT CASE WHEN EXISTS (
      SELECT 1 FROM claim_finding WHERE kind = 'doubt' AND (claim = 'tree-closed'
        OR (claim = 'no-side-channel' AND code IN ('local-relay', 'relay-without-log', 'received-socket', 'inherited-socket', 'delegated-work')))
    ) OR NOT EXISTS (SELECT 1 FROM process WHERE task_id IS NOT NULL) THEN true ELSE false END AS is_open
),
-- A record that does not tell the host that was asked, while the task had an AWS connection open: it may be that one.
other_name AS (
  SELECT DISTINCT u.event_id FROM u CROSS JOIN task AS t
  JOIN egress AS e ON e.task_id IS NOT NULL AND NOT e.inside AND e.carried <> 'no'
    AND (e.host LIKE '%.amazonaws.com' OR e.host LIKE '%.api.aws' OR e.host LIKE '%.amazonaws.com.cn')
    AND u.time + INTERVAL '1' SECOND + t.tolerance >= e.opened AND (e.closed IS NULL OR u.time - t.tolerance <= e.closed)
  WHERE u.host IS NULL
),
judged AS (
  SELECT u.*, m.fits, m.strength, m.alternatives, m.unwatched,
    CASE
      WHEN u.delegated THEN 'delegated'
      WHEN NOT u.nodes_known THEN 'nodes-unknown'
      -- a record without a source address tells nothing of where it came from
      WHEN u.source IS NULL OR (u.source NOT LIKE '%:%' AND translate(u.source, '0123456789.', '') <> '') THEN 'no-source'
      WHEN NOT m.source_known THEN 'elsewhere'
      WHEN NOT m.own_node AND NOT EXISTS (SELECT 1 FROM process WHERE task_id IS NOT NULL) THEN 'uncovered'
      WHEN NOT m.own_node THEN 'other-node'
      WHEN m.fits = 0 AND (NOT u.covered OR n.event_id IS NOT NULL OR o.is_open OR x.event_id IS NOT NULL) THEN 'uncovered'
      WHEN m.fits = 0 THEN 'none'
      WHEN m.strength = 'shared' AND NOT EXISTS (SELECT 1 FROM setting WHERE kind = 'assume' AND value = 'co-tenants-isolated') THEN 'shared'
    END AS problem
  FROM u JOIN m ON m.event_id = u.event_id LEFT JOIN unnamed AS n ON n.event_id = u.event_id
  LEFT JOIN other_name AS x ON x.event_id = u.event_id CROSS JOIN open_half AS o
)
SELECT
  CASE WHEN problem = 'delegated' THEN 'delegated-use'
       WHEN problem IN ('elsewhere', 'other-node', 'none') THEN 'foreign-use' ELSE 'ambiguous-use' END AS code,
  CASE WHEN problem IN ('elsewhere', 'other-node', 'none') THEN 'counterexample' ELSE 'doubt' END AS kind,
  action AS subject,
  CASE problem
    WHEN 'delegated' THEN 'The service ' || coalesce(source, 'AWS') || ' made the request on the session''s behalf; no connection of the task shows it.'
    WHEN 'nodes-unknown' THEN 'The configuration does not say which addresses providers see for the nodes (nodes:), so the source '
      || coalesce(source, '?') || ' can''t be judged.'
    WHEN 'no-source' THEN 'The record bears no source address, so where the credential was used from can''t be told.'
    WHEN 'elsewhere' THEN 'Used from ' || coalesce(source, 'an unknown source') || ', which is no address of a declared node.'
    WHEN 'other-node' THEN 'Used from ' || coalesce(source, '?') || ', the address of a node on which the task did not run.'
    WHEN 'uncovered' THEN 'No connection of the task fits this use, but the kernel half is not complete at that time.'
    WHEN 'none' THEN 'No connection of the task to ' || coalesce(host, service) || ' was open when the credential was used from its node.'
    ELSE
      CASE
        WHEN unwatched IS NOT NULL THEN 'Nothing tells what was done then on ' || unwatched || ', which is behind the same address'
        ELSE CASE WHEN alternatives = 1 THEN 'Another process tree' ELSE CAST(alternatives AS VARCHAR) || ' other process trees' END
          || ' behind the same address had a connection open that may have gone to ' || coalesce(host, service)
      END || ': the network can''t tell which of them used the credential.'
  END AS detail,
  time AS from_time, time AS until_time, evidence
FROM judged WHERE problem IS NOT NULL
