-- One row is one hook of one policy as one health line tells it.
CREATE TABLE sensor_hook (
  node       VARCHAR NOT NULL,
  time       TIMESTAMP NOT NULL,    -- of the health line
  policy_id  VARCHAR NOT NULL,      -- given anew when a policy is loaded again; its name where it has none
  policy     VARCHAR NOT NULL,
  enabled    BOOLEAN NOT NULL,      -- enabled, or enabled in part: the hooks' own states decide then
  state      VARCHAR NOT NULL,      -- TP_STATE_…
  posts      BIGINT NOT NULL,       -- stats.action_counters.post: no count of events, but a decrease is a reset
  hook       VARCHAR,               -- hook_description; lsm: or tracepoint: and the name of its events where there is no status
  hook_state VARCHAR,               -- STATUS_…, null where the sensor gives none: the policy's state counts
  spec       VARCHAR,               -- SHA-256 of the policy's text, where the line tells it
  evidence   VARCHAR NOT NULL
);
