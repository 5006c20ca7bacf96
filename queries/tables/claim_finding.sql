-- Findings of the claims judged so far, so that a later claim can tell a wait from a doubt.
CREATE TABLE claim_finding (
  claim VARCHAR NOT NULL, code VARCHAR NOT NULL, kind VARCHAR NOT NULL, subject VARCHAR NOT NULL, detail VARCHAR NOT NULL,
  from_time TIMESTAMP, until_time TIMESTAMP, evidence VARCHAR
);
