-- One row maps a channel to a hook that closes it (queries/hooks.json).
CREATE TABLE required_hook (
  channel  VARCHAR NOT NULL,
  hook     VARCHAR NOT NULL,        -- as in HookStatus.hook_description
  role     VARCHAR NOT NULL         -- required: must be loaded; gate: shows whether the channel was touched; optional
);
