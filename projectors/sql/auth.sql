-- What Supabase's policies call. The claims are a transaction's setting: never set it reads NULL, after a transaction ''. Claims that are no
-- JSON object, or a subject that is no UUID, are nobody's: a policy must neither fail nor match.
-- Not PARALLEL SAFE: catching an error starts a subtransaction, which a parallel query can't.
CREATE SCHEMA IF NOT EXISTS auth;
GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role, guildhall_owner;

CREATE OR REPLACE FUNCTION auth.jwt() RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE
  claims jsonb;
BEGIN
  claims := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  RETURN CASE WHEN jsonb_typeof(claims) = 'object' THEN claims END;
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION auth.uid() RETURNS uuid
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
BEGIN
  RETURN (auth.jwt() ->> 'sub')::uuid;
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION auth.role() RETURNS text
LANGUAGE sql STABLE AS $$ SELECT auth.jwt() ->> 'role' $$;

CREATE OR REPLACE FUNCTION auth.email() RETURNS text
LANGUAGE sql STABLE AS $$ SELECT auth.jwt() ->> 'email' $$;

GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA auth TO anon, authenticated, service_role;
