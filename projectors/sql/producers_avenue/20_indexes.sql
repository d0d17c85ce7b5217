-- The seed's indexes (PA-99), on the tables that carry the columns; a wallet has its owner's id.
CREATE INDEX idx_payouts_user_id ON payouts (wallet_id);
CREATE INDEX idx_payouts_status ON payouts (status);
CREATE INDEX idx_payouts_requested_at ON payouts (requested_at DESC);
