-- Is every remote address tied to a host name by evidence of its time and client, or to a declared address? One row is one
-- way out that is not (design 7, Names). What stays on the node is judged by no-side-channel, an address that no declared
-- endpoint can stand for by egress-declared.
WITH far AS (
  SELECT e.* FROM egress AS e
  WHERE e.task_id IS NOT NULL AND NOT e.inside AND e.name_problem IS NOT NULL
    AND NOT (e.remote_address LIKE '127.%' OR e.remote_address IN ('::1', '0.0.0.0', '::'))
),
possible AS (
  SELECT DISTINCT d.port, d.protocol FROM declared_endpoint AS d WHERE d.host IS NOT NULL
),
-- Published ranges rule hosts of a provider out where the address lies in none of them.
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
)
SELECT
  CASE WHEN f.name_problem = 'ambiguous' THEN 'ambiguous-address' ELSE 'unattributed-address' END AS code,
  'doubt' AS kind,
  f.remote_address || ':' || CAST(f.remote_port AS VARCHAR) AS subject,
  CASE f.name_problem
    WHEN 'ambiguous' THEN 'Several hosts stand behind the address and nothing tells which one was meant: ' || f.names || '.'
    WHEN 'untied' THEN 'The process asked for ' || coalesce(f.server_name, 'a declared host') || ', but no evidence ties that host to this address'
      || CASE WHEN f.names = '[]' THEN '.' ELSE ' (it is tied to ' || f.names || ').' END
    ELSE 'No evidence ties the address to a host name.' END AS detail,
  f.opened AS from_time, f.closed AS until_time, f.evidence AS evidence
FROM far AS f
LEFT JOIN possible AS p ON p.port = f.remote_port AND p.protocol = f.protocol
LEFT JOIN ruled_out AS r ON r.id = f.id
WHERE (f.name_problem = 'ambiguous' AND f.carried <> 'no')
   OR f.name_problem = 'untied'
   OR (f.name_problem = 'no-name' AND p.port IS NOT NULL AND r.id IS NULL)
