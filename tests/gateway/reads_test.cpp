// Reads against a real PostgreSQL with row-level security: what a client sends, what it gets.
#include "gateway/reads.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <random>
#include <semaphore>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "tests/postgres_cluster.h"

namespace guildhall {
namespace {

constexpr const char* ann = "11111111-1111-4111-8111-111111111111";
constexpr const char* bob = "22222222-2222-4222-8222-222222222222";
constexpr const char* eve = "33333333-3333-4333-8333-333333333333";

// Ann owns notes 1 to 5, Bob 6 and 7; 6 is public. `context` shows what a transaction knows about its caller.
constexpr const char* schema_sql = R"sql(
CREATE SCHEMA techfix;
CREATE TYPE techfix.mood AS ENUM ('calm', 'cross');
CREATE TABLE techfix.notes (
  id integer PRIMARY KEY, owner uuid NOT NULL, body text, amount numeric(12,2), made_at timestamptz, done boolean, tags text[],
  mood techfix.mood, code char(3), public boolean NOT NULL DEFAULT false);
INSERT INTO techfix.notes SELECT n, '11111111-1111-4111-8111-111111111111', 'note ' || n, n * 1.5,
  timestamptz '2025-01-01 12:00:00+01' + n * interval '1 day', n % 2 = 0, ARRAY['a', n::text], 'calm', 'c0' || n, false
  FROM generate_series(1, 5) n;
INSERT INTO techfix.notes (id, owner, body, public) VALUES (6, '22222222-2222-4222-8222-222222222222', 'for all', true),
  (7, '22222222-2222-4222-8222-222222222222', NULL, false);
ALTER TABLE techfix.notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON techfix.notes FOR SELECT USING (public OR owner =
  (SELECT nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub')::uuid);
CREATE POLICY service ON techfix.notes FOR SELECT TO service_role USING (true);
CREATE DOMAIN techfix.words AS tsvector;
CREATE DOMAIN techfix.few_words AS techfix.words CHECK (length(VALUE) < 9);
CREATE TABLE techfix.articles (
  id integer PRIMARY KEY, title text, code varchar(80), tags text[], levels integer[], moods techfix.mood[], extra jsonb,
  plain json, during int4range, few techfix.few_words,
  search tsvector GENERATED ALWAYS AS (to_tsvector('english', title)) STORED);
INSERT INTO techfix.articles (id, title, code, tags, levels, moods, extra, plain, during, few) VALUES
  (1, 'The fat cats ate rats', 'fat cats', '{cats,food}', '{1,2}', '{calm}', '{"kind": "tale", "size": {"w": 3, "h": 4}}',
   '{"a": "cats"}', '[1,10)', to_tsvector('simple', 'fat cats')),
  (2, 'A rat that ate of a cake', 'a rat', '{food,"a, b"}', '{3}', '{calm,cross}', '{"kind": "note", "text": "fat rats"}', '{}',
   '[5,8)', to_tsvector('simple', 'rats')),
  (3, 'C''est amusant', '', '{}', '{}', '{}', '[1,2,3]', '[]', NULL, ''),
  (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE techfix.texts (id serial PRIMARY KEY, body text NOT NULL);
CREATE TABLE techfix.hidden (id integer);
CREATE VIEW techfix.slow AS SELECT 1 AS id, pg_sleep(60) IS NULL AS slept;
CREATE VIEW techfix.divided AS SELECT id, 1 / (id - 1) AS value FROM techfix.texts;
CREATE VIEW techfix.context AS SELECT current_user::text AS role,
  nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub' AS sub,
  current_setting('request.method', true) AS method, current_setting('request.path', true) AS path,
  current_setting('TimeZone') AS zone, current_setting('statement_timeout') AS timeout,
  current_setting('transaction_read_only') AS read_only, pg_backend_pid() AS backend;
ALTER VIEW techfix.context SET (security_invoker = true);
GRANT USAGE ON SCHEMA techfix TO anon, authenticated, service_role;
GRANT SELECT ON techfix.notes, techfix.articles, techfix.texts, techfix.slow, techfix.divided, techfix.context
  TO anon, authenticated, service_role;
)sql";

constexpr const char* roles_sql = R"sql(
CREATE ROLE authenticator LOGIN NOINHERIT;
CREATE ROLE anon; CREATE ROLE authenticated; CREATE ROLE service_role;
GRANT anon, authenticated, service_role TO authenticator;
)sql";

std::string new_database(PostgresCluster& cluster) {
  const std::string owner = cluster.new_database();
  if (cluster.run_sql(owner, "SELECT count(*) FROM pg_roles WHERE rolname = 'authenticator'") == "0")
    cluster.run_sql(owner, roles_sql);
  cluster.run_sql(owner, schema_sql);
  return PostgresCluster::database_of(owner);
}

ReadCaller user(std::string_view id) { return {"authenticated", fmt::format(R"({{"sub":"{}","role":"authenticated"}})", id)}; }
ReadCaller anonymous() { return {"anon", ""}; }

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Answer : Response {
  std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (key == name) return value;
    return "(none)";
  }
};

Answer ask(ReadHandler& handler, const ReadCaller& caller, std::string_view target, Headers headers = {},
           Method method = Method::get) {
  Request request;
  request.method = method;
  const std::size_t question = std::min(target.find('?'), target.size());
  request.path = std::string(rest_path) + std::string(target.substr(0, question));
  if (question < target.size()) request.query = target.substr(question + 1);
  request.headers = std::move(headers);
  std::promise<Response> answered;
  handler.handle(request, caller, [&answered](Response response) { answered.set_value(std::move(response)); });
  return {answered.get_future().get()};
}

void never_wait(std::string, std::chrono::milliseconds, std::move_only_function<void(TokenWait)>) {
  FAIL() << "no token was sent";
}

// One database for all tests that only read.
class Reads : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    PostgresCluster& cluster = PostgresCluster::shared();
    database_ = new_database(cluster);
    pool_ = std::make_unique<PostgresPool>(PostgresPoolOptions{.url = cluster.url(database_, "authenticator"), .connections = 2});
    handler_ = std::make_unique<ReadHandler>(
        ReadHandlerOptions{.user_reads = *pool_, .service_reads = *pool_, .wait_for_token = never_wait},
        load_catalogue(*pool_, "techfix", "anon"));
  }
  static void TearDownTestSuite() {
    pool_.reset();
    handler_.reset();
  }

  static Answer get(std::string_view target, Headers headers = {}, const ReadCaller& caller = user(ann)) {
    return ask(*handler_, caller, target, std::move(headers));
  }
  // The digits of the ids, in the answer's order.
  static void expect_ids(std::string_view relation, const std::string& query, std::string_view expected) {
    const Answer answer = get(fmt::format("{}?select=id&{}", relation, query));
    std::string ids;
    for (const char c : answer.body)
      if (c >= '0' && c <= '9') ids += c;
    EXPECT_EQ(answer.status, 200) << query << answer.body;
    EXPECT_EQ(ids, expected) << query;
  }
  static std::string owner_url() { return PostgresCluster::shared().url(database_, "postgres"); }

  static inline std::string database_;
  static inline std::unique_ptr<PostgresPool> pool_;
  static inline std::unique_ptr<ReadHandler> handler_;
};

TEST_F(Reads, rows_are_the_json_that_postgresql_makes) {
  const Answer answer = get("notes?id=eq.1");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Content-Type"), "application/json; charset=utf-8");
  EXPECT_EQ(answer.header("Content-Range"), "0-0/*");
  EXPECT_EQ(answer.body,
            R"([{"id":1,"owner":"11111111-1111-4111-8111-111111111111","body":"note 1","amount":1.50,)"
            R"("made_at":"2025-01-02T11:00:00+00:00","done":false,"tags":["a","1"],"mood":"calm","code":"c01","public":false}])");
  EXPECT_EQ(get("notes?id=eq.7&select=body,n:id", {}, user(bob)).body, R"([{"body":null,"n":7}])");
  EXPECT_EQ(get("notes?id=eq.99").body, "[]");
}

TEST_F(Reads, catalogue_knows_columns_and_their_types) {
  const RelationCatalogue catalogue = load_catalogue(*pool_, "techfix", "anon");
  ASSERT_EQ(catalogue.relations.size(), 7u);
  const Relation& notes = catalogue.relations.at("notes");
  EXPECT_EQ(notes.find("mood")->type, "techfix.mood");
  EXPECT_EQ(notes.find("made_at")->type, "timestamp with time zone");
  EXPECT_EQ(notes.find("code")->type, "bpchar");
  EXPECT_EQ(notes.find("amount")->type, "numeric");
  EXPECT_EQ(notes.find("nothere"), nullptr);
  EXPECT_EQ(catalogue.relations.at("articles").find("few")->type, "tsvector");
  EXPECT_EQ(catalogue.relations.at("articles").find("moods")->type, "techfix.mood[]");
  EXPECT_TRUE(load_catalogue(*pool_, "nowhere", "anon").relations.empty());
  EXPECT_THROW(load_catalogue(*pool_, "techfix", "nobody"), CatalogueError);
}

TEST_F(Reads, filters_order_and_pages_choose_rows) {
  struct {
    const char* query;
    const char* ids;
  } const cases[] = {
      {"id=gt.3", "456"},
      {"id=not.gt.3", "123"},
      {"id=in.(1,3,99)", "13"},
      {"amount=gte.6.00", "45"},
      {"amount=lt.3e0", "1"},
      {"done=is.true", "24"},
      {"done=is.null", "6"},
      {"done=not.is.null", "12345"},
      {"body=eq.note+2", "2"},
      {"body=like.note*", "12345"},
      {"body=ilike.NOTE%25", "12345"},
      {"body=not.ilike.*3", "12456"},
      {"mood=eq.calm", "12345"},
      {"mood=in.(cross)", ""},
      {"code=eq.c02", "2"},
      {"tags=eq.{a,3}", "3"},
      {"owner=eq.11111111-1111-4111-8111-111111111111", "12345"},
      {"made_at=gte.2025-01-05T12:00:00%2B01:00", "45"},
      {"or=(id.eq.1,and(id.gt.2,id.lt.5),body.eq.\"for+all\")", "1346"},
      {"not.or=(id.lt.3,id.gt.4)", "34"},
      {"id=gt.1&done=is.false", "35"},
      {"order=id.desc", "654321"},
      {"order=done.desc.nullslast,id", "241356"},
      {"order=amount.nullsfirst&limit=2", "61"},
      {"order=id&limit=2&offset=3", "45"},
  };
  for (const auto& each : cases) {
    const std::string query(each.query);
    expect_ids("notes", query + (query.contains("order=") ? "" : "&order=id"), each.ids);
  }
}

TEST_F(Reads, searches_find_words_in_vectors_texts_and_json) {
  struct {
    const char* query;
    const char* ids;
  } const cases[] = {
      {"search=fts.rat", "12"},
      {"search=fts(english).cats", "1"},
      {"search=fts(simple).cats", ""},  // The column holds English stems.
      {"search=fts(ENGLISH).cats", "1"},
      {"search=fts(english).rat%26cat", "1"},
      {"search=fts(english).cat%7Ccake", "12"},
      {"search=fts(english).rat%26!(cat%7Cdog)", "2"},
      {"search=fts(english).ca:*", "12"},
      {"search=fts(english).fat<->cat", "1"},
      {"search=fts.", ""},
      {"search=not.fts(english).cat", "23"},
      {"search=plfts(english).The+Fat+Cats", "1"},
      {"search=plfts(english).rats+%26+cake", "2"},
      {"search=phfts(english).Fat+Cats", "1"},
      {"search=phfts(english).Cats+Fat", ""},
      {"search=not.phfts(english).Fat+Cats", "23"},
      {"search=wfts(english).cake+or+cats", "12"},
      {"search=wfts(english).rat+-cat", "2"},
      {"search=wfts(english).%22fat+cats%22", "1"},
      {"search=wfts(english).%22%26(+!%7C:*", ""},
      {"title=fts(english).cats", "1"},
      {"title=fts(simple).cat", ""},
      {"title=fts(simple).of", "2"},
      {"title=fts(english).of", ""},
      {"title=plfts.cake", "2"},
      {"title=not.plfts(english).cat", "23"},
      {"title=wfts(french).amusants", "3"},
      {"code=phfts(english).fat+cat", "1"},
      {"extra=fts(english).rat", "2"},
      {"extra=fts(simple).kind", ""},  // A name, not a value.
      {"plain=plfts(simple).cats", "1"},
      {"few=fts(simple).cats", "1"},
      {"few=eq.'rats':1", "2"},
      {"few=eq.a+b+c+d+e+f+g+h+i+j", ""},  // More words than the domain admits.
      {"or=(search.fts(english).cake,title.wfts(french).amusants)", "23"},
      {"or=(search.fts(english).\"fat,cat\",id.eq.4)", "14"},
      {"or=(search.fts(english).\"(fat%26cat)%7Ccake\",id.eq.4)", "124"},
      {"and=(search.not.wfts(english).cats,or(tags.ov.{food},id.eq.4))", "2"},
      {"title=fts(english).rats&tags=cs.{cats}", "1"},
  };
  for (const auto& each : cases) expect_ids("articles", std::string(each.query) + "&order=id", each.ids);
  EXPECT_EQ(get("articles?select=search&id=eq.2").body, R"([{"search":"'ate':4 'cake':7 'rat':2"}])");
}

TEST_F(Reads, containments_compare_arrays_objects_and_ranges) {
  struct {
    const char* query;
    const char* ids;
  } const cases[] = {
      {"tags=cs.{food}", "12"},
      {"tags=cs.{food,cats}", "1"},
      {"tags=cs.{%22a,+b%22}", "2"},
      {"tags=cs.{}", "123"},
      {"tags=cd.{cats,food,more}", "13"},
      {"tags=ov.{cats,%22a,+b%22}", "12"},
      {"tags=ov.{}", ""},
      {"tags=not.cs.{food}", "3"},
      {"levels=cs.{1}", "1"},
      {"levels=cd.{1,2,4}", "13"},
      {"levels=ov.{2,3}", "12"},
      {"moods=cs.{cross}", "2"},
      {"extra=cs.{%22kind%22:%22tale%22}", "1"},
      {"extra=cs.{%22size%22:{%22w%22:3}}", "1"},
      {"extra=cs.[3,1]", "3"},
      {"extra=cd.{%22kind%22:%22note%22,%22text%22:%22fat+rats%22,%22more%22:1}", "2"},
      {"extra=not.cs.{%22kind%22:%22tale%22}", "23"},
      {"during=cs.[2,4)", "1"},
      {"during=cd.[0,9)", "2"},
      {"during=ov.[6,7]", "12"},
      {"or=(tags.cs.{food,cats},tags.cs.{%22a,+b%22})", "12"},
      {"or=(tags.cd.{},levels.cs.{3})", "23"},
      {"or=(extra.cs.{%22kind%22:%22tale%22,%22size%22:{%22w%22:3}},extra.cs.\"[1,2]\")", "13"},
      {"and=(during.ov.\"[6,7]\",not.or(tags.cs.{cats},id.eq.4))", "2"},
      {"or=(tags.eq.{food,%22a,+b%22},id.eq.4)", "24"},
  };
  for (const auto& each : cases) expect_ids("articles", std::string(each.query) + "&order=id", each.ids);
}

TEST_F(Reads, ranges_and_counts_are_told) {
  struct {
    const char* query;
    Headers headers;
    int status;
    const char* range;
  } const cases[] = {
      {"", {}, 200, "0-5/*"},
      {"", {{"prefer", "count=exact"}}, 200, "0-5/6"},
      {"limit=2", {{"prefer", "count=exact"}}, 206, "0-1/6"},
      {"limit=2&offset=4", {{"prefer", "count=exact"}}, 206, "4-5/6"},
      {"limit=0", {{"prefer", "count=exact"}}, 206, "*/6"},
      {"offset=6", {{"prefer", "count=exact"}}, 206, "*/6"},
      {"offset=7", {{"prefer", "count=exact"}}, 416, "(none)"},
      {"offset=7", {}, 200, "*/*"},
      {"id=eq.99", {{"prefer", "count=exact"}}, 200, "*/0"},
      {"id=lt.4", {{"prefer", "count=exact"}, {"range-unit", "items"}, {"range", "1-1"}}, 206, "1-1/3"},
      {"", {{"range", "2-"}}, 200, "2-5/*"},
      {"", {{"range", "3-2"}}, 416, "(none)"},
  };
  for (const auto& each : cases) {
    const Answer answer = get(std::string("notes?select=id&") + each.query, each.headers);
    EXPECT_EQ(answer.status, each.status) << each.query << answer.body;
    EXPECT_EQ(answer.header("Content-Range"), each.range) << each.query;
  }
  EXPECT_EQ(get("notes", {{"prefer", "count=exact"}}).header("Preference-Applied"), "count=exact");
  EXPECT_EQ(get("notes?offset=7", {{"prefer", "count=exact"}}).body,
            R"({"code":"PGRST103","details":"An offset of 7 was requested, but there are only 6 rows.","hint":null,)"
            R"("message":"Requested range not satisfiable"})");
}

TEST_F(Reads, pages_are_capped) {
  ReadHandler capped({.user_reads = *pool_, .service_reads = *pool_, .wait_for_token = never_wait, .max_rows = 4},
                     load_catalogue(*pool_, "techfix", "anon"));
  EXPECT_EQ(ask(capped, user(ann), "notes?select=id").header("Content-Range"), "0-3/*");
  EXPECT_EQ(ask(capped, user(ann), "notes?limit=5", {{"prefer", "count=exact"}}).header("Content-Range"), "0-3/6");
}

TEST_F(Reads, a_single_object_is_exactly_one_row) {
  const Headers single{{"accept", "application/vnd.pgrst.object+json"}};
  const Answer one = get("notes?select=id&id=eq.2", single);
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(one.body, R"({"id":2})");
  EXPECT_EQ(one.header("Content-Type"), "application/vnd.pgrst.object+json; charset=utf-8");
  for (const auto& [query, rows] : {std::pair{"notes?id=eq.99", 0}, std::pair{"notes?id=lt.3", 2}}) {
    const Answer answer = get(query, single);
    EXPECT_EQ(answer.status, 406);
    EXPECT_EQ(answer.body, fmt::format(R"({{"code":"PGRST116","details":"The result contains {} rows","hint":null,)"
                                       R"("message":"JSON object requested, multiple (or no) rows returned"}})",
                                       rows));
  }
}

TEST_F(Reads, head_has_the_headers_without_the_body) {
  const Answer answer = ask(*handler_, user(ann), "notes?id=lt.3", {{"prefer", "count=exact"}}, Method::head);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Content-Range"), "0-1/2");
  EXPECT_EQ(answer.body, "");
  const Answer refused = ask(*handler_, user(ann), "notes?nothere=eq.3", {}, Method::head);
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body, "");
}

TEST_F(Reads, errors_have_postgrests_status_and_shape) {
  struct {
    const char* target;
    ReadCaller caller;
    int status;
    const char* code;
  } const cases[] = {
      {"notes?id=eq.one", user(ann), 400, "22P02"},
      {"notes?id=eq.99999999999", user(ann), 400, "22003"},
      {"notes?owner=eq.1", user(ann), 400, "22P02"},
      {"notes?mood=eq.merry", user(ann), 400, "22P02"},
      {"notes?made_at=gt.yesterdayish", user(ann), 400, "22007"},
      {"notes?body=is.true", user(ann), 400, "42804"},
      {"notes?id=like.1", user(ann), 400, "42883"},
      {"notes?body=eq.%FF", user(ann), 400, "22021"},
      {"notes?nothere=eq.1", user(ann), 400, "42703"},
      {"articles?search=fts.fat+cats", user(ann), 400, "42601"},
      {"articles?search=fts.%26", user(ann), 400, "42601"},
      {"articles?title=fts(english).(cat", user(ann), 400, "42601"},
      {"articles?or=(id.eq.1,search.fts.!)", user(ann), 400, "42601"},
      {"articles?search=fts(klingon).qapla", user(ann), 400, "42704"},
      {"articles?title=wfts(klingon).qapla", user(ann), 400, "42704"},
      {"articles?search=fts(pg_catalog.english).cat", user(ann), 400, "PGRST100"},
      {"articles?id=fts.1", user(ann), 400, "42883"},
      {"articles?tags=plfts(english).cats", user(ann), 400, "42883"},
      {"articles?search=wfts.%FF", user(ann), 400, "22021"},
      {"articles?tags=cs.food", user(ann), 400, "22P02"},
      {"articles?tags=ov.{food", user(ann), 400, "22P02"},
      {"articles?levels=cd.{a}", user(ann), 400, "22P02"},
      {"articles?moods=cs.{merry}", user(ann), 400, "22P02"},
      {"articles?extra=cs.{a}", user(ann), 400, "22P02"},
      {"articles?extra=ov.{}", user(ann), 400, "42883"},
      {"articles?title=cs.a", user(ann), 400, "42883"},
      {"articles?during=ov.6", user(ann), 400, "22P02"},
      {"articles?during=ov.[6,5]", user(ann), 400, "22000"},
      {"divided", user(ann), 400, "22012"},
      {"hidden", user(ann), 403, "42501"},
      {"hidden", anonymous(), 401, "42501"},
      {"nothere", anonymous(), 404, "PGRST205"},
      {"notes/1", anonymous(), 404, "PGRST205"},
      {"no%00tes", anonymous(), 404, "PGRST205"},
      {"notes", {"authenticated", "not json"}, 400, "22P02"},
      {"notes", {"postgres", ""}, 403, "42501"},
  };
  PostgresCluster::shared().run_sql(owner_url(), "INSERT INTO techfix.texts (id, body) VALUES (1, 'one') ON CONFLICT DO NOTHING");
  for (const auto& each : cases) {
    const Answer answer = get(each.target, {}, each.caller);
    EXPECT_EQ(answer.status, each.status) << each.target << answer.body;
    EXPECT_TRUE(answer.body.starts_with(fmt::format(R"({{"code":"{}","details":)", each.code))) << each.target << answer.body;
    EXPECT_EQ(answer.header("Content-Type"), "application/json; charset=utf-8");
  }
  EXPECT_EQ(get("notes?id=eq.one").body,
            R"({"code":"22P02","details":null,"hint":null,"message":"invalid input syntax for type integer: \"one\""})");
  EXPECT_EQ(get("articles?search=fts.fat+cats").body,
            R"({"code":"42601","details":null,"hint":null,"message":"syntax error in tsquery: \"fat cats\""})");
  EXPECT_TRUE(get("notes?id=like.1").body.contains(R"("hint":"No operator matches the given name and argument types.)"));
  EXPECT_EQ(get("notes", {{"accept", "text/csv"}}).status, 406);
  EXPECT_EQ(get("notes", {{"accept-profile", "auth"}}).status, 406);
  EXPECT_EQ(get("notes", {{"prefer", "handling=strict"}, {"prefer", "anything"}}).status, 400);
}

TEST_F(Reads, relations_are_written_by_commands_only) {
  for (const Method method : {Method::post, Method::put, Method::patch, Method::del}) {
    const Answer answer = ask(*handler_, user(ann), "notes?id=eq.1", {}, method);
    EXPECT_EQ(answer.status, 405);
    EXPECT_EQ(answer.header("Allow"), "GET, HEAD");
    EXPECT_TRUE(answer.body.contains("Writes are commands")) << answer.body;
  }
}

// RL-1, and the roles' own policies.
TEST_F(Reads, everybody_sees_the_own_rows_and_the_public_ones) {
  const auto count = [](const ReadCaller& caller) {
    return std::string(get("notes", {{"prefer", "count=exact"}}, caller).header("Content-Range"));
  };
  EXPECT_EQ(count(user(ann)), "0-5/6");
  EXPECT_EQ(count(user(bob)), "0-1/2");
  EXPECT_EQ(count(user(eve)), "0-0/1");
  EXPECT_EQ(count(anonymous()), "0-0/1");
  EXPECT_EQ(count({"service_role", R"({"role":"service_role"})"}), "0-6/7");
}

TEST_F(Reads, a_transaction_knows_its_request_and_cannot_write) {
  EXPECT_EQ(get("context?select=role,sub,method,path,zone,read_only,timeout").body,
            fmt::format(R"([{{"role":"authenticated","sub":"{}","method":"GET","path":"/rest/v1/context",)"
                        R"("zone":"UTC","read_only":"on","timeout":"30s"}}])",
                        ann));
  std::promise<ReadOutcome> answered;
  pool_->submit({.role = "anon", .sql = "CREATE TABLE techfix.made ()"},
                [&](ReadOutcome outcome) { answered.set_value(std::move(outcome)); });
  EXPECT_EQ(answered.get_future().get().error().sqlstate, "25006");
}

// RL-1: pooled connections, alternating users, some of whose transactions fail: no leak.
TEST_F(Reads, pooled_connections_never_carry_one_user_into_the_next) {
  constexpr int requests = 2'000;
  struct Expected {
    ReadCaller caller;
    std::string context, notes;
  };
  const std::vector<Expected> callers{
      {user(ann), fmt::format(R"([{{"role":"authenticated","sub":"{}"}}])", ann), "0-5/*"},
      {user(bob), fmt::format(R"([{{"role":"authenticated","sub":"{}"}}])", bob), "0-1/*"},
      {anonymous(), R"([{"role":"anon","sub":null}])", "0-0/*"},
  };
  std::atomic<int> wrong = 0;
  std::counting_semaphore<16> slots(16);
  std::atomic<int> answered = 0;
  std::mt19937_64 random(7);
  for (int i = 0; i < requests; ++i) {
    const Expected& expected = callers[random() % callers.size()];
    const std::uint64_t kind = random() % 4;
    Request request;
    request.path = kind < 2 ? "/rest/v1/context" : "/rest/v1/notes";
    request.query = kind < 2 ? "select=role,sub" : kind == 2 ? "select=id" : "id=eq.broken";
    slots.acquire();
    handler_->handle(request, expected.caller, [&, kind](Response response) {
      const Answer answer{std::move(response)};
      const bool right = kind < 2    ? answer.body == expected.context
                         : kind == 2 ? answer.header("Content-Range") == expected.notes
                                     : answer.status == 400;
      if (!right) ++wrong;
      ++answered;
      slots.release();
    });
  }
  for (int i = 0; i < 16; ++i) slots.acquire();
  EXPECT_EQ(answered, requests);
  EXPECT_EQ(wrong, 0);
  // Once it has nothing to do, each connection is outside any transaction; it leaves its last one after the answer.
  const std::string busy =
      "SELECT count(*) FROM pg_stat_activity "
      "WHERE usename = 'authenticator' AND state <> 'idle' AND datname = current_database()";
  while (PostgresCluster::shared().run_sql(owner_url(), busy) != "0") {
  }
}

TEST_F(Reads, hostile_texts_are_only_texts) {
  const std::vector<std::string> texts{"'; DROP TABLE techfix.notes; --",
                                       "\" OR 1=1 --",
                                       "$1",
                                       "\\",
                                       "a\\\"b",
                                       "{\"x\"}",
                                       "NULL",
                                       "%",
                                       "a,b)",
                                       "(((",
                                       "\xF0\x9F\x8E\xB8",
                                       "tab\there",
                                       "line\nbreak",
                                       "' UNION SELECT rolname FROM pg_roles --",
                                       ""};
  const auto encoded = [](std::string_view text) {
    std::string out;
    for (const char c : text) out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    return out;
  };
  const auto in_quotes = [](std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    return out + "\"";
  };
  std::string insert = "TRUNCATE techfix.texts RESTART IDENTITY;";
  for (const std::string& text : texts)
    insert += "INSERT INTO techfix.texts (body) VALUES (convert_from('\\x" + [&] {
      std::string hex;
      for (const char c : text) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
      return hex;
    }() + "', 'UTF8'));";
  PostgresCluster::shared().run_sql(owner_url(), insert);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string expected = fmt::format(R"([{{"id":{}}}])", i + 1);
    EXPECT_EQ(get("texts?select=id&body=eq." + encoded(texts[i])).body, expected) << texts[i];
    EXPECT_EQ(get("texts?select=id&body=in.(" + encoded(in_quotes(texts[i])) + ")").body, expected) << texts[i];
    EXPECT_EQ(get("texts?select=id&or=(body.eq." + encoded(in_quotes(texts[i])) + ",id.eq.0)").body, expected) << texts[i];
    // As names they are nothing.
    for (const char* query : {"notes?select=", "notes?order=", "notes?or="}) {
      const int status = get(query + encoded(texts[i])).status;
      EXPECT_EQ(status, texts[i].empty() && !std::string_view(query).contains("or=") ? 200 : 400) << query << texts[i];
    }
  }
  EXPECT_EQ(get("notes").header("Content-Range"), "0-5/*");
}

// The one function that writes array literals, against the server's own reading of them.
TEST_F(Reads, lists_carry_any_value) {
  constexpr std::uint64_t seed = 41;
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const std::string_view alphabet = "ab\"\\{},() '%NUL\n";
  for (int round = 0; round < 50; ++round) {
    std::string list, values;
    const std::uint64_t count = 1 + random() % 5;
    for (std::uint64_t i = 0; i < count; ++i) {
      std::string hex, element = "%22";
      for (std::uint64_t left = random() % 8; left > 0; --left) {
        const char c = alphabet[random() % alphabet.size()];
        if (c == '"' || c == '\\') element += "%5C";
        element += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
      }
      list += (i > 0 ? "," : "") + element + "%22";
      values += "INSERT INTO techfix.texts (body) VALUES (convert_from('\\x" + hex + "', 'UTF8'));";
    }
    PostgresCluster::shared().run_sql(owner_url(),
                                      "TRUNCATE techfix.texts;" + values + "INSERT INTO techfix.texts (body) VALUES ('other');");
    EXPECT_EQ(get("texts?body=in.(" + list + ")").header("Content-Range"), fmt::format("0-{}/*", count - 1)) << values;
  }
}

TEST_F(Reads, a_slow_statement_is_cut_off_and_the_connection_lives_on) {
  PostgresPool impatient({.url = PostgresCluster::shared().url(database_, "authenticator"),
                          .connections = 1,
                          .statement_timeout = std::chrono::milliseconds(50)});
  ReadHandler handler({.user_reads = impatient, .service_reads = *pool_, .wait_for_token = never_wait},
                      load_catalogue(impatient, "techfix", "anon"));
  const std::string before = ask(handler, user(ann), "context?select=backend").body;
  const Answer answer = ask(handler, user(ann), "slow");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.header("Retry-After"), "1");
  EXPECT_TRUE(answer.body.starts_with(R"({"code":"57014",)")) << answer.body;
  EXPECT_EQ(ask(handler, user(ann), "context?select=backend").body, before);
  impatient.stop();
}

TEST_F(Reads, a_lost_connection_is_replaced_unseen) {
  const auto backends = [] { return get("context?select=backend").body; };
  backends();
  const std::string killed =
      PostgresCluster::shared().run_sql(owner_url(),
                                        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
                                        "WHERE usename = 'authenticator' AND datname = current_database()");
  EXPECT_NE(killed, "0");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(get("notes").header("Content-Range"), "0-5/*");
}

TEST(ReadPool, refuses_beyond_its_queue_and_what_waited_too_long) {
  PostgresCluster& cluster = PostgresCluster::shared();
  PostgresPool pool({.url = cluster.url("postgres", "postgres"),
                     .connections = 1,
                     .queued_queries = 1,
                     .queue_wait = std::chrono::milliseconds(40)});
  const ReadQuery query{.role = "postgres", .sql = "SELECT $1::text AS said, NULL AS nothing", .parameters = {"hello"}};
  std::promise<ReadOutcome> running, waiting, refused, stopped;
  std::promise<void> release;
  // The callback holds the only connection.
  std::atomic<bool> accepted = false;
  while (!accepted) {
    std::promise<bool> ran;
    pool.submit(query, [&](ReadOutcome outcome) {
      // On a busy machine even the first one may wait too long.
      if (!outcome) return ran.set_value(false);
      running.set_value(std::move(outcome));
      ran.set_value(true);
      release.get_future().wait();
    });
    accepted = ran.get_future().get();
  }
  const ReadOutcome first = running.get_future().get();
  EXPECT_EQ(first->columns, (std::vector<std::string>{"said", "nothing"}));
  EXPECT_EQ(first->rows, (std::vector<std::vector<std::optional<std::string>>>{{"hello", std::nullopt}}));
  pool.submit(query, [&](ReadOutcome outcome) { waiting.set_value(std::move(outcome)); });
  pool.submit(query, [&](ReadOutcome outcome) { refused.set_value(std::move(outcome)); });
  EXPECT_EQ(refused.get_future().get().error().message, "too many reads are waiting");
  cluster.run_sql(cluster.url("postgres", "postgres"), "SELECT pg_sleep(0.041)");
  release.set_value();
  const ReadOutcome late = waiting.get_future().get();
  EXPECT_EQ(late.error().kind, PostgresFailure::Kind::refused);
  EXPECT_TRUE(late.error().retryable);
  pool.stop();
  pool.submit(query, [&](ReadOutcome outcome) { stopped.set_value(std::move(outcome)); });
  EXPECT_EQ(stopped.get_future().get().error().message, "the server is stopping");
}

// libpqxx has a class for some of them, and forgets the code of one.
TEST(ReadPool, failures_keep_their_sqlstate_details_and_hint) {
  PostgresCluster& cluster = PostgresCluster::shared();
  const std::string owner = cluster.new_database();
  cluster.run_sql(owner, R"sql(CREATE FUNCTION fail(code text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
    RAISE 'no: %', code USING ERRCODE = code, DETAIL = E'two\nlines', HINT = 'try ' || code; END $$;)sql");
  PostgresPool pool({.url = owner, .connections = 1});
  struct {
    const char* sqlstate;
    bool retryable;
  } const cases[] = {
      {"0A000", false}, {"22012", false}, {"23505", false}, {"24000", false}, {"25006", false}, {"26000", false},
      {"28000", false}, {"34000", false}, {"40001", true},  {"40P01", true},  {"42501", false}, {"42601", false},
      {"42703", false}, {"42883", false}, {"42P01", false}, {"42P17", false}, {"53100", true},  {"53200", true},
      {"54001", false}, {"55P03", true},  {"57014", true},  {"P0001", false}, {"P0002", false}, {"P0003", false},
      {"XX000", false}, {"ZZ123", false},
  };
  for (const auto& each : cases) {
    std::promise<ReadOutcome> answered;
    pool.submit({.role = "postgres", .sql = "SELECT fail($1::text)", .parameters = {each.sqlstate}},
                [&](ReadOutcome outcome) { answered.set_value(std::move(outcome)); });
    const ReadOutcome outcome = answered.get_future().get();
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, PostgresFailure::Kind::statement) << each.sqlstate;
    EXPECT_EQ(outcome.error().sqlstate, each.sqlstate);
    EXPECT_EQ(outcome.error().message, std::string("no: ") + each.sqlstate);
    EXPECT_EQ(outcome.error().details, "two\nlines") << each.sqlstate;
    EXPECT_EQ(outcome.error().hint, std::string("try ") + each.sqlstate);
    EXPECT_EQ(outcome.error().retryable, each.retryable) << each.sqlstate;
  }
}

TEST(ReadPool, stop_cancels_what_runs) {
  PostgresCluster& cluster = PostgresCluster::shared();
  const std::string url = cluster.url("postgres", "postgres");
  PostgresPool pool({.url = url, .connections = 1});
  std::promise<ReadOutcome> answered;
  pool.submit({.role = "postgres", .sql = "SELECT pg_sleep(20)"},
              [&](ReadOutcome outcome) { answered.set_value(std::move(outcome)); });
  const char* const running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(20)'";
  while (cluster.run_sql(url, running) == "0") {
  }
  pool.stop();
  EXPECT_EQ(answered.get_future().get().error().sqlstate, "57014");
}

// Its own server, because it goes away.
TEST(ReadsDuringARestart, answer_503_and_recover) {
  PostgresCluster cluster;
  const std::string database = new_database(cluster);
  PostgresPool pool({.url = cluster.url(database, "authenticator"), .connections = 2});
  ReadHandler handler({.user_reads = pool, .service_reads = pool, .wait_for_token = never_wait},
                      load_catalogue(pool, "techfix", "anon"));
  for (const auto how : {PostgresCluster::Stop::fast, PostgresCluster::Stop::immediate}) {
    EXPECT_EQ(ask(handler, user(ann), "notes").status, 200);
    cluster.stop(how);
    for (int i = 0; i < 3; ++i) {
      const Answer answer = ask(handler, user(ann), "notes");
      EXPECT_EQ(answer.status, 503);
      EXPECT_EQ(answer.header("Retry-After"), "1");
      EXPECT_EQ(answer.body, R"({"code":"PGRST000","details":null,"hint":null,)"
                             R"("message":"Could not connect with the database. Retrying the connection."})");
    }
    EXPECT_THROW(load_catalogue(pool, "techfix", "anon"), CatalogueError);
    cluster.start();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(handler, user(ann), "notes").header("Content-Range"), "0-5/*");
  }
  pool.stop();
}

// conventions.md, Consistency-Token.
TEST_F(Reads, wait_for_the_position_of_a_token) {
  const TokenWait reached{TokenWait::End::reached, ""};
  const TokenWait timed_out{TokenWait::End::timed_out, "events=12;ms=340"};
  const TokenWait not_applicable{TokenWait::End::not_applicable, "bad_hmac"};
  const TokenWait stopped{TokenWait::End::stopped, "notes: decode"};
  const std::pair<std::string, std::string> token{"consistency-token", "t"};
  struct {
    TokenWait wait;
    const char* query;
    Headers headers;
    std::string token;
    int seconds;
    int status;
    const char* lag;
    const char* says;
  } const cases[] = {
      {reached, "", {token}, "t", 2, 200, "(none)", "note 1"},
      {reached, "at_least=v1.b", {}, "v1.b", 2, 200, "(none)", "note 1"},
      {reached, "at_least=v1.b", {token, {"prefer", "wait=5"}}, "t", 5, 200, "(none)", "note 1"},
      {timed_out,
       "",
       {token, {"prefer", "wait=99"}},
       "t",
       30,
       503,
       "(none)",
       R"({"code":"projection_behind","details":"events=12;ms=340",)"},
      {timed_out, "", {token, {"prefer", "handling=strict"}}, "t", 2, 503, "(none)", R"({"code":"projection_behind",)"},
      {timed_out, "", {token, {"prefer", "handling=lenient"}}, "t", 2, 200, "events=12;ms=340", "note 1"},
      {not_applicable, "", {token}, "t", 2, 400, "(none)", R"({"code":"token_not_applicable","details":"bad_hmac",)"},
      {stopped, "", {token, {"prefer", "handling=lenient"}}, "t", 2, 503, "(none)", R"("details":"notes: decode")"},
  };
  for (const auto& each : cases) {
    int waits = 0;
    const WaitForToken wait = [&](std::string sent, std::chrono::milliseconds timeout, auto done) {
      ++waits;
      EXPECT_EQ(sent, each.token);
      EXPECT_EQ(timeout, std::chrono::seconds(each.seconds));
      done(each.wait);
    };
    ReadHandler handler({.user_reads = *pool_, .service_reads = *pool_, .wait_for_token = wait},
                        load_catalogue(*pool_, "techfix", "anon"));
    const Answer answer = ask(handler, user(ann), std::string("notes?") + each.query, each.headers);
    EXPECT_EQ(waits, 1);
    EXPECT_EQ(answer.status, each.status) << answer.body;
    EXPECT_EQ(answer.header("Consistency-Lag"), each.lag);
    EXPECT_EQ(answer.header("Retry-After"), each.status == 503 ? "1" : "(none)");
    EXPECT_TRUE(answer.body.contains(each.says)) << answer.body;
    EXPECT_EQ(ask(handler, user(ann), "nothere", each.headers).status, 404);
    EXPECT_EQ(waits, 1) << "a refused request must not wait";
  }
}

TEST_F(Reads, a_new_catalogue_serves_the_next_request) {
  EXPECT_EQ(get("extra").status, 404);
  PostgresCluster::shared().run_sql(owner_url(),
                                    "CREATE VIEW techfix.extra AS SELECT 1 AS id; GRANT SELECT ON techfix.extra TO anon");
  handler_->set_catalogue(load_catalogue(*pool_, "techfix", "anon"));
  EXPECT_EQ(get("extra", {}, anonymous()).body, R"([{"id":1}])");
  PostgresCluster::shared().run_sql(owner_url(), "DROP VIEW techfix.extra");
  EXPECT_EQ(get("extra", {}, anonymous()).status, 404);
  handler_->set_catalogue(load_catalogue(*pool_, "techfix", "anon"));
}

}  // namespace
}  // namespace guildhall
