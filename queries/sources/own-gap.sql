-- Gaps that the collector recorded (stream tally, origin gap), for table own_gap. One row is one gap. What can't be read, or
-- tells of lost gaps, may concern any node at any time; lost lines about the sensor are a gap of what it saw.
WITH field AS (
  SELECT evidence, j->>'$.stream' AS stream, coalesce(j->>'$.origin', '') AS origin,
    make_timestamp(epoch_us(try_cast(j->>'$.from' AS TIMESTAMPTZ))) AS from_time,
    make_timestamp(epoch_us(try_cast(j->>'$.until' AS TIMESTAMPTZ))) AS until,
    j->>'$.why' AS why, j->>'$.detail' AS detail, try_cast(j->>'$.count' AS BIGINT) AS count
  FROM (SELECT evidence, try_cast(raw AS JSON) AS j FROM record WHERE stream = 'tally' AND origin = 'gap')
)
SELECT
  coalesce(stream, 'tally') AS stream,
  CASE WHEN stream IS NULL THEN 'gap' ELSE origin END AS origin,
  from_time, until, coalesce(why, 'stream-gap') AS why,
  coalesce(detail, 'A gap was recorded, but its record can not be read.') AS detail, count, evidence
FROM field
