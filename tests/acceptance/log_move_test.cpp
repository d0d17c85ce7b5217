// `guildhall log copy` of a platform that was lived in: what arrives is what left, whatever happened on the way, and goes on.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/acceptance/booking_load.h"
#include "tests/kafka_cluster.h"

namespace guildhall {
namespace {

namespace json = boost::json;

constexpr std::size_t clients = 8;
constexpr std::size_t replies_before_first_pass = 100;
constexpr std::size_t replies_before_stop = 300;
constexpr std::size_t replies_asked_again = 20;
constexpr std::size_t new_bookings = 10;

std::string embedded(const std::filesystem::path& data) { return "embedded:" + data.string(); }

// The platform's log on the tests' broker, under names of its own.
std::vector<std::string> kafka_flags(const Server& server) {
  const std::string name = server.data().parent_path().filename();
  return {"--brokers", KafkaCluster::shared().bootstrap(), "--kafka-topics", name};
}

struct Copying {
  const Server& server;
  std::vector<std::string> kafka;

  ToolResult run(const std::string& from, const std::string& to, const std::vector<std::string>& flags = {"--json"}) const {
    std::vector<std::string> arguments{"log", "copy", "--from", from, "--to", to};
    arguments.insert(arguments.end(), kafka.begin(), kafka.end());
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return server.run_as_is(std::move(arguments));
  }
  json::value copied(const std::string& from, const std::string& to) const {
    const ToolResult result = run(from, to);
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    return json::parse(result.out);
  }
  // What `log verify` says of the shards: sequences and chain heads.
  json::value verified(std::vector<std::string> place) const {
    place.insert(place.begin(), {"log", "verify", "--json"});
    const ToolResult result = server.run_as_is(std::move(place));
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    return json::parse(result.out);
  }
  std::vector<std::string> on_broker() const {
    std::vector<std::string> flags{"--log", "kafka"};
    flags.insert(flags.end(), kafka.begin(), kafka.end());
    return flags;
  }
};

TEST(LogMove, a_platform_goes_to_kafka_and_back_over_crashes_and_lives_on) {
  Server server;
  server.start({"--shards", "2"});
  const Copying copy{server, kafka_flags(server)};
  SeatSupply seats(server, 4, 40);
  BookingLoad load(server, seats, clients);
  ASSERT_TRUE(eventually([&] { return load.replies() >= replies_before_first_pass; }));

  // A first pass beside the server takes what there is, and says that there is more.
  const ToolResult first = copy.run(embedded(server.data()), "kafka");
  EXPECT_EQ(first.exit_code, 7) << first.out << first.err;
  EXPECT_TRUE(json::parse(first.out).at("source_moved").as_bool());
  ASSERT_TRUE(eventually([&] { return load.replies() >= replies_before_stop; }));
  std::vector<Booking> bookings = load.finish();
  EXPECT_EQ(server.stop(), 0) << server.output();

  // The second one dies on the way; the third goes on where it was.
  EXPECT_EQ(copy.run(embedded(server.data()), "kafka", {"--crash-at", "copy_appended:1"}).exit_code, -SIGKILL);
  const json::value third = copy.copied(embedded(server.data()), "kafka");
  EXPECT_EQ(third.at("generation"), 2);
  // Which shard's batch came first the copy does not promise.
  const auto sum = [](const json::value& copied, const char* of) {
    std::uint64_t out = 0;
    for (const auto& shard : copied.at("shards").as_array()) out += shard.at(of).to_number<std::uint64_t>();
    return out;
  };
  EXPECT_GT(sum(third, "was_there"), sum(json::parse(first.out), "sequence"));
  const json::value original = copy.verified({"--data", server.data()});
  EXPECT_EQ(copy.verified(copy.on_broker()), original);
  EXPECT_EQ(copy.copied(embedded(server.data()), "kafka").at("records"), 0) << "nothing is left to copy";

  // And back, into another folder, dying in the middle of a commit.
  TemporaryFolder folder;
  const auto data = folder.path() / "data";
  EXPECT_EQ(copy.run("kafka", embedded(data), {"--crash-at", "log_after_write:2"}).exit_code, -SIGKILL);
  EXPECT_EQ(copy.copied("kafka", embedded(data)).at("generation"), 3);
  EXPECT_EQ(copy.verified({"--data", data}), original);
  const std::vector<std::string> log_files{"log", "export", "--format", "ndjson", "--show-pii"};
  const auto exported = [&](std::vector<std::string> place) {
    place.insert(place.begin(), log_files.begin(), log_files.end());
    return server.run_as_is(std::move(place)).out;
  };
  const std::string all = exported({"--data", server.data()});
  EXPECT_EQ(exported({"--data", data}), all);
  EXPECT_EQ(exported(copy.on_broker()), all);
  EXPECT_TRUE(all.contains("decision.v1.InboxCommand"));

  // The state is the log's fold: the same on both sides.
  const ToolResult lived = server.run({"state", "hash"});
  ASSERT_EQ(lived.exit_code, 0) << lived.err;
  const ToolResult rebuilt = server.run_as_is({"state", "rebuild", "--data", data});
  ASSERT_EQ(rebuilt.exit_code, 0) << rebuilt.err;
  EXPECT_EQ(server.run_as_is({"state", "hash", "--data", data}).out, lived.out);

  // A server goes on there, with the old one's secrets, and answers as the old one did. Its epochs are above all that were.
  const auto goes_on = [&](const std::filesystem::path& at, const std::vector<std::string>& flags) {
    std::filesystem::copy(server.data() / "secrets", at / "secrets", std::filesystem::copy_options::recursive);
    Server moved(at);
    moved.start(flags);
    HttpClient client = moved.client();
    std::size_t asked = 0;
    for (const Booking& b : bookings) {
      if (!b.reply.answered()) continue;
      EXPECT_EQ(send_again(client, b).identity(), b.reply.identity()) << b.key;
      if (++asked == replies_asked_again) break;
    }
    // Accounts of other shards are known too, which no record says to this one.
    for (std::size_t i = 0; i < new_bookings; ++i) {
      const Reply booked = send_again(client, seats.next());
      EXPECT_EQ(booked.status, 201) << booked.body;
    }
    EXPECT_EQ(moved.stop(), 0) << moved.output();
  };
  goes_on(data, {});
  const json::value extended = copy.verified({"--data", data});
  EXPECT_GT(extended.at("records").to_number<std::uint64_t>(), original.at("records").to_number<std::uint64_t>());

  // The new place is ahead now, and the way back is open: to the broker, where a server goes on as well.
  const auto expect_ahead = [&](const std::string& from, const std::string& to) {
    const ToolResult ahead = copy.run(from, to);
    EXPECT_EQ(ahead.exit_code, 4) << ahead.err;
    EXPECT_TRUE(ahead.err.contains("ahead")) << ahead.err;
  };
  expect_ahead(embedded(server.data()), embedded(data));
  copy.copied(embedded(data), "kafka");
  EXPECT_EQ(copy.verified(copy.on_broker()), extended);
  std::vector<std::string> flags = copy.on_broker();
  flags.insert(flags.end(), {"--node", "moved"});
  const auto third_data = folder.path() / "third";
  std::filesystem::create_directories(third_data);
  goes_on(third_data, flags);
  const json::value on_broker = copy.verified(copy.on_broker());
  EXPECT_GT(on_broker.at("records").to_number<std::uint64_t>(), extended.at("records").to_number<std::uint64_t>());
  expect_ahead(embedded(data), "kafka");
}

}  // namespace
}  // namespace guildhall
