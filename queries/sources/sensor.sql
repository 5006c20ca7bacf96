-- What do the lines about the sensor say? One row is one line of kind health, stream or canary (design 9). A line that
-- bears no node, time or known kind is no row: see sensor-broken.sql. The same line given twice counts once.
-- A line is parsed once, and neither its policies nor its counters are kept: they are 20 KB of it. Who needs them reads the
-- line again (sensor-policy.sql, sensor-metric.sql).
WITH line AS NOT MATERIALIZED (
  -- unnest keeps the parse from being repeated for every field that is read from it; of policies only whether they are a list counts
  SELECT evidence, sha256(raw) AS digest, unnest([TRY(from_json(raw, '{"node":"VARCHAR","time":"VARCHAR","kind":"VARCHAR","state":"VARCHAR",
    "error":"VARCHAR","why":"VARCHAR","n":"VARCHAR","port":"VARCHAR","version":"VARCHAR","way":"VARCHAR","resumed":"VARCHAR",
    "since":"VARCHAR","answered":"VARCHAR","interval":"VARCHAR","export":{"allowList":"VARCHAR","denyList":"VARCHAR"},"policies":["BOOLEAN"],
    "metrics":{"process_start_time_seconds":"VARCHAR","tetragon_event_cache_entries":"VARCHAR",
      "tetragon_observer_ringbuf_queue_events_lost_total":"VARCHAR","tetragon_notify_overflowed_events_total":"VARCHAR",
      "tetragon_export_ratelimit_events_dropped_total":"JSON"}}'))]) AS j
  FROM record
  WHERE stream = 'sensor'
),
field AS (
  SELECT
    evidence, digest,
    nullif(j.node, '') AS node,
    -- through the instant, since a plain timestamp would drop an offset
    make_timestamp(epoch_us(try_cast(j.time AS TIMESTAMPTZ))) AS time,
    j.kind AS kind,
    j.state AS state,
    coalesce(j.error, j.why) AS why,
    try_cast(j.n AS BIGINT) AS n,
    try_cast(j.port AS BIGINT) AS port,
    j.version AS version,
    try_cast(j.metrics.process_start_time_seconds AS DOUBLE) AS started,
    try_cast(j.metrics.tetragon_observer_ringbuf_queue_events_lost_total AS DOUBLE) IS NOT NULL
      AND try_cast(j.metrics.tetragon_notify_overflowed_events_total AS DOUBLE) IS NOT NULL AS counters,
    try_cast(j.metrics.tetragon_event_cache_entries AS BIGINT) AS cache_entries,
    j.policies IS NOT NULL AS policies,
    CASE WHEN j.metrics.tetragon_export_ratelimit_events_dropped_total IS NOT NULL
         THEN CAST(json_object('tetragon_export_ratelimit_events_dropped_total',
                j.metrics.tetragon_export_ratelimit_events_dropped_total) AS VARCHAR) END AS metrics,
    coalesce(j.way, 'grpc') AS way,
    coalesce(try_cast(j.resumed AS BOOLEAN), false) AS resumed,
    make_timestamp(epoch_us(try_cast(j.since AS TIMESTAMPTZ))) AS since,
    make_timestamp(epoch_us(try_cast(j.answered AS TIMESTAMPTZ))) AS answered,
    try_cast(j."interval" AS DOUBLE) AS every,
    CASE WHEN trim(j.export.allowList) = '' AND trim(j.export.denyList) = '' THEN 'none'
         WHEN trim(j.export.allowList) <> '' OR trim(j.export.denyList) <> '' THEN 'some' END AS export_filter
  FROM line
)
SELECT
  node, time, kind, state,
  -- a health line without start time, counters or policies could not be asked for them, whatever it says; these two counters have
  -- no labels, so that they are there from the start
  CASE WHEN kind = 'health' AND why IS NULL AND (started IS NULL OR NOT policies OR NOT counters)
       THEN 'the line tells no policies or no counters' ELSE why END AS why,
  n, port, version, started, cache_entries, metrics,
  CASE WHEN kind = 'stream' THEN way END, CASE WHEN kind = 'stream' THEN resumed END, CASE WHEN kind = 'stream' THEN since END,
  CASE WHEN kind = 'health' THEN export_filter END,
  CASE WHEN kind = 'health' THEN greatest(answered, time) END, CASE WHEN kind <> 'stream' THEN every END, evidence
FROM field
WHERE node IS NOT NULL AND time IS NOT NULL
  AND (kind = 'health'
    OR (kind = 'stream' AND state IN ('connected', 'disconnected') AND way IN ('grpc', 'export'))
    OR (kind = 'canary' AND n >= 0 AND port IS NOT NULL))
QUALIFY row_number() OVER (PARTITION BY node, time, kind, digest ORDER BY evidence) = 1
ORDER BY node, time, evidence
