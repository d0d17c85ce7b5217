-- What clients see: the seed's tables, its columns in its order and types, then those that it lacks and last_event_position. Ids of a
-- subscription and a wallet are the account's (X-1). Running totals are BIGINT where the seed says INTEGER (X-33). Every view runs with its
-- reader's rights.
CREATE SCHEMA IF NOT EXISTS producers_avenue;
DROP VIEW IF EXISTS producers_avenue.products, producers_avenue.purchases, producers_avenue.services, producers_avenue.orders,
  producers_avenue.user_profiles, producers_avenue.followers, producers_avenue.blocks, producers_avenue.notifications,
  producers_avenue.webinars, producers_avenue.webinar_registrations,
  producers_avenue.webinar_ratings, producers_avenue.reviews, producers_avenue.transactions, producers_avenue.payouts,
  producers_avenue.wallets, producers_avenue.subscriptions;

-- Products are counted that everybody may read, so that the count is the same for all who ask. Places are
-- NULL for whom they are not shown to; coordinates, longitude first, for everybody unless they are shown (A-PA-41). Why, when and by whom
-- somebody is banned is NULL for everybody else.
CREATE VIEW producers_avenue.user_profiles WITH (security_invoker = true) AS
SELECT m.account_id AS id, m.account_id AS user_id, m.username, m.display_name, m.bio, m.avatar_url, m.banner_url, m.smart_link,
       c.city AS location_city, l.country AS location_country,
       CASE WHEN g.visibility = 'exact' THEN point(g.longitude_microdegrees / 1e6, g.latitude_microdegrees / 1e6) END AS location_coords,
       l.source AS location_source, coalesce(l.visibility, 'hidden') AS location_visibility,
       l.updated_at AT TIME ZONE 'UTC' AS location_last_updated, m.experience_level, m.website_url, m.role,
       m.visibility AS profile_visibility, m.is_partner AS is_partner_account,
       coalesce(f.followers_count, 0)::integer AS followers_count, coalesce(f.following_count, 0)::integer AS following_count,
       (SELECT count(*)::integer FROM producers_avenue_rm.products p
        WHERE p.seller_id = m.account_id AND p.status = 'active' AND p.is_approved) AS products_count,
       m.is_banned, b.reason AS ban_reason, b.banned_at, b.banned_by, m.created_at, m.updated_at, m.last_event_position
FROM producers_avenue_rm.members m
LEFT JOIN producers_avenue_rm.member_countries l USING (account_id)
LEFT JOIN producers_avenue_rm.member_cities c USING (account_id)
LEFT JOIN producers_avenue_rm.member_positions g USING (account_id)
LEFT JOIN producers_avenue_rm.bans b USING (account_id)
LEFT JOIN producers_avenue_rm.follow_totals f USING (account_id);

-- is_connected: the other one follows, too (PA-42). Names are those that the two have now.
CREATE VIEW producers_avenue.followers WITH (security_invoker = true) AS
SELECT f.follow_id AS id, f.follower_id, f.following_id, f.created_at, f.last_event_position,
       EXISTS (SELECT FROM producers_avenue_rm.followers b
               WHERE b.follower_id = f.following_id AND b.following_id = f.follower_id) AS is_connected,
       follower.display_name AS follower_name, following.display_name AS following_name
FROM producers_avenue_rm.followers f
LEFT JOIN producers_avenue_rm.members follower ON follower.account_id = f.follower_id
LEFT JOIN producers_avenue_rm.members following ON following.account_id = f.following_id;

-- One's own blocks (M-13). The seed has no such table.
CREATE VIEW producers_avenue.blocks WITH (security_invoker = true) AS
SELECT blocker_id, blocked_id, created_at, last_event_position FROM producers_avenue_rm.blocks;

-- The words are made here, of the names and titles as they are now; who may not read an order or a webinar any more gets none of it.
-- Read is what was marked itself, or by the first time that all up to it were.
CREATE VIEW producers_avenue.notifications WITH (security_invoker = true) AS
SELECT n.notification_id AS id, n.user_id, n.type,
       CASE n.topic
         WHEN 'followed' THEN 'New follower'
         WHEN 'order_paid' THEN 'New order'
         WHEN 'order_started' THEN 'Order started'
         WHEN 'order_delivered' THEN 'Order delivered'
         WHEN 'revision_requested' THEN 'Revision requested'
         WHEN 'order_overdue' THEN 'Order overdue'
         WHEN 'order_completed' THEN 'Order completed'
         WHEN 'order_cancelled' THEN 'Order cancelled'
         WHEN 'order_refunded' THEN 'Order refunded'
         WHEN 'order_disputed' THEN 'Complaint about an order'
         WHEN 'dispute_answered' THEN 'Complaint answered'
         WHEN 'dispute_resolved' THEN 'Complaint resolved'
         WHEN 'payout_completed' THEN 'Payout completed'
         WHEN 'payout_failed' THEN 'Payout failed'
         WHEN 'payout_returned' THEN 'Payout returned'
         WHEN 'review_submitted' THEN 'New review'
         WHEN 'review_responded' THEN 'Response to your review'
         WHEN 'webinar_live' THEN 'Webinar is live'
         WHEN 'webinar_cancelled' THEN 'Webinar cancelled'
       END AS title,
       CASE n.type
         WHEN 'follow' THEN coalesce(actor.display_name, 'Somebody') || ' follows you'
         WHEN 'order' THEN coalesce(o.service_title, 'An order') || coalesce(': ' || actor.display_name, '')
         WHEN 'payout' THEN 'Payout' || coalesce(' of ' || to_char(p.amount::numeric / 100, 'FM9999999990.00'), '')
         WHEN 'review' THEN coalesce(actor.display_name, 'Somebody') ||
                            CASE n.topic WHEN 'review_submitted' THEN ' reviewed what you sell' ELSE ' responded to your review' END
         WHEN 'webinar' THEN coalesce(w.title, 'A webinar') || coalesce(': ' || actor.display_name, '')
       END AS message,
       CASE n.type
         WHEN 'follow' THEN '/profiles/' || n.actor_id
         WHEN 'order' THEN '/orders/' || n.related_id
         WHEN 'payout' THEN '/payouts/' || n.related_id
         WHEN 'review' THEN '/reviews/' || n.related_id
         WHEN 'webinar' THEN '/webinars/' || n.related_id
       END AS link_url,
       n.actor_id, n.related_id, n.read_at IS NOT NULL OR n.sequence <= coalesce(c.read_up_to, 0) AS is_read,
       least(n.read_at, (SELECT k.read_at FROM producers_avenue_rm.notification_cursors k
                         WHERE k.user_id = n.user_id AND k.read_up_to >= n.sequence ORDER BY k.read_up_to LIMIT 1)) AS read_at,
       n.created_at, n.last_event_position, n.topic, n.sequence, actor.display_name AS actor_name
FROM producers_avenue_rm.notifications n
LEFT JOIN producers_avenue_rm.notification_inboxes c ON c.user_id = n.user_id
LEFT JOIN producers_avenue_rm.members actor ON actor.account_id = n.actor_id
LEFT JOIN producers_avenue_rm.orders o ON n.type = 'order' AND o.order_id = n.related_id
LEFT JOIN producers_avenue_rm.payouts p ON n.type = 'payout' AND p.payout_id = n.related_id
LEFT JOIN producers_avenue_rm.webinars w ON n.type = 'webinar' AND w.webinar_id = n.related_id;

CREATE VIEW producers_avenue.subscriptions WITH (security_invoker = true) AS
SELECT account_id AS id, account_id AS user_id, tier, interval, status, stripe_subscription_id, stripe_customer_id, stripe_price_id,
       current_period_start, current_period_end, cancel_at, cancelled_at, created_at, updated_at, last_event_position, trial_end,
       next_tier, next_interval
FROM producers_avenue_rm.subscriptions;

CREATE VIEW producers_avenue.wallets WITH (security_invoker = true) AS
SELECT wallet_id AS id, wallet_id AS user_id, balance_available, balance_pending, earned_stripe AS total_earned_stripe,
       earned_paypal AS total_earned_paypal, earned_stripe + earned_paypal + earned_wallet AS total_earned,
       withdrawn_stripe AS total_withdrawn_stripe, withdrawn_paypal AS total_withdrawn_paypal,
       withdrawn_stripe + withdrawn_paypal AS total_withdrawn, spent AS total_spent_on_platform, stripe_account_id,
       stripe_account_status, paypal_email, paypal_verified,
       coalesce(stripe_account_status = 'enabled', false) OR paypal_verified AS payouts_enabled, created_at, updated_at,
       last_event_position, earned_wallet AS total_earned_wallet, balance_frozen, balance_in_payout,
       clawed_back AS total_clawed_back, adjusted AS total_adjusted, currency
FROM producers_avenue_rm.wallets;

-- overdue_at: when a payout was still processing a day after its approval. It stays when the outcome comes; those that wait for one are
-- status=processing.
CREATE VIEW producers_avenue.payouts WITH (security_invoker = true) AS
SELECT payout_id AS id, wallet_id AS user_id, wallet_id, amount::integer AS amount, payout_method,
       CASE WHEN payout_method = 'stripe' THEN external_id END AS stripe_payout_id,
       CASE WHEN payout_method = 'paypal' THEN external_id END AS paypal_batch_id, status, requested_at, approved_at, approved_by,
       completed_at, failed_at, failure_reason, requested_at AS created_at, updated_at, last_event_position, overdue_at
FROM producers_avenue_rm.payouts;

-- Payments, their refunds (A-PA-21) and payouts, which have no buyer and no fees (A-PA-22). Fees, commission, the seller's amount and
-- tier are NULL for whoever is not the seller (A-PA-23).
CREATE VIEW producers_avenue.transactions WITH (security_invoker = true) AS
SELECT t.payment_id AS id, t.buyer_id, t.seller_id,
       CASE t.purpose WHEN 'purchase' THEN 'product_purchase' WHEN 'order' THEN 'service_purchase'
                      WHEN 'registration' THEN 'webinar_registration' ELSE 'subscription_payment' END AS transaction_type,
       t.related_id, t.amount_total::integer AS amount_total, s.fee::integer AS amount_fees, s.commission::integer AS amount_commission,
       s.seller::integer AS amount_seller, (s.commission_bp::numeric / 100)::numeric(5,2) AS commission_rate, s.seller_tier,
       t.processor AS payment_processor,
       CASE WHEN t.processor = 'stripe' THEN t.external_id END AS stripe_payment_intent_id, NULL::text AS stripe_charge_id,
       CASE WHEN t.processor = 'paypal' THEN t.external_id END AS paypal_transaction_id, NULL::text AS paypal_order_id,
       t.method AS payment_method,
       CASE WHEN t.disputed THEN 'disputed' WHEN t.status = 'completed' AND t.amount_refunded >= t.amount_total THEN 'refunded'
            ELSE t.status END AS status,
       t.completed_at, CASE WHEN t.amount_refunded >= t.amount_total THEN t.refunded_at END AS refunded_at, NULL::jsonb AS metadata,
       coalesce(t.created_at, t.completed_at) AS created_at, t.updated_at, t.last_event_position, t.amount_refunded::integer AS amount_refunded, t.currency
FROM producers_avenue_rm.transactions t
LEFT JOIN producers_avenue_rm.transaction_shares s USING (payment_id)
UNION ALL
SELECT r.refund_id, t.buyer_id, t.seller_id, 'refund', t.related_id, r.amount::integer, s.fee::integer, s.commission::integer,
       s.seller::integer, (p.commission_bp::numeric / 100)::numeric(5,2), p.seller_tier, t.processor, NULL,
       CASE WHEN t.processor = 'stripe' THEN r.external_id END, CASE WHEN t.processor = 'paypal' THEN r.external_id END, NULL,
       t.method, r.status, r.completed_at, NULL, NULL, r.requested_at, r.updated_at, r.last_event_position, 0, t.currency
FROM producers_avenue_rm.refunds r
JOIN producers_avenue_rm.transactions t USING (payment_id)
LEFT JOIN producers_avenue_rm.refund_shares s USING (refund_id)
LEFT JOIN producers_avenue_rm.transaction_shares p ON p.payment_id = r.payment_id
UNION ALL
SELECT payout_id, NULL, wallet_id, 'payout', payout_id, amount::integer, 0, 0, amount::integer, NULL, NULL, payout_method, NULL, NULL,
       NULL, NULL, NULL,
       CASE status WHEN 'completed' THEN 'completed' WHEN 'failed' THEN 'failed' WHEN 'cancelled' THEN 'failed' ELSE 'pending' END,
       completed_at, NULL, NULL, requested_at, updated_at, last_event_position, 0, currency
FROM producers_avenue_rm.payouts;

-- Room and recording are NULL for whoever is not a host or registered. A recording is there as soon as there is one.
CREATE VIEW producers_avenue.webinars WITH (security_invoker = true) AS
SELECT w.webinar_id AS id, w.host_id, w.co_hosts::uuid[] AS co_hosts, w.title, w.slug, w.description, w.thumbnail_url,
       w.cover_image_url, w.scheduled_at, w.duration_minutes, (w.price_cents::numeric / 100)::numeric(10,2) AS price, w.max_attendees,
       r.room_id, r.recording_url, w.status, w.category_id, w.tags, w.registrations_count, w.attendees_count, w.is_recorded,
       w.is_recorded AS recording_available, w.created_at, w.updated_at, w.last_event_position, w.currency,
       coalesce(round(g.rating_sum::numeric / nullif(g.reviews_count, 0), 2), 0)::numeric(3,2) AS rating_average,
       coalesce(g.reviews_count, 0) AS reviews_count
FROM producers_avenue_rm.webinars w
LEFT JOIN producers_avenue_rm.webinar_rooms r USING (webinar_id)
LEFT JOIN producers_avenue_rm.webinar_ratings g USING (webinar_id);

-- A registration that ended without money is gone; one that was paid stays, refunded when the money is back (§9). status tells the two
-- apart until then.
CREATE VIEW producers_avenue.webinar_registrations WITH (security_invoker = true) AS
SELECT registration_id AS id, webinar_id, user_id, payment_status, attended, attended_at, created_at, last_event_position, status
FROM producers_avenue_rm.webinar_registrations
WHERE status IN ('pending', 'registered') OR payment_status IN ('paid', 'refunded');

-- Ratings of webinars, also of those that are over (A-PA-39).
CREATE VIEW producers_avenue.webinar_ratings WITH (security_invoker = true) AS
SELECT webinar_id, host_id, coalesce(round(rating_sum::numeric / nullif(reviews_count, 0), 2), 0)::numeric(3,2) AS rating_average,
       reviews_count, updated_at, last_event_position
FROM producers_avenue_rm.webinar_ratings;

-- Only who bought reviews (A-PA-39). Nothing counts helpful ones yet.
CREATE VIEW producers_avenue.reviews WITH (security_invoker = true) AS
SELECT review_id AS id, reviewer_id, reviewable_type, reviewable_id, seller_id, rating, review_text, seller_response,
       seller_responded_at, true AS is_verified_purchase, 0 AS helpful_count, created_at, updated_at, last_event_position
FROM producers_avenue_rm.reviews;

-- Nothing counts views and likes yet. Files are for the seller and owners, notes of an approval for the seller: NULL for others.
CREATE VIEW producers_avenue.products WITH (security_invoker = true) AS
SELECT p.product_id AS id, p.seller_id, p.title, p.slug, p.description, p.product_type, p.source_webinar_id, p.thumbnail_url,
       d.preview_images, d.preview_audio_url, d.preview_video_url, f.file_urls, d.file_size_bytes, d.file_types,
       (p.price::numeric / 100)::numeric(10,2) AS price, p.is_free, p.allow_name_your_price,
       (p.minimum_price::numeric / 100)::numeric(10,2) AS minimum_price,
       nullif(jsonb_strip_nulls(jsonb_build_object('bpm', d.bpm, 'key', d.musical_key, 'sample_rate', d.sample_rate,
                                                   'bit_depth', d.bit_depth)), '{}') AS technical_details,
       p.license_type, d.license_text, p.category_id, p.tags, p.genre_tags, 0 AS views_count, 0 AS likes_count, p.purchases_count,
       coalesce(round(p.rating_sum::numeric / nullif(p.reviews_count, 0), 2), 0)::numeric(3,2) AS rating_average,
       p.reviews_count::integer AS reviews_count, p.status, p.is_featured, p.featured_at, p.is_approved, m.approval_notes,
       p.created_at, p.updated_at, p.last_event_position, p.currency, p.search
FROM producers_avenue_rm.products p
LEFT JOIN producers_avenue_rm.product_details d USING (product_id)
LEFT JOIN producers_avenue_rm.product_files f USING (product_id)
LEFT JOIN producers_avenue_rm.product_moderations m USING (product_id);

-- What buyers took, as it was offered then; is_owned is the entitlement to the product's files. The seed has no such table.
CREATE VIEW producers_avenue.purchases WITH (security_invoker = true) AS
SELECT p.purchase_id AS id, p.product_id, p.buyer_id, p.seller_id, p.payment_id AS transaction_id, p.title, p.license_type,
       p.license_text, (p.amount::numeric / 100)::numeric(10,2) AS price, p.currency, p.payment_method, p.status,
       p.status = 'completed' AS is_owned, CASE WHEN p.status = 'pending' THEN p.expires_at END AS expires_at, p.purchased_at,
       p.refunded_at, p.created_at, p.updated_at, p.last_event_position, buyer.display_name AS buyer_name,
       seller.display_name AS seller_name
FROM producers_avenue_rm.purchases p
LEFT JOIN producers_avenue_rm.people buyer ON buyer.account_id = p.buyer_id
LEFT JOIN producers_avenue_rm.people seller ON seller.account_id = p.seller_id;

-- Nothing counts views and measures responses yet. orders_count: of orders that were paid, or free. completion_rate: how many in a
-- hundred that ended were completed; what ended before its seller started it counts only if it was paid and the seller ended it.
CREATE VIEW producers_avenue.services WITH (security_invoker = true) AS
SELECT s.service_id AS id, s.seller_id, s.title, s.slug, s.description, s.service_type, s.is_mentoring, s.thumbnail_url,
       s.portfolio_urls,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('name', k.name, 'price', (k.price::numeric / 100)::numeric(10,2),
                                                     'delivery_days', k.delivery_days, 'revisions', k.revisions,
                                                     'features', k.features) ORDER BY k.position), '[]')
        FROM producers_avenue_rm.service_packages k WHERE k.service_id = s.service_id) AS packages,
       s.buyer_requirements, s.category_id, s.tags, s.genre_tags, 0 AS views_count, coalesce(t.orders, 0) AS orders_count,
       coalesce(round(s.rating_sum::numeric / nullif(s.reviews_count, 0), 2), 0)::numeric(3,2) AS rating_average,
       s.reviews_count::integer AS reviews_count, NULL::integer AS response_time_hours,
       round(100 * t.completed::numeric / nullif(t.completed + t.failed, 0), 2)::numeric(5,2) AS completion_rate,
       s.status, s.is_featured, s.created_at, s.updated_at, s.last_event_position, s.currency, s.search
FROM producers_avenue_rm.services s
LEFT JOIN producers_avenue_rm.service_totals t USING (service_id);

-- Names are joined; the service's title is a copy, since the order is of what was offered then (PA-74). Deadlines are those that
-- run.
CREATE VIEW producers_avenue.orders WITH (security_invoker = true) AS
SELECT o.order_id AS id, o.service_id, o.buyer_id, o.seller_id, o.package_name,
       (o.package_price::numeric / 100)::numeric(10,2) AS package_price, o.delivery_days, o.revisions_included, c.requirements,
       c.requirement_files, c.delivery_files, c.delivery_notes, o.delivered_at, o.status, o.revisions_used, o.buyer_approved,
       o.completed_at, CASE WHEN o.status = 'cancelled' THEN o.ended_at END AS cancelled_at,
       CASE WHEN o.status = 'cancelled' THEN c.end_reason END AS cancellation_reason, o.created_at, o.updated_at,
       o.last_event_position, o.is_disputed, o.service_title, o.features, o.currency, o.payment_id AS transaction_id, o.is_paid,
       CASE WHEN o.status = 'pending' THEN o.expires_at END AS expires_at,
       CASE WHEN o.status IN ('in_progress', 'revision_requested') THEN o.due_at END AS due_at, o.is_overdue,
       CASE WHEN o.status = 'delivered' AND NOT o.is_disputed THEN o.approve_by END AS approve_by,
       CASE WHEN o.status = 'completed' THEN o.hold_until END AS hold_until, o.ended_by,
       CASE WHEN o.status = 'refunded' THEN o.ended_at END AS refunded_at,
       CASE WHEN o.status = 'refunded' THEN c.end_reason END AS refund_reason, c.revision_reason, c.dispute_reason,
       c.dispute_answer, CASE WHEN o.is_disputed THEN o.answer_by END AS answer_by,
       CASE WHEN o.is_disputed THEN o.decide_by END AS decide_by, o.dispute_outcome, buyer.display_name AS buyer_name,
       seller.display_name AS seller_name
FROM producers_avenue_rm.orders o
LEFT JOIN producers_avenue_rm.order_contents c USING (order_id)
LEFT JOIN producers_avenue_rm.people buyer ON buyer.account_id = o.buyer_id
LEFT JOIN producers_avenue_rm.people seller ON seller.account_id = o.seller_id;

GRANT USAGE ON SCHEMA producers_avenue TO anon, authenticated, service_role;
GRANT SELECT ON ALL TABLES IN SCHEMA producers_avenue TO anon, authenticated, service_role;
