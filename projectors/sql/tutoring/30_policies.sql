-- Row-level security for one generation: on and forced everywhere, SELECT only for clients. (select auth.uid()) is evaluated once a query,
-- not once a row.
DO $$
DECLARE
  relation name;
BEGIN
  FOR relation IN
    SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' ORDER BY 1
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', relation);
    EXECUTE format('CREATE POLICY projector ON %I TO guildhall_projector USING (true) WITH CHECK (true)', relation);
    EXECUTE format('CREATE POLICY service_reads ON %I FOR SELECT TO service_role USING (true)', relation);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO guildhall_projector', relation);
    EXECUTE format('GRANT SELECT ON %I TO anon, authenticated, service_role', relation);
  END LOOP;
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO anon, authenticated, service_role, guildhall_projector', current_schema());
END
$$;

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
