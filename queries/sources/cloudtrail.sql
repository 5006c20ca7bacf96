-- What does each record of the CloudTrail log files say? One row is one record, once per eventID; a file or an element that
-- can't be read gives one row with the addendum UNREADABLE. Nothing here trusts the form of a record: agents choose parts
-- of it. Rests on facts/cloudtrail.md 1-4 and 7.
WITH file AS (
  SELECT
    r.evidence,
    coalesce(o.object, r.origin) AS object,
    -- Without an eventID the place in the file has to name the record, and two files may have one name.
    r.origin || '/' || coalesce(o.object, CAST(r.seq AS VARCHAR)) AS place,
    coalesce(o.state, 'unlisted') AS listed,
    -- DuckDB's JSON parser refuses a lone surrogate escape, which JSON as such allows and hostile text may hold.
    coalesce(
      TRY_CAST(r.raw AS JSON),
      TRY_CAST(regexp_replace(r.raw, '\\u[dD][89a-fA-F][0-9a-fA-F]{2}', '\\ufffd', 'g') AS JSON)
    ) AS content
  FROM record r
  LEFT JOIN (
    SELECT evidence, min(object) AS object, min(state) AS state
    FROM audit_object
    WHERE kind = 'log' AND state <> 'missing'
    GROUP BY evidence
  ) o ON o.evidence = r.evidence
  WHERE r.stream = 'cloudtrail'
),
parsed AS (
  SELECT
    * EXCLUDE (content),
    from_json(
      CASE WHEN json_type(content) = 'ARRAY' THEN content ELSE content -> '$.Records' END,
      '[{
        "eventVersion": "VARCHAR", "eventTime": "VARCHAR", "eventSource": "VARCHAR", "eventName": "VARCHAR",
        "awsRegion": "VARCHAR", "sourceIPAddress": "VARCHAR", "userAgent": "VARCHAR", "errorCode": "VARCHAR",
        "requestID": "VARCHAR", "eventID": "VARCHAR", "eventType": "VARCHAR", "eventCategory": "VARCHAR",
        "managementEvent": "VARCHAR", "readOnly": "VARCHAR", "recipientAccountId": "VARCHAR",
        "sharedEventID": "VARCHAR", "vpcEndpointId": "VARCHAR",
        "userIdentity": {
          "type": "VARCHAR", "principalId": "VARCHAR", "arn": "VARCHAR", "accountId": "VARCHAR",
          "accessKeyId": "VARCHAR", "invokedBy": "VARCHAR",
          "sessionContext": {"sourceIdentity": "VARCHAR"}
        },
        "tlsDetails": {"clientProvidedHostHeader": "VARCHAR"},
        "addendum": {"reason": "VARCHAR"},
        "resources": [{"ARN": "VARCHAR"}],
        "requestParameters": "JSON", "responseElements": "JSON", "additionalEventData": "JSON",
        "serviceEventDetails": "JSON"
      }]'
    ) AS records
  FROM file
),
element AS (
  SELECT p.evidence, p.object, p.place, p.listed, u.r, u.index
  FROM parsed p,
    LATERAL (
      SELECT
        unnest(coalesce(p.records, [NULL])) AS r,
        unnest(range(1, 1 + len(coalesce(p.records, [NULL])))) AS index
    ) u
),
read AS (
  SELECT
    *,
    r IS NULL OR (r.eventName IS NULL AND r.eventTime IS NULL) AS unreadable,
    coalesce(nullif(r.eventID, ''), place || ':' || CAST(index AS VARCHAR)) AS event_id,
    coalesce(r.addendum.reason, '') AS reason,
    r.requestParameters AS req,
    r.responseElements AS res,
    r.errorCode IS NULL AS succeeded,
    -- A US-locale string, with or without a comma before the time and with whatever space before AM or PM.
    regexp_replace(json_extract_string(r.responseElements, '$.credentials.expiration'), '[\s\x{a0}\x{202f}]+', ' ', 'g') AS expiration
  FROM element
),
-- Two trails, or a file kept twice, deliver one eventID more than once: what a valid digest vouches for goes first. A record
-- that corrects an earlier one stands beside it.
ranked AS (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY event_id, reason = 'UPDATED_DATA'
      ORDER BY
        CASE listed WHEN 'listed' THEN 0 WHEN 'pending' THEN 1 WHEN 'unlisted' THEN 2 ELSE 3 END, object, evidence, index
    ) AS choice
  FROM read
)
SELECT
  event_id,
  TRY_CAST(r.eventTime AS TIMESTAMP) AS time,
  r.recipientAccountId AS account,
  r.awsRegion AS region,
  r.eventSource AS service,
  r.eventName AS event_name,
  r.eventType AS event_type,
  -- Records before version 1.07 have no category.
  coalesce(r.eventCategory, CASE TRY_CAST(r.managementEvent AS BOOLEAN) WHEN true THEN 'Management' END) AS category,
  TRY_CAST(r.managementEvent AS BOOLEAN) AS management,
  TRY_CAST(r.readOnly AS BOOLEAN) AS read_only,
  r.userIdentity.type AS identity_type,
  r.userIdentity.principalId AS principal_id,
  r.userIdentity.arn AS arn,
  r.userIdentity.accountId AS identity_account,
  nullif(r.userIdentity.accessKeyId, '') AS access_key,
  nullif(r.userIdentity.invokedBy, '') AS invoked_by,
  CASE WHEN r.userIdentity.type = 'AssumedRole' AND contains(r.userIdentity.principalId, ':')
       THEN substr(r.userIdentity.principalId, strpos(r.userIdentity.principalId, ':') + 1) END AS session_name,
  nullif(r.userIdentity.sessionContext.sourceIdentity, '') AS source_identity,
  r.sourceIPAddress AS source,
  nullif(regexp_replace(lower(r.tlsDetails.clientProvidedHostHeader), '\.?(:\d+)?$', ''), '') AS host,
  r.userAgent AS user_agent,
  r.errorCode AS error_code,
  r.requestID AS request_id,
  r.sharedEventID AS shared_event_id,
  r.vpcEndpointId AS vpc_endpoint,
  CAST(to_json(list_filter(list_transform(r.resources, lambda x: x.ARN), lambda x: x IS NOT NULL)) AS VARCHAR) AS resources,
  CASE WHEN unreadable THEN 'UNREADABLE' ELSE nullif(reason, '') END AS addendum,
  unreadable
    OR coalesce(json_extract_string(req, '$.omitted') = 'true', false)
    OR coalesce(json_extract_string(res, '$.omitted') = 'true', false)
    OR coalesce(json_extract_string(r.additionalEventData, '$.omitted') = 'true', false)
    OR coalesce(json_extract_string(r.serviceEventDetails, '$.omitted') = 'true', false) AS truncated,
  CASE WHEN succeeded THEN nullif(coalesce(
    json_extract_string(res, '$.credentials.accessKeyId'),
    json_extract_string(res, '$.accessKey.accessKeyId')
  ), '') END AS issued_key,
  CASE WHEN succeeded THEN coalesce(
    json_extract_string(res, '$.assumedRoleUser.assumedRoleId'),
    json_extract_string(res, '$.federatedUser.federatedUserId')
  ) END AS issued_principal,
  coalesce(json_extract_string(req, '$.roleSessionName'), CASE WHEN r.eventName = 'GetFederationToken' THEN json_extract_string(req, '$.name') END)
    AS issued_name,
  json_extract_string(req, '$.roleArn') AS issued_role,
  coalesce(json_extract_string(req, '$.sourceIdentity'), json_extract_string(res, '$.sourceIdentity')) AS issued_source_identity,
  CASE WHEN coalesce(json_extract(req, '$.principalTags'), json_extract(req, '$.tags'), json_extract(req, '$.incomingTransitiveTags')) IS NOT NULL
       THEN CAST(json_object(
         'principalTags', coalesce(json_extract(req, '$.principalTags'), json_extract(req, '$.tags')),
         'incomingTransitiveTags', json_extract(req, '$.incomingTransitiveTags')
       ) AS VARCHAR) END AS issued_tags,
  CASE WHEN succeeded AND json_extract_string(res, '$.credentials.accessKeyId') IS NOT NULL THEN coalesce(
    try_strptime(expiration, ['%b %d, %Y, %I:%M:%S %p', '%b %d, %Y %I:%M:%S %p']),
    TRY_CAST(expiration AS TIMESTAMP),
    TRY_CAST(r.eventTime AS TIMESTAMP) + to_seconds(TRY_CAST(json_extract_string(req, '$.durationSeconds') AS INTEGER))
  ) END AS issued_expires,
  coalesce(json_extract_string(res, '$.subjectFromWebIdentityToken'), json_extract_string(res, '$.subject')) AS issued_for,
  object,
  listed,
  evidence || '#' || event_id AS evidence
FROM ranked
WHERE choice = 1
ORDER BY time, event_id, evidence, addendum NULLS FIRST
