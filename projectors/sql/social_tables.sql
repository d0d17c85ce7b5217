-- Of platforms where people follow each other and are told of things.

-- Who follows whom (PA-40). How many do stands apart: pairs are of all shards.
CREATE TABLE followers (
  follow_id uuid PRIMARY KEY,
  follower_id uuid,
  following_id uuid,
  created_at timestamptz,
  last_event_position bigint
);

CREATE TABLE follow_totals (
  account_id uuid PRIMARY KEY,
  followers_count bigint DEFAULT 0,
  following_count bigint DEFAULT 0,
  updated_at timestamptz
) WITH (fillfactor = 70);

CREATE TABLE blocks (
  blocker_id uuid,
  blocked_id uuid,
  created_at timestamptz,
  last_event_position bigint,
  PRIMARY KEY (blocker_id, blocked_id)
);

-- What people were told (PA-102), numbered for each of them; how far they have read, and each time that they marked all up to there.
CREATE TABLE notifications (
  notification_id uuid PRIMARY KEY,
  user_id uuid,
  sequence bigint,
  type text,
  topic text,
  actor_id uuid,
  related_id uuid,
  read_at timestamptz,
  created_at timestamptz,
  last_event_position bigint
);

CREATE TABLE notification_inboxes (
  user_id uuid PRIMARY KEY,
  read_up_to bigint
);

CREATE TABLE notification_cursors (
  user_id uuid,
  read_up_to bigint,
  read_at timestamptz,
  PRIMARY KEY (user_id, read_up_to)
);
