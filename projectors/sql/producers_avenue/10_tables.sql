-- Who has dealt with whom, each way: the owner reads the other's name.
CREATE TABLE counterparties (
  owner_id uuid,
  other_id uuid,
  PRIMARY KEY (owner_id, other_id)
);

-- What members show of themselves, and to whom. Why one is banned is apart.
CREATE TABLE members (
  account_id uuid PRIMARY KEY,
  username text,
  display_name text,
  bio text,
  avatar_url text,
  banner_url text,
  smart_link text,
  website_url text,
  experience_level text,
  role text,
  visibility text,
  is_partner boolean DEFAULT false,
  is_banned boolean DEFAULT false,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
);

-- Where they are: as much of it as they show, a table for each step. A NULL visibility hides like 'hidden'.
CREATE TABLE member_countries (
  account_id uuid PRIMARY KEY,
  visibility text,
  country text,
  source text,
  updated_at timestamptz
);

CREATE TABLE member_cities (
  account_id uuid PRIMARY KEY,
  visibility text,
  city text
);

CREATE TABLE member_positions (
  account_id uuid PRIMARY KEY,
  visibility text,
  longitude_microdegrees integer,
  latitude_microdegrees integer
);

CREATE TABLE bans (
  account_id uuid PRIMARY KEY,
  reason text,
  banned_at timestamptz,
  banned_by uuid
);

CREATE TABLE subscriptions (
  account_id uuid PRIMARY KEY,
  tier text,
  interval text,
  status text,
  stripe_subscription_id text,
  stripe_customer_id text,
  stripe_price_id text,
  current_period_start timestamptz,
  current_period_end timestamptz,
  trial_end timestamptz,
  cancel_at timestamptz,
  cancelled_at timestamptz,
  next_tier text,
  next_interval text,
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
  earned_stripe bigint DEFAULT 0,
  earned_paypal bigint DEFAULT 0,
  earned_wallet bigint DEFAULT 0,
  clawed_back bigint DEFAULT 0,
  withdrawn_stripe bigint DEFAULT 0,
  withdrawn_paypal bigint DEFAULT 0,
  spent bigint DEFAULT 0,
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
  overdue_at timestamptz,
  completed_at timestamptz,
  failed_at timestamptz,
  failure_reason text,
  updated_at timestamptz,
  last_event_position bigint
);

-- What was paid. How it was split is the seller's: a table of its own (A-PA-23).
CREATE TABLE transactions (
  payment_id uuid PRIMARY KEY,
  buyer_id uuid,
  seller_id uuid,
  purpose text,
  subject_id uuid,
  related_id uuid,
  amount_total bigint,
  amount_refunded bigint DEFAULT 0,
  currency text,
  processor text,
  method text,
  external_id text,
  status text,
  disputed boolean DEFAULT false,
  completed_at timestamptz,
  refunded_at timestamptz,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
);

CREATE TABLE transaction_shares (
  payment_id uuid PRIMARY KEY,
  seller_id uuid,
  fee bigint,
  commission bigint,
  seller bigint,
  commission_bp bigint,
  seller_tier text
);

CREATE TABLE refunds (
  refund_id uuid PRIMARY KEY,
  payment_id uuid,
  amount bigint,
  external_id text,
  status text,
  reason text,
  requested_at timestamptz,
  completed_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
);

CREATE TABLE refund_shares (
  refund_id uuid PRIMARY KEY,
  payment_id uuid,
  fee bigint,
  commission bigint,
  seller bigint
);

CREATE TABLE webinars (
  webinar_id uuid PRIMARY KEY,
  host_id uuid,
  co_hosts text[] DEFAULT '{}',
  title text,
  slug text,
  description text,
  thumbnail_url text,
  cover_image_url text,
  scheduled_at timestamptz,
  duration_minutes integer,
  price_cents bigint,
  currency text,
  max_attendees integer,
  status text,
  category_id uuid,
  tags text[] DEFAULT '{}',
  registrations_count integer DEFAULT 0,
  attendees_count integer DEFAULT 0,
  is_recorded boolean DEFAULT false,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
) WITH (fillfactor = 85);

-- For the host, co-hosts and who is registered: a table of its own.
CREATE TABLE webinar_rooms (
  webinar_id uuid PRIMARY KEY,
  room_id text,
  recording_url text
);

-- Those that ended without money too: late money makes one live again.
CREATE TABLE webinar_registrations (
  registration_id uuid PRIMARY KEY,
  webinar_id uuid,
  host_id uuid,
  user_id uuid,
  status text,
  payment_status text,
  attended boolean DEFAULT false,
  attended_at timestamptz,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
);

CREATE TABLE reviews (
  review_id uuid PRIMARY KEY,
  reviewer_id uuid,
  reviewable_type text,
  reviewable_id uuid,
  seller_id uuid,
  rating integer,
  review_text text,
  seller_response text,
  seller_responded_at timestamptz,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
);

-- Products and services carry their ratings themselves (A-PA-39).
CREATE TABLE webinar_ratings (
  webinar_id uuid PRIMARY KEY,
  host_id uuid,
  rating_sum bigint DEFAULT 0,
  reviews_count integer DEFAULT 0,
  updated_at timestamptz,
  last_event_position bigint
);

-- What is offered as files (PA-58). Counters change a row in place: free room in the page keeps that update heap-only.
CREATE TABLE products (
  product_id uuid PRIMARY KEY,
  seller_id uuid,
  title text,
  slug text,
  description text,
  product_type text,
  source_webinar_id uuid,
  thumbnail_url text,
  price bigint,
  currency text,
  is_free boolean,
  allow_name_your_price boolean,
  minimum_price bigint,
  license_type text,
  category_id uuid,
  tags text[] DEFAULT '{}',
  genre_tags text[] DEFAULT '{}',
  purchases_count integer DEFAULT 0,
  rating_sum bigint DEFAULT 0,
  reviews_count bigint DEFAULT 0,
  status text,
  is_featured boolean DEFAULT false,
  featured_at timestamptz,
  is_approved boolean DEFAULT true,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint,
  search tsvector GENERATED ALWAYS AS
    (setweight(to_tsvector('english', coalesce(title, '')), 'A') ||
     setweight(to_tsvector('english', coalesce(description, '')), 'B')) STORED
) WITH (fillfactor = 85);

CREATE TABLE product_details (
  product_id uuid PRIMARY KEY,
  preview_images text[] DEFAULT '{}',
  preview_audio_url text,
  preview_video_url text,
  file_size_bytes bigint,
  file_types text[] DEFAULT '{}',
  bpm integer,
  musical_key text,
  sample_rate integer,
  bit_depth integer,
  license_text text
);

-- What is sold, and what was told the seller only, apart from what everybody reads.
CREATE TABLE product_files (
  product_id uuid PRIMARY KEY,
  seller_id uuid,
  file_urls text[] DEFAULT '{}'
);

CREATE TABLE product_moderations (
  product_id uuid PRIMARY KEY,
  approval_notes text
);

-- One for a product and a buyer; a completed one is the entitlement (A-PA-24).
CREATE TABLE purchases (
  purchase_id uuid PRIMARY KEY,
  product_id uuid,
  buyer_id uuid,
  seller_id uuid,
  payment_id uuid,
  title text,
  license_type text,
  license_text text,
  amount bigint,
  currency text,
  payment_method text,
  status text,
  expires_at timestamptz,
  purchased_at timestamptz,
  refunded_at timestamptz,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
) WITH (fillfactor = 85);

CREATE TABLE services (
  service_id uuid PRIMARY KEY,
  seller_id uuid,
  title text,
  slug text,
  description text,
  service_type text,
  is_mentoring boolean,
  thumbnail_url text,
  portfolio_urls text[] DEFAULT '{}',
  buyer_requirements text,
  category_id uuid,
  tags text[] DEFAULT '{}',
  genre_tags text[] DEFAULT '{}',
  currency text,
  rating_sum bigint DEFAULT 0,
  reviews_count bigint DEFAULT 0,
  status text,
  is_featured boolean DEFAULT false,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint,
  search tsvector GENERATED ALWAYS AS
    (setweight(to_tsvector('english', coalesce(title, '')), 'A') ||
     setweight(to_tsvector('english', coalesce(description, '')), 'B')) STORED
) WITH (fillfactor = 85);

CREATE TABLE service_packages (
  service_id uuid,
  name text,
  position integer,
  price bigint,
  delivery_days integer,
  revisions integer,
  features text[] DEFAULT '{}',
  PRIMARY KEY (service_id, name)
);

-- Everybody reads how a service's orders ended, but not the orders.
CREATE TABLE service_totals (
  service_id uuid PRIMARY KEY,
  orders integer DEFAULT 0,
  completed integer DEFAULT 0,
  failed integer DEFAULT 0
) WITH (fillfactor = 70);

CREATE TABLE orders (
  order_id uuid PRIMARY KEY,
  service_id uuid,
  buyer_id uuid,
  seller_id uuid,
  payment_id uuid,
  service_title text,
  package_name text,
  package_price bigint,
  currency text,
  delivery_days integer,
  revisions_included integer,
  features text[] DEFAULT '{}',
  status text,
  is_paid boolean DEFAULT false,
  revisions_used integer DEFAULT 0,
  is_overdue boolean DEFAULT false,
  expires_at timestamptz,
  due_at timestamptz,
  delivered_at timestamptz,
  approve_by timestamptz,
  buyer_approved boolean DEFAULT false,
  completed_at timestamptz,
  hold_until timestamptz,
  ended_at timestamptz,
  ended_by text,
  is_disputed boolean DEFAULT false,
  answer_by timestamptz,
  decide_by timestamptz,
  dispute_outcome text,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
) WITH (fillfactor = 85);

CREATE TABLE order_contents (
  order_id uuid PRIMARY KEY,
  requirements text,
  requirement_files text[] DEFAULT '{}',
  delivery_files text[] DEFAULT '{}',
  delivery_notes text,
  revision_reason text,
  end_reason text,
  dispute_reason text,
  dispute_answer text
);
