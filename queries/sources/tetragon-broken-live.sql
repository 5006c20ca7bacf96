-- The same in a live store (tetragon-broken.sql), where the time of receipt bounds what a record that can't be read told: it
-- happened before that, and not earlier than 30 s, which is how long the sensor may hold an event, before the event that came
-- by the same way before it. One row is one gap.
WITH broken AS (
  SELECT r.stream, r.origin, r.seq, r.received_at, r.evidence,
    (SELECT max(g.seq) FROM record AS g JOIN tetragon_event AS t ON t.evidence = g.evidence
     WHERE g.stream = r.stream AND g.origin = r.origin AND g.seq < r.seq AND t.kind IS NOT NULL AND isfinite(t.time)) AS seq_before
  FROM tetragon_event AS e JOIN record AS r ON r.evidence = e.evidence
  WHERE e.kind IS NULL OR e.time IS NULL OR NOT isfinite(e.time)
),
bounded AS (
  SELECT b.*, t.time - INTERVAL 30 SECONDS AS from_time,
    CASE WHEN b.received_at > 0 THEN make_timestamp(b.received_at // 1000) + INTERVAL 1 SECOND END AS until
  FROM broken AS b
  LEFT JOIN record AS g ON g.stream = b.stream AND g.origin = b.origin AND g.seq = b.seq_before
  LEFT JOIN tetragon_event AS t ON t.evidence = g.evidence
)
SELECT stream, origin, from_time, max(until) AS until, 'broken-line' AS why,
  'Events of the sensor that are no known event, or bear no readable time.' AS detail,
  count(*) AS count, min(evidence) AS evidence
FROM bounded
GROUP BY stream, origin, from_time
