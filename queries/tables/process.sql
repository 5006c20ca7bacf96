-- One row is one process image (exec_id) on a node, from the process and parent fields of every event.
CREATE TABLE process (
  node           VARCHAR NOT NULL,
  exec_id        VARCHAR NOT NULL,
  parent_exec_id VARCHAR,
  fork_parent    VARCHAR,           -- exec_id that forked this pid by the fork hook, where it is there
  pid            BIGINT,
  started        TIMESTAMP,
  exited         TIMESTAMP,         -- null: no exit seen
  image_until    TIMESTAMP,         -- exit, or start of the next image of the same process (exec without fork)
  "binary"       VARCHAR,
  arguments      VARCHAR,
  cwd            VARCHAR,
  uid            BIGINT,
  flags          VARCHAR,
  env            VARCHAR,           -- JSON list of [name, value], null where none was exported
  container      VARCHAR,           -- container id, else the docker field (a prefix of it)
  image          VARCHAR,           -- container image name
  image_id       VARCHAR,           -- container image id or digest
  pod_namespace  VARCHAR,
  pod_name       VARCHAR,
  pod_labels     VARCHAR,           -- JSON list of strings as exported
  in_init_tree   BOOLEAN,
  netns          BIGINT,
  announced      BOOLEAN NOT NULL,  -- an exec event of its own was seen
  seen           BOOLEAN NOT NULL,  -- an event of its own was seen (else it is known as a parent only)
  task_id        VARCHAR,           -- the judged task, or null
  tied_by        VARCHAR,           -- selector, parent, fork
  contested      VARCHAR,           -- another task id that claims it
  evidence       VARCHAR NOT NULL   -- its exec event, else the first event that names it
);
