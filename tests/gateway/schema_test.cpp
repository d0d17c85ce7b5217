#include "gateway/schema.h"

#include <gtest/gtest.h>

#include "events/catalogue.h"
#include "tests/gateway/inline_schema.h"

namespace guildhall {
namespace {

const SchemaCatalogue& catalogue() {
  static const SchemaCatalogue made(schemas());
  return made;
}

TEST(SchemaCatalogue, reads_a_command_with_its_route_roles_and_fields) {
  const CommandSchema* cancel = catalogue().command("booking.v1.CancelBooking");
  ASSERT_NE(cancel, nullptr);
  EXPECT_EQ(cancel->aggregate, "booking");
  EXPECT_EQ(cancel->route->path, "/v1/bookings/{booking_id}/cancel");
  EXPECT_EQ(cancel->route->method, Method::post);
  EXPECT_TRUE(cancel->authenticated);
  EXPECT_TRUE(cancel->service_role);
  EXPECT_FALSE(cancel->internal);
  EXPECT_EQ(cancel->resource->name, "booking.v1.BookingView");
  EXPECT_EQ(cancel->resource->location, "/v1/bookings/{id}");
  EXPECT_EQ(cancel->group->name, "booking_id");
  EXPECT_EQ(cancel->account, nullptr);
  ASSERT_EQ(cancel->table->fields.size(), 2u);
  EXPECT_EQ(cancel->table->fields[0].name, "booking_id");
  EXPECT_EQ(cancel->table->fields[1].max_length, 2000u);
}

TEST(SchemaCatalogue, a_pair_of_accounts_may_be_the_group) {
  const CommandSchema* follow = catalogue().command("relation.v1.Follow");
  ASSERT_NE(follow, nullptr);
  EXPECT_EQ(follow->group, nullptr);
  EXPECT_EQ(follow->pair[0]->name, "follower_id");
  EXPECT_EQ(follow->pair[1]->name, "following_id");
  EXPECT_EQ(follow->account->name, "follower_id");
}

// TU-16: a short description has at most 500 characters. TU-20: a price is not negative. TU-18: one participant unless told
// otherwise.
TEST(SchemaCatalogue, reads_the_constraints_of_the_domain) {
  const TableSchema& update = *catalogue().table("session.v1.UpdateSession");
  EXPECT_EQ(update.field("short_description")->max_length, 500u);
  EXPECT_EQ(update.field("price_cents")->min, 0);
  EXPECT_EQ(update.field("price_cents")->max, 2147483647u);
  EXPECT_EQ(update.field("max_participants")->default_integer, 1);
  EXPECT_EQ(update.field("level")->enumeration->name, "session.v1.Level");
  EXPECT_EQ(update.field("currency")->format, FieldFormat::currency);
  EXPECT_TRUE(update.field("title")->needed);
  EXPECT_TRUE(catalogue().command("payment.v1.RequestRefund")->key_required);
  EXPECT_TRUE(catalogue().command("booking.v1.ExpireBooking")->internal);
}

TEST(SchemaCatalogue, knows_every_event_command_and_resource_of_the_binary) {
  const auto check = [&]<class... T>(std::type_identity<std::variant<T...>>, TableUse use) {
    for (const std::string_view name : {type_name<T>()...}) {
      ASSERT_NE(catalogue().table(name), nullptr) << name;
      EXPECT_EQ(catalogue().table(name)->use, use) << name;
    }
  };
  check(std::type_identity<AnyEvent::Types>{}, TableUse::event);
  check(std::type_identity<AnyCommand::Types>{}, TableUse::command);
  check(std::type_identity<AnyResource::Types>{}, TableUse::resource);
  EXPECT_EQ(catalogue().commands().size(), std::variant_size_v<AnyCommand::Types>);
}

TEST(SchemaCatalogue, keeps_doc_comments_and_struct_fields) {
  EXPECT_TRUE(catalogue().table("booking.v1.CreateBooking")->doc.starts_with("Books a seat"));
  const FieldSchema* added = catalogue().table("calendar.v1.SlotsGenerated")->field("added");
  ASSERT_EQ(added->kind, FieldKind::structures);
  EXPECT_EQ(added->structure->fields.front().name, "slot_id");
  EXPECT_EQ(added->structure->fields[3].format, FieldFormat::instant);
}

TEST(Routes, matches_literals_and_parameters) {
  const auto match = catalogue().match_route(Method::post, "/v1/bookings/7b4f/cancel");
  const auto* found = std::get_if<RouteFound>(&match);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->command->table->name, "booking.v1.CancelBooking");
  ASSERT_EQ(found->params.size(), 1u);
  EXPECT_EQ(found->params[0].field->name, "booking_id");
  EXPECT_EQ(found->params[0].value, "7b4f");
}

TEST(Routes, every_command_is_found_by_its_own_route) {
  for (const CommandSchema& command : catalogue().commands()) {
    if (!command.route) continue;
    std::string path;
    for (const RouteSegment& segment : command.route->segments) path += "/" + std::string(segment.field ? "x" : segment.text);
    const auto match = catalogue().match_route(command.route->method, path);
    ASSERT_TRUE(std::holds_alternative<RouteFound>(match)) << command.table->name;
    EXPECT_EQ(std::get<RouteFound>(match).command, &command);
  }
}

TEST(Routes, another_method_lists_those_allowed) {
  const auto match = catalogue().match_route(Method::del, "/v1/bookings");
  ASSERT_TRUE(std::holds_alternative<MethodNotAllowed>(match));
  EXPECT_EQ(std::get<MethodNotAllowed>(match).allowed, std::vector{Method::post});
}

TEST(Routes, everything_else_is_not_found) {
  for (const char* path : {"", "v1/bookings", "/", "/v1", "/v1/bookings/", "/v1/bookings//cancel", "/v1/Bookings",
                           "/v1/bookings/x/cancel/", "/v1/bookings/x/y/z", "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a"})
    EXPECT_TRUE(std::holds_alternative<RouteNotFound>(catalogue().match_route(Method::post, path))) << path;
}

const std::string view_table = "table View (location: \"/v1/orders/{id}\") { id: ids.Uuid (native_inline); version: uint64; }\n";

TEST(Routes, a_parameter_is_tried_when_a_literal_leads_nowhere) {
  const std::string rest = ", roles: \"authenticated\", aggregate: \"order\", resource: \"shop.v1.View\", summary: \"s\") ";
  const InlineSchema schema(view_table + "table A (http: \"POST /v1/orders/{id}/pay\"" + rest +
                            "{ id: ids.Uuid (group, needed); }\n" + "table B (http: \"POST /v1/orders/mine\"" + rest +
                            "{ id: ids.Uuid (group, needed); }\n");
  const SchemaCatalogue made(schema.schemas());
  EXPECT_EQ(std::get<RouteFound>(made.match_route(Method::post, "/v1/orders/mine/pay")).command->table->name, "shop.v1.A");
  EXPECT_EQ(std::get<RouteFound>(made.match_route(Method::post, "/v1/orders/mine")).command->table->name, "shop.v1.B");
}

struct Mistake {
  const char* attributes;
  const char* fields;
  const char* text;
};

TEST(SchemaMistakes, stop_the_start_with_a_precise_text) {
  const char* good = R"(http: "POST /v1/orders/{id}/pay", roles: "authenticated", resource: "shop.v1.View", summary: "s")";
  const char* id = "id: ids.Uuid (group, needed);";
  const Mistake mistakes[] = {
      {R"(http: "POST /v1/o", resource: "shop.v1.View", summary: "s")", id, "shop.v1.Pay: a command needs roles"},
      {R"(http: "POST /v1/o", roles: "root", resource: "shop.v1.View", summary: "s")", id, "unknown role \"root\""},
      {R"(http: "POST /v1/o", roles: "internal", resource: "shop.v1.View", summary: "s")", id,
       "an internal command has no route"},
      {R"(roles: "authenticated", resource: "shop.v1.View", summary: "s")", id, "a client command needs http"},
      {R"(http: "POST /v1/o", roles: "authenticated", resource: "shop.v1.View")", id, "a client command needs a summary"},
      {R"(http: "POST /v1/o", roles: "authenticated", resource: "shop.v1.Nothing", summary: "s")", id,
       "its resource \"shop.v1.Nothing\""},
      {R"(http: "FETCH /v1/o", roles: "authenticated", resource: "shop.v1.View", summary: "s")", id, "http is not"},
      {R"(http: "GET /v1/o", roles: "authenticated", resource: "shop.v1.View", summary: "s")", id, "is sent by POST, PUT"},
      {R"(http: "POST /v1/{other}", roles: "authenticated", resource: "shop.v1.View", summary: "s")", id,
       "{other}, which is no field"},
      {R"(http: "POST /v1/{n}", roles: "authenticated", resource: "shop.v1.View", summary: "s")", "id: ids.Uuid (group); n: int;",
       "path parameter {n} is not an ids.Uuid"},
      {good, "id: ids.Uuid (needed);", "shop.v1.Pay: no field is the group"},
      {good, "id: ids.Uuid (group); b: ids.Uuid (group);", "shop.v1.Pay.b: a second group field"},
      {R"(http: "POST /v1/o", roles: "authenticated", resource: "shop.v1.View", summary: "s", pair: "id,b")",
       "id: ids.Uuid (group, needed); b: ids.Uuid (needed);", "pair and group exclude each other"},
      {R"(http: "POST /v1/o", roles: "authenticated", resource: "shop.v1.View", summary: "s", pair: "id,b")",
       "id: ids.Uuid (needed); b: ids.Uuid;", "pair names b, which is no needed ids.Uuid"},
      {R"(http: "POST /v1/o", roles: "authenticated", resource: "shop.v1.View", summary: "s", pair: "id")",
       "id: ids.Uuid (needed);", "pair names two fields"},
      {good, "id: ids.Uuid (group); b: string (account, max_length: \"5\");", "account wants the type ids.Uuid"},
      {good, "id: ids.Uuid (group); s: string;", "shop.v1.Pay.s: a string that clients send needs a max_length"},
      {good, "id: ids.Uuid (group); s: [ids.Uuid];", "a vector that clients send needs max_items"},
      {good, "id: ids.Uuid (group); s: [ubyte];", "a command holds scalars, strings, UUIDs"},
      {good, "id: ids.Uuid (group); s: double;", "its type is not supported"},
      {good, "id: ids.Uuid (group); n: int8 (max: \"128\");", "max is outside its type"},
      {good, "id: ids.Uuid (group); n: uint8 (min: \"-1\");", "min is outside its type"},
      {good, "id: ids.Uuid (group); n: int (min: \"5\", max: \"4\");", "min is above max"},
      {good, "id: ids.Uuid (group); n: int (min: \"five\");", "min is not a number that fits: \"five\""},
      {good, "id: ids.Uuid (group); n: int (multiple_of: \"0\");", "multiple_of is below 1"},
      {good, "id: ids.Uuid (group); n: int (max_length: \"3\");", "are for strings"},
      {good, "id: ids.Uuid (group); s: string (max: \"3\", max_length: \"3\");", "are for integers"},
      {good, "id: ids.Uuid (group); s: string (format: \"instant\", max_length: \"3\");", "wants the type int64"},
      {good, "id: ids.Uuid (group); s: string (format: \"colour\", max_length: \"3\");", "unknown format \"colour\""},
      {good, "id: ids.Uuid (group); s: string (pattern: \"[\", max_length: \"3\");", "shop.v1.Pay.s: pattern: "},
      {good, "id: ids.Uuid (group); s: string (pattern: \"a\", max_length: \"5000\");",
       "a pattern wants a max_length of at most 1000"},
      {good, "id: ids.Uuid (group); s: string (needed, server_set);", "needed and server_set exclude each other"},
  };
  for (const Mistake& mistake : mistakes) {
    const InlineSchema schema(view_table + "table Pay (aggregate: \"order\", " + mistake.attributes + ") { " + mistake.fields +
                              " }");
    try {
      const SchemaCatalogue made(schema.schemas());
      FAIL() << "accepted: " << mistake.text;
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find(mistake.text), std::string::npos) << error.what();
    }
  }
}

TEST(SchemaMistakes, two_commands_cannot_share_a_route) {
  const std::string rest =
      " (http: \"POST /v1/o\", roles: \"authenticated\", aggregate: \"order\", resource: \"shop.v1.View\", summary: \"s\") "
      "{ id: ids.Uuid (group); }\n";
  const InlineSchema schema(view_table + "table A" + rest + "table B" + rest);
  EXPECT_THROW(SchemaCatalogue{schema.schemas()}, std::runtime_error);
}

TEST(SchemaMistakes, damaged_bytes_are_refused) {
  const Schema damaged{.name = "shop", .bfbs = "not a schema, not at all", .plain = {}, .fbs = {}, .digest = {}};
  EXPECT_THROW(SchemaCatalogue({&damaged, 1}), std::runtime_error);
}

}  // namespace
}  // namespace guildhall
