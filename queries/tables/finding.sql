-- What every query under queries/claims returns, one row a finding; equal rows but for evidence are merged.
CREATE TABLE finding (
  code       VARCHAR NOT NULL,
  kind       VARCHAR NOT NULL,      -- counterexample, doubt, wait, note
  subject    VARCHAR NOT NULL,
  detail     VARCHAR NOT NULL,      -- one plain sentence
  from_time  TIMESTAMP,
  until_time TIMESTAMP,             -- for a wait: until when to wait
  evidence   VARCHAR                -- one record id, or several with a space between
);
