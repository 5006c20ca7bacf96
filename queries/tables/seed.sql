-- One row is one process that a workload selector of the declaration matches.
CREATE TABLE seed (node VARCHAR NOT NULL, exec_id VARCHAR NOT NULL);
