-- What clients see: the seed's tables, its columns in its order and types, then those that it lacks and last_event_position. Ids of a
-- subscription and a wallet are the account's (X-1). Running totals are BIGINT where the seed says INTEGER (X-33). Every view runs with its
-- reader's rights.
CREATE SCHEMA IF NOT EXISTS producers_avenue;
DROP VIEW IF EXISTS producers_avenue.transactions, producers_avenue.payouts, producers_avenue.wallets, producers_avenue.subscriptions;

CREATE VIEW producers_avenue.subscriptions WITH (security_invoker = true) AS
SELECT account_id AS id, account_id AS user_id, tier, NULL::text AS interval, status, NULL::text AS stripe_subscription_id,
       NULL::text AS stripe_customer_id, NULL::text AS stripe_price_id, NULL::timestamptz AS current_period_start,
       NULL::timestamptz AS current_period_end, NULL::timestamptz AS cancel_at, NULL::timestamptz AS cancelled_at, created_at,
       updated_at, last_event_position
FROM producers_avenue_rm.subscriptions;

-- Nothing is sold yet: all that was earned or spent is 0.
CREATE VIEW producers_avenue.wallets WITH (security_invoker = true) AS
SELECT wallet_id AS id, wallet_id AS user_id, balance_available, balance_pending, 0::bigint AS total_earned_stripe,
       0::bigint AS total_earned_paypal, 0::bigint AS total_earned, withdrawn_stripe AS total_withdrawn_stripe,
       withdrawn_paypal AS total_withdrawn_paypal, withdrawn_stripe + withdrawn_paypal AS total_withdrawn,
       0::bigint AS total_spent_on_platform, stripe_account_id, stripe_account_status, paypal_email, paypal_verified,
       coalesce(stripe_account_status = 'enabled', false) OR paypal_verified AS payouts_enabled, created_at, updated_at,
       last_event_position, 0::bigint AS total_earned_wallet, balance_frozen, balance_in_payout, adjusted AS total_adjusted, currency
FROM producers_avenue_rm.wallets;

CREATE VIEW producers_avenue.payouts WITH (security_invoker = true) AS
SELECT payout_id AS id, wallet_id AS user_id, wallet_id, amount::integer AS amount, payout_method,
       CASE WHEN payout_method = 'stripe' THEN external_id END AS stripe_payout_id,
       CASE WHEN payout_method = 'paypal' THEN external_id END AS paypal_batch_id, status, requested_at, approved_at, approved_by,
       completed_at, failed_at, failure_reason, requested_at AS created_at, updated_at, last_event_position
FROM producers_avenue_rm.payouts;

-- A payout's transaction has no buyer and no fees (A-PA-22).
CREATE VIEW producers_avenue.transactions WITH (security_invoker = true) AS
SELECT payout_id AS id, NULL::uuid AS buyer_id, wallet_id AS seller_id, 'payout' AS transaction_type, payout_id AS related_id,
       amount::integer AS amount_total, 0 AS amount_fees, 0 AS amount_commission, amount::integer AS amount_seller,
       NULL::numeric(5,2) AS commission_rate, NULL::text AS seller_tier, payout_method AS payment_processor,
       NULL::text AS stripe_payment_intent_id, NULL::text AS stripe_charge_id, NULL::text AS paypal_transaction_id,
       NULL::text AS paypal_order_id, NULL::text AS payment_method,
       CASE status WHEN 'completed' THEN 'completed' WHEN 'failed' THEN 'failed' WHEN 'cancelled' THEN 'failed' ELSE 'pending' END
         AS status,
       completed_at, NULL::timestamptz AS refunded_at, NULL::jsonb AS metadata, requested_at AS created_at, updated_at,
       last_event_position
FROM producers_avenue_rm.payouts;

GRANT USAGE ON SCHEMA producers_avenue TO anon, authenticated, service_role;
GRANT SELECT ON ALL TABLES IN SCHEMA producers_avenue TO anon, authenticated, service_role;
