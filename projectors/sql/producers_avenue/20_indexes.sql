-- The seed's indexes (PA-99), on the tables that carry the columns; a wallet has its owner's id.
CREATE INDEX idx_payouts_user_id ON payouts (wallet_id);
CREATE INDEX idx_payouts_status ON payouts (status);
CREATE INDEX idx_payouts_requested_at ON payouts (requested_at DESC);

-- The seed's indexes of transactions (PA-91).
CREATE INDEX idx_transactions_buyer_id ON transactions (buyer_id);
CREATE INDEX idx_transactions_seller_id ON transactions (seller_id);
CREATE INDEX idx_transactions_transaction_type ON transactions (purpose);
CREATE INDEX idx_transactions_status ON transactions (status);
CREATE INDEX idx_transactions_external_id ON transactions (external_id);
CREATE INDEX idx_transactions_created_at ON transactions (created_at DESC);
CREATE INDEX idx_refunds_payment_id ON refunds (payment_id);

-- The seed's UNIQUE (PA-35): the provider's name finds a subscription.
CREATE INDEX idx_subscriptions_stripe_subscription_id ON subscriptions (stripe_subscription_id);

-- The seed's indexes of webinars (PA-78), those of registrations (PA-79), and of the host's policy.
CREATE INDEX idx_webinars_host_id ON webinars (host_id);
CREATE INDEX idx_webinars_slug ON webinars (slug);
CREATE INDEX idx_webinars_scheduled_at ON webinars (scheduled_at);
CREATE INDEX idx_webinars_status ON webinars (status);
CREATE INDEX idx_webinar_registrations_webinar_id ON webinar_registrations (webinar_id, user_id);
CREATE INDEX idx_webinar_registrations_user_id ON webinar_registrations (user_id);
CREATE INDEX idx_webinar_registrations_host_id ON webinar_registrations (host_id);

-- The seed's indexes of reviews (PA-82).
CREATE INDEX idx_reviews_reviewable_type ON reviews (reviewable_type, reviewable_id);
CREATE INDEX idx_reviews_reviewable_id ON reviews (reviewable_id);
CREATE INDEX idx_reviews_seller_id ON reviews (seller_id);
CREATE INDEX idx_reviews_reviewer_id ON reviews (reviewer_id);
CREATE INDEX idx_webinar_ratings_host_id ON webinar_ratings (host_id);

-- The seed's indexes of products (PA-63), services (PA-70) and orders (PA-76), and a search of services like that of products.
-- Policies look a purchase up by its product and buyer: by one of the two, what sells best would be slowest.
CREATE INDEX idx_products_seller_id ON products (seller_id);
CREATE INDEX idx_products_slug ON products (slug);
CREATE INDEX idx_products_status ON products (status);
CREATE INDEX idx_products_is_featured ON products (is_featured) WHERE is_featured = true;
CREATE INDEX idx_products_tags ON products USING gin (tags);
CREATE INDEX idx_products_genre_tags ON products USING gin (genre_tags);
CREATE INDEX idx_products_created_at ON products (created_at DESC);
CREATE INDEX idx_products_search ON products USING gin (search);
CREATE INDEX idx_purchases_product_id ON purchases (product_id, buyer_id);
CREATE INDEX idx_purchases_buyer_id ON purchases (buyer_id);
CREATE INDEX idx_purchases_seller_id ON purchases (seller_id);

CREATE INDEX idx_services_seller_id ON services (seller_id);
CREATE INDEX idx_services_slug ON services (slug);
CREATE INDEX idx_services_status ON services (status);
CREATE INDEX idx_services_is_featured ON services (is_featured) WHERE is_featured = true;
CREATE INDEX idx_services_is_mentoring ON services (is_mentoring) WHERE is_mentoring = true;
CREATE INDEX idx_services_tags ON services USING gin (tags);
CREATE INDEX idx_services_genre_tags ON services USING gin (genre_tags);
CREATE INDEX idx_services_created_at ON services (created_at DESC);
CREATE INDEX idx_services_search ON services USING gin (search);

CREATE INDEX idx_orders_service_id ON orders (service_id);
CREATE INDEX idx_orders_buyer_id ON orders (buyer_id);
CREATE INDEX idx_orders_seller_id ON orders (seller_id);
CREATE INDEX idx_orders_status ON orders (status);
CREATE INDEX idx_orders_created_at ON orders (created_at DESC);

-- The seed's lookup by username. It is unique by its claim; a name that went from one account to another may be in both rows while
-- only one of their shards has been read.
CREATE INDEX idx_user_profiles_username ON members (username);
