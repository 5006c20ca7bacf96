-- Is every record that the report leans on in the ledger under its checkpoint? One row is one fault of the sealed evidence
-- (design 4). In a report that was just made there is none; tally verify fills the table when it recomputes the roots.
SELECT code, 'doubt' AS kind, subject, detail,
  CAST(NULL AS TIMESTAMP) AS from_time, CAST(NULL AS TIMESTAMP) AS until_time, CAST(NULL AS VARCHAR) AS evidence
FROM integrity
