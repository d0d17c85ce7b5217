-- Own rows (TU-45).
CREATE POLICY own ON accounts FOR SELECT TO authenticated USING (account_id = (SELECT auth.uid()));
CREATE POLICY own ON learners FOR SELECT TO authenticated USING (account_id = (SELECT auth.uid()));
CREATE POLICY own ON learner_totals FOR SELECT TO authenticated USING (account_id = (SELECT auth.uid()));
CREATE POLICY own ON expert_earnings FOR SELECT TO authenticated USING (account_id = (SELECT auth.uid()));
CREATE POLICY own ON windows FOR SELECT TO authenticated USING (expert_id = (SELECT auth.uid()));
CREATE POLICY parties ON counterparts FOR SELECT TO authenticated
  USING (learner_id = (SELECT auth.uid()) OR expert_id = (SELECT auth.uid()));

-- What anyone signed in may read: the expert directory, active sessions, free slots (A-TU-19).
CREATE POLICY directory ON experts FOR SELECT TO authenticated USING ((SELECT auth.uid()) IS NOT NULL);
CREATE POLICY directory ON expert_totals FOR SELECT TO authenticated USING ((SELECT auth.uid()) IS NOT NULL);
CREATE POLICY free ON slots FOR SELECT TO authenticated
  USING ((is_available AND (SELECT auth.uid()) IS NOT NULL) OR expert_id = (SELECT auth.uid()));

-- The two parties.
CREATE POLICY parties ON bookings FOR SELECT TO authenticated
  USING (learner_id = (SELECT auth.uid()) OR expert_id = (SELECT auth.uid()));
CREATE POLICY parties ON payments FOR SELECT TO authenticated
  USING (payer_id = (SELECT auth.uid()) OR payee_id = (SELECT auth.uid()));

-- A learner keeps seeing a session that was booked before it was closed: booking_details shows its title.
CREATE POLICY offered ON sessions FOR SELECT TO authenticated
  USING ((is_active AND (SELECT auth.uid()) IS NOT NULL)
         OR expert_id = (SELECT auth.uid())
         OR EXISTS (SELECT FROM bookings b WHERE b.session_id = sessions.session_id AND b.learner_id = (SELECT auth.uid())));

-- Names: one's own, experts', and those of whom one has met.
CREATE POLICY known ON people FOR SELECT TO authenticated
  USING (account_id = (SELECT auth.uid())
         OR (is_provider AND (SELECT auth.uid()) IS NOT NULL)
         OR EXISTS (SELECT FROM counterparts c WHERE (c.learner_id = (SELECT auth.uid()) AND c.expert_id = people.account_id)
                                                  OR (c.learner_id = people.account_id AND c.expert_id = (SELECT auth.uid()))));
