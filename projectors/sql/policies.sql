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

