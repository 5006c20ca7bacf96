-- Given resolutions: our own lines {time, address, host, ttl?, client?, basis}, and Hubble flow JSON, in which the answer to a
-- DNS query stands in l7.dns and a destination's names in destination_names. One row is one resolution.
WITH line AS (
  SELECT evidence, unnest([TRY(from_json(raw, '{"time":"VARCHAR","address":"VARCHAR","host":"VARCHAR","ttl":"BIGINT","client":"VARCHAR",
    "flow":{"time":"VARCHAR","node_name":"VARCHAR","IP":{"destination":"VARCHAR"},"destination_names":["VARCHAR"],
            "l7":{"type":"VARCHAR","dns":{"query":"VARCHAR","ips":["VARCHAR"],"ttl":"BIGINT"}}},
    "IP":{"destination":"VARCHAR"},"destination_names":["VARCHAR"],"node_name":"VARCHAR",
    "l7":{"type":"VARCHAR","dns":{"query":"VARCHAR","ips":["VARCHAR"],"ttl":"BIGINT"}}}'))]) AS j
  FROM record WHERE stream = 'resolution'
),
given AS (
  SELECT evidence, j.address AS address, j.host AS host, j.time AS time, j.ttl AS ttl, j.client AS client
  FROM line WHERE j.address IS NOT NULL
  UNION ALL
  SELECT evidence, unnest(coalesce(j.flow.l7.dns.ips, j.l7.dns.ips)), coalesce(j.flow.l7.dns.query, j.l7.dns.query),
    coalesce(j.flow.time, j.time), coalesce(j.flow.l7.dns.ttl, j.l7.dns.ttl), NULL
  FROM line WHERE upper(coalesce(j.flow.l7.type, j.l7.type)) = 'RESPONSE'
  UNION ALL
  SELECT evidence, coalesce(j.flow.IP.destination, j.IP.destination), unnest(coalesce(j.flow.destination_names, j.destination_names)),
    coalesce(j.flow.time, j.time), NULL, NULL
  FROM line WHERE coalesce(j.flow.IP.destination, j.IP.destination) IS NOT NULL
)
SELECT
  plain_address(address) AS address, rtrim(lower(host), '.') AS host, try_cast(time AS TIMESTAMP) AS from_time,
  CASE WHEN ttl IS NOT NULL THEN try_cast(time AS TIMESTAMP) + to_seconds(ttl) END AS until,
  client, evidence
FROM given
WHERE address IS NOT NULL AND host IS NOT NULL AND host <> '' AND time IS NOT NULL
