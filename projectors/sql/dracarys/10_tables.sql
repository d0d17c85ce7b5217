CREATE TABLE trading_profiles (
  account_id uuid PRIMARY KEY,
  bio text,
  preferred_language text,
  trading_experience text,
  trading_goals text[]
);

CREATE TABLE lessons (
  lesson_id uuid PRIMARY KEY,
  level_id integer,
  gate_id integer,
  title text,
  subtitle text,
  description text,
  content_type text,
  xp_reward integer,
  estimated_seconds integer,
  difficulty text,
  prerequisites text[],
  is_active boolean,
  order_index integer,
  created_by uuid,
  content_version integer,
  question_count integer,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
);

-- What is taught, and the right answers: apart, since row-level security hides rows, not columns.
CREATE TABLE lesson_contents (
  lesson_id uuid PRIMARY KEY,
  level_id integer,
  is_active boolean,
  content_data text,
  assessment_data text
);

CREATE TABLE lesson_answers (
  lesson_id uuid PRIMARY KEY,
  answer_key text[]
);

-- Sums that several shards add to.
CREATE TABLE lesson_totals (
  lesson_id uuid PRIMARY KEY,
  completions bigint DEFAULT 0,
  scored bigint DEFAULT 0,
  score_sum bigint DEFAULT 0
) WITH (fillfactor = 70);

CREATE TABLE achievements (
  achievement_id uuid PRIMARY KEY,
  code text,
  title text,
  description text,
  icon_url text,
  category text,
  xp_reward integer,
  lessons_completed integer,
  total_xp integer,
  level integer,
  streak_days integer,
  lesson_ids text[],
  rarity text,
  is_active boolean,
  created_at timestamptz,
  last_event_position bigint
);

CREATE TABLE lesson_progress (
  progress_id uuid PRIMARY KEY,
  learner_id uuid,
  level_id integer,
  gate_id integer,
  lesson_id uuid,
  completed boolean DEFAULT false,
  score integer,
  xp_earned integer DEFAULT 0,
  time_spent_seconds bigint DEFAULT 0,
  attempts_count integer,
  last_attempt_at timestamptz,
  completed_at timestamptz,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
) WITH (fillfactor = 85);

CREATE TABLE learner_xp (
  learner_id uuid PRIMARY KEY,
  total_xp integer,
  lesson_xp integer,
  achievement_xp integer,
  level integer DEFAULT 1,
  lessons_completed integer,
  updated_at timestamptz,
  last_event_position bigint
) WITH (fillfactor = 70);

CREATE TABLE xp_grants (
  grant_id uuid PRIMARY KEY,
  learner_id uuid,
  source text,
  source_id uuid,
  amount integer,
  total_xp integer,
  reason text,
  granted_at timestamptz,
  last_event_position bigint
);

-- last_day counts days since 1970-01-01.
CREATE TABLE streaks (
  learner_id uuid PRIMARY KEY,
  current_streak integer DEFAULT 0,
  longest_streak integer DEFAULT 0,
  freezes_held integer DEFAULT 0,
  last_day integer,
  zone text,
  last_streak_reset timestamptz,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
) WITH (fillfactor = 70);

CREATE TABLE activity_days (
  learner_id uuid,
  local_day integer,
  activities integer DEFAULT 0,
  PRIMARY KEY (learner_id, local_day)
);

CREATE TABLE unlocked_achievements (
  learner_id uuid,
  achievement_id uuid,
  unlock_id uuid,
  unlocked_at timestamptz,
  last_event_position bigint,
  PRIMARY KEY (learner_id, achievement_id)
);

CREATE TABLE activities (
  activity_id uuid PRIMARY KEY,
  learner_id uuid,
  activity_type text,
  entity_type text,
  entity_id uuid,
  session_id uuid,
  local_day integer,
  zone text,
  created_at timestamptz,
  last_event_position bigint
);

CREATE TABLE plans (
  plan_id uuid PRIMARY KEY,
  name text,
  description text,
  plan_type text,
  price_cents bigint,
  currency text,
  stripe_price_id text,
  features text,
  is_active boolean,
  trial_days integer,
  max_users integer,
  level_access_limit integer,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
);

CREATE TABLE plan_subscriptions (
  subscription_id uuid PRIMARY KEY,
  account_id uuid,
  plan_id uuid,
  stripe_subscription_id text,
  status text,
  current_period_start timestamptz,
  current_period_end timestamptz,
  trial_end timestamptz,
  cancel_at timestamptz,
  cancelled_at timestamptz,
  level_access_limit integer,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
);

CREATE TABLE live_sessions (
  session_id uuid PRIMARY KEY,
  title text,
  description text,
  host_id uuid,
  session_type text,
  scheduled_at timestamptz,
  duration_minutes integer,
  max_participants integer,
  current_participants integer DEFAULT 0,
  recording_url text,
  is_recorded boolean,
  status text,
  min_level integer,
  required_lessons text[] DEFAULT '{}',
  tags text[] DEFAULT '{}',
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
) WITH (fillfactor = 85);

-- Where a session meets: apart, for those who are registered.
CREATE TABLE live_session_rooms (
  session_id uuid PRIMARY KEY,
  host_id uuid,
  meeting_url text
);

CREATE TABLE session_participants (
  participant_id uuid PRIMARY KEY,
  session_id uuid,
  host_id uuid,
  user_id uuid,
  joined_at timestamptz,
  left_at timestamptz,
  attendance_status text,
  feedback_rating integer,
  feedback_text text,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
);

-- Scores of leaderboards (DR-24), by period and its first day, in days since 1970-01-01. As a date it is a column, too: under row-level
-- security an index serves no expression whose function is not LEAKPROOF, and the addition to a date is not.
CREATE TABLE leaderboard_scores (
  period text,
  period_start integer,
  learner_id uuid,
  period_end integer,
  xp_points integer DEFAULT 0,
  lessons_completed integer DEFAULT 0,
  streak_days integer DEFAULT 0,
  reached_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint,
  period_start_date date GENERATED ALWAYS AS (date '1970-01-01' + period_start) STORED,
  PRIMARY KEY (period, period_start, learner_id)
) WITH (fillfactor = 85);

-- How many learners have each score, and any. All shards add to them.
CREATE TABLE leaderboard_counts (
  period text,
  period_start integer,
  xp_points integer,
  learners bigint DEFAULT 0,
  PRIMARY KEY (period, period_start, xp_points)
) WITH (fillfactor = 70);

CREATE TABLE leaderboard_sizes (
  period text,
  period_start integer,
  period_end integer,
  learners bigint DEFAULT 0,
  changes bigint DEFAULT 0,
  PRIMARY KEY (period, period_start)
) WITH (fillfactor = 50);

-- Made of the rows above, not of events: the ranks of boards whose period is over, one for each score that somebody has, and how many
-- changes the board had when they were stored. A board that has changed since is ranked by its counts until they are stored anew.
CREATE TABLE leaderboard_closed (
  period text,
  period_start integer,
  changes bigint,
  closed_at timestamptz,
  PRIMARY KEY (period, period_start)
);

CREATE TABLE leaderboard_ranks (
  period text,
  period_start integer,
  xp_points integer,
  rank bigint,
  PRIMARY KEY (period, period_start, xp_points)
);

-- Stores the ranks of the newest board that was over before that day and lacks them, or has others. False: there is none. `changes` is
-- read before the counts: a gain that comes between the two leaves a board with more of them than is noted.
CREATE FUNCTION derive(day integer) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  board record;
BEGIN
  SELECT n.period, n.period_start, n.changes INTO board
  FROM leaderboard_sizes n
  LEFT JOIN leaderboard_closed d USING (period, period_start)
  WHERE n.period_end < day AND d.changes IS DISTINCT FROM n.changes
  ORDER BY n.period_end DESC, n.period LIMIT 1;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  DELETE FROM leaderboard_ranks r WHERE r.period = board.period AND r.period_start = board.period_start;
  INSERT INTO leaderboard_ranks
  SELECT c.period, c.period_start, c.xp_points, 1 + sum(c.learners) OVER (ORDER BY c.xp_points DESC) - c.learners
  FROM leaderboard_counts c
  WHERE c.period = board.period AND c.period_start = board.period_start AND c.learners <> 0;
  INSERT INTO leaderboard_closed VALUES (board.period, board.period_start, board.changes, now())
  ON CONFLICT (period, period_start) DO UPDATE SET changes = excluded.changes, closed_at = excluded.closed_at;
  RETURN true;
END
$$;
