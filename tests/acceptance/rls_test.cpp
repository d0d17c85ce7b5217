// What a person may see and do, by their own token, over HTTP: reliability.md §9, TU-35, TU-39, TU-48.
#include <gtest/gtest.h>

#include "tests/acceptance/server.h"

namespace guildhall {
namespace {

class People : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server = new Server;
    server->start();
  }
  static void TearDownTestSuite() {
    const int exit_code = server->stop();
    EXPECT_EQ(exit_code, 0) << server->output();
    delete server;
  }

  void SetUp() override {
    const std::string session = create_session(service, expert, 60, 1);
    add_window(service, expert, {1}, "09:00", "12:00");
    slots = free_slots(service, session);
    const Reply reply = service.post("/v1/bookings", booking_body(slots.at(0), learner.id), {{"Prefer", "wait=10"}});
    ASSERT_EQ(reply.status, 201) << reply.body;
    booking = reply.text("id");
  }

  boost::json::array details(HttpClient client) {
    return rows(client, "/rest/v1/booking_details?select=id,expert_name,learner_name");
  }
  static boost::json::array rows(HttpClient& client, const std::string& target) {
    const Reply reply = client.get(target);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.status == 200 ? reply.json().as_array() : boost::json::array{};
  }

  static Server* server;
  HttpClient service{server->port(), server->service_key()};
  const Account expert = register_expert(service, "Ada");
  const Account learner = register_learner(service, "Ben");
  const Account stranger = register_learner(service, "Cleo");
  std::vector<std::string> slots;
  std::string booking;
};
Server* People::server = nullptr;

TEST_F(People, both_parties_see_exactly_their_booking_with_both_names) {
  const boost::json::array wanted{{{"id", booking}, {"expert_name", "Ada"}, {"learner_name", "Ben"}}};
  EXPECT_EQ(details(server->client_of(learner.id)), wanted);
  EXPECT_EQ(details(server->client_of(expert.id)), wanted);
}

TEST_F(People, a_stranger_and_an_anonymous_caller_see_no_booking) {
  EXPECT_TRUE(details(server->client_of(stranger.id)).empty());
  HttpClient anonymous = server->anonymous();
  EXPECT_TRUE(rows(anonymous, "/rest/v1/booking_details").empty());
  HttpClient nobody(server->port(), "");
  EXPECT_EQ(nobody.get("/rest/v1/booking_details").status, 401);
}

TEST_F(People, tu_35_a_learner_does_not_confirm_and_an_expert_does) {
  HttpClient as_learner = server->client_of(learner.id);
  const Reply refused = as_learner.post("/v1/bookings/" + booking + "/confirm");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.code(), "expert_only");
  HttpClient as_expert = server->client_of(expert.id);
  Reply confirmed;
  // The sandbox authorizes the payment a moment after the booking.
  EXPECT_TRUE(eventually([&] {
    confirmed = as_expert.post("/v1/bookings/" + booking + "/confirm");
    return confirmed.code() != "payment_not_authorized";
  }));
  EXPECT_EQ(confirmed.status, 200) << confirmed.body;
  EXPECT_EQ(confirmed.text("status"), "confirmed");
}

// What a 201's Location names can be read there, by those whom it concerns, and an ETag saves reading it again.
TEST_F(People, a_resource_is_read_at_its_location) {
  const std::string location = "/v1/bookings/" + booking;
  for (const std::string& token : {server->token(learner.id), server->token(expert.id), server->service_key()}) {
    HttpClient client(server->port(), token);
    const Reply shown = client.get(location);
    ASSERT_EQ(shown.status, 200) << shown.body;
    EXPECT_EQ(shown.text("id"), booking);
    EXPECT_EQ(shown.text("learner_id"), learner.id);
    EXPECT_FALSE(shown.header("consistency-token").empty());
    const Reply known = client.get(location, {{"If-None-Match", "\"0\", W/" + shown.header("etag")}});
    EXPECT_EQ(known.status, 304);
    EXPECT_EQ(known.body, "");
    EXPECT_EQ(known.header("etag"), shown.header("etag"));
    EXPECT_EQ(client.get(location, {{"If-None-Match", "\"0\""}}).status, 200);
  }
  HttpClient as_stranger = server->client_of(stranger.id);
  HttpClient anonymous = server->anonymous();
  const std::string absent = as_stranger.get("/v1/bookings/" + expert.id).identity();
  EXPECT_EQ(as_stranger.get(location).identity(), absent);
  EXPECT_EQ(as_stranger.get("/v1/accounts/" + learner.id).identity(), absent);
  EXPECT_EQ(as_stranger.get("/v1/bookings/none").identity(), absent);
  EXPECT_EQ(anonymous.get(location).identity(), absent);
  EXPECT_EQ(as_stranger.get("/v1/accounts/" + stranger.id).text("display_name"), "Cleo");
  const Reply refused = as_stranger.send("DELETE", location);
  EXPECT_EQ(refused.status, 405);
  EXPECT_NE(refused.header("allow").find("GET, HEAD"), std::string::npos);
}

// A command id can be computed by whoever knows caller and key: its reply is for its sender all the same.
TEST_F(People, a_stored_reply_is_for_its_sender) {
  HttpClient as_learner = server->client_of(learner.id);
  const Reply refused = book(as_learner, slots.at(0), learner.id, "a-key");
  ASSERT_EQ(refused.code(), "already_booked");
  const std::string status = "/v1/commands/" + refused.text("command_id");
  EXPECT_EQ(as_learner.get(status).identity(), refused.identity());
  EXPECT_EQ(service.get(status).identity(), refused.identity());
  HttpClient as_stranger = server->client_of(stranger.id);
  EXPECT_EQ(as_stranger.get(status).status, 404);
}

TEST_F(People, tu_48_a_foreign_booking_is_as_absent_as_none) {
  HttpClient as_stranger = server->client_of(stranger.id);
  const Reply foreign = as_stranger.post("/v1/bookings/" + booking + "/cancel");
  const Reply absent = as_stranger.post("/v1/bookings/" + expert.id + "/cancel");
  EXPECT_EQ(foreign.status, 404);
  EXPECT_EQ(foreign.identity(), absent.identity());
  EXPECT_EQ(as_stranger.post("/v1/bookings/" + booking + "/confirm").identity(), foreign.identity());
}

TEST_F(People, a_user_books_for_nobody_else) {
  HttpClient as_stranger = server->client_of(stranger.id);
  const Reply reply = book(as_stranger, slots.at(1), learner.id);
  EXPECT_GE(reply.status, 400);
  EXPECT_LT(reply.status, 500);
  EXPECT_EQ(book(as_stranger, slots.at(1), stranger.id).status, 201);
}

TEST_F(People, an_anonymous_caller_sends_no_command) {
  HttpClient anonymous = server->anonymous();
  EXPECT_EQ(book(anonymous, slots.at(1), learner.id).status, 403);
}

TEST_F(People, tu_39_the_seed_s_function_returns_one_row) {
  HttpClient as_learner = server->client_of(learner.id);
  const boost::json::object arguments{{"p_learner_user_id", learner.id}, {"p_slot_id", slots.at(1)}, {"p_notes", "Hello"}};
  const Reply reply = as_learner.post("/rest/v1/rpc/create_booking_with_payment", boost::json::serialize(arguments));
  ASSERT_EQ(reply.status, 200) << reply.body;
  const auto row = reply.json();
  ASSERT_EQ(row.as_array().size(), 1U);
  EXPECT_EQ(row.at(0).at("amount_cents"), 5000);
  EXPECT_EQ(row.at(0).at("expert_id"), boost::json::string(expert.id));
  // The call waits for the read models, because supabase-js carries no token.
  const std::string id(row.at(0).at("booking_id").as_string());
  EXPECT_EQ(rows(as_learner, "/rest/v1/bookings?select=id&id=eq." + id).size(), 1U);
}

TEST_F(People, a_read_with_a_consistency_token_waits_for_what_it_names) {
  HttpClient as_learner = server->client_of(learner.id);
  for (std::size_t i = 1; i < slots.size() && i <= 10; ++i) {
    const Reply booked = book(as_learner, slots[i], learner.id);
    ASSERT_EQ(booked.status, 201) << booked.body;
    const Reply read = as_learner.get("/rest/v1/booking_details?select=id&id=eq." + booked.text("id"),
                                      {{"Consistency-Token", booked.header("consistency-token")}});
    ASSERT_EQ(read.status, 200) << read.body;
    EXPECT_EQ(read.json().as_array().size(), 1U) << "after booking " << i;
  }
}

}  // namespace
}  // namespace guildhall
