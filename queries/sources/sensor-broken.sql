-- Which lines about the sensor could not be read? One row is one gap, of unknown time: what such a line told is lost,
-- but the lines around it tell the same counters, states and canary numbers.
WITH untold AS MATERIALIZED (
  SELECT origin, evidence, sha256(raw) AS digest, trim(raw) = '' AS blank
  FROM record
  WHERE stream = 'sensor' AND evidence NOT IN (SELECT evidence FROM sensor)
)
SELECT
  'sensor' AS stream,
  origin,
  CAST(NULL AS TIMESTAMP) AS from_time,
  CAST(NULL AS TIMESTAMP) AS until,
  'broken-line' AS why,
  'A line about the sensor could not be read.' AS detail,
  CAST(1 AS BIGINT) AS count,
  evidence
FROM untold
-- one that was given twice is told by its other copy
WHERE NOT blank
  AND digest NOT IN (SELECT sha256(r.raw) FROM record r JOIN sensor s ON s.evidence = r.evidence WHERE r.stream = 'sensor')
