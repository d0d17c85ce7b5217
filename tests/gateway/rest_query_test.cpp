#include "gateway/rest_query.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace guildhall {
namespace {

const RelationCatalogue& catalogue() {
  static const RelationCatalogue all{"techfix",
                                     {{"bookings",
                                       {{{"id", "uuid"},
                                         {"seats", "integer"},
                                         {"status", "techfix.booking_status"},
                                         {"note", "text"},
                                         {"paid", "boolean"},
                                         {"made_at", "timestamp with time zone"},
                                         {"odd\"name", "text"}}}},
                                      {"people", {{{"account_id", "uuid"}, {"display_name", "text"}}}},
                                      {"articles",
                                       {{{"id", "integer"},
                                         {"title", "text"},
                                         {"tags", "text[]"},
                                         {"extra", "jsonb"},
                                         {"during", "tstzrange"},
                                         {"search", "tsvector"}}}}}};
  return all;
}

std::expected<RestPlan, RestError> plan(std::string_view query, std::string_view relation = "bookings") {
  return plan_read({.relation = relation, .query = query}, catalogue());
}

// What stands between the relation and LIMIT of the page: WHERE and ORDER BY.
std::string tail_of(const std::string& sql, std::string_view relation = "bookings") {
  const std::string from = " FROM \"techfix\".\"" + std::string(relation) + "\" AS t";
  const std::size_t start = sql.find(from) + from.size();
  return sql.substr(start, sql.find(" LIMIT ") - start);
}

std::string columns_of(const std::string& sql) {
  const std::string select = "(SELECT ";
  const std::size_t start = sql.find(select) + select.size();
  return sql.substr(start, sql.find(" FROM ") - start);
}

struct Accepted {
  const char* query;
  const char* tail;
  std::vector<std::string> parameters;
};

TEST(RestQuery, turns_filters_into_conditions_with_parameters) {
  const std::vector<Accepted> cases{
      {"", "", {}},
      {"seats=eq.2", " WHERE t.\"seats\" = $1::integer", {"2"}},
      {"seats=neq.2", " WHERE t.\"seats\" <> $1::integer", {"2"}},
      {"seats=gt.2", " WHERE t.\"seats\" > $1::integer", {"2"}},
      {"seats=gte.2", " WHERE t.\"seats\" >= $1::integer", {"2"}},
      {"seats=lt.2", " WHERE t.\"seats\" < $1::integer", {"2"}},
      {"seats=lte.2", " WHERE t.\"seats\" <= $1::integer", {"2"}},
      {"seats=not.eq.2", " WHERE NOT t.\"seats\" = $1::integer", {"2"}},
      {"status=eq.confirmed", " WHERE t.\"status\" = $1::techfix.booking_status", {"confirmed"}},
      {"seats=gt.1&seats=lt.5", " WHERE t.\"seats\" > $1::integer AND t.\"seats\" < $2::integer", {"1", "5"}},
      {"note=like.a*c", " WHERE t.\"note\" LIKE $1::text", {"a%c"}},
      {"note=ilike.*a%25c", " WHERE t.\"note\" ILIKE $1::text", {"%a%c"}},
      {"note=not.like.x*", " WHERE NOT t.\"note\" LIKE $1::text", {"x%"}},
      {"note=is.null", " WHERE t.\"note\" IS NULL", {}},
      {"note=not.is.null", " WHERE NOT t.\"note\" IS NULL", {}},
      {"paid=is.true", " WHERE t.\"paid\" IS TRUE", {}},
      {"paid=is.false", " WHERE t.\"paid\" IS FALSE", {}},
      {"paid=is.UNKNOWN", " WHERE t.\"paid\" IS UNKNOWN", {}},
      {"seats=in.(1,2,3)", " WHERE t.\"seats\" = ANY ($1::integer[])", {"{\"1\",\"2\",\"3\"}"}},
      {"seats=in.()", " WHERE t.\"seats\" = ANY ($1::integer[])", {"{}"}},
      {"seats=not.in.(1)", " WHERE NOT t.\"seats\" = ANY ($1::integer[])", {"{\"1\"}"}},
      {"note=in.(\"a,b\",c)", " WHERE t.\"note\" = ANY ($1::text[])", {"{\"a,b\",\"c\"}"}},
      {"note=in.(\"a)b\",\"q\\\"r\\\\s\")", " WHERE t.\"note\" = ANY ($1::text[])", {"{\"a)b\",\"q\\\"r\\\\s\"}"}},
      {"note=in.(NULL,,{)", " WHERE t.\"note\" = ANY ($1::text[])", {"{\"NULL\",\"\",\"{\"}"}},
      {"note=eq.", " WHERE t.\"note\" = $1::text", {""}},
      {"note=eq.a.b", " WHERE t.\"note\" = $1::text", {"a.b"}},
      {"note=eq.\"quoted\"", " WHERE t.\"note\" = $1::text", {"\"quoted\""}},
      {"note=eq.a%26b%3Dc", " WHERE t.\"note\" = $1::text", {"a&b=c"}},
      {"note=eq.a+b%2Bc", " WHERE t.\"note\" = $1::text", {"a b+c"}},
      {"note=eq.%C3%A9", " WHERE t.\"note\" = $1::text", {"\xC3\xA9"}},
      {"note=eq.x=y", " WHERE t.\"note\" = $1::text", {"x=y"}},
      {"made_at=gte.2025-01-01T00:00:00Z", " WHERE t.\"made_at\" >= $1::timestamp with time zone", {"2025-01-01T00:00:00Z"}},
      {"odd%22name=eq.1", " WHERE t.\"odd\"\"name\" = $1::text", {"1"}},
      {"&&seats=eq.1&", " WHERE t.\"seats\" = $1::integer", {"1"}},
      {"or=(seats.eq.1,note.eq.x)", " WHERE (t.\"seats\" = $1::integer OR t.\"note\" = $2::text)", {"1", "x"}},
      {"and=(seats.gt.1,seats.lt.9)", " WHERE (t.\"seats\" > $1::integer AND t.\"seats\" < $2::integer)", {"1", "9"}},
      {"not.or=(seats.eq.1,seats.eq.2)", " WHERE NOT (t.\"seats\" = $1::integer OR t.\"seats\" = $2::integer)", {"1", "2"}},
      {"not.and=(seats.eq.1)", " WHERE NOT (t.\"seats\" = $1::integer)", {"1"}},
      {"or=(seats.eq.1,and(paid.is.true,note.not.is.null))",
       " WHERE (t.\"seats\" = $1::integer OR (t.\"paid\" IS TRUE AND NOT t.\"note\" IS NULL))",
       {"1"}},
      {"or=(not.and(seats.eq.1,seats.eq.2),not.or(paid.is.true))",
       " WHERE (NOT (t.\"seats\" = $1::integer AND t.\"seats\" = $2::integer) OR NOT (t.\"paid\" IS TRUE))",
       {"1", "2"}},
      {"or=(seats.in.(1,2),note.eq.\"a,b)\")",
       " WHERE (t.\"seats\" = ANY ($1::integer[]) OR t.\"note\" = $2::text)",
       {"{\"1\",\"2\"}", "a,b)"}},
      {"or=(note.ilike.*x*,+seats.eq.1)", " WHERE (t.\"note\" ILIKE $1::text OR t.\"seats\" = $2::integer)", {"%x%", "1"}},
      {"or=(\"odd\\\"name\".eq.1)", " WHERE (t.\"odd\"\"name\" = $1::text)", {"1"}},
      {"seats=eq.1&or=(paid.is.true)", " WHERE t.\"seats\" = $1::integer AND (t.\"paid\" IS TRUE)", {"1"}},
      {"order=seats", " ORDER BY t.\"seats\"", {}},
      {"order=seats.desc,made_at.asc", " ORDER BY t.\"seats\" DESC, t.\"made_at\" ASC", {}},
      {"order=seats.desc.nullslast", " ORDER BY t.\"seats\" DESC NULLS LAST", {}},
      {"order=seats.nullsfirst", " ORDER BY t.\"seats\" NULLS FIRST", {}},
      {"order=seats.asc.nullsfirst,+id", " ORDER BY t.\"seats\" ASC NULLS FIRST, t.\"id\"", {}},
      {"order=&at_least=v1.abc", "", {}},
      // Injection: whatever it says, a value stays a value.
      {"note=eq.'; DROP TABLE bookings; --", " WHERE t.\"note\" = $1::text", {"'; DROP TABLE bookings; --"}},
      {"note=eq.$1", " WHERE t.\"note\" = $1::text", {"$1"}},
      {"note=eq.x'%20OR%20'1'='1", " WHERE t.\"note\" = $1::text", {"x' OR '1'='1"}},
      {"seats=eq.1;select pg_sleep(9)", " WHERE t.\"seats\" = $1::integer", {"1;select pg_sleep(9)"}},
      {"note=eq.\\", " WHERE t.\"note\" = $1::text", {"\\"}},
      {"note=in.(\"\\\\\"),'--\")", nullptr, {}},
      {"note=in.(a'),b)", nullptr, {}},
      {"seats=in.(1::int)", " WHERE t.\"seats\" = ANY ($1::integer[])", {"{\"1::int\"}"}},
  };
  for (const Accepted& each : cases) {
    const auto made = plan(each.query);
    if (each.tail == nullptr) {
      EXPECT_FALSE(made) << each.query;
      continue;
    }
    ASSERT_TRUE(made) << each.query << ": " << to_json(made.error());
    EXPECT_EQ(tail_of(made->sql), each.tail) << each.query;
    EXPECT_EQ(made->parameters, each.parameters) << each.query;
  }
}

TEST(RestQuery, turns_searches_and_containments_into_conditions_with_parameters) {
  const std::vector<Accepted> cases{
      {"search=fts.cat", " WHERE t.\"search\" @@ to_tsquery($1::text)", {"cat"}},
      {"search=plfts.fat+cat", " WHERE t.\"search\" @@ plainto_tsquery($1::text)", {"fat cat"}},
      {"search=phfts.fat+cat", " WHERE t.\"search\" @@ phraseto_tsquery($1::text)", {"fat cat"}},
      {"search=wfts.fat+or+-cat", " WHERE t.\"search\" @@ websearch_to_tsquery($1::text)", {"fat or -cat"}},
      {"search=not.fts.cat", " WHERE NOT t.\"search\" @@ to_tsquery($1::text)", {"cat"}},
      {"search=fts(english).cat", " WHERE t.\"search\" @@ to_tsquery($1::regconfig, $2::text)", {"english", "cat"}},
      {"search=not.wfts(my_own_2).a.b",
       " WHERE NOT t.\"search\" @@ websearch_to_tsquery($1::regconfig, $2::text)",
       {"my_own_2", "a.b"}},
      {"search=fts.", " WHERE t.\"search\" @@ to_tsquery($1::text)", {""}},
      {"search=fts.a%26!b%7C(c:*)", " WHERE t.\"search\" @@ to_tsquery($1::text)", {"a&!b|(c:*)"}},
      {"search=fts.'); DROP TABLE articles; --", " WHERE t.\"search\" @@ to_tsquery($1::text)", {"'); DROP TABLE articles; --"}},
      // What is not a tsvector becomes one, by the same configuration.
      {"title=fts.cat", " WHERE to_tsvector(t.\"title\") @@ to_tsquery($1::text)", {"cat"}},
      {"title=not.plfts(french).chat",
       " WHERE NOT to_tsvector($1::regconfig, t.\"title\") @@ plainto_tsquery($1::regconfig, $2::text)",
       {"french", "chat"}},
      {"extra=phfts(simple).a+b",
       " WHERE to_tsvector($1::regconfig, t.\"extra\") @@ phraseto_tsquery($1::regconfig, $2::text)",
       {"simple", "a b"}},
      {"or=(search.fts(english).cat,title.not.plfts.\"a,b)\",search.wfts.a b)",
       " WHERE (t.\"search\" @@ to_tsquery($1::regconfig, $2::text) OR NOT to_tsvector(t.\"title\") @@ plainto_tsquery($3::text)"
       " OR t.\"search\" @@ websearch_to_tsquery($4::text))",
       {"english", "cat", "a,b)", "a b"}},
      {"tags=cs.{a,b}", " WHERE t.\"tags\" @> $1::text[]", {"{a,b}"}},
      {"tags=cd.{\"a,b\",c}", " WHERE t.\"tags\" <@ $1::text[]", {"{\"a,b\",c}"}},
      {"tags=ov.{}", " WHERE t.\"tags\" && $1::text[]", {"{}"}},
      {"tags=not.ov.{a}", " WHERE NOT t.\"tags\" && $1::text[]", {"{a}"}},
      {"extra=cs.{\"a\":{\"b\":[1,2]}}", " WHERE t.\"extra\" @> $1::jsonb", {"{\"a\":{\"b\":[1,2]}}"}},
      {"extra=cd.[1,2]", " WHERE t.\"extra\" <@ $1::jsonb", {"[1,2]"}},
      {"during=ov.[2025-01-01,2025-02-01)", " WHERE t.\"during\" && $1::tstzrange", {"[2025-01-01,2025-02-01)"}},
      {"tags=cs.{a}'; DROP TABLE articles; --", " WHERE t.\"tags\" @> $1::text[]", {"{a}'; DROP TABLE articles; --"}},
      // In a group braces keep their commas together; everything else that holds one is quoted.
      {"or=(tags.cs.{a,b},tags.not.cd.{c})",
       " WHERE (t.\"tags\" @> $1::text[] OR NOT t.\"tags\" <@ $2::text[])",
       {"{a,b}", "{c}"}},
      {"or=(tags.ov.{\"a}\\\"\",\\},b},id.eq.1)",
       " WHERE (t.\"tags\" && $1::text[] OR t.\"id\" = $2::integer)",
       {"{\"a}\\\"\",\\},b}", "1"}},
      {"and=(extra.cs.{\"a\":{\"b\":1},\"c\":2},or(tags.ov.{},during.cs.\"[1,2)\"))",
       " WHERE (t.\"extra\" @> $1::jsonb AND (t.\"tags\" && $2::text[] OR t.\"during\" @> $3::tstzrange))",
       {"{\"a\":{\"b\":1},\"c\":2}", "{}", "[1,2)"}},
      {"or=(tags.eq.{a,b},title.eq.{x}y,title.eq.{,title.eq.}{)",
       " WHERE (t.\"tags\" = $1::text[] OR t.\"title\" = $2::text OR t.\"title\" = $3::text OR t.\"title\" = $4::text)",
       {"{a,b}", "{x}y", "{", "}{"}},
      {"or=(title.eq.{a,b)", nullptr, {}},
      {"or=(tags.cs.{a,b}c)", nullptr, {}},
      {"or=(extra.cs.[1,2])", nullptr, {}},
  };
  for (const Accepted& each : cases) {
    const auto made = plan(each.query, "articles");
    if (each.tail == nullptr) {
      EXPECT_FALSE(made) << each.query;
      continue;
    }
    ASSERT_TRUE(made) << each.query << ": " << to_json(made.error());
    EXPECT_EQ(tail_of(made->sql, "articles"), each.tail) << each.query;
    EXPECT_EQ(made->parameters, each.parameters) << each.query;
  }
}

TEST(RestQuery, selects_columns_of_the_catalogue_only) {
  struct {
    const char* query;
    const char* columns;
  } const cases[] = {
      {"select=id,seats", "t.\"id\", t.\"seats\""},
      {"select=number:seats", "t.\"seats\" AS \"number\""},
      {"select=id,+number:+seats", "t.\"id\", t.\"seats\" AS \"number\""},
      {"select=id,id", "t.\"id\""},
      {"select=seats,again:seats", "t.\"seats\", t.\"seats\" AS \"again\""},
      {"select=", "t.\"id\", t.\"seats\", t.\"status\", t.\"note\", t.\"paid\", t.\"made_at\", t.\"odd\"\"name\""},
      {"select=*,seats", "t.\"id\", t.\"seats\", t.\"status\", t.\"note\", t.\"paid\", t.\"made_at\", t.\"odd\"\"name\""},
      {"select=odd%22name", "t.\"odd\"\"name\""},
  };
  for (const auto& each : cases) {
    const auto made = plan(each.query);
    ASSERT_TRUE(made) << each.query << ": " << to_json(made.error());
    EXPECT_EQ(columns_of(made->sql), each.columns) << each.query;
  }
}

TEST(RestQuery, refuses_what_it_does_not_know) {
  const std::string long_alias = "select=" + std::string(64, 'a') + ":id";
  struct {
    std::string query;
    int status;
    const char* code;
    const char* says;  // Stands somewhere in the answer.
  } const cases[] = {
      {"nothere=eq.1", 400, "42703", "column bookings.nothere does not exist"},
      {"select=nothere", 400, "42703", "column bookings.nothere does not exist"},
      {"order=nothere.asc", 400, "42703", "column bookings.nothere does not exist"},
      {"or=(nothere.eq.1)", 400, "42703", "column bookings.nothere does not exist"},
      {"select=id;drop", 400, "42703", "does not exist"},
      {"select=t.id", 400, "42703", "does not exist"},
      {"select=\"id\"", 400, "42703", "does not exist"},
      {"order=seats;--", 400, "42703", "does not exist"},
      {"seats=2", 400, "PGRST100", "Supported operators: eq"},
      {"seats=match.a", 400, "PGRST100", "unknown operator"},
      {"seats=sl.(1,2)", 400, "PGRST100", "Supported operators: eq"},
      {"note=cs(any).{1}", 400, "PGRST100", "unknown operator"},
      {"note=ftsx.a", 400, "PGRST100", "unknown operator"},
      {"note=FTS.a", 400, "PGRST100", "unknown operator"},
      {"note=fts", 400, "PGRST100", "expecting an operator"},
      {"note=fts().a", 400, "PGRST100", "the configuration of a text search"},
      {"note=fts(.a", 400, "PGRST100", "the configuration of a text search"},
      {"note=plfts(english.a", 400, "PGRST100", "the configuration of a text search"},
      {"note=phfts(english)x.a", 400, "PGRST100", "the configuration of a text search"},
      {"note=wfts(pg_catalog.english).a", 400, "PGRST100", "the configuration of a text search"},
      {"note=fts(3748).a", 400, "PGRST100", "the configuration of a text search"},
      {"note=fts(-).a", 400, "PGRST100", "the configuration of a text search"},
      {"note=fts(\"english\").a", 400, "PGRST100", "the configuration of a text search"},
      {"note=fts(english'::regconfig, 'x')).a", 400, "PGRST100", "the configuration of a text search"},
      {"note=fts(" + std::string(64, 'a') + ").a", 400, "PGRST100", "the configuration of a text search"},
      {"or=(note.fts(a,b).c)", 400, "PGRST100", "the configuration of a text search"},
      {"nothere=fts.a", 400, "42703", "column bookings.nothere does not exist"},
      {"seats=eq(any).{1}", 400, "PGRST100", "unknown operator"},
      {"seats=not.not.eq.1", 400, "PGRST100", "unknown operator"},
      {"seats=EQ.1", 400, "PGRST100", "unknown operator"},
      {"seats=", 400, "PGRST100", "expecting an operator"},
      {"seats=.1", 400, "PGRST100", "unknown operator"},
      {"paid=is.maybe", 400, "PGRST100", "expecting null, true, false or unknown"},
      {"seats=in.1,2", 400, "PGRST100", "expecting ( after in."},
      {"seats=in.(1,2", 400, "PGRST100", "expecting , or )"},
      {"seats=in.(1)x", 400, "PGRST100", "after the list"},
      {"note=in.(\"a", 400, "PGRST100", "does not end"},
      {"note=in.(\"a\"b)", 400, "PGRST100", "expecting , or )"},
      {"note->>x=eq.1", 400, "PGRST100", "paths into JSON"},
      {"people.display_name=eq.1", 400, "PGRST100", "embedded"},
      {"select=people(display_name)", 400, "PGRST100", "Read each relation by its own request"},
      {"select=...people(display_name)", 400, "PGRST100", "embedding"},
      {"select=seats.sum()", 400, "PGRST100", "aggregates"},
      {"select=seats::text", 400, "PGRST100", "casts"},
      {"select=note->a", 400, "PGRST100", "paths into JSON"},
      {"select=a:id,a:seats", 400, "PGRST100", "two columns would be named a"},
      {"select=seats:id,*", 400, "PGRST100", "two columns would be named seats"},
      {"select=a%22b:id", 400, "PGRST100", "an alias is"},
      {"select=a b:id", 400, "PGRST100", "an alias is"},
      {"select=1a:id", 400, "PGRST100", "an alias is"},
      {"select=x:*", 400, "PGRST100", "an alias is"},
      {"select=:id", 400, "PGRST100", "an alias is"},
      {long_alias, 400, "PGRST100", "an alias is"},
      {"select=id,,seats", 400, "PGRST100", "column name is missing"},
      {"select=id&select=seats", 400, "PGRST100", "given twice"},
      {"order=seats.up", 400, "PGRST100", "expecting column"},
      {"order=seats.desc.nullslast.x", 400, "PGRST100", "expecting column"},
      {"order=seats.nullslast.desc", 400, "PGRST100", "expecting column"},
      {"order=people(id)", 400, "PGRST100", "embedded"},
      {"order=note->x", 400, "PGRST100", "paths into JSON"},
      {"or=seats.eq.1", 400, "PGRST100", "expecting ("},
      {"or=()", 400, "PGRST100", "expecting column.operator.value"},
      {"or=(seats.eq.1", 400, "PGRST100", "expecting , or )"},
      {"or=(seats.eq.1))", 400, "PGRST100", "after the group"},
      {"or=(seats.eq.1,)", 400, "PGRST100", "expecting column.operator.value"},
      {"or=(seats)", 400, "PGRST100", "expecting column.operator.value"},
      {"or=(note.eq.\"x)", 400, "PGRST100", "does not end"},
      {"or=(\"note.eq.x)", 400, "PGRST100", "does not end"},
      {"or=(note->x.eq.1)", 400, "PGRST100", "paths into JSON"},
      {"limit=ten", 400, "PGRST100", "expecting a whole number"},
      {"limit=1;select", 400, "PGRST100", "expecting a whole number"},
      {"limit=9223372036854775808", 400, "PGRST100", "expecting a whole number"},
      {"offset=1.5", 400, "PGRST100", "expecting a whole number"},
      {"limit=-1", 416, "PGRST103", "Limit should be"},
      {"offset=-1", 416, "PGRST103", "Offset should be"},
      {"note=eq.%", 400, "PGRST100", "percent-encoding"},
      {"note=eq.%zz", 400, "PGRST100", "percent-encoding"},
      {"note=eq.a%00b", 400, "PGRST100", "NUL"},
      {"no%00te=eq.a", 400, "PGRST100", "NUL"},
  };
  for (const auto& each : cases) {
    const auto made = plan(each.query);
    ASSERT_FALSE(made) << each.query << ": " << made->sql;
    EXPECT_EQ(made.error().status, each.status) << each.query;
    EXPECT_EQ(made.error().code, each.code) << each.query;
    std::string answer = made.error().message + made.error().details.value_or("") + made.error().hint.value_or("");
    EXPECT_TRUE(answer.contains(each.says)) << each.query << ": " << answer;
  }
}

TEST(RestQuery, bounds_everything) {
  const auto repeated = [](std::string_view first, std::string_view each, std::size_t count, std::string_view last) {
    std::string text(first);
    for (std::size_t i = 0; i < count; ++i) text += each;
    return text + std::string(last);
  };
  EXPECT_TRUE(plan(repeated("", "seats=eq.1&", rest_max_conditions, "")));
  EXPECT_FALSE(plan(repeated("", "seats=eq.1&", rest_max_conditions + 1, "")));
  EXPECT_TRUE(plan(repeated("or=(", "seats.eq.1,", rest_max_conditions - 1, "seats.eq.1)")));
  EXPECT_FALSE(plan(repeated("or=(", "seats.eq.1,", rest_max_conditions, "seats.eq.1)")));
  EXPECT_TRUE(plan(repeated("seats=in.(", "1,", rest_max_list - 1, "1)")));
  EXPECT_FALSE(plan(repeated("seats=in.(", "1,", rest_max_list, "1)")));
  for (const std::string_view start : {"tags=cs.{", "tags=cd.{", "tags=ov.{", "or=(tags.cs.{"}) {
    const std::string_view end = start.starts_with("or") ? "1})" : "1}";
    EXPECT_TRUE(plan(repeated(start, "1,", rest_max_list - 1, end), "articles"));
    EXPECT_FALSE(plan(repeated(start, "1,", rest_max_list, end), "articles"));
  }
  for (const std::string_view start : {"search=fts.", "title=plfts(english).", "search=phfts.", "search=wfts."}) {
    EXPECT_TRUE(plan(repeated(start, "a", rest_max_search_bytes, ""), "articles"));
    EXPECT_FALSE(plan(repeated(start, "a", rest_max_search_bytes + 1, ""), "articles"));
  }
  EXPECT_TRUE(plan(repeated("order=", "seats,", rest_max_order - 1, "seats")));
  EXPECT_FALSE(plan(repeated("order=", "seats,", rest_max_order, "seats")));
  EXPECT_TRUE(plan(repeated("select=", "id,", rest_max_selected - 1, "id")));
  EXPECT_FALSE(plan(repeated("select=", "id,", rest_max_selected, "id")));
  const auto nested = [&](std::size_t depth) {
    return repeated("or=", "", 0, "") + "(" + repeated("", "and(", depth - 1, "seats.eq.1") + std::string(depth, ')');
  };
  EXPECT_TRUE(plan(nested(rest_max_depth)));
  EXPECT_FALSE(plan(nested(rest_max_depth + 1)));
  EXPECT_FALSE(plan(nested(2'000)));
}

TEST(RestQuery, limit_offset_and_range_choose_the_window) {
  struct {
    const char* query;
    const char* range;
    const char* window;  // Empty: 416 PGRST103.
  } const cases[] = {
      {"", "", " LIMIT 1000 OFFSET 0)"},
      {"limit=5", "", " LIMIT 5 OFFSET 0)"},
      {"limit=0", "", " LIMIT 0 OFFSET 0)"},
      {"limit=5000&offset=7", "", " LIMIT 1000 OFFSET 7)"},
      {"limit=9223372036854775807&offset=9223372036854775807", "", " LIMIT 0 OFFSET 9223372036854775807)"},
      {"", "0-24", " LIMIT 25 OFFSET 0)"},
      {"", "10-", " LIMIT 1000 OFFSET 10)"},
      {"limit=5&offset=2", "4-9", " LIMIT 3 OFFSET 4)"},
      {"", "bytes=0-5", " LIMIT 1000 OFFSET 0)"},
      {"", "-5", " LIMIT 1000 OFFSET 0)"},
      {"", "a-b", " LIMIT 1000 OFFSET 0)"},
      {"", "1-x", " LIMIT 1000 OFFSET 0)"},
      {"", "5-4", ""},
      {"limit=5", "7-9", ""},
  };
  for (const auto& each : cases) {
    const auto made = plan_read({.relation = "bookings", .query = each.query, .range = each.range}, catalogue());
    if (*each.window == '\0') {
      ASSERT_FALSE(made) << each.query << " " << each.range;
      EXPECT_EQ(made.error().status, 416);
      EXPECT_EQ(made.error().code, "PGRST103");
    } else {
      ASSERT_TRUE(made) << each.query << " " << each.range;
      EXPECT_TRUE(made->sql.contains(each.window)) << made->sql;
    }
  }
  EXPECT_TRUE(plan_read({.relation = "bookings", .query = "limit=50"}, catalogue(), 20)->sql.contains(" LIMIT 20 OFFSET 0)"));
}

TEST(RestQuery, names_of_relations_and_schemas_come_from_the_catalogue) {
  const auto relation = [](std::string_view name, std::string_view profile) {
    return plan_read({.relation = name, .accept_profile = profile}, catalogue());
  };
  EXPECT_TRUE(relation("people", ""));
  EXPECT_TRUE(relation("people", "public"));
  EXPECT_TRUE(relation("people", "techfix"));
  EXPECT_EQ(relation("people", "auth").error(),
            (RestError{406, "PGRST106", "The schema must be one of the following: public, techfix", {}, {}}));
  EXPECT_EQ(relation("Bookings", "").error(),
            (RestError{404, "PGRST205", "Could not find the table 'public.Bookings' in the schema cache", {}, {}}));
  for (const char* name : {"", "pg_catalog.pg_user", "people\" t; drop table x --", "../people", "people/1"})
    EXPECT_EQ(relation(name, "").error().status, 404) << name;
}

TEST(RestQuery, negotiates_the_media_type) {
  struct {
    const char* accept;
    int status;
    bool single;
  } const cases[] = {
      {"", 200, false},
      {"application/json", 200, false},
      {"*/*", 200, false},
      {"text/html, application/xhtml+xml, */*;q=0.8", 200, false},
      {"application/vnd.pgrst.object+json", 200, true},
      {"application/vnd.pgrst.object+json; charset=utf-8", 200, true},
      {"application/json;q=0.5, application/vnd.pgrst.object+json", 200, true},
      {"application/vnd.pgrst.object+json;nulls=stripped", 406, false},
      {"text/csv", 406, false},
      {"application/json;q=0", 406, false},
      {"application/geo+json", 406, false},
  };
  for (const auto& each : cases) {
    const auto made = plan_read({.relation = "people", .accept = each.accept}, catalogue());
    ASSERT_EQ(made.has_value(), each.status == 200) << each.accept;
    if (made) {
      EXPECT_EQ(made->single_object, each.single) << each.accept;
    } else {
      EXPECT_EQ(made.error().code, "PGRST107") << each.accept;
      EXPECT_EQ(made.error().message, std::string("None of these media types are available: ") + each.accept);
    }
  }
}

TEST(RestQuery, honours_and_names_preferences) {
  const auto prefer = [](std::string_view text) { return plan_read({.relation = "people", .prefer = text}, catalogue()); };
  EXPECT_EQ(prefer("")->preferences_applied, "");
  EXPECT_EQ(prefer("")->wait, rest_default_wait);
  EXPECT_EQ(prefer("")->handling, std::nullopt);
  EXPECT_EQ(prefer("count=exact")->preferences_applied, "count=exact");
  EXPECT_TRUE(prefer("count=exact")->sql.contains("(SELECT count(*) FROM \"techfix\".\"people\" AS t)"));
  EXPECT_EQ(prefer("count=estimated, return=minimal")->preferences_applied, "");
  EXPECT_EQ(prefer("wait=7,handling=lenient")->wait, std::chrono::seconds(7));
  EXPECT_EQ(prefer("wait=0")->wait, std::chrono::seconds(0));
  EXPECT_EQ(prefer("wait=600")->wait, rest_max_wait);
  EXPECT_EQ(prefer("wait=-1")->wait, rest_default_wait);
  EXPECT_EQ(prefer("handling=strict, handling=lenient")->handling, Handling::strict);
  EXPECT_EQ(prefer("handling=strict, count=exact, wait=3")->preferences_applied, "handling=strict, count=exact, wait=3");
  EXPECT_TRUE(prefer("handling=strict, return=representation"));
  EXPECT_TRUE(prefer("handling=lenient, anything, tx=rollback"));
  EXPECT_EQ(prefer("handling=strict, anything, count=planned").error(),
            (RestError{400,
                       "PGRST122",
                       "Invalid preferences given with handling=strict",
                       "Invalid preferences: anything, count=planned",
                       {}}));
}

TEST(RestQuery, content_range_tells_what_the_page_is) {
  struct {
    std::uint64_t offset, rows;
    std::optional<std::uint64_t> total;
    int status;
    const char* range;
  } const cases[] = {
      {0, 5, {}, 200, "0-4/*"}, {0, 0, {}, 200, "*/*"}, {0, 0, 0, 200, "*/0"}, {0, 5, 5, 200, "0-4/5"}, {0, 5, 9, 206, "0-4/9"},
      {5, 4, 9, 206, "5-8/9"},  {9, 0, 9, 206, "*/9"},  {10, 0, 9, 416, ""},   {10, 0, {}, 200, "*/*"},
  };
  for (const auto& each : cases) {
    RestPlan read;
    read.offset = each.offset;
    const auto judged = judge_page(read, {each.rows, each.total});
    if (each.status == 416) {
      EXPECT_EQ(judged.error(), (RestError{416,
                                           "PGRST103",
                                           "Requested range not satisfiable",
                                           "An offset of 10 was requested, but there are only 9 rows.",
                                           {}}));
    } else {
      ASSERT_TRUE(judged);
      EXPECT_EQ(judged->status, each.status) << each.range;
      EXPECT_EQ(judged->content_range, each.range);
    }
  }
  RestPlan single;
  single.single_object = true;
  EXPECT_TRUE(judge_page(single, {1, {}}));
  for (const std::uint64_t rows : {0u, 2u}) {
    EXPECT_EQ(judge_page(single, {rows, {}}).error(), (RestError{406,
                                                                 "PGRST116",
                                                                 "JSON object requested, multiple (or no) rows returned",
                                                                 "The result contains " + std::to_string(rows) + " rows",
                                                                 {}}));
  }
}

TEST(RestQuery, errors_are_json_in_postgrests_shape) {
  EXPECT_EQ(to_json({400, "X", "a \"quoted\"\nline", "d", {}}),
            R"({"code":"X","details":"d","hint":null,"message":"a \"quoted\"\nline"})");
}

// Whatever bytes come, the SQL text is made of our words, known names, plain aliases and numbers.
TEST(RestQuery, random_queries_never_put_foreign_text_into_the_statement) {
  constexpr std::uint64_t seed = 20'240'607;
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const std::vector<std::string> pieces{"select=", "order=", "or=(",   "and(", "not.", "seats", "note",   "id",    ".eq.",
                                        ".in.(",   "=eq.",   "=in.(",  "EVIL", "'",    "\"",    "\\",     ")",     "(",
                                        ",",       "&",      ";",      "--",   "%27",  "%22",   "limit=", "1",     ".",
                                        ":",       "*",      "::",     "->",   "+",    "$1",    "/*",     "EVIL;", "is.null",
                                        ".fts.",   "=fts(",  "EVIL).", "{",    "}",    "=cs.",  ".ov.",   "wfts."};
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string query;
    for (std::uint64_t left = 1 + random() % 12; left > 0; --left) query += pieces[random() % pieces.size()];
    const auto made = plan(query);
    if (!made) continue;
    ++accepted;
    ASSERT_FALSE(made->sql.contains("EVIL") && !made->sql.contains("AS \"EVIL\"")) << query << "\n" << made->sql;
    for (const char* foreign : {";", "--", "/*", "\\"}) ASSERT_FALSE(made->sql.contains(foreign)) << made->sql;
    const auto quotes = std::ranges::count(made->sql, '\'');
    ASSERT_EQ(quotes, made->sql.contains("'[]'") ? 2 : 0) << made->sql;
    ASSERT_EQ(std::ranges::count(made->sql, '"') % 2, 0) << made->sql;
    ASSERT_EQ(std::ranges::count(made->sql, '('), std::ranges::count(made->sql, ')')) << made->sql;
  }
  EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace guildhall
