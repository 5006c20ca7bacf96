-- Is the provider's log complete from the first issuance (or the task's start) to the last expiry, and settled? One row is one
-- finding. A chain is needed for each account and region of the trail snapshots, or of the settings trail-required (name:
-- account/region, value: trail name or ''), in which the credential can be used; global services count in their home region. One
-- trail must carry the whole proof for its place: what ails another one is then a note. Settled is a chain with the second
-- digest that ends after the last expiry; until that one is due the finding is a wait. Deny statements do not narrow what must
-- be switched on, since their conditions are not known here. Rests on facts/cloudtrail.md 6, 7 and 8.
WITH
lifetime AS (
  SELECT min(s.issued) AS issued, max(s.expires) AS expires
  FROM session s
  WHERE s.provider = 'aws' AND s.key IS NOT NULL
),
bounds AS (
  SELECT
    CASE
      -- a session whose issuance is not here may have been issued as soon as it was declared
      WHEN t.declared < t.window_start AND EXISTS (SELECT 1 FROM session s WHERE s.provider = 'aws' AND s.key IS NULL) THEN t.declared
      WHEN l.issued IS NULL OR l.issued > t.window_start THEN t.window_start
      ELSE l.issued
    END AS first_time,
    CASE
      WHEN l.expires IS NULL THEN coalesce(t.window_end, t.newest)
      WHEN t.window_end > l.expires THEN t.window_end
      ELSE l.expires
    END AS last_time,
    t.declared,
    t.newest,
    t.has_policy,
    t.evidence
  FROM task t CROSS JOIN lifetime l
),
span AS (
  SELECT
    coalesce(b.first_time, b.declared, TIMESTAMP '1970-01-01 00:00:00') AS start_time,
    coalesce(b.last_time, b.first_time, b.declared, TIMESTAMP '1970-01-01 00:00:00') AS end_time,
    coalesce(b.newest, b.last_time, b.first_time, b.declared, TIMESTAMP '1970-01-01 00:00:00') AS newest,
    b.has_policy,
    b.evidence
  FROM bounds b
),

-- Which services can the credential be used with? By the granted policy, else by the declared endpoints.
named_service AS (
  SELECT a.service, replace(a.source, '.amazonaws.com', '') AS label, a.home_region FROM audit_service a
  UNION
  SELECT DISTINCT d.service, d.service, CAST(NULL AS VARCHAR)
  FROM data_action d
  WHERE NOT EXISTS (SELECT 1 FROM audit_service a WHERE a.service = d.service)
),
aws_endpoint AS (
  SELECT DISTINCT CASE WHEN e.wildcard THEN e.host ELSE '.' || e.host END AS host
  FROM declared_endpoint e
  WHERE e.kind = 'endpoints' AND e.host IS NOT NULL AND '.' || e.host LIKE '%.amazonaws.com'
),
-- The region in a host's name is one where the credential is meant to be used, also when no use is in evidence.
endpoint_region AS (
  SELECT DISTINCT e.region FROM declared_endpoint e WHERE e.kind = 'endpoints' AND e.region IS NOT NULL
),
endpoint_service AS (
  SELECT e.host, n.service, n.home_region
  FROM aws_endpoint e
  JOIN named_service n
    ON e.host LIKE '%.' || n.label || '.amazonaws.com' OR e.host LIKE '%.' || n.label || '.%.amazonaws.com'
    OR (n.label = 's3' AND e.host LIKE '%.s3-%')
),
need AS (
  SELECT DISTINCT
    CASE WHEN d.inverted OR d.service LIKE '%*%' OR d.service LIKE '%?%' THEN '*' ELSE d.service END AS service,
    CASE WHEN d.inverted THEN NULL ELSE a.home_region END AS home_region
  FROM span w
  JOIN declared_action d ON d.source = 'granted' AND d.effect = 'allow'
  LEFT JOIN audit_service a ON a.service = d.service
  WHERE w.has_policy
  UNION
  SELECT DISTINCT s.service, s.home_region FROM span w CROSS JOIN endpoint_service s WHERE NOT w.has_policy
  UNION
  SELECT DISTINCT
    CASE WHEN e.host = '.amazonaws.com' THEN '*' ELSE split_part(e.host, '.', 2) END,
    -- The one endpoint of STS that is not regional is recorded in us-east-1.
    CASE WHEN e.host = '.sts.amazonaws.com' THEN 'us-east-1' END
  FROM span w CROSS JOIN aws_endpoint e
  WHERE NOT w.has_policy AND NOT EXISTS (SELECT 1 FROM endpoint_service s WHERE s.host = e.host)
),
-- Where nothing tells, any service in any region has to be reckoned with.
needed AS (
  SELECT n.service, n.home_region FROM need n
  UNION
  SELECT 'any', CAST(NULL AS VARCHAR) FROM span w WHERE NOT EXISTS (SELECT 1 FROM need n)
),
granted_hit AS (
  SELECT
    x.action,
    d.statement,
    d.inverted,
    bool_or(x.action LIKE replace(replace(replace(lower(d.pattern), '_', '\_'), '*', '%'), '?', '_') ESCAPE '\') AS hit
  FROM data_action x
  JOIN declared_action d ON d.source = 'granted' AND d.effect = 'allow'
  GROUP BY x.action, d.statement, d.inverted
),
data_need AS (
  SELECT x.service, x.resource_type, bool_or(x.read_only) AS reads, bool_or(NOT x.read_only) AS writes
  FROM data_action x
  CROSS JOIN span w
  WHERE (w.has_policy AND EXISTS (SELECT 1 FROM granted_hit h WHERE h.action = x.action AND h.hit <> h.inverted))
    OR (NOT w.has_policy AND EXISTS (SELECT 1 FROM needed n WHERE n.service IN (x.service, '*')))
  GROUP BY x.service, x.resource_type
),

-- In which accounts and regions must a trail have been watching?
stated_place AS (
  SELECT split_part(x.name, '/', 1) AS account, split_part(x.name, '/', 2) AS region, nullif(x.value, '') AS trail
  FROM setting x
  WHERE x.kind = 'trail-required'
),
own_account AS (
  SELECT DISTINCT s.account FROM audit_snapshot s
  UNION
  SELECT DISTINCT s.account FROM session s WHERE s.provider = 'aws' AND s.key IS NOT NULL
),
region_account AS (
  SELECT s.account, e.region, bool_or(coalesce(x.region = e.region OR x.multi_region, false)) AS watched
  FROM session s CROSS JOIN endpoint_region e LEFT JOIN audit_snapshot x ON x.account = s.account
  WHERE s.provider = 'aws' AND s.key IS NOT NULL
  GROUP BY s.account, e.region
),
candidate AS (
  SELECT p.account, p.region, p.trail FROM stated_place p
  UNION
  -- A use tells a place whether it is stated or not.
  SELECT DISTINCT u.account, u.region, CAST(NULL AS VARCHAR)
  FROM "use" u
  WHERE u.provider = 'aws' AND u.account IS NOT NULL AND u.region IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM stated_place p WHERE p.account = u.account AND p.region = u.region)
  UNION
  SELECT f.account, f.region, CAST(NULL AS VARCHAR)
  FROM (
    SELECT s.account, s.region FROM audit_snapshot s
    UNION
    SELECT s.account, CASE WHEN n.service IN ('*', 'any') THEN 'us-east-1' ELSE n.home_region END
    FROM audit_snapshot s CROSS JOIN needed n
    UNION
    -- which of several accounts is meant is told by their trails alone
    SELECT a.account, a.region FROM region_account a
    WHERE a.watched OR NOT EXISTS (SELECT 1 FROM region_account o WHERE o.region = a.region AND o.watched)
    UNION
    SELECT o.account, o.region
    FROM audit_object o
    WHERE o.kind = 'digest'
      AND (EXISTS (SELECT 1 FROM own_account a WHERE a.account = o.account)
        OR NOT EXISTS (SELECT 1 FROM own_account a WHERE a.account IS NOT NULL))
  ) f
  WHERE NOT EXISTS (SELECT 1 FROM stated_place p) AND f.account IS NOT NULL AND f.region IS NOT NULL
),
place AS (
  SELECT DISTINCT c.account, c.region, c.trail
  FROM candidate c
  WHERE EXISTS (SELECT 1 FROM needed n WHERE n.home_region IS NULL OR n.home_region = c.region)
),
trail AS (
  SELECT p.account, p.region, s.trail
  FROM place p
  JOIN audit_snapshot s ON s.account = p.account AND (s.region = p.region OR s.multi_region)
    AND (p.trail IS NULL OR p.trail = s.trail)
  UNION
  SELECT p.account, p.region, o.trail
  FROM place p
  JOIN audit_object o ON o.kind = 'digest' AND o.account = p.account AND o.region = p.region
    AND (p.trail IS NULL OR p.trail = o.trail)
  WHERE o.trail IS NOT NULL
),

-- How far does each chain reach?
valid_digest AS (
  SELECT DISTINCT k.account, k.region, k.trail, o.from_time, o.until, o.starting
  FROM trail k
  JOIN audit_object o
    ON o.kind = 'digest' AND o.state = 'valid' AND o.account = k.account AND o.region = k.region AND o.trail = k.trail
),
past_end AS (
  SELECT v.account, v.region, v.trail, v.until,
    row_number() OVER (PARTITION BY v.account, v.region, v.trail ORDER BY v.until) AS place_in_line
  FROM (SELECT DISTINCT account, region, trail, until FROM valid_digest) v
  CROSS JOIN span w
  WHERE v.until > w.end_time
),
chain AS (
  SELECT
    k.account,
    k.region,
    k.trail,
    k.account || '/' || k.region || ' ' || k.trail AS subject,
    (SELECT min(v.from_time) FROM valid_digest v WHERE v.account = k.account AND v.region = k.region AND v.trail = k.trail)
      AS first_from,
    (SELECT max(v.until) FROM valid_digest v WHERE v.account = k.account AND v.region = k.region AND v.trail = k.trail)
      AS newest_end,
    (SELECT max(e.until) FROM past_end e
      WHERE e.account = k.account AND e.region = k.region AND e.trail = k.trail AND e.place_in_line = 2) AS settled,
    (SELECT count(*) FROM past_end e WHERE e.account = k.account AND e.region = k.region AND e.trail = k.trail) AS past
  FROM trail k
),
digit (n) AS (
  VALUES (0), (1), (2), (3), (4), (5), (6), (7)
),
-- A digest comes each hour. 512 hours ahead are more than any session lives.
hour_ahead AS (
  SELECT 64 * a.n + 8 * b.n + c.n + 1 AS n FROM digit a CROSS JOIN digit b CROSS JOIN digit c
),
first_past AS (
  SELECT c.account, c.region, c.trail, min(h.n) AS hours
  FROM chain c
  CROSS JOIN hour_ahead h
  CROSS JOIN span w
  WHERE c.past = 0 AND c.newest_end + h.n * INTERVAL '1' HOUR > w.end_time
  GROUP BY c.account, c.region, c.trail
),
tail AS (
  SELECT c.account, c.region, c.trail, c.subject, c.settled,
    c.newest_end + (coalesce(f.hours, 0) + 1) * INTERVAL '1' HOUR AS due
  FROM chain c
  LEFT JOIN first_past f ON f.account = c.account AND f.region = c.region AND f.trail = c.trail
),

-- What do the snapshots say? Those that matter are the last before, those within, and the first after the span.
seen AS (
  SELECT k.account, k.region, k.trail, s.region AS asked_in, s.time, s.logging, s.validated, s.multi_region,
    s.global_events, s.management, s.excluded, s.data, s.selectors, s.latest_digest, s.evidence
  FROM trail k
  JOIN audit_snapshot s ON s.account = k.account AND s.trail = k.trail AND (s.region = k.region OR s.multi_region)
),
edge AS (
  SELECT
    c.account,
    c.region,
    c.trail,
    c.subject,
    (SELECT max(s.time) FROM seen s
      WHERE s.account = c.account AND s.region = c.region AND s.trail = c.trail AND s.time <= w.start_time) AS before_time,
    (SELECT min(s.time) FROM seen s
      WHERE s.account = c.account AND s.region = c.region AND s.trail = c.trail AND s.time >= w.end_time) AS after_time
  FROM chain c CROSS JOIN span w
),
relevant AS (
  SELECT s.*, e.subject,
    lag(s.selectors) OVER (PARTITION BY s.account, s.region, s.trail, s.asked_in ORDER BY s.time, s.evidence) AS selectors_before,
    lag(CAST(s.logging AS VARCHAR) || CAST(s.validated AS VARCHAR) || CAST(s.multi_region AS VARCHAR) || CAST(s.global_events AS VARCHAR))
      OVER (PARTITION BY s.account, s.region, s.trail, s.asked_in ORDER BY s.time, s.evidence) AS flags_before,
    CAST(s.logging AS VARCHAR) || CAST(s.validated AS VARCHAR) || CAST(s.multi_region AS VARCHAR) || CAST(s.global_events AS VARCHAR) AS flags
  FROM seen s
  JOIN edge e ON e.account = s.account AND e.region = s.region AND e.trail = s.trail
  WHERE (e.before_time IS NULL OR s.time >= e.before_time) AND (e.after_time IS NULL OR s.time <= e.after_time)
),

-- What ails each trail?
problem AS (
  SELECT
    c.account, c.region, c.trail,
    CASE o.state WHEN 'missing' THEN 'digest-missing' ELSE 'digest-invalid' END AS code,
    'doubt' AS kind, o.object AS subject,
    CASE o.state WHEN 'missing' THEN 'A digest file is not here. ' ELSE 'A digest file is not valid. ' END || o.why AS detail,
    o.from_time, o.until AS until_time, o.evidence
  FROM chain c
  CROSS JOIN span w
  JOIN audit_object o ON o.account = c.account AND o.region = c.region AND o.trail = c.trail
  WHERE o.kind IN ('digest', 'backfill') AND o.state IN ('missing', 'invalid')
    AND (o.until IS NULL OR o.until > w.start_time)
    AND (c.settled IS NULL OR o.from_time IS NULL OR o.from_time < c.settled)
  UNION ALL
  SELECT
    c.account, c.region, c.trail, 'digest-missing', 'doubt', c.subject,
    CASE WHEN c.first_from IS NULL THEN 'There is no valid digest file of this trail.'
      ELSE 'The digest chain begins only after the first issuance or the task''s start.' END,
    w.start_time, c.first_from, w.evidence
  FROM chain c CROSS JOIN span w
  WHERE c.first_from IS NULL OR c.first_from > w.start_time
  UNION ALL
  SELECT
    c.account, c.region, c.trail, 'digest-missing', 'doubt', o.object,
    'A new digest chain starts here: logging or log file validation was off before it.',
    w.start_time, o.from_time, o.evidence
  FROM chain c
  CROSS JOIN span w
  JOIN audit_object o ON o.account = c.account AND o.region = c.region AND o.trail = c.trail
  WHERE o.kind = 'digest' AND o.state = 'valid' AND o.starting AND o.from_time > w.start_time
    AND (c.settled IS NULL OR o.from_time < c.settled)
  UNION ALL
  SELECT
    c.account, c.region, c.trail,
    CASE o.state WHEN 'missing' THEN 'log-file-missing' ELSE 'log-file-altered' END, 'doubt', o.object,
    CASE o.state WHEN 'missing' THEN 'A log file is not here. ' ELSE 'A log file is not the one that was delivered. ' END || o.why,
    o.from_time, o.until, o.evidence
  FROM chain c
  CROSS JOIN span w
  JOIN audit_object o ON o.account = c.account AND o.region = c.region AND o.trail = c.trail
  WHERE o.kind = 'log' AND o.state IN ('missing', 'altered')
    AND (o.until IS NULL OR o.until >= w.start_time) AND (o.from_time IS NULL OR o.from_time <= w.end_time)
  UNION ALL
  SELECT
    x.account, x.region, x.trail,
    CASE WHEN w.newest > x.due + INTERVAL '1' HOUR THEN 'digest-missing' ELSE 'tail-open' END,
    CASE WHEN w.newest > x.due + INTERVAL '1' HOUR THEN 'doubt' ELSE 'wait' END,
    x.subject,
    CASE WHEN w.newest > x.due + INTERVAL '1' HOUR
      THEN 'The second digest file after the last expiry should be here by the time of the other evidence, but is not.'
      ELSE 'The second digest file after the last expiry is not due yet.' END,
    w.end_time, x.due, w.evidence
  FROM tail x CROSS JOIN span w
  WHERE x.settled IS NULL AND x.due IS NOT NULL
  UNION ALL
  SELECT DISTINCT
    x.account, x.region, x.trail,
    CASE WHEN w.newest > x.due + INTERVAL '1' HOUR THEN 'log-file-unlisted' ELSE 'tail-open' END,
    CASE WHEN w.newest > x.due + INTERVAL '1' HOUR THEN 'doubt' ELSE 'wait' END,
    x.subject,
    'Records of the task are in a log file that came after the newest digest file.',
    r.time, x.due, r.evidence
  FROM tail x
  CROSS JOIN span w
  JOIN (
    SELECT u.account, u.region, u.time, u.evidence FROM "use" u WHERE u.provider = 'aws' AND u.listed = 'pending'
    UNION ALL
    SELECT s.account, CAST(NULL AS VARCHAR), s.issued, s.evidence FROM session s WHERE s.provider = 'aws' AND s.listed = 'pending'
  ) r ON r.account = x.account AND (r.region IS NULL OR r.region = x.region)
  WHERE x.settled IS NOT NULL
  UNION ALL
  SELECT
    x.account, x.region, x.trail, 'digest-missing', 'doubt', x.subject,
    'A snapshot says that a later digest file was delivered than the newest that is here.',
    c.newest_end, s.latest_digest, s.evidence
  FROM tail x
  JOIN chain c ON c.account = x.account AND c.region = x.region AND c.trail = x.trail
  JOIN seen s ON s.account = x.account AND s.region = x.region AND s.trail = x.trail
  WHERE x.settled IS NULL AND s.latest_digest >= c.newest_end + INTERVAL '1' HOUR
  UNION ALL
  SELECT
    e.account, e.region, e.trail, 'class-off', 'doubt', e.subject,
    'No snapshot of the trail''s configuration from before the first issuance or the task''s start is here.',
    CAST(NULL AS TIMESTAMP), w.start_time, w.evidence
  FROM edge e CROSS JOIN span w
  WHERE e.before_time IS NULL
  UNION ALL
  SELECT
    e.account, e.region, e.trail,
    CASE
      WHEN EXISTS (SELECT 1 FROM audit_snapshot s WHERE s.account = e.account AND s.region = e.region AND s.time >= w.end_time)
        THEN 'trail-changed'
      WHEN w.newest < w.end_time OR (x.settled IS NULL AND w.newest <= x.due) THEN 'tail-open'
      ELSE 'class-off'
    END,
    CASE
      WHEN EXISTS (SELECT 1 FROM audit_snapshot s WHERE s.account = e.account AND s.region = e.region AND s.time >= w.end_time)
        THEN 'doubt'
      WHEN w.newest < w.end_time OR (x.settled IS NULL AND w.newest <= x.due) THEN 'wait'
      ELSE 'doubt'
    END,
    e.subject,
    'No snapshot of the trail''s configuration from after the last expiry is here.',
    w.end_time,
    CASE WHEN w.newest < w.end_time OR x.due IS NULL THEN w.end_time ELSE x.due END,
    w.evidence
  FROM edge e
  JOIN tail x ON x.account = e.account AND x.region = e.region AND x.trail = e.trail
  CROSS JOIN span w
  WHERE e.after_time IS NULL
  UNION ALL
  SELECT
    r.account, r.region, r.trail, 'class-off', 'doubt', n.service,
    CASE
      WHEN NOT r.logging THEN 'Logging was off on trail '
      WHEN r.management <> 'all' THEN 'Management events were not all logged by trail '
      WHEN n.home_region IS NOT NULL AND NOT r.global_events THEN 'Events of global services were not logged by trail '
      ELSE 'Its management events were left out by trail '
    END || r.trail || ' of ' || r.account || '/' || r.region || '.',
    CAST(NULL AS TIMESTAMP), CAST(NULL AS TIMESTAMP), r.evidence
  FROM relevant r
  JOIN needed n ON n.home_region IS NULL OR n.home_region = r.region
  LEFT JOIN audit_service a ON a.service = n.service
  WHERE NOT r.logging OR r.management <> 'all' OR (n.home_region IS NOT NULL AND NOT r.global_events)
    OR (n.service IN ('*', 'any') AND r.excluded <> '[]')
    OR r.excluded LIKE '%"' || coalesce(a.source, n.service || '.amazonaws.com') || '"%'
  UNION ALL
  -- The column data is canonical JSON: a whole entry is a fixed text.
  SELECT
    r.account, r.region, r.trail, 'class-off', 'doubt', d.service,
    CASE WHEN d.resource_type = '' THEN 'CloudTrail records these calls in no class of events, so uses may exist that no record shows.'
      ELSE 'Data events of ' || d.resource_type || ' were not logged for every resource by trail ' || r.trail || ' of '
        || r.account || '/' || r.region || ', so uses may exist that no record shows.' END,
    CAST(NULL AS TIMESTAMP), CAST(NULL AS TIMESTAMP), r.evidence
  FROM relevant r
  CROSS JOIN data_need d
  WHERE d.resource_type = ''
    OR NOT (
      r.data LIKE '%{"prefixes":null,"read_write":"all","resource_type":"' || d.resource_type || '",%'
      OR ((NOT d.reads OR r.data LIKE '%{"prefixes":null,"read_write":"read","resource_type":"' || d.resource_type || '",%')
        AND (NOT d.writes OR r.data LIKE '%{"prefixes":null,"read_write":"write","resource_type":"' || d.resource_type || '",%'))
    )
  UNION ALL
  SELECT
    r.account, r.region, r.trail, 'trail-changed', 'doubt', r.subject,
    'The trail''s configuration differs from the snapshot before.',
    CAST(NULL AS TIMESTAMP), r.time, r.evidence
  FROM relevant r
  WHERE r.selectors <> r.selectors_before OR r.flags <> r.flags_before
),
weighed AS (
  SELECT k.account, k.region, k.trail,
    coalesce(max(CASE p.kind WHEN 'doubt' THEN 2 WHEN 'wait' THEN 1 ELSE 0 END), 0) AS weight
  FROM trail k
  LEFT JOIN problem p ON p.account = k.account AND p.region = k.region AND p.trail = k.trail
  GROUP BY k.account, k.region, k.trail
),
best AS (
  SELECT account, region, min(weight) AS weight FROM weighed GROUP BY account, region
),

-- What concerns an account whatever the trail.
config_change AS (
  SELECT e.event_name, e.time, e.account, e.evidence
  FROM audit_event e
  CROSS JOIN span w
  WHERE e.service = 'cloudtrail.amazonaws.com' AND e.error_code IS NULL
    AND e.event_name IN ('StopLogging', 'StartLogging', 'DeleteTrail', 'UpdateTrail', 'PutEventSelectors')
    AND EXISTS (SELECT 1 FROM place p WHERE p.account = e.account)
    AND e.time <= w.end_time
    -- What was changed after the last snapshot before the span was still so within it.
    AND e.time >= coalesce((SELECT min(x.before_time) FROM edge x WHERE x.account = e.account), w.start_time)
),
unlisted AS (
  SELECT
    o.object, o.why, o.delivered, o.evidence,
    EXISTS (SELECT 1 FROM audit_event e WHERE e.object = o.object AND e.listed = 'unlisted') AS own_records
  FROM audit_object o
  CROSS JOIN span w
  WHERE o.kind = 'log' AND o.state = 'unlisted'
    AND ((o.delivered IS NULL OR o.delivered >= w.start_time)
      AND (o.account IS NULL OR EXISTS (SELECT 1 FROM place p WHERE p.account = o.account AND p.region = o.region))
      OR EXISTS (SELECT 1 FROM "use" u JOIN audit_event e ON e.event_id = u.event_id AND e.evidence = u.evidence
        WHERE e.object = o.object AND e.listed = 'unlisted'))
)
SELECT
  p.code,
  CASE WHEN g.weight = b.weight THEN p.kind ELSE 'note' END AS kind,
  p.subject,
  p.detail || CASE WHEN g.weight = b.weight THEN '' ELSE ' Another trail carries the proof.' END AS detail,
  p.from_time,
  p.until_time,
  p.evidence
FROM problem p
JOIN weighed g ON g.account = p.account AND g.region = p.region AND g.trail = p.trail
JOIN best b ON b.account = p.account AND b.region = p.region
UNION ALL
SELECT
  'digest-missing', 'doubt', 'aws',
  'There is no evidence of what CloudTrail logged: no digest files, and no snapshots of a trail.',
  w.start_time, w.end_time, w.evidence
FROM span w
WHERE NOT EXISTS (SELECT 1 FROM place p)
  -- A task that is declared to have credentials of other providers only is not asked for the log of this one.
  AND (EXISTS (SELECT 1 FROM declared_session d WHERE d.provider = 'aws')
    OR NOT EXISTS (SELECT 1 FROM declared_session d WHERE d.provider <> 'aws'))
UNION ALL
SELECT
  'digest-missing', 'doubt', p.account || '/' || p.region || CASE WHEN p.trail IS NULL THEN '' ELSE ' ' || p.trail END,
  'The credential can be used here, but no trail that watches it is known.',
  w.start_time, w.end_time, w.evidence
FROM place p
CROSS JOIN span w
WHERE NOT EXISTS (
  SELECT 1 FROM trail k WHERE k.account = p.account AND k.region = p.region AND (p.trail IS NULL OR p.trail = k.trail)
)
UNION ALL
SELECT
  'digest-invalid', 'doubt', o.object,
  'A digest file is not valid, and its account, region and trail are not known. ' || o.why,
  o.from_time, o.until, o.evidence
FROM audit_object o
WHERE o.kind IN ('digest', 'backfill') AND o.state = 'invalid' AND o.trail IS NULL
UNION ALL
SELECT
  'trail-changed', 'doubt', c.account,
  c.event_name || ' was called: the configuration of a trail changed.',
  c.time, c.time, c.evidence
FROM config_change c
UNION ALL
SELECT
  'log-file-unlisted', CASE WHEN u.own_records THEN 'doubt' ELSE 'note' END, u.object,
  u.why || CASE WHEN u.own_records THEN ' Its records neither prove nor convict.'
    ELSE ' It has no record that a listed file does not have.' END,
  u.delivered, u.delivered, u.evidence
FROM unlisted u
UNION ALL
SELECT
  'log-loss', CASE e.addendum WHEN 'DELIVERY_DELAY' THEN 'note' ELSE 'doubt' END, coalesce(e.service, e.object),
  CASE e.addendum
    WHEN 'DELIVERY_DELAY' THEN 'A record was delivered late.'
    WHEN 'SERVICE_OUTAGE' THEN 'CloudTrail says that the service could not log for a time.'
    ELSE 'A record can not be read.'
  END,
  e.time, e.time, e.evidence
FROM audit_event e
CROSS JOIN span w
WHERE e.addendum IN ('SERVICE_OUTAGE', 'DELIVERY_DELAY', 'UNREADABLE')
  AND (e.account IS NULL OR EXISTS (SELECT 1 FROM place p WHERE p.account = e.account))
  AND (e.time IS NULL OR e.time BETWEEN w.start_time AND w.end_time)
UNION ALL
SELECT
  'log-loss', CASE WHEN g.why IN ('unknown-file', 'object-missing') THEN 'note' ELSE 'doubt' END, g.origin,
  'A file of CloudTrail gave no records: ' || g.detail,
  g.from_time, g.until, g.evidence
FROM gap g
CROSS JOIN span w
-- what LookupEvents tells is no part of the proof
WHERE g.stream LIKE 'cloudtrail%' AND g.stream <> 'cloudtrail-lookup'
  AND (g.from_time IS NULL OR g.from_time <= w.end_time) AND (g.until IS NULL OR g.until >= w.start_time)
UNION ALL
-- Two valid digests later, a log that is whole would have it.
SELECT
  'log-loss', 'doubt', l.account || '/' || l.region,
  'LookupEvents tells of a use of the credential that no log file holds: ' || l.action || '.',
  l.time, l.time, l.evidence
FROM audit_lookup l
WHERE l.access_key IN (SELECT s.key FROM session s WHERE s.key IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM audit_event e WHERE e.event_id = l.event_id)
  AND (
    SELECT count(*) FROM audit_object o
    WHERE o.kind = 'digest' AND o.state = 'valid' AND o.account = l.account AND o.region = l.region AND o.until > l.time
  ) >= 2
ORDER BY code, subject, detail, from_time, evidence
