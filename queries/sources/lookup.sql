-- Every DNS question that left a process of the task, and every datagram to port 53 whose question the kernel did not show:
-- a look-up carries data to whoever serves the zone. One row is one question or one stretch of unseen datagrams.
SELECT node, exec_id, time, name, qtype, server,
  CASE WHEN direction = 'broken-query' THEN 'unreadable' END AS problem, evidence
FROM dns_message
WHERE task_id IS NOT NULL AND direction IN ('query', 'broken-query')
UNION ALL
SELECT f.node, f.exec_id, f.opened, NULL, NULL, f.remote_address, 'unseen', f.evidence
FROM flow AS f
JOIN process AS p ON p.node = f.node AND p.exec_id = f.exec_id AND p.task_id IS NOT NULL
WHERE f.channel = 'udp' AND f.remote_port = 53
  AND f.datagrams > (
    SELECT count(*) FROM kernel_event AS e
    WHERE e.node = f.node AND e.exec_id = f.exec_id AND e.s_cookie = f.socket AND e.s_sport = f.local_port AND e.bytes IS NOT NULL
      AND e.hook IN ('udp_sendmsg', 'udpv6_sendmsg')
      AND coalesce(e.a_addr, e.s_daddr) = f.remote_address
  )
UNION ALL
SELECT f.node, f.exec_id, f.opened, NULL, NULL, f.remote_address, 'unseen', f.evidence
FROM flow AS f
JOIN process AS p ON p.node = f.node AND p.exec_id = f.exec_id AND p.task_id IS NOT NULL
WHERE f.channel = 'tcp' AND f.remote_port = 53 AND f.carried <> 'no'
UNION ALL
SELECT e.node, e.exec_id, e.time, lower(rtrim(e.text0, '.')), 'getaddrinfo', NULL, NULL, e.evidence
FROM kernel_event AS e
JOIN process AS p ON p.node = e.node AND p.exec_id = e.exec_id AND p.task_id IS NOT NULL
WHERE e.kind = 'uprobe' AND e.hook IN ('getaddrinfo', 'gethostbyname', 'gethostbyname2', 'gethostbyname_r', 'gethostbyname2_r')
  AND e.text0 IS NOT NULL AND e.text0 <> '' AND lower(e.text0) <> lower(e.node)
  -- A name from /etc/hosts leaves nowhere: it must have gone to port 53, or to a resolver behind a unix socket.
  AND EXISTS (
    SELECT 1 FROM flow AS f
    WHERE f.node = e.node AND f.exec_id = e.exec_id AND (f.remote_port IN (53, 853) OR f.channel = 'unix')
      AND f.closed >= e.time - INTERVAL 5 SECOND AND f.opened <= e.time + INTERVAL 30 SECOND
  )
