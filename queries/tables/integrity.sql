-- One row is one thing wrong with the sealed evidence itself: what `tally verify` found.
CREATE TABLE integrity (code VARCHAR NOT NULL, subject VARCHAR NOT NULL, detail VARCHAR NOT NULL);
