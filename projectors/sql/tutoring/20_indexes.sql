-- The seed's indexes under the seed's names (TU-41..43), on the tables that carry the columns; then those that policies ask for.
CREATE INDEX idx_bookings_learner_id ON bookings (learner_id);
CREATE INDEX idx_bookings_expert_id ON bookings (expert_id);
CREATE INDEX idx_bookings_session_id ON bookings (session_id);
CREATE INDEX idx_bookings_slot_id ON bookings (slot_id);
CREATE INDEX idx_bookings_status ON bookings (client_status);
CREATE INDEX idx_bookings_payment_status ON payments (client_payment_status);

CREATE INDEX idx_bookable_slots_available ON slots (is_available) WHERE is_available = true;
CREATE INDEX idx_bookable_slots_time_range ON slots (start_time, end_time);

CREATE INDEX idx_sessions_expert_id ON sessions (expert_id);
CREATE INDEX idx_sessions_active ON sessions (is_active) WHERE is_active = true;
CREATE INDEX idx_sessions_topic_tags ON sessions USING gin (topic_tags);

-- payments has no index on its two parties: it is not shown by itself, and booking views reach a payment by its id before its policy runs.
-- Every other column of a policy is a primary key, indexed above, or here.
CREATE INDEX windows_expert_id ON windows (expert_id);
CREATE INDEX slots_expert_id ON slots (expert_id);
