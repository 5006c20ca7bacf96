-- Which of the collector's own gaps are gaps whatever the ways in? One row is one gap. Those of a node's events are not here
-- where lines about the sensor tell of several ways: what one way lost the other may have kept (stream-break.sql).
WITH several AS (
  SELECT node FROM sensor WHERE kind = 'stream' GROUP BY node HAVING count(DISTINCT way) > 1
)
SELECT
  CASE WHEN stream IN ('sensor', 'tally') THEN 'tetragon' ELSE stream END AS stream,
  CASE WHEN stream = 'tally' THEN '' ELSE origin END AS origin,
  from_time, until,
  CASE WHEN stream IN ('sensor', 'tally') THEN 'stream-gap' ELSE why END AS why,
  detail, count, evidence
FROM own_gap
WHERE NOT (stream IN ('tetragon', 'tetragon-grpc') AND origin IN (SELECT node FROM several))
  AND (stream <> 'tally' OR origin IN ('gap', 'problem'))
