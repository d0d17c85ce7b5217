-- The seed's indexes under the seed's names (DR-9, DR-17, DR-23, DR-31, DR-34), on the tables that carry the columns. user_streaks and
-- user_achievements are found by their user through their primary keys.
CREATE UNIQUE INDEX user_progress_user_id_level_id_gate_id_key ON lesson_progress (learner_id, level_id, gate_id);  -- DR-8
CREATE INDEX idx_user_progress_user ON lesson_progress (learner_id);
CREATE INDEX idx_user_progress_level ON lesson_progress (level_id, gate_id);
CREATE INDEX idx_user_progress_completed ON lesson_progress (completed) WHERE completed = false;

CREATE UNIQUE INDEX lessons_level_id_gate_id_key ON lessons (level_id, gate_id);  -- DR-13
CREATE INDEX idx_lessons_active ON lessons (is_active) WHERE is_active = true;
CREATE INDEX idx_lessons_level_order ON lessons (level_id, gate_id, order_index);
CREATE INDEX idx_lessons_content_type ON lessons (content_type);

CREATE UNIQUE INDEX achievements_code_key ON achievements (code);  -- DR-18
CREATE INDEX idx_user_achievements_unlocked ON unlocked_achievements (unlocked_at DESC);

CREATE INDEX idx_user_streaks_reset ON streaks (last_streak_reset);

CREATE INDEX idx_activity_log_user_time ON activities (learner_id, created_at DESC);
CREATE INDEX idx_activity_log_type ON activities (activity_type);
CREATE INDEX idx_activity_log_session ON activities (session_id);

CREATE INDEX xp_grants_learner_id ON xp_grants (learner_id, granted_at DESC);

-- DR-55, DR-62.
CREATE UNIQUE INDEX subscription_plans_stripe_price_id_key ON plans (stripe_price_id);
CREATE INDEX idx_subscription_plans_active ON plans (is_active) WHERE is_active = true;
CREATE INDEX idx_user_subscriptions_user ON plan_subscriptions (account_id);
CREATE INDEX idx_user_subscriptions_status ON plan_subscriptions (status);

-- DR-51, DR-54.
CREATE INDEX idx_live_sessions_host ON live_sessions (host_id);
CREATE INDEX idx_live_sessions_scheduled ON live_sessions (scheduled_at);
CREATE INDEX idx_live_sessions_status ON live_sessions (status);
CREATE UNIQUE INDEX session_participants_session_id_user_id_key ON session_participants (session_id, user_id);
CREATE INDEX idx_session_participants_session ON session_participants (session_id);
CREATE INDEX idx_session_participants_user ON session_participants (user_id);

-- DR-27. Who has the score is who has the rank, so the first is in the order of scores; the second spells its date as the view does.
-- A sum over higher scores reads the third and no table.
CREATE INDEX leaderboard_period_rank ON leaderboard_scores (period, period_start_date, xp_points DESC, reached_at, learner_id)
  WHERE xp_points > 0;
CREATE INDEX leaderboard_user_period ON leaderboard_scores (learner_id, period, (date '1970-01-01' + period_end) DESC);
CREATE INDEX leaderboard_counts_learners ON leaderboard_counts (period, period_start, xp_points) INCLUDE (learners) WHERE learners <> 0;
