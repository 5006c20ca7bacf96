-- Names from DNS answers that the kernel saw arrive (design 7, Names): at a process of the task, from a declared resolver, on
-- the socket that asked, with the id and the question of a query seen before. One row is one resolution. An answer that a
-- process of the task itself could have sent (a socket of its own on that address and port 53) is not believed.
WITH resolver AS (
  SELECT DISTINCT split_part(value, '-', 1) AS first_hex, split_part(value, '-', 2) AS last_hex FROM setting WHERE kind = 'resolver'
),
own_server AS (
  SELECT DISTINCT e.node, CASE WHEN e.hook = 'security_socket_bind' THEN e.a_addr ELSE e.s_saddr END AS address
  FROM kernel_event AS e JOIN process AS p ON p.node = e.node AND p.exec_id = e.exec_id AND p.task_id IS NOT NULL
  WHERE (e.hook IN ('udp_sendmsg', 'udpv6_sendmsg') AND e.s_sport = 53) OR (e.hook = 'security_socket_bind' AND e.a_port = 53)
)
SELECT DISTINCT
  answer.address, hex.hex AS first_hex, hex.hex AS last_hex, answer.name AS host,
  answer.time AS from_time, answer.time + to_seconds(answer.ttl) AS until,
  answer.node, answer.exec_id, 'dns' AS basis, answer.evidence
FROM dns_message AS answer
JOIN dns_message AS query ON query.direction = 'query' AND query.node = answer.node AND query.exec_id = answer.exec_id
  AND query.id = answer.id AND query.name = answer.name AND query.qtype = answer.qtype
  AND query.local_port = answer.local_port AND query.server = answer.server AND query.server_port = answer.server_port
  AND query.time <= answer.time + INTERVAL 50 MILLISECOND
JOIN address AS server ON server.address = answer.server
JOIN resolver ON server.hex BETWEEN resolver.first_hex AND resolver.last_hex
JOIN address AS hex ON hex.address = answer.address
WHERE answer.direction = 'answer' AND answer.address IS NOT NULL AND answer.task_id IS NOT NULL AND answer.server_port = 53
  AND NOT EXISTS (
    SELECT 1 FROM own_server AS o
    WHERE o.node = answer.node AND (o.address = answer.server OR o.address IN ('0.0.0.0', '::') OR o.address IS NULL)
  )
