-- One row is one CloudTrail record, whoever made it (facts/cloudtrail.md 1-4), once per eventID.
CREATE TABLE audit_event (
  event_id    VARCHAR NOT NULL,
  time        TIMESTAMP,
  account     VARCHAR,              -- recipientAccountId
  region      VARCHAR,
  service     VARCHAR,              -- eventSource
  event_name  VARCHAR,
  event_type  VARCHAR,
  category    VARCHAR,
  management  BOOLEAN,
  read_only   BOOLEAN,
  identity_type VARCHAR,
  principal_id  VARCHAR,
  arn         VARCHAR,
  identity_account VARCHAR,
  access_key  VARCHAR,              -- null for the empty string
  invoked_by  VARCHAR,
  session_name VARCHAR,             -- of an AssumedRole caller: what stands behind ':' in principalId
  source_identity VARCHAR,
  source      VARCHAR,              -- sourceIPAddress
  host        VARCHAR,              -- tlsDetails.clientProvidedHostHeader, lower case, without port
  user_agent  VARCHAR,
  error_code  VARCHAR,
  request_id  VARCHAR,
  shared_event_id VARCHAR,
  vpc_endpoint VARCHAR,
  resources   VARCHAR,              -- JSON list of ARNs
  addendum    VARCHAR,              -- addendum.reason
  truncated   BOOLEAN,              -- a field was cut by the provider
  issued_key  VARCHAR,              -- responseElements…credentials.accessKeyId of a call that issues credentials
  issued_principal VARCHAR,         -- assumedRoleUser.assumedRoleId or federatedUser id
  issued_name VARCHAR,              -- requestParameters.roleSessionName or name
  issued_role VARCHAR,              -- requestParameters.roleArn
  issued_source_identity VARCHAR,
  issued_tags VARCHAR,              -- JSON of principalTags, incomingTransitiveTags
  issued_expires TIMESTAMP,
  issued_for  VARCHAR,              -- subjectFromWebIdentityToken or SAML subject
  object      VARCHAR NOT NULL,     -- name of the log file
  listed      VARCHAR NOT NULL,     -- listed, pending, unlisted, altered
  evidence    VARCHAR NOT NULL      -- record id of the log file, # event id
);
