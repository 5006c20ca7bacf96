-- One row is one audit record that a credential session of the task authenticated, a denied one too.
CREATE TABLE "use" (
  provider    VARCHAR NOT NULL,
  event_id    VARCHAR NOT NULL,
  time        TIMESTAMP NOT NULL,   -- whole seconds of the provider's clock: when the request completed
  key         VARCHAR,              -- access key id of the session
  session     VARCHAR,              -- session name as the record has it
  known       BOOLEAN NOT NULL,     -- the key has an issuance record in the session table
  declared    BOOLEAN NOT NULL,     -- the session is declared
  account     VARCHAR,
  region      VARCHAR,
  service     VARCHAR NOT NULL,     -- eventSource
  event_name  VARCHAR NOT NULL,
  action      VARCHAR NOT NULL,     -- IAM form service:Action
  host        VARCHAR,              -- the endpoint name the client asked for; else null
  source      VARCHAR,              -- sourceIPAddress as recorded (unmapped, lower case when an address)
  delegated   BOOLEAN NOT NULL,     -- made by a service on the session's behalf
  outcome     VARCHAR NOT NULL,     -- ok, denied, error
  read_only   BOOLEAN,
  category    VARCHAR,              -- Management, Data, NetworkActivity, Insight
  request_id  VARCHAR,
  vpc_endpoint VARCHAR,
  resources   VARCHAR,              -- JSON list of ARNs
  user_agent  VARCHAR,
  listed      VARCHAR NOT NULL,     -- listed (in a valid digest), pending (delivered after the newest digest), unlisted
  evidence    VARCHAR NOT NULL
);
