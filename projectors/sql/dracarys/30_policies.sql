-- Own rows (DR-63, DR-68, A-DR-30): profile, progress, XP, streak, achievements unlocked, activity. Nobody writes them (A-DR-4).
CREATE POLICY own ON accounts FOR SELECT TO authenticated USING (account_id = (SELECT auth.uid()));
CREATE POLICY own ON trading_profiles FOR SELECT TO authenticated USING (account_id = (SELECT auth.uid()));
CREATE POLICY own ON lesson_progress FOR SELECT TO authenticated USING (learner_id = (SELECT auth.uid()));
CREATE POLICY own ON learner_xp FOR SELECT TO authenticated USING (learner_id = (SELECT auth.uid()));
CREATE POLICY own ON xp_grants FOR SELECT TO authenticated USING (learner_id = (SELECT auth.uid()));
CREATE POLICY own ON streaks FOR SELECT TO authenticated USING (learner_id = (SELECT auth.uid()));
CREATE POLICY own ON activity_days FOR SELECT TO authenticated USING (learner_id = (SELECT auth.uid()));
CREATE POLICY own ON unlocked_achievements FOR SELECT TO authenticated USING (learner_id = (SELECT auth.uid()));
CREATE POLICY own ON activities FOR SELECT TO authenticated USING (learner_id = (SELECT auth.uid()));

-- Names of those whom one meets on leaderboards, for anyone signed in.
CREATE POLICY known ON people FOR SELECT TO authenticated USING ((SELECT auth.uid()) IS NOT NULL);

-- The catalogue is everybody's (DR-65); what a lesson teaches and asks is theirs whose plan opens its level (DR-57, A-DR-19). Without a plan
-- that is free_level_access of platforms/dracarys.toml, which sessions that read for clients carry as a setting; without it, none.
CREATE POLICY offered ON lessons FOR SELECT TO anon, authenticated USING (is_active);
CREATE POLICY totals ON lesson_totals FOR SELECT TO anon, authenticated USING (true);
CREATE POLICY everyone ON achievements FOR SELECT TO anon, authenticated USING (true);
CREATE POLICY open ON lesson_contents FOR SELECT TO authenticated
  USING (is_active AND level_id <= (SELECT nullif(current_setting('guildhall.free_level_access', true), '')::integer)
         AND (SELECT auth.uid()) IS NOT NULL);

-- Admins read what they have drafted and retired, answers included. Nobody else reads an answer.
CREATE POLICY admins ON lessons FOR SELECT TO authenticated
  USING ((SELECT EXISTS (SELECT FROM accounts a WHERE a.account_id = auth.uid() AND a.role = 'admin' AND a.status = 'active')));
CREATE POLICY admins ON lesson_contents FOR SELECT TO authenticated
  USING ((SELECT EXISTS (SELECT FROM accounts a WHERE a.account_id = auth.uid() AND a.role = 'admin' AND a.status = 'active')));
CREATE POLICY admins ON lesson_answers FOR SELECT TO authenticated
  USING ((SELECT EXISTS (SELECT FROM accounts a WHERE a.account_id = auth.uid() AND a.role = 'admin' AND a.status = 'active')));

-- Plans on offer are everybody's, and one's own when it is retired; subscriptions are their owner's (A-DR-30). A live plan opens its levels
-- (DR-57); without one free_level_access holds, above.
CREATE POLICY offered ON plans FOR SELECT TO anon, authenticated USING (is_active);
CREATE POLICY own ON plan_subscriptions FOR SELECT TO authenticated USING (account_id = (SELECT auth.uid()));
CREATE POLICY own ON plans FOR SELECT TO authenticated
  USING (EXISTS (SELECT FROM plan_subscriptions s WHERE s.plan_id = plans.plan_id AND s.account_id = (SELECT auth.uid())));
CREATE POLICY plan ON lesson_contents FOR SELECT TO authenticated
  USING (is_active AND level_id <= (SELECT max(s.level_access_limit) FROM plan_subscriptions s
                                    WHERE s.account_id = auth.uid() AND s.status IN ('trialing', 'active', 'past_due')));

-- Live sessions are for everybody who is signed in, where they meet for those who are registered and the host, and who takes part for
-- themselves and the host (A-DR-30). The last policy names no other table, so the one before may ask it.
CREATE POLICY signed_in ON live_sessions FOR SELECT TO authenticated USING ((SELECT auth.uid()) IS NOT NULL);
CREATE POLICY registered ON live_session_rooms FOR SELECT TO authenticated
  USING (host_id = (SELECT auth.uid())
         OR EXISTS (SELECT FROM session_participants p
                    WHERE p.session_id = live_session_rooms.session_id AND p.user_id = (SELECT auth.uid())
                      AND p.attendance_status <> 'waitlisted'));
CREATE POLICY parties ON session_participants FOR SELECT TO authenticated
  USING (user_id = (SELECT auth.uid()) OR host_id = (SELECT auth.uid()));

-- Leaderboards are for anyone signed in (A-DR-30).
CREATE POLICY signed_in ON leaderboard_scores FOR SELECT TO authenticated USING ((SELECT auth.uid()) IS NOT NULL);
CREATE POLICY signed_in ON leaderboard_counts FOR SELECT TO authenticated USING ((SELECT auth.uid()) IS NOT NULL);
CREATE POLICY signed_in ON leaderboard_sizes FOR SELECT TO authenticated USING ((SELECT auth.uid()) IS NOT NULL);
CREATE POLICY signed_in ON leaderboard_closed FOR SELECT TO authenticated USING ((SELECT auth.uid()) IS NOT NULL);
CREATE POLICY signed_in ON leaderboard_ranks FOR SELECT TO authenticated USING ((SELECT auth.uid()) IS NOT NULL);

-- Follows are for anyone signed in, as leaderboards are; blocks are their owner's, and what people are told is theirs.
CREATE POLICY signed_in ON followers FOR SELECT TO authenticated USING ((SELECT auth.uid()) IS NOT NULL);
CREATE POLICY signed_in ON follow_totals FOR SELECT TO authenticated USING ((SELECT auth.uid()) IS NOT NULL);
CREATE POLICY own ON blocks FOR SELECT TO authenticated USING (blocker_id = (SELECT auth.uid()));
CREATE POLICY own ON notifications FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY own ON notification_inboxes FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
CREATE POLICY own ON notification_cursors FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
