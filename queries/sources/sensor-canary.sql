-- Which canaries arrived? One row is one canary (design 9: a TCP connect to 127.a.b.c, its number in the three low bytes).
-- Seen is one whose connect passed both hooks of a connection, made by a process outside the task: what the task does
-- itself proves nothing. A number without a line, between two that have one, is known by its event alone.
WITH told AS (
  SELECT node, n % 16777216 AS n, time, port, evidence
  FROM sensor
  WHERE kind = 'canary'
),
attempt AS (
  SELECT e.node, e.time, e.hook, e.evidence, coalesce(e.a_addr, e.s_daddr) AS address,
    CASE WHEN e.a_addr IS NOT NULL THEN e.a_port ELSE e.s_dport END AS port
  FROM kernel_event e
  LEFT JOIN process p ON p.node = e.node AND p.exec_id = e.exec_id
  WHERE e.hook IN ('tcp_connect', 'security_socket_connect', 'socket_connect')
    AND coalesce(e.a_addr, e.s_daddr) LIKE '127.%' AND e.exec_id IS NOT NULL AND p.task_id IS NULL
),
numbered AS (
  SELECT node, time, hook = 'tcp_connect' AS connected, port, evidence,
    CAST(split_part(address, '.', 2) AS BIGINT) * 65536 + CAST(split_part(address, '.', 3) AS BIGINT) * 256
      + CAST(split_part(address, '.', 4) AS BIGINT) AS n
  FROM attempt
),
told_seen AS (
  SELECT t.node, t.n, t.time, t.evidence,
    coalesce(bool_or(c.connected) AND bool_or(NOT c.connected), false) AS seen
  FROM told t
  LEFT JOIN numbered c ON c.node = t.node AND c.n = t.n AND c.port = t.port
    AND c.time BETWEEN t.time - INTERVAL 2 SECONDS AND t.time + INTERVAL 2 SECONDS
  GROUP BY t.node, t.n, t.time, t.evidence
),
jump AS (
  SELECT node, port, time AS from_time, lead(time) OVER w AS until, n AS from_n, lead(n) OVER w AS until_n
  FROM told
  WINDOW w AS (PARTITION BY node ORDER BY time, n)
)
SELECT node, n, time, true AS told, seen, evidence FROM told_seen
UNION ALL
SELECT c.node, c.n, min(c.time), false, true, min(c.evidence)
FROM jump j
JOIN numbered c ON c.node = j.node AND c.port = j.port AND c.time BETWEEN j.from_time AND j.until
  AND c.n > j.from_n AND c.n < j.until_n
GROUP BY c.node, c.n
HAVING bool_or(c.connected) AND bool_or(NOT c.connected)
