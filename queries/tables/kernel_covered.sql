-- One row is one use: whether the kernel half was covered at its time.
CREATE TABLE kernel_covered (event_id VARCHAR NOT NULL, covered BOOLEAN NOT NULL);
