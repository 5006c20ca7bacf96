-- One row is one issued credential session that belongs to the task (or bears its id), or a declared one without issuance.
CREATE TABLE session (
  provider     VARCHAR NOT NULL,
  key          VARCHAR,             -- access key id; null when no issuance was seen
  principal    VARCHAR,             -- AWS: AROA…:session name (assumedRoleId)
  name         VARCHAR,             -- session name
  role         VARCHAR,             -- role ARN
  account      VARCHAR,
  declared     BOOLEAN NOT NULL,
  bears        VARCHAR NOT NULL,    -- why it is here: declared, name, source-identity, tag, chained
  depth        INTEGER NOT NULL,    -- 0 issued directly, 1 issued from one of the task's sessions, …
  issued       TIMESTAMP,
  expires      TIMESTAMP,
  issued_by    VARCHAR,             -- ARN of the issuing principal
  parent_key   VARCHAR,             -- access key that issued it
  request_id   VARCHAR,
  issued_for   VARCHAR,             -- web identity or SAML subject
  action       VARCHAR,             -- AssumeRole …
  foreign_account BOOLEAN NOT NULL, -- issued into an account whose log is not here
  listed       VARCHAR NOT NULL,    -- listing of the log file that holds the issuance, see use.listed
  evidence     VARCHAR NOT NULL,
  sure         BOOLEAN              -- its name or source identity can be of no other task, by the configured templates
);
