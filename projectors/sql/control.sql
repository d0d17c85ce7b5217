-- What the projectors know of themselves. Offsets move in the transaction of the rows; a generation is a full set of tables.
CREATE SCHEMA IF NOT EXISTS guildhall;
GRANT USAGE ON SCHEMA guildhall TO guildhall_projector;

CREATE TABLE IF NOT EXISTS guildhall.projections (
  projection text NOT NULL,
  generation integer NOT NULL,
  state text NOT NULL CHECK (state IN ('live', 'next', 'previous')),
  checksum text NOT NULL,   -- SHA-256 of the SQL that made the tables
  log_id uuid NOT NULL,
  shards integer NOT NULL,
  PRIMARY KEY (projection, generation),
  CONSTRAINT one_of_a_state UNIQUE (projection, state) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE IF NOT EXISTS guildhall.offsets (
  projection text NOT NULL,
  generation integer NOT NULL,
  shard integer NOT NULL,
  sequence bigint NOT NULL DEFAULT 0,
  -- Why the next record can't be applied; NULL while the shard moves.
  failure_kind text CHECK (failure_kind IN ('apply', 'decode', 'unknown_type', 'order', 'other')),
  failure_sequence bigint,
  failure_type text,
  failure_detail text,
  PRIMARY KEY (projection, generation, shard),
  FOREIGN KEY (projection, generation) REFERENCES guildhall.projections ON DELETE CASCADE
) WITH (fillfactor = 50);  -- A few rows, updated all the time, in place.

GRANT SELECT ON guildhall.projections TO guildhall_projector;
GRANT SELECT, UPDATE ON guildhall.offsets TO guildhall_projector;
ALTER TABLE guildhall.projections ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE guildhall.offsets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS keeper ON guildhall.projections;
CREATE POLICY keeper ON guildhall.projections TO guildhall_owner, guildhall_projector USING (true) WITH CHECK (true);
DROP POLICY IF EXISTS keeper ON guildhall.offsets;
CREATE POLICY keeper ON guildhall.offsets TO guildhall_owner, guildhall_projector USING (true) WITH CHECK (true);
