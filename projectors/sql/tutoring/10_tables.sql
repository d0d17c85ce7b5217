-- Who has met whom, and so may see the other's name.
CREATE TABLE counterparts (
  learner_id uuid,
  expert_id uuid,
  PRIMARY KEY (learner_id, expert_id)
);

CREATE TABLE experts (
  account_id uuid PRIMARY KEY,
  bio text,
  expertise_areas text[] DEFAULT '{}',
  hourly_rate_cents integer,
  currency text,
  is_available boolean,
  verification_status text,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
);

-- Totals are sums that several shards add to. Public and private ones are apart, since row-level security hides rows, not columns.
CREATE TABLE expert_totals (
  account_id uuid PRIMARY KEY,
  total_sessions integer DEFAULT 0,
  updated_at timestamptz
) WITH (fillfactor = 70);

CREATE TABLE expert_earnings (
  account_id uuid PRIMARY KEY,
  total_earnings_cents bigint DEFAULT 0,
  updated_at timestamptz
) WITH (fillfactor = 70);

CREATE TABLE learners (
  account_id uuid PRIMARY KEY,
  learning_goals text[] DEFAULT '{}',
  interests text[] DEFAULT '{}',
  experience_level text,
  preferred_session_duration integer,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
);

CREATE TABLE learner_totals (
  account_id uuid PRIMARY KEY,
  total_sessions_booked integer DEFAULT 0,
  total_sessions_completed integer DEFAULT 0,
  total_spent_cents bigint DEFAULT 0,
  updated_at timestamptz
) WITH (fillfactor = 70);

CREATE TABLE sessions (
  session_id uuid PRIMARY KEY,
  expert_id uuid,
  title text,
  description text,
  short_description text,
  topic_tags text[] DEFAULT '{}',
  duration_minutes integer,
  price_cents integer,
  currency text,
  level text,
  prerequisites text,
  materials_url text,
  max_participants integer,
  is_active boolean,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
);

CREATE TABLE windows (
  window_id uuid PRIMARY KEY,
  expert_id uuid,
  day_of_week integer,
  start_minute integer,
  end_minute integer,
  timezone text,
  is_active boolean,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
);

-- A seat changes a row in place while is_available stays (no index holds the counters): free room in the page keeps that update heap-only.
CREATE TABLE slots (
  slot_id uuid PRIMARY KEY,
  expert_id uuid,
  session_id uuid,
  window_id uuid,
  start_time timestamptz,
  end_time timestamptz,
  is_available boolean,
  current_bookings integer,
  max_bookings integer,
  blocked boolean,
  hidden boolean,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint
) WITH (fillfactor = 70);

-- client_status and client_payment_status are the seed's spellings (TU-30, TU-31): stored, so that the seed's indexes can hold them.
CREATE TABLE bookings (
  booking_id uuid PRIMARY KEY,
  learner_id uuid,
  expert_id uuid,
  session_id uuid,
  slot_id uuid,
  payment_id uuid,
  start_at timestamptz,
  end_at timestamptz,
  status text,
  currency text,
  learner_notes text,
  expert_notes text,
  cancelled_by text,
  cancellation_reason text,
  cancelled_at timestamptz,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint,
  client_status text GENERATED ALWAYS AS
    (CASE status WHEN 'expired' THEN 'cancelled' WHEN 'no_show' THEN 'completed' ELSE status END) STORED
) WITH (fillfactor = 85);

-- Written by the payment's stream only; a booking of no price has none. A partial refund shows as captured (A-TU-10).
CREATE TABLE payments (
  payment_id uuid PRIMARY KEY,
  booking_id uuid,
  payer_id uuid,
  payee_id uuid,
  status text,
  amount_cents integer,
  authorized boolean,
  amount_captured integer DEFAULT 0,
  amount_refunded integer DEFAULT 0,
  currency text,
  external_id text,
  created_at timestamptz,
  updated_at timestamptz,
  last_event_position bigint,
  client_payment_status text GENERATED ALWAYS AS
    (CASE WHEN status = 'captured' AND amount_captured > 0 AND amount_refunded >= amount_captured THEN 'refunded' ELSE status END) STORED
) WITH (fillfactor = 85);
