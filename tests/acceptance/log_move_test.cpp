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

std::string embedded(const std::filesystem::path& data) { return "embedded:" + data.string(); }

struct Copying {
  const Server& server;
  std::string platform;
  std::string brokers;

  ToolResult run(const std::string& from, const std::string& to, const std::vector<std::string>& flags = {"--json"}) const {
    std::vector<std::string> arguments{"log", "copy", "--from", from, "--to", to, "--platform", platform};
    if (!brokers.empty()) arguments.insert(arguments.end(), {"--brokers", brokers});
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
    place.insert(place.begin(), {"log", "verify", "--json", "--platform", platform});
    const ToolResult result = server.run_as_is(std::move(place));
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    return json::parse(result.out);
  }
  json::value verified_on_kafka() const { return verified({"--log", "kafka", "--brokers", brokers}); }
};

TEST(LogMove, a_platform_goes_to_kafka_and_back_over_crashes_and_lives_on) {
  KafkaCluster cluster(1);  // The platform's own name is on it.
  Server server;
  server.start({"--shards", "2"});
  const Copying copy{server, "tutoring", cluster.bootstrap()};
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
  EXPECT_GT(third.at("shards").at(0).at("was_there").to_number<std::uint64_t>(),
            json::parse(first.out).at("shards").at(0).at("sequence").to_number<std::uint64_t>());
  const json::value original = copy.verified({"--data", server.data()});
  EXPECT_EQ(copy.verified_on_kafka(), original);
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
  EXPECT_EQ(exported({"--log", "kafka", "--brokers", cluster.bootstrap()}), all);
  EXPECT_TRUE(all.contains("decision.v1.InboxCommand"));

  // The state is the log's fold: the same on both sides.
  const ToolResult lived = server.run({"state", "hash"});
  ASSERT_EQ(lived.exit_code, 0) << lived.err;
  const ToolResult rebuilt = server.run_as_is({"state", "rebuild", "--data", data});
  ASSERT_EQ(rebuilt.exit_code, 0) << rebuilt.err;
  EXPECT_EQ(server.run_as_is({"state", "hash", "--data", data}).out, lived.out);

  // A server goes on there, with the old one's secrets: answers stay what they were, and its epochs are above all that were.
  std::filesystem::copy(server.data() / "secrets", data / "secrets", std::filesystem::copy_options::recursive);
  Server moved(data);
  moved.start();
  HttpClient client = moved.client();
  std::size_t asked = 0;
  for (const Booking& b : bookings) {
    if (!b.reply.answered()) continue;
    EXPECT_EQ(send_again(client, b).identity(), b.reply.identity()) << b.key;
    if (++asked == 20) break;
  }
  EXPECT_EQ(moved.stop(), 0) << moved.output();
  const json::value extended = copy.verified({"--data", data});
  EXPECT_GT(extended.at("records").to_number<std::uint64_t>(), original.at("records").to_number<std::uint64_t>());

  // The new place is ahead now, and the way back is open.
  const ToolResult ahead = copy.run(embedded(server.data()), embedded(data));
  EXPECT_EQ(ahead.exit_code, 4) << ahead.err;
  EXPECT_TRUE(ahead.err.contains("ahead")) << ahead.err;
  copy.copied(embedded(data), "kafka");
  EXPECT_EQ(copy.verified_on_kafka(), extended);
}

}  // namespace
}  // namespace guildhall
