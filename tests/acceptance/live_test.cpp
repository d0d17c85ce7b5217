// Notifications live, over HTTP against the real binary: the recipient hears of each once, over kill -9, from whichever process
// (PA-102, M-6, SO-10).
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <map>
#include <optional>

#include "tests/acceptance/cluster.h"
#include "tests/acceptance/server.h"
#include "tests/postgres_cluster.h"

namespace guildhall {
namespace {

struct Event {
  std::string name;
  std::string id;
  boost::json::object data;
};

// A live response, read event by event.
class EventStream {
 public:
  EventStream(std::uint16_t port, const std::string& token) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{.tv_sec = patience.count(), .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const std::string request = fmt::format(
        "GET /v1/notifications/live HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAccept: text/event-stream\r\n"
        "Authorization: Bearer {}\r\n\r\n",
        port, token);
    EXPECT_EQ(::send(fd_, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
    head_ = through(received_, "\r\n\r\n", [this] { return receive(); }).value_or("");
    EXPECT_TRUE(head_.starts_with("HTTP/1.1 200 ")) << head_;
    const auto ready = next();
    EXPECT_TRUE(ready && ready->name == "ready");
    if (ready) token_ = ready->data.at("consistency_token").as_string();
  }
  ~EventStream() { ::close(fd_); }
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  // From which on it is complete.
  const std::string& consistency_token() const { return token_; }
  // The next one but for heartbeats; nothing when the stream has ended.
  std::optional<Event> next() {
    for (;;) {
      const auto text = through(body_, "\n\n", [this] { return next_chunk(); });
      if (!text) return std::nullopt;
      const Event event = parse(*text);
      if (event.name != "heartbeat") return event;
    }
  }
  bool ended_well() const { return last_chunk_; }

 private:
  template <class More>
  static std::optional<std::string> through(std::string& text, std::string_view mark, const More& more) {
    std::size_t at = 0;
    while ((at = text.find(mark)) == std::string::npos)
      if (!more()) return std::nullopt;
    std::string taken = text.substr(0, at + mark.size());
    text.erase(0, taken.size());
    return taken;
  }
  static Event parse(std::string_view lines) {
    Event event;
    while (!lines.empty()) {
      const std::string_view line = lines.substr(0, lines.find('\n'));
      lines.remove_prefix(line.size() + 1);
      const std::string_view value = line.substr(std::min(line.size(), line.find(' ') + 1));
      if (line.starts_with("event: ")) event.name = value;
      if (line.starts_with("id: ")) event.id = value;
      if (line.starts_with("data: ")) event.data = boost::json::parse(value).as_object();
    }
    return event;
  }
  bool next_chunk() {
    if (last_chunk_) return false;
    const auto size_line = through(received_, "\r\n", [this] { return receive(); });
    if (!size_line) return false;
    std::size_t size = 0;
    std::from_chars(size_line->data(), size_line->data() + size_line->size(), size, 16);
    while (received_.size() < size + 2)
      if (!receive()) return false;
    body_.append(received_, 0, size);
    received_.erase(0, size + 2);
    last_chunk_ = size == 0;
    return !last_chunk_;
  }
  bool receive() {
    std::array<char, 4096> bytes;
    const ssize_t count = ::recv(fd_, bytes.data(), bytes.size(), 0);
    EXPECT_FALSE(count < 0 && errno == EAGAIN) << "nothing comes";
    if (count > 0) received_.append(bytes.data(), static_cast<std::size_t>(count));
    return count > 0;
  }

  int fd_;
  std::string head_, received_, body_, token_;
  bool last_chunk_ = false;
};

std::string register_member(HttpClient& service, const std::string& name) {
  const Reply made = service.post(
      "/v1/accounts",
      fmt::format(R"({{"email":"{}@example.com","display_name":"{}","role":"member","timezone":"UTC"}})", name, name),
      {{"Idempotency-Key", name}});
  EXPECT_EQ(made.status, 201) << made.body;
  return made.text("id");
}

void follow(HttpClient& service, const std::string& who, const std::string& whom, std::string_view verb = "follow") {
  const Reply reply =
      service.post(fmt::format("/v1/accounts/{}/{}", whom, verb), fmt::format(R"({{"follower_id":"{}"}})", who));
  EXPECT_EQ(reply.status, 200) << reply.body;
}

void expect_follow(const std::optional<Event>& event, int sequence, const std::string& follower) {
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->name, "notification");
  EXPECT_EQ(event->id, std::to_string(sequence));
  EXPECT_EQ(event->data.at("sequence"), sequence);
  EXPECT_EQ(event->data.at("type"), "follow");
  EXPECT_EQ(event->data.at("topic"), "followed");
  EXPECT_EQ(event->data.at("actor_id").as_string(), follower);
}

TEST(Live, a_follow_is_told_once_and_never_again_over_kill_9) {
  TemporaryFolder folder;
  Server server{ServerPlace{.data = folder.path() / "data",
                            .database = PostgresCluster::shared().new_database(),
                            .settings = {"GUILDHALL_PLATFORM=producers_avenue"}}};
  server.start();
  HttpClient service = server.client();
  const std::string ada = register_member(service, "ada"), bea = register_member(service, "bea"),
                    cid = register_member(service, "cid"), dan = register_member(service, "dan");
  const std::string beas = server.token(bea), cids = server.token(cid);
  {
    EventStream told(server.port(), beas), other(server.port(), cids);
    follow(service, ada, bea);
    const auto first = told.next();
    expect_follow(first, 1, ada);

    // Whoever reads with the place of `ready` sees the row, with the same values by the same names.
    HttpClient own = server.client_of(bea);
    const Reply seen = own.get("/rest/v1/notifications?select=id,sequence,type,topic,actor_id,related_id,created_at",
                               {{"Consistency-Token", EventStream(server.port(), beas).consistency_token()}});
    ASSERT_EQ(seen.status, 200) << seen.body;
    const boost::json::value rows = seen.json();
    ASSERT_EQ(rows.as_array().size(), 1u);
    const boost::json::object& row = rows.as_array().front().as_object();
    EXPECT_EQ(row.size(), first->data.size());
    for (const auto& member : row) {
      const boost::json::value& told_so = first->data.at(member.key());
      constexpr std::size_t seconds = std::string_view("2026-11-30T02:47:11").size();  // The zone is written otherwise.
      const std::size_t length = member.key() == "created_at" ? seconds : std::string_view::npos;
      if (told_so.is_string()) EXPECT_EQ(member.value().as_string().subview(0, length), told_so.as_string().subview(0, length));
      else EXPECT_EQ(member.value(), told_so) << member.key();
    }

    // The same again, and after its end, is nothing new: what comes next is of somebody else.
    follow(service, ada, bea);
    follow(service, ada, bea, "unfollow");
    follow(service, ada, bea);
    follow(service, cid, bea);
    expect_follow(told.next(), 2, cid);
    EXPECT_EQ(own.post("/v1/notifications/" + std::string(first->data.at("id").as_string()) + "/read").status, 200);
    const auto read = told.next();
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->name, "read");
    EXPECT_EQ(read->data.at("id"), first->data.at("id"));
    EXPECT_EQ(own.post("/v1/notification-inboxes/" + bea + "/read", "{}").status, 200);
    const auto all_read = told.next();
    ASSERT_TRUE(all_read.has_value());
    EXPECT_EQ(all_read->name, "read_up_to");
    EXPECT_EQ(all_read->data.at("read_up_to"), 2);

    // Of all that cid heard nothing.
    follow(service, bea, cid);
    expect_follow(other.next(), 1, bea);
    EXPECT_TRUE(eventually([&] { return service.get("/metrics").body.contains("guildhall_live_streams 2\n"); }));

    server.kill();
    EXPECT_EQ(told.next(), std::nullopt);
    EXPECT_FALSE(told.ended_well());
  }

  server.start();
  HttpClient again = server.client();
  EventStream told(server.port(), beas), other(server.port(), cids);
  follow(again, ada, bea);  // A retry from before.
  follow(again, dan, bea);
  expect_follow(told.next(), 3, dan);
  follow(again, dan, cid);
  expect_follow(other.next(), 2, dan);
  EXPECT_EQ(again.get("/v1/notifications/live").code(), "forbidden") << "a service key is nobody's";

  server.signal(SIGTERM);
  EXPECT_EQ(told.next(), std::nullopt);
  EXPECT_TRUE(told.ended_well());
  EXPECT_EQ(other.next(), std::nullopt);
  EXPECT_EQ(server.wait_for_end(), 0) << server.output();
  EXPECT_EQ(server.log_records({"--type", "notification.v1.NotificationRaised"}).size(), 5u);
}

// Whichever process has the recipient's shard, and whichever the recipient asks.
TEST(Live, every_process_tells_of_every_shard) {
  if (!on_kafka()) GTEST_SKIP() << "GUILDHALL_TEST_LOG=kafka: several processes need Kafka";
  constexpr std::chrono::milliseconds session{6'000};
  constexpr std::chrono::seconds whole_patience{120};
  Cluster cluster(KafkaCluster::shared(), 2, session, whole_patience, "dracarys");
  cluster.start();
  ASSERT_TRUE(eventually([&] { return cluster.is_whole(); }, whole_patience));
  HttpClient service = cluster.server(0).client();
  const std::string ada = register_member(service, "ada");
  std::map<std::uint32_t, std::string> by_shard;
  for (int n = 0; by_shard.size() < Cluster::shards; ++n) {
    const std::string id = register_member(service, fmt::format("member{}", n));
    by_shard.emplace(static_cast<std::uint32_t>(std::stoul(id.substr(15, 3), nullptr, 16)) * Cluster::shards / 4096, id);
  }
  for (const auto& [shard, member] : by_shard) {
    const std::string token = cluster.server(0).token(member);
    EventStream at_first(cluster.server(0).port(), token), at_second(cluster.server(1).port(), token);
    follow(service, ada, member);
    expect_follow(at_first.next(), 1, ada);
    expect_follow(at_second.next(), 1, ada);
  }
}

}  // namespace
}  // namespace guildhall
