-- What clients see: the seed's tables and views, its columns in its order and types, then last_event_position and what we add. Profile ids
-- are the account id (X-1). Every view runs with its reader's rights.
CREATE SCHEMA IF NOT EXISTS dracarys;
DROP VIEW IF EXISTS dracarys.user_profiles, dracarys.lessons, dracarys.lesson_answers, dracarys.achievements, dracarys.user_progress,
  dracarys.user_achievements, dracarys.user_streaks, dracarys.user_activity_log, dracarys.xp_history, dracarys.user_learning_stats,
  dracarys.lesson_popularity, dracarys.subscription_plans, dracarys.user_subscriptions, dracarys.live_sessions,
  dracarys.session_participants, dracarys.leaderboard, dracarys.followers, dracarys.follow_totals, dracarys.blocks,
  dracarys.notifications;

-- DR-71 in integers, exact for every integer (domain.md 11): one less than the bits of total_xp / 1000 + 1, at least 1.
CREATE OR REPLACE FUNCTION dracarys.calculate_user_level(total_xp integer) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT greatest(length(ltrim((greatest(total_xp, 0) / 1000 + 1)::bit(32)::text, '0')) - 1, 1)
$$;

CREATE VIEW dracarys.user_profiles WITH (security_invoker = true) AS
SELECT a.account_id AS id, a.display_name AS full_name, a.avatar_url, t.bio, a.timezone,
       coalesce(t.preferred_language, 'en') AS preferred_language, coalesce(t.trading_experience, 'beginner') AS trading_experience,
       t.trading_goals, coalesce(x.level, 1) AS current_level, coalesce(x.total_xp, 0) AS total_xp, a.created_at, a.updated_at,
       a.last_event_position
FROM dracarys_rm.accounts a
LEFT JOIN dracarys_rm.trading_profiles t USING (account_id)
LEFT JOIN dracarys_rm.learner_xp x ON x.learner_id = a.account_id;

-- content_data and assessment_data are NULL for whom the level is closed to (A-DR-19).
CREATE VIEW dracarys.lessons WITH (security_invoker = true) AS
SELECT l.lesson_id AS id, l.level_id, l.gate_id, l.title, l.subtitle, l.description, l.content_type, c.content_data::jsonb AS content_data,
       c.assessment_data::jsonb AS assessment_data, l.xp_reward, make_interval(secs => l.estimated_seconds) AS estimated_time, l.difficulty,
       l.prerequisites::uuid[] AS prerequisites, l.is_active, l.order_index, l.created_by, l.created_at, l.updated_at,
       l.last_event_position, l.content_version, l.question_count
FROM dracarys_rm.lessons l
LEFT JOIN dracarys_rm.lesson_contents c USING (lesson_id);

-- For admins and the service: nobody else has a row.
CREATE VIEW dracarys.lesson_answers WITH (security_invoker = true) AS
SELECT lesson_id, answer_key FROM dracarys_rm.lesson_answers;

CREATE VIEW dracarys.achievements WITH (security_invoker = true) AS
SELECT achievement_id AS id, code, title, description, icon_url, category, xp_reward,
       jsonb_strip_nulls(jsonb_build_object('lessons_completed', lessons_completed, 'total_xp', total_xp, 'level', level, 'streak_days',
                                            streak_days, 'lesson_ids', to_jsonb(lesson_ids))) AS requirements,
       rarity, is_active, created_at, last_event_position
FROM dracarys_rm.achievements;

CREATE VIEW dracarys.user_progress WITH (security_invoker = true) AS
SELECT progress_id AS id, learner_id AS user_id, level_id, gate_id, lesson_id, completed, score, xp_earned,
       make_interval(secs => time_spent_seconds) AS time_spent, attempts_count, last_attempt_at, completed_at, created_at, updated_at,
       last_event_position
FROM dracarys_rm.lesson_progress;

-- An achievement is unlocked once all that it requires is there: progress_value is a percentage (A-DR-27).
CREATE VIEW dracarys.user_achievements WITH (security_invoker = true) AS
SELECT unlock_id AS id, learner_id AS user_id, achievement_id, unlocked_at, 100 AS progress_value,
       jsonb_build_object('unit', 'percent') AS metadata, last_event_position
FROM dracarys_rm.unlocked_achievements;

-- A streak that more days than freezes cover have gone by is over; its end is recorded with the next activity. Of the days the last 366
-- that saw one.
CREATE VIEW dracarys.user_streaks WITH (security_invoker = true) AS
SELECT s.learner_id AS id, s.learner_id AS user_id,
       CASE WHEN (now() AT TIME ZONE s.zone)::date - (date '1970-01-01' + s.last_day) - 1 > s.freezes_held THEN 0
            ELSE s.current_streak END AS current_streak,
       s.longest_streak, date '1970-01-01' + s.last_day AS last_activity_date, s.last_streak_reset,
       jsonb_build_object('daily', coalesce((SELECT jsonb_object_agg(date '1970-01-01' + d.local_day, d.activities)
                                             FROM (SELECT local_day, activities FROM dracarys_rm.activity_days
                                                   WHERE learner_id = s.learner_id ORDER BY local_day DESC LIMIT 366) d),
                                            '{}')) AS streak_streak_data,
       s.created_at, s.updated_at, s.last_event_position, s.freezes_held, s.zone AS timezone
FROM dracarys_rm.streaks s;

CREATE VIEW dracarys.user_activity_log WITH (security_invoker = true) AS
SELECT activity_id AS id, learner_id AS user_id, activity_type, entity_type, entity_id,
       CASE WHEN local_day IS NOT NULL
            THEN jsonb_build_object('local_date', date '1970-01-01' + local_day, 'timezone', zone) END AS metadata,
       session_id, NULL::inet AS ip_address, NULL::text AS user_agent, created_at, last_event_position
FROM dracarys_rm.activities;

-- Ours: each grant with its source and time. Their sum is total_xp.
CREATE VIEW dracarys.xp_history WITH (security_invoker = true) AS
SELECT grant_id AS id, learner_id AS user_id, source, source_id, amount, total_xp, reason, granted_at, last_event_position
FROM dracarys_rm.xp_grants;

-- DR-69 as it stands: total_xp sums lesson XP only (A-DR-12); achievement_xp is beside it.
CREATE VIEW dracarys.user_learning_stats WITH (security_invoker = true) AS
SELECT p.learner_id AS user_id, count(*) AS completed_lessons, sum(p.xp_earned) AS total_xp, max(p.completed_at) AS last_activity,
       max(x.lesson_xp) AS lesson_xp, max(x.achievement_xp) AS achievement_xp
FROM dracarys_rm.lesson_progress p
LEFT JOIN dracarys_rm.learner_xp x USING (learner_id)
WHERE p.completed = true
GROUP BY p.learner_id;

-- DR-70, over sums that are the same for all who ask.
CREATE VIEW dracarys.lesson_popularity WITH (security_invoker = true) AS
SELECT l.lesson_id AS id, l.title, coalesce(t.completions, 0) AS completions,
       t.score_sum::numeric / nullif(t.scored, 0) AS avg_score,
       rank() OVER (ORDER BY coalesce(t.completions, 0) DESC) AS popularity_rank
FROM dracarys_rm.lessons l
LEFT JOIN dracarys_rm.lesson_totals t USING (lesson_id)
WHERE l.is_active = true;

CREATE VIEW dracarys.subscription_plans WITH (security_invoker = true) AS
SELECT plan_id AS id, name, description, plan_type, (price_cents::numeric / 100)::numeric(10,2) AS price, currency, stripe_price_id,
       features::jsonb AS features, is_active, trial_days, max_users, level_access_limit, created_at, updated_at, last_event_position
FROM dracarys_rm.plans;

-- X-9: the seed's word for cancelled, here only.
CREATE VIEW dracarys.user_subscriptions WITH (security_invoker = true) AS
SELECT subscription_id AS id, account_id AS user_id, plan_id, stripe_subscription_id,
       CASE status WHEN 'cancelled' THEN 'canceled' ELSE status END AS status, current_period_start, current_period_end, trial_end,
       cancel_at IS NOT NULL AS cancel_at_period_end, created_at, updated_at, last_event_position, cancelled_at AS canceled_at,
       level_access_limit
FROM dracarys_rm.plan_subscriptions;

-- meeting_url is NULL for whom it is not for (A-DR-30).
CREATE VIEW dracarys.live_sessions WITH (security_invoker = true) AS
SELECT s.session_id AS id, s.title, s.description, s.host_id, s.session_type, s.scheduled_at,
       make_interval(mins => s.duration_minutes) AS duration, s.max_participants, s.current_participants, r.meeting_url,
       s.recording_url, s.is_recorded, s.status,
       nullif(jsonb_strip_nulls(jsonb_build_object('min_level', s.min_level,
                                                   'required_lessons', to_jsonb(nullif(s.required_lessons, '{}')))),
              '{}') AS prerequisites,
       s.tags, NULL::jsonb AS metadata, s.created_at, s.updated_at, s.last_event_position
FROM dracarys_rm.live_sessions s
LEFT JOIN dracarys_rm.live_session_rooms r USING (session_id);

CREATE VIEW dracarys.session_participants WITH (security_invoker = true) AS
SELECT participant_id AS id, session_id, user_id, joined_at, left_at, attendance_status, feedback_rating, feedback_text, created_at,
       last_event_position, updated_at
FROM dracarys_rm.session_participants;

-- DR-24. A rank is one more than how many learners have a higher score (A-DR-9); who has no XP stands nowhere. It is the stored one where
-- the board has not changed since it was closed, and counted else. /rest/v1 reads `order=rank` of one board as the order of scores, which
-- an index has.
CREATE VIEW dracarys.leaderboard WITH (security_invoker = true) AS
SELECT md5(s.period || s.period_start || s.learner_id)::uuid AS id, s.learner_id AS user_id, s.period, s.xp_points, s.lessons_completed,
       s.streak_days, r.rank::integer AS rank,
       CASE WHEN n.learners > 1 THEN round(100.0 * (n.learners - r.rank) / (n.learners - 1), 2) ELSE 100.00 END::numeric(5, 2) AS percentile,
       s.period_start_date, date '1970-01-01' + s.period_end AS period_end_date, s.updated_at,
       s.last_event_position, s.reached_at
FROM dracarys_rm.leaderboard_scores s
LEFT JOIN dracarys_rm.leaderboard_sizes n ON n.period = s.period AND n.period_start = s.period_start
LEFT JOIN dracarys_rm.leaderboard_closed d ON d.period = s.period AND d.period_start = s.period_start AND d.changes = n.changes
LEFT JOIN dracarys_rm.leaderboard_ranks stored
  ON stored.period = d.period AND stored.period_start = d.period_start AND stored.xp_points = s.xp_points
CROSS JOIN LATERAL (
  SELECT 1 + coalesce(sum(c.learners), 0)::bigint AS rank
  FROM dracarys_rm.leaderboard_counts c
  WHERE d.period IS NULL AND c.period = s.period AND c.period_start = s.period_start AND c.xp_points > s.xp_points
    AND c.learners <> 0) counted
CROSS JOIN LATERAL (SELECT CASE WHEN d.period IS NULL THEN counted.rank ELSE stored.rank END AS rank) r
WHERE s.xp_points > 0;

-- is_connected: the other one follows, too (PA-42). Names are those that the two have now.
CREATE VIEW dracarys.followers WITH (security_invoker = true) AS
SELECT f.follow_id AS id, f.follower_id, f.following_id, f.created_at, f.last_event_position,
       EXISTS (SELECT FROM dracarys_rm.followers b
               WHERE b.follower_id = f.following_id AND b.following_id = f.follower_id) AS is_connected,
       follower.display_name AS follower_name, following.display_name AS following_name
FROM dracarys_rm.followers f
LEFT JOIN dracarys_rm.people follower ON follower.account_id = f.follower_id
LEFT JOIN dracarys_rm.people following ON following.account_id = f.following_id;

-- The seed's profile, which is its owner's only, has no columns for them.
CREATE VIEW dracarys.follow_totals WITH (security_invoker = true) AS
SELECT account_id AS user_id, followers_count::integer AS followers_count, following_count::integer AS following_count, updated_at
FROM dracarys_rm.follow_totals;

-- One's own blocks (M-13).
CREATE VIEW dracarys.blocks WITH (security_invoker = true) AS
SELECT blocker_id, blocked_id, created_at, last_event_position FROM dracarys_rm.blocks;

-- Of follows: nothing else is told here. Read is what was marked itself, or by the first time that all up to it were.
CREATE VIEW dracarys.notifications WITH (security_invoker = true) AS
SELECT n.notification_id AS id, n.user_id, n.type, 'New follower' AS title,
       coalesce(actor.display_name, 'Somebody') || ' follows you' AS message, '/profiles/' || n.actor_id AS link_url,
       n.actor_id, n.related_id, n.read_at IS NOT NULL OR n.sequence <= coalesce(c.read_up_to, 0) AS is_read,
       least(n.read_at, (SELECT k.read_at FROM dracarys_rm.notification_cursors k
                         WHERE k.user_id = n.user_id AND k.read_up_to >= n.sequence ORDER BY k.read_up_to LIMIT 1)) AS read_at,
       n.created_at, n.last_event_position, n.topic, n.sequence, actor.display_name AS actor_name
FROM dracarys_rm.notifications n
LEFT JOIN dracarys_rm.notification_inboxes c ON c.user_id = n.user_id
LEFT JOIN dracarys_rm.people actor ON actor.account_id = n.actor_id;

GRANT USAGE ON SCHEMA dracarys TO anon, authenticated, service_role;
GRANT SELECT ON ALL TABLES IN SCHEMA dracarys TO anon, authenticated, service_role;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA dracarys TO anon, authenticated, service_role;
