-- The first tables of every platform, and what holds for all of them. Each generation is made in the schema that search_path names.
-- Columns and defaults repeat the table descriptors in projectors/*.cpp (a test compares them). Primary keys only: a rebuild fills the
-- tables before 20_indexes.sql.
--
-- created_at and updated_at are event times (X-29); last_event_position = shard << 48 | sequence, of the row's own stream or, where it has
-- several, of the last event that changed the row.

CREATE TABLE accounts (
  account_id uuid PRIMARY KEY,
  role text,
  display_name text,
  first_name text,
  last_name text,
  avatar_url text,
  timezone text,
  status text,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
);

-- Names that others may see, apart from the private profile.
CREATE TABLE people (
  account_id uuid PRIMARY KEY,
  display_name text,
  is_provider boolean DEFAULT false,
  last_event_position bigint
);

