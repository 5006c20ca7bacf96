-- Does every credential session that bears the task's id, or was issued from one that does, have its issuance record, and are
-- there no others? One row is one finding. A session name is chosen by the caller: it raises a doubt, only an issuance record
-- in a log file that a valid digest lists (or will list) convicts. Rests on facts/cloudtrail.md 2, 4 and 5.
WITH
-- Calls that hand out a credential: one that succeeded and whose credential is no session here opens the chain.
minting (service, event_name) AS (
  VALUES
    ('sts.amazonaws.com', 'AssumeRole'), ('sts.amazonaws.com', 'AssumeRoleWithSAML'),
    ('sts.amazonaws.com', 'AssumeRoleWithWebIdentity'), ('sts.amazonaws.com', 'AssumeRoot'),
    ('sts.amazonaws.com', 'GetFederationToken'), ('sts.amazonaws.com', 'GetSessionToken'),
    ('sts.amazonaws.com', 'GetDelegatedAccessToken'), ('sts.amazonaws.com', 'GetWebIdentityToken'),
    ('iam.amazonaws.com', 'CreateAccessKey'), ('iam.amazonaws.com', 'CreateLoginProfile'),
    ('iam.amazonaws.com', 'UpdateLoginProfile'), ('iam.amazonaws.com', 'CreateServiceSpecificCredential'),
    ('iam.amazonaws.com', 'ResetServiceSpecificCredential'), ('sso.amazonaws.com', 'GetRoleCredentials'),
    ('signin.amazonaws.com', 'GetSigninToken'), ('cognito-identity.amazonaws.com', 'GetCredentialsForIdentity'),
    ('cognito-identity.amazonaws.com', 'GetOpenIdToken'),
    ('cognito-identity.amazonaws.com', 'GetOpenIdTokenForDeveloperIdentity'),
    ('codeartifact.amazonaws.com', 'GetAuthorizationToken'), ('ecr.amazonaws.com', 'GetAuthorizationToken'),
    ('ecr-public.amazonaws.com', 'GetAuthorizationToken'), ('ssm.amazonaws.com', 'StartSession'),
    ('ec2-instance-connect.amazonaws.com', 'SendSSHPublicKey'),
    ('ec2-instance-connect.amazonaws.com', 'SendSerialConsoleSSHPublicKey'),
    ('redshift.amazonaws.com', 'GetClusterCredentials'), ('redshift.amazonaws.com', 'GetClusterCredentialsWithIAM'),
    ('redshift-serverless.amazonaws.com', 'GetCredentials'), ('iot.amazonaws.com', 'CreateKeysAndCertificate')
),
issued AS (
  SELECT
    s.*,
    coalesce(s.name, s.key) AS subject,
    s.listed IN ('listed', 'pending') AS vouched,
    split_part(s.issued_by, ':', 5) AS issuer_account,
    split_part(s.issued_by, '/', 2) AS issuer_role
  FROM session s
  WHERE s.key IS NOT NULL
),
digit (n) AS (
  VALUES (0), (1), (2), (3), (4), (5), (6), (7)
),
-- A name of 64 characters may have been cut: it ends with a beginning of the task's id, behind a separator.
full_name AS (
  SELECT e.issued_name AS name, e.issued_key AS key, e.time, e.evidence FROM audit_event e WHERE length(e.issued_name) = 64
  UNION ALL
  SELECT e.session_name, e.access_key, e.time, e.evidence FROM audit_event e WHERE length(e.session_name) = 64
),
cut_name AS (
  SELECT DISTINCT f.name, f.key, f.evidence
  FROM full_name f
  CROSS JOIN task t
  CROSS JOIN digit a
  CROSS JOIN digit b
  WHERE 8 * a.n + b.n BETWEEN 1 AND 62
    AND 8 * a.n + b.n < length(t.task_id)
    AND substr(f.name, 65 - (8 * a.n + b.n)) = substr(t.task_id, 1, 8 * a.n + b.n)
    AND substr(f.name, 64 - (8 * a.n + b.n), 1) IN ('-', '_', '.', '@', '=', '+', ',')
    -- A name that is cut is no clue long before or after the task.
    AND (t.window_start IS NULL OR f.time >= t.window_start - INTERVAL '1' DAY)
    AND (t.window_end IS NULL OR f.time <= t.window_end + INTERVAL '1' DAY)
)
SELECT
  'unknown-issuance' AS code,
  'doubt' AS kind,
  coalesce(s.name, s.role, 'declared credential') AS subject,
  'The credential is declared, but no record of its issuance is here.' AS detail,
  CAST(NULL AS TIMESTAMP) AS from_time,
  CAST(NULL AS TIMESTAMP) AS until_time,
  s.evidence
FROM session s
WHERE s.key IS NULL
UNION ALL
SELECT
  'unknown-issuance', 'doubt', coalesce(d.name, d.key, d.provider),
  'A credential of ' || d.provider || ' is declared, and no record of its issuance and its uses can be judged here.',
  NULL, NULL, t.evidence
FROM declared_session d
CROSS JOIN task t
WHERE d.provider NOT IN (SELECT s.provider FROM session s)
UNION ALL
SELECT
  'unknown-issuance', 'doubt', coalesce(u.session, u.key, u.event_id),
  'Key ' || coalesce(u.key, 'unknown') || ' was used under this name, but no record of its issuance is here.',
  NULL, NULL, u.evidence
FROM "use" u
WHERE NOT u.known
UNION ALL
SELECT
  'unknown-issuance', 'doubt', i.subject,
  'The record that issued key ' || i.key || ' is in a log file that no valid digest vouches for.',
  i.issued, i.expires, i.evidence
FROM issued i
WHERE NOT i.vouched AND i.declared
UNION ALL
SELECT
  'unknown-issuance', 'doubt', i.subject,
  'The record that issued key ' || i.key || ' does not tell when it expires.',
  i.issued, NULL, i.evidence
FROM issued i
WHERE i.expires IS NULL
UNION ALL
SELECT
  'unknown-issuance', 'doubt', i.subject,
  'Key ' || i.key || ' was used before the record that issued it.',
  u.time, i.issued, u.evidence
FROM issued i
JOIN "use" u ON u.provider = i.provider AND u.key = i.key
CROSS JOIN task t
WHERE u.time < i.issued - t.tolerance
UNION ALL
SELECT
  'undeclared-session',
  -- A name that could be another task's as well (an id that contains this one, a tag with the same text) only raises a doubt.
  CASE WHEN i.vouched AND (i.depth > 0 OR i.sure) THEN 'counterexample' ELSE 'doubt' END,
  i.subject,
  CASE i.bears
    WHEN 'name' THEN 'A session whose name bears the task''s id was issued'
    WHEN 'source-identity' THEN 'A session whose source identity bears the task''s id was issued'
    WHEN 'tag' THEN 'A session with a tag that bears the task''s id was issued'
    ELSE 'A session was issued with a credential of the task'
  END || ' under key ' || i.key || CASE WHEN i.vouched THEN ' and is not declared.'
    ELSE ', says a log file that no valid digest vouches for; it is not declared.' END,
  i.issued, i.expires, i.evidence
FROM issued i
WHERE NOT i.declared
UNION ALL
SELECT
  'open-chain', 'doubt', i.subject,
  'Key ' || i.key || ' was issued for account ' || coalesce(i.account, 'unknown') || ', whose log is not here.',
  i.issued, i.expires, i.evidence
FROM issued i
WHERE i.foreign_account
UNION ALL
SELECT
  'open-chain', 'doubt', coalesce(u.session, u.key, u.event_id),
  'The session obtained a further credential with ' || u.event_name || ', whose use can not be followed.',
  u.time, NULL, u.evidence
FROM "use" u
JOIN minting m ON m.service = u.service AND m.event_name = u.event_name
WHERE u.outcome = 'ok'
  AND NOT EXISTS (SELECT 1 FROM session s WHERE s.key IS NOT NULL AND s.evidence = u.evidence)
  -- a record that corrects the one of the issuance is of the same event
  AND NOT EXISTS (
    SELECT 1 FROM audit_event e JOIN session s ON s.key = e.issued_key AND split_part(s.evidence, '#', 2) = e.event_id
    WHERE e.event_id = u.event_id AND e.addendum = 'UPDATED_DATA' AND e.listed IN ('listed', 'pending')
  )
UNION ALL
SELECT
  'truncated-session-name', 'doubt', c.name,
  'A session name of 64 characters ends within the task''s id: it may be this task''s or another''s.',
  NULL, NULL, c.evidence
FROM cut_name c
WHERE NOT EXISTS (SELECT 1 FROM declared_session d WHERE d.key = c.key)
  -- One that the task's own sessions issued is known by its parent's key.
  AND NOT EXISTS (SELECT 1 FROM session s WHERE s.key = c.key AND s.depth > 0)
UNION ALL
SELECT
  'minted-outside', 'doubt', i.subject,
  'Key ' || i.key || ' was issued by ' || coalesce(i.issued_by, 'an unknown principal') || ', which is no declared issuer.',
  i.issued, i.expires, i.evidence
FROM issued i
WHERE EXISTS (SELECT 1 FROM setting x WHERE x.kind = 'issuer')
  AND i.depth = 0
  AND NOT EXISTS (
    SELECT 1 FROM setting x
    WHERE x.kind = 'issuer'
      AND (i.issued_by LIKE replace(replace(x.value, '_', '\_'), '*', '%') ESCAPE '\'
        -- A role is declared by its own ARN, with its path; its sessions have another, without.
        OR (i.issued_by LIKE '%:assumed-role/%'
          AND split_part(x.value, ':', 5) = i.issuer_account
          AND x.value LIKE '%:role/%'
          AND (x.value LIKE '%:role/' || i.issuer_role OR x.value LIKE '%:role/%/' || i.issuer_role)))
  )
UNION ALL
-- Where no issuers are declared, sessions of one name that several principals issued still need somebody to tell which are meant.
SELECT
  'minted-outside', 'doubt', i.subject,
  'Sessions of this name and role were issued by several principals, ' || coalesce(min(i.issued_by), 'an unknown one') || ' and ' || coalesce(max(i.issued_by), 'an unknown one')
    || ' among them, and the configuration names no issuers.',
  min(i.issued), max(i.expires), min(i.evidence)
FROM issued i
WHERE i.declared AND i.depth = 0 AND NOT EXISTS (SELECT 1 FROM setting x WHERE x.kind = 'issuer')
GROUP BY i.subject, i.role
-- sessions of one role are one principal
HAVING count(DISTINCT CASE
    WHEN i.issued_by LIKE '%:assumed-role/%' THEN split_part(i.issued_by, '/', 1) || '/' || split_part(i.issued_by, '/', 2)
    WHEN i.issued_by LIKE 'AROA%:%' THEN split_part(i.issued_by, ':', 1)
    ELSE coalesce(i.issued_by, '?') END) > 1
ORDER BY code, subject, detail, evidence
