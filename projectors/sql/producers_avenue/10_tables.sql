-- One generation of the unified tables, made in the schema that search_path names. Columns and defaults repeat the table descriptors in
-- projectors/*.cpp (a test compares them). Primary keys only: a rebuild fills the tables before 20_indexes.sql.
--
-- created_at and updated_at are event times (X-29); last_event_position = shard << 48 | sequence, of the last event that changed the row.

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

CREATE TABLE subscriptions (
  account_id uuid PRIMARY KEY,
  tier text,
  status text,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
);

-- Balances and totals are sums of the ledger's transfers.
CREATE TABLE wallets (
  wallet_id uuid PRIMARY KEY,
  balance_available bigint DEFAULT 0,
  balance_pending bigint DEFAULT 0,
  balance_frozen bigint DEFAULT 0,
  balance_in_payout bigint DEFAULT 0,
  withdrawn_stripe bigint DEFAULT 0,
  withdrawn_paypal bigint DEFAULT 0,
  adjusted bigint DEFAULT 0,
  currency text,
  stripe_account_id text,
  stripe_account_status text,
  paypal_email text,
  paypal_verified boolean DEFAULT false,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
);

CREATE TABLE payouts (
  payout_id uuid PRIMARY KEY,
  wallet_id uuid,
  amount bigint,
  currency text,
  payout_method text,
  external_id text,
  status text,
  requested_at timestamptz,
  approved_at timestamptz,
  approved_by uuid,
  completed_at timestamptz,
  failed_at timestamptz,
  failure_reason text,
  updated_at timestamptz,
  last_event_position bigint
);
