-- Did any local relay, inherited or received socket, inbound connection, raw or other channel carry data out of sight? One row
-- is one such way (design 7, What is egress and Look-ups; lab REPORT, Coverage matrix).
WITH own AS (
  SELECT e.*,
    e.remote_address LIKE '127.%' OR e.remote_address IN ('::1', '0.0.0.0', '::') AS loopback,
    e.node || ' pid ' || CAST(e.pid AS VARCHAR) AS who
  FROM egress AS e WHERE e.task_id IS NOT NULL
),
lookup_name AS (
  SELECT l.*, coalesce(l.name, '') AS asked FROM lookup AS l
),
declared_name AS (
  SELECT l.evidence, l.asked
  FROM lookup_name AS l
  JOIN declared_endpoint AS d ON d.host IS NOT NULL
  LEFT JOIN setting AS s ON s.kind = 'search-domain'
  WHERE l.asked = d.host OR (d.wildcard AND length(l.asked) > length(d.host) AND substr(l.asked, length(l.asked) - length(d.host) + 1) = d.host)
    OR (s.value IS NOT NULL AND (l.asked = d.host || '.' || s.value
      OR (d.wildcard AND length(l.asked) > length(d.host || '.' || s.value)
        AND substr(l.asked, length(l.asked) - length(d.host || '.' || s.value) + 1) = d.host || '.' || s.value)))
),
-- Far ends that the task reached, and addresses that an answer or a given line ties to a name: others the task may have made up.
reverse_name AS (
  SELECT a.reverse AS name
  FROM address AS a
  WHERE a.reverse IS NOT NULL
    AND (a.address IN (SELECT e.remote_address FROM egress AS e WHERE e.task_id IS NOT NULL AND NOT e.inside)
      OR a.address IN (SELECT r.address FROM resolution AS r))
)
SELECT
  CASE WHEN o.path LIKE '%docker.sock' OR o.path LIKE '%containerd%.sock%' OR o.path LIKE '%crio.sock' OR o.path LIKE '%podman.sock'
         OR o.path LIKE '%dbus/system_bus_socket' OR o.path LIKE '%/systemd/private' OR o.path LIKE '%/bus' THEN 'delegated-work'
       ELSE 'local-relay' END AS code,
  'doubt' AS kind, o.endpoint AS subject,
  'The task talked to ' || o.path || '; what serves it may carry data on, and nothing joins the two.' AS detail,
  o.opened AS from_time, o.closed AS until_time, o.evidence AS evidence
FROM own AS o WHERE o.channel = 'unix' AND NOT o.declared AND NOT o.inside
UNION ALL
SELECT 'local-relay', 'doubt', o.endpoint,
  'A process on the same node outside the task''s tree took the connection, and may carry data on.',
  o.opened, o.closed, o.evidence
FROM own AS o
WHERE o.channel IN ('tcp', 'udp') AND NOT o.inside AND NOT o.declared AND o.outcome <> 'failed'
  AND (o.loopback OR (o.listener IS NOT NULL AND o.host IS NULL))
UNION ALL
SELECT 'relay-without-log', 'doubt', o.endpoint,
  'The endpoint is a declared relay; without its log nothing tells where it went on to.', o.opened, o.closed, o.evidence
FROM own AS o WHERE o.declared_as = 'relay' AND o.carried <> 'no'
UNION ALL
SELECT 'inherited-socket', 'doubt', o.endpoint,
  'The process wrote to a connection that no process of the task had opened (' || o.who || ').', o.opened, o.closed, o.evidence
FROM own AS o WHERE o.channel = 'inherited'
UNION ALL
SELECT 'received-socket', 'doubt', o.endpoint,
  'The process was handed an open connection by another one (' || o.who || ').', o.opened, o.closed, o.evidence
FROM own AS o WHERE o.channel = 'received'
UNION ALL
SELECT 'inbound-connection', 'doubt', o.endpoint,
  'The task accepted a connection from outside its tree (' || o.who || ').', o.opened, o.closed, o.evidence
FROM own AS o WHERE o.channel = 'accepted' AND NOT o.inside
UNION ALL
SELECT 'raw-channel', 'doubt', o.endpoint,
  'Data left by ' || o.channel || ', whose far end or content no declaration covers (' || o.who || ').', o.opened, o.closed, o.evidence
FROM own AS o WHERE o.channel IN ('raw', 'icmp', 'packet', 'sctp', 'vsock')
UNION ALL
-- One that was never written to may still have changed what becomes of packets behind every hook: the packet filter is set by its options.
SELECT 'raw-channel', 'doubt', e.node || ' pid ' || CAST(e.pid AS VARCHAR),
  'The task made a raw or packet socket, or one to the packet filter, through which packets can be redirected.', min(e.time), max(e.time), min(e.evidence)
FROM kernel_event AS e
JOIN process AS p ON p.node = e.node AND p.exec_id = e.exec_id AND p.task_id IS NOT NULL
WHERE e.hook = 'security_socket_create' AND coalesce(e.i3, 0) = 0
  AND ((coalesce(e.i0, 0) IN (2, 10) AND e.i1 = 3) OR e.i0 = 17 OR (e.i0 = 16 AND e.i2 = 12))
GROUP BY e.node, e.pid
UNION ALL
SELECT 'undeclared-lookup', 'doubt', coalesce(l.name, l.server, 'look-up'),
  CASE WHEN l.problem = 'unseen' THEN 'Datagrams or connections to port 53 whose question the kernel did not show.'
       WHEN l.problem = 'unreadable' THEN 'A datagram to port 53 that is no readable question.'
       ELSE 'The name was looked up, which carries it to whoever serves its zone, and is not declared.' END,
  min(l.time), max(l.time), min(l.evidence)
FROM lookup_name AS l
LEFT JOIN declared_name AS d ON d.evidence = l.evidence AND d.asked = l.asked
LEFT JOIN reverse_name AS r ON r.name = l.asked
WHERE d.evidence IS NULL AND r.name IS NULL AND l.asked <> 'localhost'
  AND (l.problem IS NOT NULL OR NOT (l.qtype = 'getaddrinfo' AND (l.asked LIKE '%:%' OR translate(l.asked, '0123456789.', '') = '')))
GROUP BY coalesce(l.name, l.server, 'look-up'), l.problem
UNION ALL
SELECT 'delegated-work', 'doubt', e.node || ' pid ' || CAST(e.pid AS VARCHAR),
  CASE WHEN e.hook LIKE '%ptrace' THEN 'The task took hold of a process outside its tree (ptrace of pid ' || coalesce(CAST(e.i1 AS VARCHAR), '?') || ').'
       WHEN e.hook LIKE '%process_vm_writev' THEN 'The task wrote into the memory of a process outside its tree (pid ' || coalesce(CAST(e.i0 AS VARCHAR), '?') || ').'
       WHEN e.hook LIKE '%setns' THEN 'The task moved a process into another namespace.'
       ELSE 'The task took a file descriptor out of another process.' END,
  min(e.time), max(e.time), min(e.evidence)
FROM kernel_event AS e
JOIN process AS p ON p.node = e.node AND p.exec_id = e.exec_id AND p.task_id IS NOT NULL
LEFT JOIN process AS target ON target.node = e.node AND target.task_id IS NOT NULL
  AND target.pid = CASE WHEN e.hook LIKE '%ptrace' THEN e.i1 ELSE e.i0 END
  AND target.started <= e.time AND (target.image_until IS NULL OR target.image_until >= e.time)
WHERE (e.hook LIKE '%sys_ptrace' AND e.i0 IN (16, 16902) AND coalesce(e.r_int, 0) >= 0 AND target.exec_id IS NULL)
   OR (e.hook LIKE '%sys_process_vm_writev' AND coalesce(e.r_int, 0) >= 0 AND target.exec_id IS NULL)
   OR (e.hook LIKE '%sys_setns' AND coalesce(e.r_int, 0) >= 0)
   OR (e.hook LIKE '%sys_pidfd_getfd' AND coalesce(e.r_int, 0) >= 0)
GROUP BY e.node, e.pid, e.hook, e.i0, e.i1
