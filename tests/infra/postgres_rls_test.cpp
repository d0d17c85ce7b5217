// Who reads what: every relation, every kind of reader, every verb (A-TU-19, reliability.md §9). The relations come from the
// catalog, so a new one without its line below fails.
#include <gtest/gtest.h>

#include <map>
#include <pqxx/pqxx>

#include "infra/postgres_row_store.h"
#include "tests/postgres_cluster.h"
#include "tests/projectors/projected.h"

namespace guildhall {
namespace {

// One marketplace for all tests here: they only read, or are refused.
const std::string& marketplace_url() {
  static const std::string url = [] {
    std::string fresh = PostgresCluster::shared().new_database();
    WrittenLog written;
    write_marketplace(written);
    PostgresRowStore store(fresh, tutoring_projection(), tutoring_sql());
    store.prepare(written.log.identity());
    project_into(store, written.log, 1'000);
    return fresh;
  }();
  return url;
}

std::string claims_of(std::uint64_t account) {
  return R"({"role":"authenticated","sub":")" + to_string(test_id(account)) + "\"}";
}

struct Reader {
  const char* name;
  const char* role;
  std::optional<std::string> claims;  // nullopt: the setting was never made.
};

const std::vector<Reader>& readers() {
  static const std::vector<Reader> all{
      {"anon", "anon", R"({"role":"anon"})"},
      {"ann", "authenticated", claims_of(ann)},       // Booked once: captured, partly refunded.
      {"bob", "authenticated", claims_of(bob)},       // Booked twice: expired, completed.
      {"xi", "authenticated", claims_of(expert_xi)},  // The expert of all three.
      {"stranger", "authenticated", claims_of(eve)},
      {"service_role", "service_role", R"({"role":"service_role"})"},
      {"unset", "authenticated", std::nullopt},
      {"empty", "authenticated", ""},
      {"no json", "authenticated", "{not json"},
      {"no object", "authenticated", "[1]"},
      {"no uuid", "authenticated", R"({"sub":"me' OR true --"})"},
  };
  return all;
}

void become(pqxx::transaction_base& tx, const Reader& reader) {
  tx.exec0(std::string("SET LOCAL ROLE ") + reader.role);
  if (reader.claims) tx.exec_params("SELECT set_config('request.jwt.claims', $1, true)", *reader.claims);
}

// Rows that anon, ann, bob, xi, a stranger and service_role read; whoever has no valid claims reads none.
struct Cells {
  int anon, ann, bob, xi, stranger, service;
};
const std::map<std::string, Cells>& expected() {
  static const std::map<std::string, Cells> cells{
      {"tutoring.user_profiles", {0, 1, 1, 1, 1, 4}},
      {"tutoring.expert_profiles", {0, 1, 1, 1, 1, 1}},
      {"tutoring.learner_profiles", {0, 1, 1, 0, 0, 2}},
      {"tutoring.sessions", {0, 1, 1, 1, 1, 1}},
      {"tutoring.availability_windows", {0, 0, 0, 1, 0, 1}},
      {"tutoring.bookable_slots", {0, 1, 1, 3, 1, 3}},
      {"tutoring.bookings", {0, 1, 2, 3, 0, 3}},
      {"tutoring.booking_details", {0, 1, 2, 3, 0, 3}},
      {"tutoring_rm.accounts", {0, 1, 1, 1, 1, 4}},
      {"tutoring_rm.people", {0, 2, 2, 3, 2, 4}},
      {"tutoring_rm.counterparts", {0, 1, 1, 2, 0, 2}},
      {"tutoring_rm.experts", {0, 1, 1, 1, 1, 1}},
      {"tutoring_rm.expert_totals", {0, 1, 1, 1, 1, 1}},
      {"tutoring_rm.expert_earnings", {0, 0, 0, 1, 0, 1}},
      {"tutoring_rm.learners", {0, 1, 1, 0, 0, 2}},
      {"tutoring_rm.learner_totals", {0, 1, 1, 0, 0, 2}},
      {"tutoring_rm.sessions", {0, 1, 1, 1, 1, 1}},
      {"tutoring_rm.windows", {0, 0, 0, 1, 0, 1}},
      {"tutoring_rm.slots", {0, 1, 1, 3, 1, 3}},
      {"tutoring_rm.bookings", {0, 1, 2, 3, 0, 3}},
      {"tutoring_rm.payments", {0, 1, 1, 2, 0, 2}},
  };
  return cells;
}

std::vector<std::string> relations(pqxx::transaction_base& tx) {
  std::vector<std::string> out;
  for (const auto& row :
       tx.exec("SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
               "WHERE n.nspname IN ('tutoring', 'tutoring_rm') AND c.relkind NOT IN ('i', 'c', 't') ORDER BY 1"))
    out.push_back(row[0].as<std::string>());
  return out;
}

std::vector<std::string> row_of(const Reader& reader, const std::string& query) {
  pqxx::connection connection(marketplace_url());
  pqxx::work tx(connection);
  become(tx, reader);
  std::vector<std::string> out;
  for (const auto& row : tx.exec(query))
    for (const auto& field : row) out.push_back(field.is_null() ? "NULL" : field.as<std::string>());
  return out;
}

const Reader& reader(std::string_view name) {
  for (const Reader& r : readers())
    if (r.name == name) return r;
  throw std::invalid_argument("no such reader");
}

// The design's first row-level test.
TEST(RowSecurity, both_parties_see_their_row_with_both_names_and_a_stranger_none) {
  const std::string query =
      "SELECT id, expert_name, learner_name, session_title, expert_bio, duration_minutes FROM tutoring.booking_details "
      "WHERE learner_id = '" +
      to_string(test_id(ann)) + "'";
  const std::vector<std::string> row{to_string(test_id(booking_1)), "Xi", "Ann", "C++ basics", "Twenty years of it", "60"};
  EXPECT_EQ(row_of(reader("ann"), query), row);
  EXPECT_EQ(row_of(reader("xi"), query), row);
  EXPECT_EQ(row_of(reader("service_role"), query), row);
  EXPECT_TRUE(row_of(reader("bob"), query).empty());
  EXPECT_TRUE(row_of(reader("stranger"), query).empty());
}

TEST(RowSecurity, matrix_of_rows) {
  pqxx::connection connection(marketplace_url());
  std::vector<std::string> found;
  {
    pqxx::work tx(connection);
    found = relations(tx);
  }
  ASSERT_EQ(found.size(), expected().size());
  for (const std::string& relation : found) {
    ASSERT_TRUE(expected().contains(relation)) << relation << " has no expected cells";
    const Cells& cells = expected().at(relation);
    const std::map<std::string, int> rows{{"anon", cells.anon}, {"ann", cells.ann},           {"bob", cells.bob},
                                          {"xi", cells.xi},     {"stranger", cells.stranger}, {"service_role", cells.service}};
    for (const Reader& r : readers()) {
      pqxx::work tx(connection);
      become(tx, r);
      const auto known = rows.find(r.name);
      EXPECT_EQ(tx.exec1("SELECT count(*) FROM " + relation)[0].as<int>(), known == rows.end() ? 0 : known->second)
          << relation << " as " << r.name;
    }
  }
}

TEST(RowSecurity, nobody_but_the_projector_writes) {
  pqxx::connection connection(marketplace_url());
  std::vector<std::string> found;
  {
    pqxx::work tx(connection);
    found = relations(tx);
  }
  for (const std::string& relation : found)
    for (const char* role : {"anon", "authenticated", "service_role"}) {
      for (const char* verb : {"INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"}) {
        pqxx::work tx(connection);
        EXPECT_FALSE(tx.exec_params1("SELECT has_table_privilege($1, $2, $3)", std::string(role), relation, std::string(verb))[0]
                         .as<bool>())
            << verb << " on " << relation << " as " << role;
      }
      for (const std::string& statement :
           {"INSERT INTO " + relation + " DEFAULT VALUES", "DELETE FROM " + relation, "TRUNCATE " + relation}) {
        pqxx::work tx(connection);
        tx.exec0(std::string("SET LOCAL ROLE ") + role);
        EXPECT_THROW(tx.exec(statement), pqxx::sql_error) << statement << " as " << role;
      }
    }
}

TEST(RowSecurity, catalog_has_no_way_around) {
  pqxx::connection connection(marketplace_url());
  pqxx::work tx(connection);
  const auto names = [&](const std::string& query) {
    std::string out;
    for (const auto& row : tx.exec(query)) out += row[0].as<std::string>() + " ";
    return out;
  };
  EXPECT_EQ(names("SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace = 'tutoring'::regnamespace "
                  "AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)"),
            "");
  EXPECT_EQ(names("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace IN ('tutoring'::regnamespace, "
                  "'tutoring_rm'::regnamespace, 'guildhall'::regnamespace) AND NOT (relrowsecurity AND relforcerowsecurity)"),
            "");
  EXPECT_EQ(names("SELECT relname FROM pg_class WHERE relkind = 'm'"), "");
  EXPECT_EQ(names("SELECT rolname FROM pg_roles WHERE rolbypassrls AND NOT rolsuper"), "");
  EXPECT_EQ(names("SELECT proname FROM pg_proc WHERE (prosecdef OR proleakproof) AND pronamespace IN ('auth'::regnamespace, "
                  "'tutoring'::regnamespace, 'tutoring_rm'::regnamespace)"),
            "");
  EXPECT_EQ(
      names("SELECT n.nspname || '/' || r.rolname FROM pg_namespace n, pg_roles r WHERE r.rolname IN ('anon', 'authenticated', "
            "'service_role') AND n.nspname IN ('tutoring', 'tutoring_rm', 'auth', 'guildhall', 'public') "
            "AND has_schema_privilege(r.rolname, n.nspname, 'CREATE')"),
      "");
  EXPECT_EQ(names("SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role', 'guildhall_owner', "
                  "'guildhall_projector') AND rolcanlogin"),
            "");
  EXPECT_FALSE(tx.exec1("SELECT rolinherit FROM pg_roles WHERE rolname = 'authenticator'")[0].as<bool>());
  // FORCE: even the owner reads nothing.
  tx.exec0("SET LOCAL ROLE guildhall_owner");
  EXPECT_EQ(tx.exec1("SELECT count(*) FROM tutoring_rm.bookings")[0].as<int>(), 0);
}

// A-TU-19: earnings are the expert's own.
TEST(RowSecurity, earnings_are_null_for_others) {
  const std::string query = "SELECT total_earnings_cents, total_sessions FROM tutoring.expert_profiles";
  EXPECT_EQ(row_of(reader("xi"), query), (std::vector<std::string>{"30000", "1"}));
  EXPECT_EQ(row_of(reader("ann"), query), (std::vector<std::string>{"NULL", "1"}));
}

// The enum maps of domain.md §9, A-TU-10.
TEST(RowSecurity, bookings_speak_the_seeds_language) {
  const std::string query =
      "SELECT status, payment_status, amount_authorized, amount_captured, amount_refunded, cancelled_by, no_show, "
      "stripe_payment_intent_id FROM tutoring.bookings ORDER BY id";
  EXPECT_EQ(row_of(reader("xi"), query),
            (std::vector<std::string>{"confirmed", "captured",  "50000", "50000", "20000", "NULL",   "f", "pi_123",
                                      "cancelled", "cancelled", "0",     "0",     "0",     "system", "f", "NULL",
                                      "completed", "NULL",      "0",     "0",     "0",     "NULL",   "f", "NULL"}));
  EXPECT_EQ(row_of(reader("xi"), "SELECT start_time, end_time FROM tutoring.availability_windows"),
            (std::vector<std::string>{"09:00:00", "24:00:00"}));
}

// domain.md §10: a changed name shows in rows built before. A closed session keeps its title for who booked it, and only for
// them.
TEST(RowSecurity, a_rename_shows_in_old_bookings) {
  const std::string url = PostgresCluster::shared().new_database();
  WrittenLog written;
  write_marketplace(written);
  PostgresRowStore store(url, tutoring_projection(), tutoring_sql());
  store.prepare(written.log.identity());
  project_into(store, written.log, 1'000);
  Marketplace given(written);
  given.rename(test_id(ann), "Annabel");
  given.refund(test_id(payment_1), 30'000);
  given.on_booking(test_id(booking_1), booking::BookingNoShow{});
  written.append(0, {{{StreamKind::session, test_id(session_cpp)}, [] {
                        session::SessionDeactivated e;
                        e.session_id = test_id(session_cpp);
                        return AnyEvent(e);
                      }()}});
  project_into(store, written.log, 1'000);
  pqxx::connection connection(url);
  pqxx::work tx(connection);
  become(tx, reader("xi"));
  const auto row = tx.exec1("SELECT learner_name, payment_status, status, no_show FROM tutoring.booking_details WHERE id = '" +
                            to_string(test_id(booking_1)) + "'");
  EXPECT_EQ(row[0].as<std::string>(), "Annabel");
  EXPECT_EQ(row[1].as<std::string>(), "refunded");
  EXPECT_EQ(row[2].as<std::string>(), "completed");
  EXPECT_TRUE(row[3].as<bool>());
  tx.exec0("RESET ROLE");
  become(tx, reader("ann"));
  EXPECT_EQ(tx.exec1("SELECT session_title FROM tutoring.booking_details")[0].as<std::string>(), "C++ basics");
  become(tx, reader("stranger"));
  EXPECT_EQ(tx.exec1("SELECT count(*) FROM tutoring.sessions")[0].as<int>(), 0);
}

// The seed's tables: every column, in its order, with its type (BIGINT for running totals, X-33); our columns come after.
TEST(RowSecurity, columns_are_the_seeds) {
  const std::map<std::string, std::string> seed{
      {"user_profiles",
       "id uuid, user_id uuid, role text, display_name text, first_name text, last_name text, avatar_url text, "
       "timezone text, created_at timestamp with time zone, updated_at timestamp with time zone"},
      {"expert_profiles",
       "id uuid, user_profile_id uuid, bio text, expertise_areas text[], hourly_rate_cents integer, currency text, "
       "rating numeric, total_sessions integer, total_earnings_cents bigint, is_available boolean, "
       "verification_status text, created_at timestamp with time zone, updated_at timestamp with time zone"},
      {"learner_profiles",
       "id uuid, user_profile_id uuid, learning_goals text[], interests text[], experience_level text, "
       "preferred_session_duration integer, total_sessions_booked integer, total_spent_cents bigint, "
       "created_at timestamp with time zone, updated_at timestamp with time zone"},
      {"sessions",
       "id uuid, expert_id uuid, title text, description text, short_description text, topic_tags text[], "
       "duration_minutes integer, price_cents integer, currency text, level text, prerequisites text, materials_url text, "
       "max_participants integer, is_active boolean, created_at timestamp with time zone, updated_at timestamp with time zone"},
      {"availability_windows",
       "id uuid, expert_id uuid, day_of_week integer, start_time time without time zone, "
       "end_time time without time zone, timezone text, is_active boolean, created_at timestamp with time zone, "
       "updated_at timestamp with time zone"},
      {"bookable_slots",
       "id uuid, session_id uuid, availability_window_id uuid, start_time timestamp with time zone, "
       "end_time timestamp with time zone, is_available boolean, current_bookings integer, max_bookings integer, "
       "created_at timestamp with time zone, updated_at timestamp with time zone"},
      {"bookings",
       "id uuid, learner_id uuid, expert_id uuid, session_id uuid, slot_id uuid, start_at timestamp with time zone, "
       "end_at timestamp with time zone, status text, payment_status text, amount_authorized integer, amount_captured integer, "
       "amount_refunded integer, currency text, stripe_payment_intent_id text, learner_notes text, expert_notes text, "
       "cancelled_by text, cancellation_reason text, cancelled_at timestamp with time zone, "
       "created_at timestamp with time zone, updated_at timestamp with time zone"},
  };
  pqxx::connection connection(marketplace_url());
  pqxx::work tx(connection);
  for (const auto& [view, columns] : seed) {
    const std::string extra =
        view == "bookings" ? ", last_event_position bigint, no_show boolean" : ", last_event_position bigint";
    EXPECT_EQ(tx.exec_params1("SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) "
                              "FROM pg_attribute WHERE attrelid = ('tutoring.' || $1)::regclass AND attnum > 0",
                              view)[0]
                  .as<std::string>(),
              columns + extra);
  }
  // TU-41..43: the eleven indexes, under their names.
  EXPECT_EQ(
      tx.exec1("SELECT count(*) FROM pg_indexes WHERE schemaname = 'tutoring_rm' AND indexname IN ('idx_bookings_learner_id', "
               "'idx_bookings_expert_id', 'idx_bookings_session_id', 'idx_bookings_slot_id', 'idx_bookings_status', "
               "'idx_bookings_payment_status', 'idx_bookable_slots_available', 'idx_bookable_slots_time_range', "
               "'idx_sessions_expert_id', 'idx_sessions_active', 'idx_sessions_topic_tags')")[0]
          .as<int>(),
      11);
}

}  // namespace
}  // namespace guildhall
