-- One row is one DNS question that left a process, or a datagram to port 53 whose content was not seen.
CREATE TABLE lookup (
  node      VARCHAR NOT NULL,
  exec_id   VARCHAR,
  time      TIMESTAMP NOT NULL,
  name      VARCHAR,                -- lower case; null: content unseen or unreadable
  qtype     VARCHAR,
  server    VARCHAR,
  problem   VARCHAR,                -- unseen, unreadable
  evidence  VARCHAR NOT NULL
);
