-- Own rows: subscriptions (PA-39), wallets (PA-96), payouts and their transactions (PA-91, PA-99).
CREATE POLICY own ON accounts FOR SELECT TO authenticated USING (account_id = (SELECT auth.uid()));
CREATE POLICY own ON subscriptions FOR SELECT TO authenticated USING (account_id = (SELECT auth.uid()));
CREATE POLICY own ON wallets FOR SELECT TO authenticated USING (wallet_id = (SELECT auth.uid()));
CREATE POLICY own ON payouts FOR SELECT TO authenticated USING (wallet_id = (SELECT auth.uid()));

-- A payment's parties (PA-91); its split reads the seller only (A-PA-23).
CREATE POLICY parties ON transactions FOR SELECT TO authenticated
  USING (buyer_id = (SELECT auth.uid()) OR seller_id = (SELECT auth.uid()));
CREATE POLICY seller ON transaction_shares FOR SELECT TO authenticated USING (seller_id = (SELECT auth.uid()));
CREATE POLICY parties ON refunds FOR SELECT TO authenticated
  USING (EXISTS (SELECT 1 FROM transactions t WHERE t.payment_id = refunds.payment_id));
CREATE POLICY seller ON refund_shares FOR SELECT TO authenticated
  USING (EXISTS (SELECT 1 FROM transaction_shares s WHERE s.payment_id = refund_shares.payment_id));

-- A profile is for whom its member shows it to (PA-7, PA-14), and so is as much of the place as is shown (PA-8); the member sees
-- all of it but the coordinates, which nobody reads unless they are shown (A-PA-41). Why one is banned is theirs.
CREATE POLICY everyone ON members FOR SELECT TO anon USING (visibility = 'public');
CREATE POLICY signed_in ON members FOR SELECT TO authenticated
  USING (visibility IN ('public', 'members_only') OR account_id = (SELECT auth.uid()));
CREATE POLICY shown ON member_countries FOR SELECT TO anon, authenticated
  USING (account_id = (SELECT auth.uid())
         OR (visibility IN ('exact', 'city', 'country')
             AND EXISTS (SELECT FROM members m WHERE m.account_id = member_countries.account_id)));
CREATE POLICY shown ON member_cities FOR SELECT TO anon, authenticated
  USING (account_id = (SELECT auth.uid())
         OR (visibility IN ('exact', 'city')
             AND EXISTS (SELECT FROM members m WHERE m.account_id = member_cities.account_id)));
CREATE POLICY shown ON member_positions FOR SELECT TO anon, authenticated
  USING (visibility = 'exact' AND EXISTS (SELECT FROM members m WHERE m.account_id = member_positions.account_id));
CREATE POLICY own ON bans FOR SELECT TO authenticated USING (account_id = (SELECT auth.uid()));

-- A webinar is everybody's until it is over (PA-78), then its hosts' and theirs who registered. Registrations are their user's
-- and the host's (PA-80); that policy names no other table, so the others may ask it.
CREATE POLICY everyone ON webinars FOR SELECT TO anon, authenticated USING (status IN ('upcoming', 'live'));
CREATE POLICY taking_part ON webinars FOR SELECT TO authenticated
  USING (host_id = (SELECT auth.uid()) OR (SELECT auth.uid())::text = ANY (co_hosts)
         OR EXISTS (SELECT FROM webinar_registrations r
                    WHERE r.webinar_id = webinars.webinar_id AND r.user_id = (SELECT auth.uid())));
CREATE POLICY parties ON webinar_registrations FOR SELECT TO authenticated
  USING (user_id = (SELECT auth.uid()) OR host_id = (SELECT auth.uid()));
CREATE POLICY taking_part ON webinar_rooms FOR SELECT TO authenticated
  USING (EXISTS (SELECT FROM webinars w
                 WHERE w.webinar_id = webinar_rooms.webinar_id
                   AND (w.host_id = (SELECT auth.uid()) OR (SELECT auth.uid())::text = ANY (w.co_hosts)))
         OR EXISTS (SELECT FROM webinar_registrations r
                    WHERE r.webinar_id = webinar_rooms.webinar_id AND r.user_id = (SELECT auth.uid()) AND r.status = 'registered'));

-- Anyone reads reviews (PA-82) and the ratings that come of them.
CREATE POLICY everyone ON reviews FOR SELECT TO anon, authenticated USING (true);
CREATE POLICY everyone ON webinar_ratings FOR SELECT TO anon, authenticated USING (true);

-- Names: one's own, and those of whom one has dealt with.
CREATE POLICY own ON counterparties FOR SELECT TO authenticated USING (owner_id = (SELECT auth.uid()));
CREATE POLICY known ON people FOR SELECT TO authenticated
  USING (account_id = (SELECT auth.uid())
         OR EXISTS (SELECT FROM counterparties c WHERE c.owner_id = (SELECT auth.uid()) AND c.other_id = people.account_id));

-- Anyone reads what is on sale (PA-63), its seller all they ever offered, and who owns a product goes on seeing it (A-PA-26).
-- Files are for the latter two only, notes of an approval for the seller. The policy of purchases names no other table, so that
-- others may ask it.
CREATE POLICY parties ON purchases FOR SELECT TO authenticated
  USING (buyer_id = (SELECT auth.uid()) OR seller_id = (SELECT auth.uid()));
CREATE POLICY everyone ON products FOR SELECT TO anon USING (status = 'active' AND is_approved);
CREATE POLICY offered ON products FOR SELECT TO authenticated
  USING ((status = 'active' AND is_approved)
         OR seller_id = (SELECT auth.uid())
         OR EXISTS (SELECT FROM purchases p
                    WHERE p.product_id = products.product_id AND p.buyer_id = (SELECT auth.uid()) AND p.status = 'completed'));
CREATE POLICY as_product ON product_details FOR SELECT TO anon, authenticated
  USING (EXISTS (SELECT FROM products p WHERE p.product_id = product_details.product_id));
CREATE POLICY owners ON product_files FOR SELECT TO authenticated
  USING (seller_id = (SELECT auth.uid())
         OR EXISTS (SELECT FROM purchases p
                    WHERE p.product_id = product_files.product_id AND p.buyer_id = (SELECT auth.uid())
                      AND p.status = 'completed'));
CREATE POLICY seller ON product_moderations FOR SELECT TO authenticated
  USING (EXISTS (SELECT FROM products p
                 WHERE p.product_id = product_moderations.product_id AND p.seller_id = (SELECT auth.uid())));

-- Anyone reads active services (PA-70), their seller all; packages and totals go with the service. An order is its parties'
-- (PA-76).
CREATE POLICY everyone ON services FOR SELECT TO anon, authenticated
  USING (status = 'active' OR seller_id = (SELECT auth.uid()));
CREATE POLICY as_service ON service_packages FOR SELECT TO anon, authenticated
  USING (EXISTS (SELECT FROM services s WHERE s.service_id = service_packages.service_id));
CREATE POLICY as_service ON service_totals FOR SELECT TO anon, authenticated
  USING (EXISTS (SELECT FROM services s WHERE s.service_id = service_totals.service_id));
CREATE POLICY parties ON orders FOR SELECT TO authenticated
  USING (buyer_id = (SELECT auth.uid()) OR seller_id = (SELECT auth.uid()));
CREATE POLICY parties ON order_contents FOR SELECT TO authenticated
  USING (EXISTS (SELECT FROM orders o WHERE o.order_id = order_contents.order_id));

-- Anyone reads who follows whom (PA-43); a block only who made it (M-13). Notifications are their recipient's (PA-102).
CREATE POLICY everyone ON followers FOR SELECT TO anon, authenticated USING (true);
CREATE POLICY everyone ON follow_totals FOR SELECT TO anon, authenticated USING (true);
CREATE POLICY own ON blocks FOR SELECT TO authenticated USING (blocker_id = (SELECT auth.uid()));
CREATE POLICY own ON notifications FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY own ON notification_inboxes FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY own ON notification_cursors FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
