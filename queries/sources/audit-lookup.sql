-- What did LookupEvents tell? One row is one management event, once (facts/cloudtrail.md: the last 90 days, no data events).
-- What can't be read tells nothing: it is a cross-check alone.
WITH told AS (
  SELECT evidence, TRY(CAST(raw AS JSON)) AS e
  FROM record
  WHERE stream = 'cloudtrail-lookup'
),
field AS (
  SELECT
    e->>'$.eventID' AS event_id,
    TRY_CAST(e->>'$.eventTime' AS TIMESTAMP) AS time,
    coalesce(e->>'$.recipientAccountId', e->>'$.userIdentity.accountId') AS account,
    e->>'$.awsRegion' AS region,
    nullif(e->>'$.userIdentity.accessKeyId', '') AS access_key,
    coalesce(e->>'$.eventSource', '?') || ' ' || coalesce(e->>'$.eventName', '?') AS action,
    evidence
  FROM told
)
SELECT event_id, time, account, region, access_key, action, evidence
FROM field
WHERE event_id IS NOT NULL AND time IS NOT NULL AND account IS NOT NULL AND region IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY evidence) = 1
ORDER BY time, event_id
