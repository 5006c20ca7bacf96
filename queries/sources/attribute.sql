-- Ties every way out of the task to a host name and to the declaration (design 7, Names). One row is one row of egress.
-- sni never ties alone, since the agent chooses it: it picks among the names so tied, or names an undeclared host.
WITH f AS (
  SELECT
    flow.*, p.task_id,
    coalesce(a.hex, '') AS remote_hex,
    row_number() OVER (ORDER BY flow.node, flow.opened, flow.channel, flow.evidence, flow.remote_address, flow.remote_port, flow.path) AS n
  FROM flow
  LEFT JOIN process AS p ON p.node = flow.node AND p.exec_id = flow.exec_id
  LEFT JOIN address AS a ON a.address = flow.remote_address
),
-- Who took the connection on the same node: the peer's four-tuple the other way round. The event of an accept bears the time
-- at which accept() was entered, which may be long before. Only what goes from an address to itself, or to loopback, can not
-- leave the node: any other pair of addresses could be had anew in a network namespace that the task makes for itself.
taken AS (
  SELECT f.n, min(l.exec_id) AS listener, bool_and(lp.task_id IS NOT NULL) AS by_task
  FROM f
  JOIN flow AS l ON l.channel = 'accepted' AND l.node = f.node
    AND l.local_address = f.remote_address AND l.local_port = f.remote_port
    AND l.remote_address = f.local_address AND l.remote_port = f.local_port
    AND l.opened <= coalesce(f.closed, l.opened)
    AND (l.netns IS NULL OR f.netns IS NULL OR l.netns = f.netns)
  LEFT JOIN process AS lp ON lp.node = l.node AND lp.exec_id = l.exec_id
  WHERE f.task_id IS NOT NULL AND f.channel = 'tcp'
    AND (f.remote_address = f.local_address OR f.remote_address LIKE '127.%' OR f.remote_address = '::1' OR lp.task_id IS NULL)
  GROUP BY f.n
),
-- The other way round: who made a connection that the task accepted.
made AS (
  SELECT f.n, bool_and(lp.task_id IS NOT NULL) AS by_task
  FROM f
  JOIN flow AS l ON l.channel = 'tcp' AND l.node = f.node
    AND l.local_address = f.remote_address AND l.local_port = f.remote_port
    AND l.remote_address = f.local_address AND l.remote_port = f.local_port
    AND f.opened <= coalesce(l.closed, f.opened)
    AND (l.netns IS NULL OR f.netns IS NULL OR l.netns = f.netns)
  LEFT JOIN process AS lp ON lp.node = l.node AND lp.exec_id = l.exec_id
  WHERE f.task_id IS NOT NULL AND f.channel = 'accepted'
    AND (f.remote_address = f.local_address OR f.local_address LIKE '127.%' OR f.local_address = '::1')
  GROUP BY f.n
),
-- Of UDP there is neither accept nor close: a socket of the task that answered meanwhile, on a port that the task bound and no
-- other process asked for. A TCP listener of the task is not enough, since a port can be shared (SO_REUSEPORT).
bound AS (
  SELECT b.node, b.a_port AS port, min(b.time) AS time
  FROM kernel_event AS b LEFT JOIN process AS p ON p.node = b.node AND p.exec_id = b.exec_id
  WHERE b.hook = 'security_socket_bind'
  GROUP BY b.node, b.a_port
  HAVING bool_and(p.task_id IS NOT NULL)
),
answering AS (
  SELECT f.node, f.local_address, f.local_port, f.remote_address, f.remote_port, f.opened, f.closed, f.netns
  FROM f JOIN bound AS b ON b.node = f.node AND b.port = f.local_port AND b.time <= f.opened
  WHERE f.task_id IS NOT NULL AND f.channel = 'udp' AND f.local_port > 0
),
place AS (
  SELECT f.n,
    f.remote_address = '::1' OR f.remote_address = '0.0.0.0' OR f.remote_address = '::' OR f.remote_address LIKE '127.%' AS loopback,
    t.listener,
    CASE WHEN f.channel = 'accepted' THEN coalesce(made.by_task, false)
         WHEN t.listener IS NOT NULL THEN t.by_task
         ELSE f.channel = 'udp' AND (f.remote_address IN ('::1', '0.0.0.0', '::') OR f.remote_address LIKE '127.%')
           AND EXISTS (
             SELECT 1 FROM answering AS l
             WHERE l.node = f.node AND l.local_port = f.remote_port AND l.local_address = f.remote_address
               AND l.remote_port = f.local_port AND l.remote_address = f.local_address
               AND l.opened <= f.closed + INTERVAL 2 SECOND AND l.closed >= f.opened - INTERVAL 2 SECOND
               AND (l.netns IS NULL OR f.netns IS NULL OR l.netns = f.netns)
           )
    END AS inside
  FROM f LEFT JOIN taken AS t ON t.n = f.n LEFT JOIN made ON made.n = f.n
),
hello AS (
  SELECT f.n, h.server_name, h.state,
    row_number() OVER (PARTITION BY f.n ORDER BY CASE h.state WHEN 'encrypted' THEN 0 WHEN 'partial' THEN 1 ELSE 2 END, h.time, h.evidence) AS nth,
    count(DISTINCT coalesce(h.server_name, '')) OVER (PARTITION BY f.n) AS different
  FROM f JOIN tls_hello AS h ON h.node = f.node AND h.socket = f.socket AND f.channel IN ('tcp', 'inherited', 'received')
    AND h.time >= f.opened AND h.time <= coalesce(f.closed, h.time)
    -- where the close was not seen, the kernel's address may be another socket's by then
    AND (h.remote_port = 0 OR (h.remote_address = f.remote_address AND h.remote_port = f.remote_port))
    AND (h.local_port = 0 OR coalesce(f.local_port, 0) = 0 OR h.local_port = f.local_port)
),
tied AS (
  SELECT f.n, r.host, r.basis, r.until < f.opened AS expired, r.host LIKE '*%' AS pattern
  FROM f
  JOIN resolution AS r ON f.remote_hex BETWEEN r.first_hex AND r.last_hex
    AND (r.node IS NULL OR r.node = f.node)
    -- events of two processors may swap by some milliseconds
    AND (r.from_time IS NULL OR r.from_time <= f.opened + INTERVAL 50 MILLISECOND)
  WHERE f.task_id IS NOT NULL AND f.remote_hex <> ''
),
-- Every name that an answer on the node gave the address, whoever asked: more than one makes it ambiguous, none of them ties.
known_name AS (
  SELECT n, host FROM tied WHERE NOT pattern
  UNION
  SELECT f.n, d.name FROM f JOIN dns_message AS d
    ON d.direction = 'answer' AND d.node = f.node AND d.address = f.remote_address AND d.server_port = 53
  WHERE f.task_id IS NOT NULL
),
known AS (SELECT n, count(DISTINCT host) AS hosts FROM known_name GROUP BY n),
names AS (
  SELECT n, count(DISTINCT host) FILTER (WHERE NOT pattern) AS hosts, min(host) FILTER (WHERE NOT pattern) AS only_host,
    CAST(to_json(list_sort(list(DISTINCT host))) AS VARCHAR) AS names
  FROM tied GROUP BY n
),
-- The best basis for each host: an answer that the kernel saw, then given lines, then configuration.
basis AS (
  SELECT n, host, min_by(CASE WHEN expired AND basis = 'dns' THEN 'dns-expired' ELSE basis END,
    CASE WHEN basis = 'dns' AND NOT expired THEN 1 WHEN basis = 'resolution' THEN 2 WHEN basis = 'hosts' THEN 3 WHEN basis = 'dns' THEN 4 ELSE 5 END) AS basis
  FROM tied GROUP BY n, host
),
by_address AS (
  SELECT f.n, min_by(d.kind, CASE d.kind WHEN 'relay' THEN 1 WHEN 'infrastructure' THEN 2 ELSE 3 END) AS kind
  FROM f JOIN declared_endpoint AS d ON (
    (d.path IS NOT NULL AND f.channel = 'unix' AND d.path = f.path)
    OR (d.first_hex IS NOT NULL AND d.port = f.remote_port AND d.protocol = f.protocol
        AND f.remote_hex BETWEEN d.first_hex AND d.last_hex)
  )
  WHERE f.task_id IS NOT NULL
  GROUP BY f.n
),
picked AS (
  SELECT f.*, place.inside, place.listener, place.loopback,
    h.server_name,
    coalesce(h.different, 0) > 1 AS contradicting,
    CASE WHEN h.state IS NULL THEN 'none' WHEN h.different > 1 THEN 'partial' ELSE h.state END AS hello,
    greatest(coalesce(names.hosts, 0), coalesce(known.hosts, 0)) AS hosts, names.names, names.only_host, by_address.kind AS address_kind,
    CASE
      WHEN h.different > 1 THEN NULL
      WHEN h.server_name IS NOT NULL AND h.state <> 'encrypted' AND h.different = 1 THEN h.server_name
      WHEN coalesce(names.hosts, 0) = 1 THEN names.only_host
    END AS candidate
  FROM f
  JOIN place ON place.n = f.n
  LEFT JOIN hello AS h ON h.n = f.n AND h.nth = 1
  LEFT JOIN names ON names.n = f.n
  LEFT JOIN known ON known.n = f.n
  LEFT JOIN by_address ON by_address.n = f.n
),
by_host AS (
  SELECT p.n, min_by(d.kind, CASE d.kind WHEN 'relay' THEN 1 WHEN 'infrastructure' THEN 2 ELSE 3 END) AS kind
  FROM picked AS p
  JOIN declared_endpoint AS d ON d.host IS NOT NULL AND d.port = p.remote_port AND d.protocol = p.protocol
    AND (d.host = p.candidate OR (d.wildcard AND ends_with(p.candidate, d.host)))
  GROUP BY p.n
),
-- Several names, of which one at least is declared for the port.
possibly_declared AS (
  SELECT DISTINCT k.n FROM known_name AS k JOIN picked AS p ON p.n = k.n
  JOIN declared_endpoint AS d ON d.host IS NOT NULL AND d.port = p.remote_port AND d.protocol = p.protocol
    AND (d.host = k.host OR (d.wildcard AND ends_with(k.host, d.host)))
),
judged AS (
  SELECT p.*, by_host.kind AS host_kind, possibly_declared.n IS NOT NULL AS any_declared,
    coalesce(b.basis, (SELECT min(t.basis) FROM tied AS t WHERE t.n = p.n AND t.pattern AND ends_with(p.candidate, substr(t.host, 2)))) AS tie
  FROM picked AS p
  LEFT JOIN by_host ON by_host.n = p.n
  LEFT JOIN possibly_declared ON possibly_declared.n = p.n
  LEFT JOIN basis AS b ON b.n = p.n AND b.host = p.candidate
)
SELECT
  evidence AS id,
  node, exec_id, pid, task_id, channel, protocol, opened, closed, local_address, local_port, remote_address,
  nullif(remote_hex, '') AS remote_hex, remote_port, path, socket, netns, hook, outcome, carried, datagrams,
  coalesce(inside, false) AS inside, listener, server_name, hello,
  -- a host is attributed when evidence ties it, or when the name it was asked by is an undeclared one
  CASE WHEN candidate IS NOT NULL AND (tie IS NOT NULL OR host_kind IS NULL) THEN candidate END AS host,
  CASE WHEN address_kind IS NOT NULL THEN 'address'
       WHEN candidate IS NULL THEN 'none'
       WHEN tie IS NULL THEN CASE WHEN host_kind IS NULL THEN 'sni' ELSE 'none' END
       WHEN server_name = candidate AND hello = 'whole' THEN tie || '+sni'
       ELSE tie END AS basis,
  coalesce(names, '[]') AS names,
  CASE WHEN address_kind IS NOT NULL OR coalesce(inside, false) OR channel NOT IN ('tcp', 'udp', 'inherited', 'received') THEN NULL
       -- two ClientHellos with different names: the evidence contradicts itself
       WHEN contradicting THEN 'ambiguous'
       WHEN candidate IS NULL AND hosts > 1 AND NOT any_declared THEN 'all-undeclared'
       WHEN candidate IS NOT NULL AND tie IS NULL AND host_kind IS NOT NULL THEN 'untied'
       WHEN candidate IS NOT NULL AND server_name = candidate AND hello = 'whole' THEN NULL
       WHEN hosts > 1 THEN 'ambiguous'
       WHEN candidate IS NULL THEN 'no-name' END AS name_problem,
  CASE WHEN channel = 'unix' THEN 'unix:' || path
       WHEN candidate IS NOT NULL AND address_kind IS NULL AND (tie IS NOT NULL OR host_kind IS NULL) THEN candidate || ':' || remote_port
       WHEN remote_address IS NULL THEN channel
       WHEN remote_address LIKE '%:%' THEN '[' || remote_address || ']' || coalesce(':' || remote_port, '')
       ELSE remote_address || coalesce(':' || remote_port, '') END
    || CASE WHEN protocol = 'udp' THEN '/udp' ELSE '' END AS endpoint,
  address_kind IS NOT NULL OR (host_kind IS NOT NULL AND tie IS NOT NULL) AS declared,
  coalesce(address_kind, CASE WHEN tie IS NOT NULL THEN host_kind END) AS declared_as,
  evidence
FROM judged
