-- One row maps a channel to a hook that closes it (queries/hooks.json). A channel without a gate must be closed always;
-- one with a gate may lack a hook that the kernel does not have, as long as the gate shows that no socket of it was made.
CREATE TABLE required_hook (
  channel  VARCHAR NOT NULL,
  hook     VARCHAR NOT NULL,        -- as in HookStatus.hook_description; lsm: or tracepoint: before those that have no status
  role     VARCHAR NOT NULL,        -- required: must be loaded; gate: shows whether the channel was touched; optional
  slot     INTEGER NOT NULL,        -- hooks of one channel and slot stand in for each other
  copies   INTEGER NOT NULL         -- how often the hook must be loaded at once: each may have selectors of its own
);
