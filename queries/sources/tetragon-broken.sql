-- Lines that are JSON but no event we know, or bear no readable time: what they told is lost. One row is one node's gap.
SELECT 'tetragon' AS stream, CASE WHEN node = 'unknown' THEN '' ELSE node END AS origin,
  CAST(NULL AS TIMESTAMP) AS from_time, CAST(NULL AS TIMESTAMP) AS until, 'broken-line' AS why,
  'Lines of the export that are no known event, or bear no readable time.' AS detail,
  count(*) AS count, min(evidence) AS evidence
FROM tetragon_event
WHERE kind IS NULL OR time IS NULL OR NOT isfinite(time)
GROUP BY node
