#include "gateway/openapi.h"

#include <fstream>
#include <functional>
#include <regex>
#include <set>
#include <vector>

#include <gtest/gtest.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "gateway/rpc_functions.h"
#include "gateway/schema_documents.h"

namespace guildhall {
namespace {

namespace json = boost::json;

const SchemaCatalogue& catalogue() {
  static const SchemaCatalogue made(schemas());
  return made;
}

constexpr ErrorEntry errors[] = {
    {"invalid_request", 400, "Invalid request", "The request has problems."},
    {"slot_full", 409, "Slot full", "Every seat of the slot is taken."},
    {"own_session", 422, "Own session", "An expert cannot book their own session."},
};

const std::string& document() {
  static const std::string text = openapi_document(catalogue(), errors, {.version = "0.1.0"});
  return text;
}

const json::value& at(const json::value& value, std::string_view pointer) {
  return value.at_pointer(json::string_view(pointer.data(), pointer.size()));
}

void visit_references(const json::value& value, const std::function<void(std::string_view)>& visit) {
  if (const auto* object = value.if_object()) {
    for (const auto& [name, member] : *object) {
      if (name == "$ref") visit(member.as_string());
      else visit_references(member, visit);
    }
  } else if (const auto* array = value.if_array()) {
    for (const json::value& element : *array) visit_references(element, visit);
  }
}

// Also of a resource that no command answers with.
TEST(OpenApi, every_reference_resolves) {
  const json::value whole = json::parse(document());
  std::size_t references = 0;
  visit_references(whole, [&](std::string_view reference) {
    boost::system::error_code error;
    whole.find_pointer({reference.data() + 1, reference.size() - 1}, error);
    EXPECT_FALSE(error) << reference;
    ++references;
  });
  EXPECT_GT(references, 100u);
}

// openapi_lint.sh lints this file.
TEST(OpenApi, is_written_for_the_linter) {
  std::ofstream out(std::string(GUILDHALL_BINARY_DIR) + "/openapi.json", std::ios::binary);
  out << document();
  EXPECT_TRUE(out.good());
}

TEST(OpenApi, has_an_operation_for_every_client_command) {
  const json::value parsed = json::parse(document());
  std::size_t routes = 0;
  for (const CommandSchema& command : catalogue().commands()) {
    const bool is_public = parsed.at("components").at("schemas").as_object().contains(std::string(command.table->name));
    if (!command.route) {
      EXPECT_FALSE(is_public) << command.table->name;
      continue;
    }
    ++routes;
    const auto* item = parsed.at("paths").as_object().if_contains(std::string(command.route->path));
    ASSERT_NE(item, nullptr) << command.route->path;
    EXPECT_TRUE(item->as_object().contains(command.route->method == Method::put ? "put" : "post")) << command.route->path;
  }
  EXPECT_GT(routes, 0u);
}

// TU-16, and TU-18's default, as clients see them.
// Where a 201 points there is something to get, and no path is there twice under two names of its parameter.
TEST(OpenApi, resources_are_read_at_their_location) {
  const json::value parsed = json::parse(document());
  const json::object& paths = parsed.at("paths").as_object();
  for (const char* path : {"/v1/accounts/{account_id}", "/v1/sessions/{session_id}", "/v1/bookings/{booking_id}"}) {
    ASSERT_TRUE(paths.contains(path)) << path;
    EXPECT_TRUE(paths.at(path).as_object().contains("get")) << path;
  }
  std::set<std::string> shapes;
  for (const auto& path : paths)
    EXPECT_TRUE(shapes.insert(std::regex_replace(std::string(path.key()), std::regex("[{][^}]*[}]"), "{}")).second) << path.key();
  const auto located = catalogue().resource_at("/v1/bookings/abc");
  ASSERT_TRUE(located);
  EXPECT_EQ(located->table->name, "booking.v1.BookingView");
  EXPECT_EQ(located->id, "abc");
  for (const char* path : {"/v1/bookings", "/v1/bookings/", "/v1/bookings/abc/cancel", "/v1/claims/abc", ""})
    EXPECT_FALSE(catalogue().resource_at(path)) << path;
}

TEST(OpenApi, bodies_carry_the_constraints_of_the_schema) {
  const json::value parsed = json::parse(document());
  const json::value& update = at(parsed, "/components/schemas/session.v1.UpdateSession");
  EXPECT_EQ(at(update, "/properties/short_description/maxLength").to_number<int>(), 500);
  EXPECT_EQ(at(update, "/properties/max_participants/default").to_number<int>(), 1);
  EXPECT_EQ(at(update, "/properties/price_cents/minimum").to_number<int>(), 0);
  EXPECT_FALSE(update.at("properties").as_object().contains("session_id"));  // It stands in the path.
  EXPECT_FALSE(update.at("additionalProperties").as_bool());
  const json::value& registration = at(parsed, "/components/schemas/account.v1.RegisterAccount/properties");
  EXPECT_FALSE(registration.as_object().contains("email_claim_id"));  // The server sets it.
  EXPECT_EQ(at(registration, "/email/format").as_string(), "email");
}

TEST(OpenApi, commands_that_move_money_demand_a_key) {
  const json::value parsed = json::parse(document());
  const auto& parameters = at(parsed, "/paths/~1v1~1payments~1{payment_id}~1refund/post/parameters").as_array();
  EXPECT_EQ(parameters.at(1).at("$ref").as_string(), "#/components/parameters/RequiredIdempotencyKey");
}

TEST(OpenApi, rejection_codes_are_examples_of_their_status) {
  const json::value parsed = json::parse(document());
  const json::value& example =
      at(parsed, "/components/responses/Problem409/content/application~1problem+json/examples/slot_full/value");
  EXPECT_EQ(example.at("code").as_string(), "slot_full");
  EXPECT_EQ(example.at("status").to_number<int>(), 409);
}

// PA-102
TEST(OpenApi, notifications_are_told_live_where_there_are_any) {
  const json::value parsed = json::parse(document());
  const json::value& get = at(parsed, "/paths/~1v1~1notifications~1live/get");
  EXPECT_TRUE(at(get, "/responses/200/content").as_object().contains("text/event-stream"));
  for (const char* refusal : {"401", "403", "429", "503"})
    EXPECT_TRUE(get.at("responses").as_object().contains(refusal)) << refusal;
  std::vector<Schema> others;
  for (const Schema& schema : schemas())
    if (!schema.name.starts_with("notification")) others.push_back(schema);
  const SchemaCatalogue without(others);
  EXPECT_FALSE(openapi_document(without, errors, {.version = "0.1.0"}).contains("/v1/notifications/live"));
}

// TU-38, TU-39.
TEST(OpenApi, the_seeds_functions_keep_their_arguments_and_results) {
  const json::value parsed = json::parse(document());
  const json::value& post = at(parsed, "/paths/~1rest~1v1~1rpc~1create_booking_with_payment/post");
  const json::value& body = at(post, "/requestBody/content/application~1json/schema");
  EXPECT_EQ(body.at("required"), (json::array{json::value("p_learner_user_id"), json::value("p_slot_id")}));
  EXPECT_EQ(at(body, "/properties/p_slot_id/format").as_string(), "uuid");
  EXPECT_EQ(at(post, "/responses/200/content/application~1json/schema/items/properties").as_object().size(), 5u);
  EXPECT_EQ(
      at(parsed, "/paths/~1rest~1v1~1rpc~1create_session/post/responses/200/content/application~1json/schema/format").as_string(),
      "uuid");
}

TEST(RpcFunctions, name_fields_that_exist) {
  for (const RpcFunction& function : rpc_functions()) {
    const CommandSchema* command = catalogue().command(function.command);
    ASSERT_NE(command, nullptr) << function.command;
    for (const RpcArgument& argument : function.arguments)
      EXPECT_NE(command->table->field(argument.field), nullptr) << argument.name;
    for (const RpcResult& result : function.results) EXPECT_NE(command->resource->field(result.field), nullptr) << result.name;
  }
}

TEST(SchemaDocuments, list_subjects_and_versions_and_find_them_by_digest) {
  const json::value subjects = json::parse(schema_subjects(catalogue()));
  EXPECT_EQ(subjects.at("subjects").as_array().size(), schemas().size());
  const json::value versions = json::parse(schema_versions(catalogue(), "booking").value());
  const std::string digest(versions.at("versions").at(0).at("sha256").as_string());
  EXPECT_EQ(digest.size(), 64u);
  const json::value page = json::parse(schema_by_digest(catalogue(), digest).value());
  EXPECT_EQ(page.at("subject").as_string(), "booking");
  EXPECT_EQ(page.at("fbs").as_string(), schema_of_type("booking.v1.BookingCreated")->fbs);
  EXPECT_EQ(at(page, "/json_schemas/booking.v1.BookingCreated/properties/start_at/format").as_string(), "date-time");
  EXPECT_EQ(schema_versions(catalogue(), "nothing"), std::nullopt);
  EXPECT_EQ(schema_by_digest(catalogue(), std::string(64, '0')), std::nullopt);
  EXPECT_EQ(schema_by_digest(catalogue(), ""), std::nullopt);
}

}  // namespace
}  // namespace guildhall
