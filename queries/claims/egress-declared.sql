-- Is every endpoint reached declared? One row is one way out to an endpoint that is not: a host that the declaration does not
-- name, or an address without any name that no declared endpoint can stand for (design 7, Names).
WITH far AS (
  SELECT e.* FROM egress AS e
  WHERE e.task_id IS NOT NULL AND NOT e.inside AND NOT e.declared AND e.channel IN ('tcp', 'udp', 'inherited', 'received')
    AND e.remote_address IS NOT NULL
    AND NOT (e.remote_address LIKE '127.%' OR e.remote_address IN ('::1', '0.0.0.0', '::'))
),
possible AS (
  SELECT DISTINCT d.port, d.protocol FROM declared_endpoint AS d WHERE d.host IS NOT NULL
),
ruled_out AS (
  SELECT f.id FROM far AS f
  WHERE EXISTS (SELECT 1 FROM provider_range)
  -- private and link-local addresses are in no published list, and a provider's endpoint may have one inside a network
    AND NOT (f.remote_hex LIKE '00000000000000000000ffff0a%' OR f.remote_hex LIKE '00000000000000000000ffffac1%'
      OR f.remote_hex LIKE '00000000000000000000ffffc0a8%' OR f.remote_hex LIKE '00000000000000000000ffffa9fe%'
      OR f.remote_hex LIKE '00000000000000000000ffff64%' OR f.remote_hex LIKE 'fc%' OR f.remote_hex LIKE 'fd%' OR f.remote_hex LIKE 'fe8%')
    AND NOT EXISTS (SELECT 1 FROM provider_range AS r WHERE f.remote_hex BETWEEN r.first_hex AND r.last_hex)
    AND NOT EXISTS (
      SELECT 1 FROM declared_endpoint AS d
      WHERE d.host IS NOT NULL AND d.port = f.remote_port AND d.protocol = f.protocol
        AND NOT EXISTS (SELECT 1 FROM provider_range AS r WHERE d.host LIKE '%' || r.suffix)
    )
),
-- The task itself took the like of it: a connection between two of its containers, unless it made the addresses up.
own AS (
  SELECT DISTINCT f.id FROM far AS f
  JOIN egress AS l ON l.channel = 'accepted' AND l.task_id IS NOT NULL AND l.node = f.node
    AND l.local_address = f.remote_address AND l.local_port = f.remote_port
    AND l.remote_address = f.local_address AND l.remote_port = f.local_port
)
SELECT 'undeclared-endpoint' AS code, CASE WHEN o.id IS NULL THEN 'counterexample' ELSE 'doubt' END AS kind, f.endpoint AS subject,
  CASE WHEN o.id IS NOT NULL THEN 'A process of the task accepted a connection with the same ends, but nothing tells that it is this one.'
       WHEN f.host IS NOT NULL THEN f.host || ' (' || f.remote_address || ') is not among the declared endpoints.'
       WHEN f.name_problem = 'all-undeclared' THEN 'None of the hosts behind the address is declared: ' || f.names || '.'
       WHEN p.port IS NULL THEN 'The address has no name in the evidence, and no declared endpoint has port '
         || coalesce(CAST(f.remote_port AS VARCHAR), '?') || '/' || coalesce(f.protocol, f.channel) || '.'
       ELSE 'The address has no name in the evidence, and lies outside every range in which the declared hosts live.' END AS detail,
  f.opened AS from_time, f.closed AS until_time, f.evidence AS evidence
FROM far AS f
LEFT JOIN possible AS p ON p.port = f.remote_port AND p.protocol = f.protocol
LEFT JOIN ruled_out AS r ON r.id = f.id
LEFT JOIN own AS o ON o.id = f.id
WHERE (f.host IS NOT NULL AND f.name_problem IS NULL)
   OR (f.host IS NOT NULL AND f.basis = 'sni')
   OR f.name_problem = 'all-undeclared'
   OR (f.name_problem = 'no-name' AND (p.port IS NULL OR r.id IS NOT NULL))
