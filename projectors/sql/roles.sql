-- Roles are the cluster's, not the database's, so each may already be there. None bypasses row-level security, none but authenticator
-- may log in here: the server's own login reaches the others by SET LOCAL ROLE, one transaction at a time.
DO $$
DECLARE
  wanted record;
BEGIN
  FOR wanted IN
    SELECT * FROM (VALUES ('guildhall_owner', 'NOLOGIN'),          -- owns schemas and tables; under FORCE it reads no rows
                          ('guildhall_projector', 'NOLOGIN'),      -- writes rows, through policies
                          ('anon', 'NOLOGIN'),
                          ('authenticated', 'NOLOGIN'),
                          ('service_role', 'NOLOGIN'),             -- reads all, through policies
                          ('authenticator', 'LOGIN NOINHERIT')) AS v (name, options)
  LOOP
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
        EXECUTE format('CREATE ROLE %I %s NOBYPASSRLS', wanted.name, wanted.options);
      END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL;  -- Another database of this cluster made it just now.
    END;
  END LOOP;
  BEGIN
    GRANT anon, authenticated, service_role TO authenticator;
  EXCEPTION WHEN unique_violation THEN
    NULL;
  END;
  EXECUTE format('GRANT CREATE ON DATABASE %I TO guildhall_owner', current_database());
END
$$;
