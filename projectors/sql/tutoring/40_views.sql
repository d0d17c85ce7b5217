-- What clients see: the seed's tables and view, its columns in its order and types, then last_event_position (and no_show). Profile ids
-- are aliases of the account id (X-1). Totals are BIGINT where the seed says INTEGER (X-33). Every view runs with its reader's rights.
CREATE SCHEMA IF NOT EXISTS tutoring;
DROP VIEW IF EXISTS tutoring.booking_details, tutoring.bookings, tutoring.bookable_slots, tutoring.availability_windows,
  tutoring.sessions, tutoring.learner_profiles, tutoring.expert_profiles, tutoring.user_profiles;

CREATE VIEW tutoring.user_profiles WITH (security_invoker = true) AS
SELECT account_id AS id, account_id AS user_id, role, display_name, first_name, last_name, avatar_url, timezone,
       created_at, updated_at, last_event_position
FROM tutoring_rm.accounts;

-- Earnings are the expert's own: everyone else reads NULL. No event rates an expert on this platform, so rating has no value.
CREATE VIEW tutoring.expert_profiles WITH (security_invoker = true) AS
SELECT e.account_id AS id, e.account_id AS user_profile_id, e.bio, e.expertise_areas, e.hourly_rate_cents, e.currency,
       NULL::numeric AS rating, coalesce(t.total_sessions, 0) AS total_sessions, m.total_earnings_cents, e.is_available,
       e.verification_status, e.created_at, e.updated_at, e.last_event_position
FROM tutoring_rm.experts e
LEFT JOIN tutoring_rm.expert_totals t USING (account_id)
LEFT JOIN tutoring_rm.expert_earnings m USING (account_id);

CREATE VIEW tutoring.learner_profiles WITH (security_invoker = true) AS
SELECT l.account_id AS id, l.account_id AS user_profile_id, l.learning_goals, l.interests, l.experience_level,
       l.preferred_session_duration, coalesce(t.total_sessions_booked, 0) AS total_sessions_booked,
       coalesce(t.total_spent_cents, 0) AS total_spent_cents, l.created_at, l.updated_at, l.last_event_position
FROM tutoring_rm.learners l
LEFT JOIN tutoring_rm.learner_totals t USING (account_id);

CREATE VIEW tutoring.sessions WITH (security_invoker = true) AS
SELECT session_id AS id, expert_id, title, description, short_description, topic_tags, duration_minutes, price_cents, currency,
       level, prerequisites, materials_url, max_participants, is_active, created_at, updated_at, last_event_position
FROM tutoring_rm.sessions;

CREATE VIEW tutoring.availability_windows WITH (security_invoker = true) AS
SELECT window_id AS id, expert_id, day_of_week, make_time(start_minute / 60, start_minute % 60, 0) AS start_time,
       make_time(end_minute / 60, end_minute % 60, 0) AS end_time, timezone, is_active, created_at, updated_at, last_event_position
FROM tutoring_rm.windows;

CREATE VIEW tutoring.bookable_slots WITH (security_invoker = true) AS
SELECT slot_id AS id, session_id, window_id AS availability_window_id, start_time, end_time, is_available, current_bookings,
       max_bookings, created_at, updated_at, last_event_position
FROM tutoring_rm.slots;

-- A booking without a price has no payment: payment_status is NULL and the amounts are 0.
CREATE VIEW tutoring.bookings WITH (security_invoker = true) AS
SELECT b.booking_id AS id, b.learner_id, b.expert_id, b.session_id, b.slot_id, b.start_at, b.end_at, b.client_status AS status,
       p.client_payment_status AS payment_status,
       CASE WHEN p.authorized THEN p.amount_cents ELSE 0 END AS amount_authorized,
       coalesce(p.amount_captured, 0) AS amount_captured, coalesce(p.amount_refunded, 0) AS amount_refunded, b.currency,
       p.external_id AS stripe_payment_intent_id, b.learner_notes, b.expert_notes, b.cancelled_by, b.cancellation_reason,
       b.cancelled_at, b.created_at, b.updated_at, b.last_event_position, b.status = 'no_show' AS no_show
FROM tutoring_rm.bookings b
LEFT JOIN tutoring_rm.payments p USING (payment_id);

-- Names and titles are joined, so a rename shows in old rows too. The slot's times are the booking's own copy (TU-34): a slot never
-- moves, and its row is free slots' and the expert's only.
CREATE VIEW tutoring.booking_details WITH (security_invoker = true) AS
SELECT b.*, s.title AS session_title, s.description AS session_description, s.duration_minutes, expert.display_name AS expert_name,
       x.bio AS expert_bio, learner.display_name AS learner_name, b.start_at AS slot_start_time, b.end_at AS slot_end_time
FROM tutoring.bookings b
LEFT JOIN tutoring_rm.sessions s USING (session_id)
LEFT JOIN tutoring_rm.experts x ON x.account_id = b.expert_id
LEFT JOIN tutoring_rm.people expert ON expert.account_id = b.expert_id
LEFT JOIN tutoring_rm.people learner ON learner.account_id = b.learner_id;

GRANT USAGE ON SCHEMA tutoring TO anon, authenticated, service_role;
GRANT SELECT ON ALL TABLES IN SCHEMA tutoring TO anon, authenticated, service_role;
