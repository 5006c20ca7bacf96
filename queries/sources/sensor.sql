-- What do the lines about the sensor say? One row is one line of kind health, stream or canary (design 9). A line that
-- bears no node, time or known kind is no row: see sensor-broken.sql. The same line given twice counts once.
WITH line AS (
  SELECT raw, evidence, try_cast(raw AS JSON) AS j
  FROM record
  WHERE stream = 'sensor'
),
field AS (
  SELECT
    raw, evidence,
    nullif(j->>'$.node', '') AS node,
    -- through the instant, since a plain timestamp would drop an offset
    make_timestamp(epoch_us(try_cast(j->>'$.time' AS TIMESTAMPTZ))) AS time,
    j->>'$.kind' AS kind,
    j->>'$.state' AS state,
    coalesce(j->>'$.error', j->>'$.why') AS why,
    try_cast(j->>'$.n' AS BIGINT) AS n,
    try_cast(j->>'$.port' AS BIGINT) AS port,
    j->>'$.version' AS version,
    try_cast(j->>'$.metrics.process_start_time_seconds' AS DOUBLE) AS started,
    try_cast(j->>'$.metrics.tetragon_observer_ringbuf_queue_events_lost_total' AS DOUBLE) IS NOT NULL
      AND try_cast(j->>'$.metrics.tetragon_notify_overflowed_events_total' AS DOUBLE) IS NOT NULL AS counters,
    try_cast(j->>'$.metrics.tetragon_event_cache_entries' AS BIGINT) AS cache_entries,
    CASE WHEN json_type(j, '$.policies') = 'ARRAY' THEN CAST(j->'$.policies' AS VARCHAR) END AS policies,
    CASE WHEN json_type(j, '$.metrics') = 'OBJECT' THEN CAST(j->'$.metrics' AS VARCHAR) END AS metrics,
    CASE WHEN json_type(j, '$.specs') = 'ARRAY' THEN CAST(j->'$.specs' AS VARCHAR) END AS specs,
    coalesce(j->>'$.way', 'grpc') AS way,
    coalesce(try_cast(j->>'$.resumed' AS BOOLEAN), false) AS resumed,
    make_timestamp(epoch_us(try_cast(j->>'$.since' AS TIMESTAMPTZ))) AS since,
    make_timestamp(epoch_us(try_cast(j->>'$.answered' AS TIMESTAMPTZ))) AS answered,
    try_cast(j->>'$.interval' AS DOUBLE) AS every,
    CASE WHEN trim(j->>'$.export.allowList') = '' AND trim(j->>'$.export.denyList') = '' THEN 'none'
         WHEN trim(j->>'$.export.allowList') <> '' OR trim(j->>'$.export.denyList') <> '' THEN 'some' END AS export_filter
  FROM line
)
SELECT
  node, time, kind, state,
  -- a health line without start time, counters or policies could not be asked for them, whatever it says; these two counters have
  -- no labels, so that they are there from the start
  CASE WHEN kind = 'health' AND why IS NULL AND (started IS NULL OR policies IS NULL OR NOT counters)
       THEN 'the line tells no policies or no counters' ELSE why END AS why,
  n, port, version, started, cache_entries, policies, metrics, specs,
  CASE WHEN kind = 'stream' THEN way END, CASE WHEN kind = 'stream' THEN resumed END, CASE WHEN kind = 'stream' THEN since END,
  CASE WHEN kind = 'health' THEN export_filter END,
  CASE WHEN kind = 'health' THEN greatest(answered, time) END, CASE WHEN kind <> 'stream' THEN every END, evidence
FROM field
WHERE node IS NOT NULL AND time IS NOT NULL
  AND (kind = 'health'
    OR (kind = 'stream' AND state IN ('connected', 'disconnected') AND way IN ('grpc', 'export'))
    OR (kind = 'canary' AND n >= 0 AND port IS NOT NULL))
QUALIFY row_number() OVER (PARTITION BY node, time, kind, raw ORDER BY evidence) = 1
ORDER BY node, time, evidence
