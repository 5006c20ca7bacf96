-- AWS ip-ranges.json: one row is one range that belongs to a service whose addresses serve nobody else's names. Ranges of
-- EC2, CloudFront, API Gateway and the like hold customers' servers, so they tie no name.
WITH document AS (
  SELECT evidence, TRY(from_json(raw, '{"prefixes":[{"ip_prefix":"VARCHAR","region":"VARCHAR","service":"VARCHAR"}],
    "ipv6_prefixes":[{"ipv6_prefix":"VARCHAR","region":"VARCHAR","service":"VARCHAR"}]}')) AS j
  FROM record WHERE stream = 'resolution-document'
),
prefix AS (
  SELECT evidence, unnest(j.prefixes).ip_prefix AS cidr, unnest(j.prefixes).service AS service, unnest(j.prefixes).region AS region FROM document
  UNION ALL
  SELECT evidence, unnest(j.ipv6_prefixes).ipv6_prefix, unnest(j.ipv6_prefixes).service, unnest(j.ipv6_prefixes).region FROM document
)
SELECT DISTINCT cidr, service, region, evidence FROM prefix WHERE cidr IS NOT NULL
