// Two processes' gateways over real sockets, their shards on one log: whichever is asked, the shard's owner answers.
#include "gateway/dispatcher.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <future>
#include <map>
#include <thread>

#include "events/codec.h"
#include "gateway/api.h"
#include "gateway/hmac_sha256.h"
#include "gateway/http_server.h"
#include "gateway/problem.h"
#include "infra/base64url.h"
#include "infra/memory_log.h"
#include "infra/memory_state_store.h"
#include "infra/system_clock.h"
#include "tests/aggregates/given.h"

namespace guildhall {
namespace {

using testing::id_of;

constexpr std::uint32_t shard_count = 2;
constexpr Bucket in_first = 0x2a7, in_second = 0xd01;  // Buckets of shard 0 and of shard 1.
constexpr auto patience = std::chrono::seconds(10);    // Of a test for what must happen.
const std::string cluster_key = "a cluster key of 32 bytes or more";
const std::string jwt_secret = "a secret of tokens, of 32 bytes or more";

std::string peer_authorization(const std::string& key) {
  const Mac mac = HmacSha256(key).of("peer/v1");
  return "Bearer " + base64url_encode({mac.data(), mac.size()});
}

const SchemaCatalogue& catalogue() {
  static const SchemaCatalogue loaded(schemas());
  return loaded;
}

// ---- HTTP by hand

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;
  std::string body;

  // What every answer has anew.
  std::map<std::string, std::string> lasting_headers() const {
    auto out = headers;
    for (const char* name : {"Date", "X-Request-Id", "Connection", "Idempotent-Replayed"}) out.erase(name);
    return out;
  }
};

Answer ask(std::uint16_t port, const std::string& method, const std::string& path,
           const std::map<std::string, std::string>& fields, const std::string& body = {}) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  std::string out = method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n";
  for (const auto& [name, value] : fields) out += name + ": " + value + "\r\n";
  if (method != "GET") out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  out += "\r\n" + body;
  ::send(socket, out.data(), out.size(), MSG_NOSIGNAL);
  std::string in;
  for (;;) {
    std::array<char, 4096> bytes;
    const ssize_t count = ::recv(socket, bytes.data(), bytes.size(), 0);
    if (count <= 0) break;
    in.append(bytes.data(), static_cast<std::size_t>(count));
  }
  ::close(socket);
  Answer answer;
  const std::size_t head = in.find("\r\n\r\n");
  if (head == std::string::npos) return answer;
  answer.status = std::stoi(in.substr(9, 3));
  answer.body = in.substr(head + 4);
  for (std::size_t at = in.find("\r\n") + 2; at < head;) {
    const std::size_t end = in.find("\r\n", at), colon = in.find(": ", at);
    answer.headers[in.substr(at, colon - at)] = in.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  return answer;
}

std::string code_of(const std::string& body) {
  constexpr std::string_view member = "\"code\":\"";
  const std::size_t at = body.find(member);
  if (at == std::string::npos) return {};
  return body.substr(at + member.size(), body.find('"', at + member.size()) - at - member.size());
}

// A peer by hand: it does with each request what its script says, then with every further one what it says last.
class ScriptedPeer {
 public:
  enum class Step : std::uint8_t { answer_421, hang_up, stay_silent };
  explicit ScriptedPeer(std::vector<Step> script) : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedPeer() {
    ::shutdown(listener_, SHUT_RDWR);
    if (const int connection = connection_; connection >= 0) ::shutdown(connection, SHUT_RDWR);
    thread_.join();
    for (const int connection : silent_) ::close(connection);
    ::close(listener_);
  }
  std::string address() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::size_t requests() const { return requests_; }
  std::size_t connections() const { return connections_; }

 private:
  void serve() {
    for (;;) {
      const int connection = ::accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      ++connections_;
      connection_ = connection;
      while (read_request(connection)) {
        const Step step = script_[std::min(requests_++, script_.size() - 1)];
        if (step == Step::stay_silent) {
          silent_.push_back(connection);
          break;
        }
        if (step == Step::hang_up) {
          ::close(connection);
          break;
        }
        const std::string_view moved =
            "HTTP/1.1 421 Misdirected Request\r\nContent-Type: application/octet-stream\r\nContent-Length: 0\r\n\r\n";
        ::send(connection, moved.data(), moved.size(), MSG_NOSIGNAL);
      }
    }
  }
  static bool read_request(int connection) {
    std::string in;
    std::size_t wanted = std::string::npos;
    while (in.size() < wanted) {
      std::array<char, 4096> bytes;
      const ssize_t count = ::recv(connection, bytes.data(), bytes.size(), 0);
      if (count <= 0) return false;
      in.append(bytes.data(), static_cast<std::size_t>(count));
      const std::size_t head = in.find("\r\n\r\n"), length = in.find("Content-Length: ");
      if (head != std::string::npos) wanted = head + 4 + std::stoul(in.substr(length + 16));
    }
    return true;
  }

  std::vector<Step> script_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<std::size_t> requests_ = 0, connections_ = 0;
  std::vector<int> silent_;
  std::atomic<int> connection_ = -1;  // The last one.
  std::thread thread_;
};

// ---- the processes

class TestRoutes final : public ShardRoutes {
 public:
  std::shared_ptr<Shard> local(ShardNo shard) const override {
    const std::lock_guard lock(mutex_);
    return shards_[shard];
  }
  std::string owner(ShardNo shard) const override {
    const std::lock_guard lock(mutex_);
    ++asked_;
    if (owners_[shard].size() > 1) {
      std::string first = owners_[shard].front();
      owners_[shard].pop_front();
      return first;
    }
    return owners_[shard].empty() ? "" : owners_[shard].front();
  }
  void serve(ShardNo number, std::shared_ptr<Shard> shard) {
    const std::lock_guard lock(mutex_);
    shards_[number] = std::move(shard);
  }
  // One after the other, the last for good.
  void name_owners(ShardNo shard, std::deque<std::string> owners) {
    const std::lock_guard lock(mutex_);
    owners_[shard] = std::move(owners);
  }
  std::size_t asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  mutable std::mutex mutex_;
  std::array<std::shared_ptr<Shard>, shard_count> shards_;
  mutable std::array<std::deque<std::string>, shard_count> owners_;
  mutable std::size_t asked_ = 0;
};

// What the processes share: the log, and in this test the directory.
struct Platform {
  Platform() {
    auto made = TokenVerifier::create({.platform = "tutoring", .hs256_secret = jwt_secret});
    EXPECT_TRUE(made);
    verifier = std::make_unique<TokenVerifier>(std::move(*made));
  }
  std::string token(TokenRole role, const Uuid& subject = {}) const {
    TokenGrant grant;
    grant.role = role;
    if (!is_nil(subject)) grant.sub = subject;
    grant.platform = "tutoring";
    return "Bearer " + issue_hs256(jwt_secret, grant, clock.now());
  }
  void deliver(ShardNo target, InboxEntry entry) {
    const std::lock_guard lock(mutex);
    if (serving[target]) serving[target]->deliver(std::move(entry));
  }

  SystemClock clock;
  MemoryLog log{"tutoring", id_of("log"), shard_count};
  HttpReplies format{catalogue()};
  PlatformPolicy policy;
  TzdbTimeZones zones;
  ProcessDirectory directory;
  std::unique_ptr<TokenVerifier> verifier;
  ConsistencyTokens tokens{"the key of consistency tokens", id_of("log")};
  std::mutex mutex;
  std::array<std::shared_ptr<Shard>, shard_count> serving;
};

struct Process {
  explicit Process(Platform& platform, std::string key = cluster_key, DispatcherLimits limits = {})
      : platform_(platform),
        dispatcher({platform.log, catalogue(), routes, std::move(key), limits}),
        commands({"tutoring", catalogue(), platform.log, dispatcher, platform.tokens, nullptr, "claims", "seed", {}}),
        api({platform.clock, *platform.verifier, catalogue(), commands, dispatcher, nullptr, {}, {}, {}, {}}),
        server(server_options(platform),
               [this](Request request, Respond respond) { api.handle(std::move(request), std::move(respond)); }) {
    server.start();
  }
  ~Process() {
    server.stop(std::chrono::seconds(1));
    for (auto& thread : threads) thread.request_stop();
    threads.clear();
    dispatcher.stop();
  }
  static HttpServerOptions server_options(const Platform& platform) {
    HttpServerOptions options{.clock = platform.clock};
    options.gate.allowed_hosts = {"127.0.0.1"};
    options.trusted_addresses = {"127.0.0.1"};
    return options;
  }

  void open(ShardNo number) {
    ShardEnvironment env{platform_.log,
                         stores[number],
                         platform_.clock,
                         platform_.format,
                         platform_.policy,
                         platform_.zones,
                         platform_.directory,
                         "test",
                         [this](ShardNo target, InboxEntry entry) { platform_.deliver(target, std::move(entry)); },
                         [](ShardNo) -> Sequence { return 0; },
                         [](const Effect&, bool) {},
                         [](ShardEnd, const std::string&) {}};
    env.surrenders = true;
    auto shard = std::make_shared<Shard>(number, std::move(env));
    threads.emplace_back([shard = shard.get()](std::stop_token stop) { shard->run(stop); });
    {
      const std::lock_guard lock(platform_.mutex);
      platform_.serving[number] = shard;
    }
    routes.serve(number, std::move(shard));
  }
  std::string address() const { return "http://127.0.0.1:" + std::to_string(server.port()); }

  Platform& platform_;
  std::array<MemoryStateStore, shard_count> stores;
  TestRoutes routes;
  Dispatcher dispatcher;
  Commands commands;
  Api api;
  HttpServer server;
  std::vector<std::jthread> threads;
};

class Dispatch : public ::testing::Test {
 public:
  Dispatch() {
    first.open(0);
    second.open(1);
    first.routes.name_owners(1, {second.address()});
    second.routes.name_owners(0, {first.address()});
  }

  // An account's registration over HTTP.
  Answer register_at(const Process& process, const Uuid& id, const std::string& name, const std::string& key) {
    const std::string body = R"({"id":")" + to_string(id) + R"(","email":")" + name + R"(@example.org","display_name":")" + name +
                             R"(","role":"learner","timezone":"UTC"})";
    return ask(process.server.port(), "POST", "/v1/accounts",
               {{"Authorization", platform.token(TokenRole::service_role)},
                {"Content-Type", "application/json"},
                {"Idempotency-Key", key}},
               body);
  }
  Answer rename_at(const Process& process, const Uuid& id, const std::string& name, const std::string& key,
                   const std::string& authorization) {
    return ask(process.server.port(), "PUT", "/v1/accounts/" + to_string(id) + "/profile",
               {{"Authorization", authorization}, {"Content-Type", "application/json"}, {"Idempotency-Key", key}},
               R"({"display_name":")" + name + R"(","timezone":"UTC"})");
  }

  // A command of the second shard: the registration of an account that lies there.
  static CommandRequest command(const std::string& name, Bucket bucket = in_second) {
    account::RegisterAccount registration;
    registration.id = id_of(name, bucket);
    registration.email = name + "@example.org";
    registration.display_name = name;
    registration.role = ::account::v1::Role::learner;
    registration.timezone = "UTC";
    registration.email_claim_id = id_of(name + " claim");
    CommandRequest request;
    request.command_id = id_of(name + " command", bucket);
    request.type = "account.v1.RegisterAccount";
    request.payload = pack(registration);
    request.fingerprint = sha256(request.payload);
    request.actor_kind = ActorKind::service;
    return request;
  }

  using Outcome = std::expected<CommandResult, Response>;
  template <class Send>
  static Outcome outcome_of(const Send& send) {
    auto promise = std::make_shared<std::promise<Outcome>>();
    auto future = promise->get_future();
    send([promise](Outcome outcome) { promise->set_value(std::move(outcome)); });
    if (future.wait_for(patience) != std::future_status::ready) {
      ADD_FAILURE() << "no answer";
      return std::unexpected(Response{});
    }
    return future.get();
  }
  static Outcome submit(Dispatcher& dispatcher, CommandRequest request) {
    return outcome_of([&](Dispatcher::Done done) { dispatcher.submit(std::move(request), "test", std::move(done)); });
  }
  static Outcome look_up(Dispatcher& dispatcher, const Uuid& id) {
    return outcome_of([&](Dispatcher::Done done) { dispatcher.look_up(id, {ActorKind::service, {}}, "test", std::move(done)); });
  }
  static std::string code_of(const Outcome& outcome) {
    if (outcome) return outcome->kind == CommandResult::Kind::replied ? std::to_string(outcome->reply.status) : "a result";
    return guildhall::code_of(outcome.error().body);
  }
  static std::future<CommandResult> resume(Dispatcher& dispatcher, CommandRequest request) {
    auto promise = std::make_shared<std::promise<CommandResult>>();
    dispatcher.resume(std::move(request), [promise](CommandResult result) { promise->set_value(std::move(result)); });
    return promise->get_future();
  }
  static Response handle(Dispatcher& dispatcher, Request request) {
    std::promise<Response> promise;
    dispatcher.handle_peer(request, [&](Response response) { promise.set_value(std::move(response)); });
    return promise.get_future().get();
  }
  static Request peer_request(ShardNo shard, std::string body) {
    Request request;
    request.method = Method::post;
    request.path = std::string(peer_shards_path) + std::to_string(shard);
    request.headers = {{"authorization", peer_authorization(cluster_key)}, {"content-type", "application/octet-stream"}};
    request.body = std::move(body);
    return request;
  }

  Platform platform;
  Process first{platform}, second{platform};
};

// ---- across processes

TEST_F(Dispatch, a_command_for_a_peers_shard_is_answered_as_a_local_one) {
  const Uuid here = id_of("anna", in_second), there = id_of("bert", in_second);
  ASSERT_EQ(register_at(second, here, "anna", "a").status, 201);
  ASSERT_EQ(register_at(first, there, "bert", "b").status, 201);  // Claim and account may lie in two shards of two processes.

  Answer local = rename_at(second, here, "Same", "k", platform.token(TokenRole::service_role));
  Answer remote = rename_at(first, there, "Same", "l", platform.token(TokenRole::service_role));
  EXPECT_EQ(local.status, 200);
  EXPECT_EQ(remote.status, 200);
  EXPECT_EQ(local.headers["ETag"], remote.headers["ETag"]);
  const auto position = [&](const Answer& answer) { return platform.tokens.decode(answer.headers.at("Consistency-Token")); };
  ASSERT_TRUE(position(local) && position(remote));
  EXPECT_EQ(position(remote)->positions.at(0).shard, 1);
  EXPECT_GT(position(remote)->positions.at(0).sequence, position(local)->positions.at(0).sequence);
  for (Answer* answer : {&local, &remote}) answer->headers.erase("Consistency-Token");
  const std::size_t length = std::stoul(local.headers["Content-Length"]);
  EXPECT_EQ(length, local.body.size());
  EXPECT_EQ(local.lasting_headers(), remote.lasting_headers());
  const auto without = [](std::string body, const Uuid& id, const std::string& name) {
    for (const std::string& own : {to_string(id), name})
      for (std::size_t at = body.find(own); at != std::string::npos; at = body.find(own)) body.erase(at, own.size());
    return body;
  };
  EXPECT_EQ(without(local.body, here, "anna"), without(remote.body, there, "bert"));
  EXPECT_GT(first.dispatcher.counters().forwarded, 0U);
  EXPECT_GT(second.dispatcher.counters().for_peers, 0U);
}

TEST_F(Dispatch, a_refusal_comes_through_as_it_is) {
  const Uuid id = id_of("anna", in_second);
  ASSERT_EQ(register_at(first, id, "anna", "a").status, 201);
  Answer local = register_at(second, id, "other", "b"), remote = register_at(first, id, "other", "c");
  EXPECT_EQ(remote.status, 409);
  EXPECT_EQ(local.status, remote.status);
  EXPECT_EQ(guildhall::code_of(local.body), guildhall::code_of(remote.body));
  EXPECT_EQ(local.headers["Content-Type"], remote.headers["Content-Type"]);
}

TEST_F(Dispatch, a_repeat_through_the_other_gateway_gets_the_stored_reply) {
  const Uuid id = id_of("anna", in_second);
  const Answer sent = register_at(first, id, "anna", "a");
  Answer again = register_at(second, id, "anna", "a");
  EXPECT_EQ(again.headers["Idempotent-Replayed"], "true");
  EXPECT_EQ(sent.status, again.status);
  EXPECT_EQ(sent.body, again.body);
  EXPECT_EQ(sent.lasting_headers(), again.lasting_headers());
  EXPECT_EQ(guildhall::code_of(register_at(second, id, "other", "a").body), "idempotency_key_reused");
  EXPECT_EQ(guildhall::code_of(register_at(first, id, "other", "a").body), "idempotency_key_reused");
}

TEST_F(Dispatch, questions_are_answered_to_who_may_ask_whichever_gateway_they_ask) {
  const Uuid anna = id_of("anna", in_second), stranger = id_of("zoe", in_second);
  const std::string user = platform.token(TokenRole::authenticated, anna),
                    other = platform.token(TokenRole::authenticated, stranger);
  ASSERT_EQ(register_at(second, anna, "anna", "a").status, 201);
  const Answer renamed = rename_at(first, anna, "Ann", "k", user);
  ASSERT_EQ(renamed.status, 200);
  const auto get = [&](const Process& process, const std::string& path, const std::string& token) {
    return ask(process.server.port(), "GET", path, {{"Authorization", token}});
  };
  const std::string resource = "/v1/accounts/" + to_string(anna);
  EXPECT_EQ(get(first, resource, user).body, renamed.body);
  EXPECT_EQ(get(first, resource, user).lasting_headers(), get(second, resource, user).lasting_headers());
  const Answer absent = get(first, "/v1/accounts/" + to_string(stranger), other);
  EXPECT_EQ(absent.status, 404);
  EXPECT_EQ(get(first, resource, other).body, absent.body);
  EXPECT_EQ(get(first, resource, other).status, 404);

  // The command id as the gateway makes it of platform, principal, type and key.
  const auto separator = std::string(1, '\0');
  const Uuid id = with_bucket(derive_root("command", "tutoring" + separator + "user:" + to_string(anna) + separator +
                                                         "account.v1.UpdateAccount" + separator + "k"),
                              in_second);
  const std::string command = "/v1/commands/" + to_string(id);
  EXPECT_EQ(get(first, command, user).body, renamed.body);
  EXPECT_EQ(get(first, command, user).headers["ETag"], renamed.lasting_headers().at("ETag"));
  EXPECT_EQ(get(first, command, platform.token(TokenRole::service_role)).status, 200);
  EXPECT_EQ(get(first, command, other).status, 404);
}

// ---- owners that change or are gone

TEST_F(Dispatch, one_421_is_followed_to_the_new_owner_a_second_is_told) {
  Process third(platform);  // Owns nothing.
  first.routes.name_owners(1, {third.address(), second.address()});
  EXPECT_EQ(code_of(submit(first.dispatcher, command("anna"))), "201");
  EXPECT_EQ(third.dispatcher.counters().misdirected, 1U);
  EXPECT_EQ(first.routes.asked(), 2U);

  first.routes.name_owners(1, {third.address(), second.address()});
  EXPECT_EQ(code_of(look_up(first.dispatcher, command("anna").command_id)), "201");

  first.routes.name_owners(1, {third.address()});
  const Outcome refused = submit(first.dispatcher, command("bert"));
  EXPECT_EQ(code_of(refused), "shard_unavailable");
  EXPECT_EQ(third.dispatcher.counters().misdirected, 4U);
  EXPECT_EQ(code_of(look_up(second.dispatcher, command("bert").command_id)), "a result");  // Not found: nothing was done.
}

TEST_F(Dispatch, without_an_owner_nothing_is_done) {
  first.routes.name_owners(1, {});
  const Answer refused = register_at(first, id_of("anna", in_second), "anna", "a");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(guildhall::code_of(refused.body), "shard_unavailable");
  EXPECT_EQ(refused.headers.at("Retry-After"), "1");
  EXPECT_TRUE(refused.body.contains("\"retryable\":true"));
  EXPECT_EQ(code_of(look_up(first.dispatcher, command("anna").command_id)), "shard_unavailable");
}

TEST_F(Dispatch, a_peer_that_is_gone_before_the_request_did_nothing) {
  std::string address;
  {
    Process third(platform);
    address = third.address();
    first.routes.name_owners(1, {address});
    EXPECT_EQ(code_of(submit(first.dispatcher, command("anna"))), "shard_unavailable");  // Its connection is kept.
  }
  EXPECT_EQ(code_of(submit(first.dispatcher, command("anna"))), "shard_unavailable");
  EXPECT_EQ(code_of(submit(first.dispatcher, command("anna"))), "shard_unavailable");
  EXPECT_EQ(first.dispatcher.counters().lost, 0U);
  for (const char* nonsense : {"", "http://", "http://127.0.0.1", "ftp://127.0.0.1:80", "http://:80", "http://127.0.0.1:x"}) {
    first.routes.name_owners(1, {nonsense});
    EXPECT_EQ(code_of(submit(first.dispatcher, command("anna"))), "shard_unavailable") << nonsense;
  }
}

TEST_F(Dispatch, a_peer_that_goes_after_the_request_leaves_a_commands_outcome_unknown) {
  DispatcherLimits limits;
  limits.peer.answer_deadline_us = second_us / 5;
  Process third(platform, cluster_key, limits);
  for (const auto step : {ScriptedPeer::Step::hang_up, ScriptedPeer::Step::stay_silent}) {
    ScriptedPeer peer({step});
    third.routes.name_owners(1, {peer.address()});
    const CommandRequest sent = command("anna");
    const Outcome outcome = submit(third.dispatcher, sent);
    EXPECT_EQ(code_of(outcome), "outcome_unknown");
    EXPECT_TRUE(outcome.error().body.contains(to_string(sent.command_id)));
    EXPECT_EQ(code_of(look_up(third.dispatcher, sent.command_id)), "shard_unavailable");
    EXPECT_EQ(peer.requests(), 2U);
  }
}

TEST_F(Dispatch, a_kept_connection_that_breaks_is_replaced_once) {
  using enum ScriptedPeer::Step;
  {
    ScriptedPeer peer({answer_421, hang_up, answer_421});
    first.routes.name_owners(1, {peer.address()});
    EXPECT_EQ(code_of(submit(first.dispatcher, command("anna"))), "shard_unavailable");
    EXPECT_EQ(peer.connections(), 2U);
    EXPECT_EQ(peer.requests(), 3U);  // The first, its second try on the kept connection, the same on a new one.
  }
  ScriptedPeer peer({answer_421, hang_up});
  first.routes.name_owners(1, {peer.address()});
  EXPECT_EQ(code_of(submit(first.dispatcher, command("anna"))), "outcome_unknown");
  EXPECT_EQ(peer.requests(), 3U);
}

TEST_F(Dispatch, what_a_peer_says_of_itself_is_told) {
  struct Case {
    std::string what;
    Response response;
    std::string of_command, of_question;
  };
  const auto result = [](CommandResult::Kind kind, ShardNo shard) {
    CommandResult out;
    out.kind = kind;
    out.shard = shard;
    return Response{200, {{"Content-Type", "application/octet-stream"}}, encode_peer_result(out)};
  };
  const auto status = [](int number) { return Response{number, {{"Content-Type", "application/octet-stream"}}, {}}; };
  using Kind = CommandResult::Kind;
  const Case cases[] = {
      {"a full queue", status(503), "overloaded", "overloaded"},
      {"a full disk", status(507), "storage_full", "storage_full"},
      {"a failure that may have come late", problem("internal_error"), "outcome_unknown", "shard_unavailable"},
      {"another key", problem("unauthenticated"), "shard_unavailable", "shard_unavailable"},
      {"another program", problem("not_found"), "shard_unavailable", "shard_unavailable"},
      {"too large", problem("too_large"), "too_large", "too_large"},
      {"a directory behind", result(Kind::behind, 1), "directory_behind", "directory_behind"},
      {"moved meanwhile", result(Kind::moved, 1), "outcome_unknown", "shard_unavailable"},
      {"unknown there", result(Kind::unknown, 1), "outcome_unknown", "a result"},
      {"another shard's result", result(Kind::replied, 0), "outcome_unknown", "shard_unavailable"},
      {"garbage", {200, {{"Content-Type", "application/octet-stream"}}, "garbage"}, "outcome_unknown", "shard_unavailable"},
      {"a page", {200, {{"Content-Type", "text/html"}}, "<html>"}, "outcome_unknown", "shard_unavailable"},
  };
  for (const Case& c : cases) {
    HttpServer peer(Process::server_options(platform), [&](const Request& request, Respond respond) {
      EXPECT_EQ(request.request_id, "test");  // For both logs.
      respond(c.response);
    });
    peer.start();
    first.routes.name_owners(1, {"http://127.0.0.1:" + std::to_string(peer.port())});
    EXPECT_EQ(code_of(submit(first.dispatcher, command("anna"))), c.of_command) << c.what;
    EXPECT_EQ(code_of(look_up(first.dispatcher, command("anna").command_id)), c.of_question) << c.what;
    peer.stop(std::chrono::seconds(1));
  }
}

TEST_F(Dispatch, a_log_that_is_full_refuses_where_the_shard_is) {
  platform.log.set_admits(false);
  EXPECT_EQ(code_of(submit(first.dispatcher, command("anna"))), "storage_full");
  EXPECT_EQ(code_of(submit(second.dispatcher, command("anna"))), "storage_full");
}

TEST_F(Dispatch, many_calls_wait_for_few_connections_and_too_many_are_not_sent) {
  DispatcherLimits limits;
  limits.peer.connections = 2;
  limits.peer.queued = 64;
  Process third(platform, cluster_key, limits);
  third.routes.name_owners(1, {second.address()});
  std::atomic<int> accepted = 0, refused = 0;
  constexpr int calls = 60;
  for (int i = 0; i < calls; ++i)
    third.dispatcher.submit(command("account-" + std::to_string(i)), "test", [&](Outcome outcome) {
      if (!outcome) ADD_FAILURE() << outcome.error().body;
      ++(outcome ? accepted : refused);
    });
  const auto until = std::chrono::steady_clock::now() + patience;
  while (accepted + refused < calls && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_EQ(accepted, calls);

  ScriptedPeer silent({ScriptedPeer::Step::stay_silent});
  third.routes.name_owners(1, {silent.address()});
  accepted = refused = 0;
  for (int i = 0; i < 100; ++i)
    third.dispatcher.submit(command("late-" + std::to_string(i)), "test", [&](Outcome outcome) {
      EXPECT_FALSE(outcome);
      ++refused;
    });
  // Two are with the peer, 64 wait; the others hear of it at once, those that wait after the queue's deadline.
  while (refused < 98 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_EQ(refused, 98);
  third.dispatcher.stop();
  EXPECT_EQ(refused, 100);
}

// ---- the internal route

TEST_F(Dispatch, only_the_peers_token_opens_the_internal_route_and_it_opens_nothing_else) {
  const std::string path = "/internal/v1/shards/1";
  const std::string body = encode_peer_request(command("anna"));
  const auto post = [&](const Process& process, const std::string& authorization, const std::string& header = "Authorization") {
    return ask(process.server.port(), "POST", path, {{header, authorization}, {"Content-Type", "application/octet-stream"}},
               body);
  };
  const std::string good = peer_authorization(cluster_key);
  for (const std::string& bad :
       {std::string("Bearer"), std::string("Bearer x"), peer_authorization(cluster_key + "x"), good + "A", good.substr(0, 30),
        platform.token(TokenRole::service_role), platform.token(TokenRole::authenticated, id_of("anna"))}) {
    const Answer refused = post(second, bad);
    EXPECT_EQ(refused.status, 401) << bad;
    EXPECT_EQ(guildhall::code_of(refused.body), "unauthenticated");
  }
  EXPECT_EQ(post(second, good.substr(7), "apikey").status, 401);
  EXPECT_EQ(post(second, good).status, 200);
  EXPECT_EQ(post(first, good).status, 421);  // Not its shard, and it does not ask further.

  EXPECT_EQ(ask(second.server.port(), "GET", "/v1/commands/" + to_string(id_of("x")), {{"Authorization", good}}).status, 401);
  EXPECT_EQ(ask(second.server.port(), "GET", path, {{"Authorization", good}}).status, 405);
  EXPECT_EQ(ask(second.server.port(), "GET", "/internal/v1/other", {{"Authorization", good}}).status, 404);

  // A process without peers has no such route.
  const Process alone(platform, "");
  EXPECT_FALSE(alone.dispatcher.has_peers());
  EXPECT_EQ(post(alone, good).status, 401);
  EXPECT_EQ(post(alone, "Bearer ").status, 401);
  const Answer absent = post(alone, platform.token(TokenRole::service_role));
  EXPECT_EQ(absent.status, 404);
  EXPECT_EQ(guildhall::code_of(absent.body), "not_found");
}

TEST_F(Dispatch, what_is_no_peers_request_is_refused) {
  const std::string good = encode_peer_request(command("anna"));
  const auto status = [&](Request request) { return handle(second.dispatcher, std::move(request)).status; };
  EXPECT_EQ(status(peer_request(0, good)), 400);  // The id's bucket lies in the other shard.
  EXPECT_EQ(status(peer_request(2, good)), 404);
  for (const char* number : {"", "x", "1x", "-1", "1/", "99999999999999999999"}) {
    Request request = peer_request(1, good);
    request.path = std::string(peer_shards_path) + number;
    EXPECT_EQ(status(std::move(request)), 404) << number;
  }
  Request typed = peer_request(1, good);
  typed.headers[1].second = "application/json";
  EXPECT_EQ(status(std::move(typed)), 415);
  EXPECT_EQ(status(peer_request(1, "")), 400);

  const auto changed = [&](const std::function<void(CommandRequest&)>& change) {
    CommandRequest request = command("anna");
    change(request);
    return status(peer_request(1, encode_peer_request(std::move(request))));
  };
  EXPECT_EQ(changed([](CommandRequest& c) { c.type = "account.v1.AccountRegistered"; }), 400);  // An event.
  EXPECT_EQ(changed([](CommandRequest& c) { c.payload = "garbage"; }), 400);
  EXPECT_EQ(changed([](CommandRequest& c) { c.payload.clear(); }), 400);
  EXPECT_EQ(changed([](CommandRequest& c) { c.actor_kind = ActorKind::system; }), 400);
  EXPECT_EQ(changed([](CommandRequest& c) { c.actor_kind = ActorKind::anonymous; }), 400);
  EXPECT_EQ(changed([](CommandRequest& c) { c.actor_kind = static_cast<ActorKind>(77); }), 400);
  // Of another group than the id says.
  EXPECT_EQ(changed([](CommandRequest& c) { c.payload = command("anna", in_first).payload; }), 400);
  const auto with = [&](const std::function<void(account::RegisterAccount&)>& change) {
    return changed([&](CommandRequest& c) {
      account::RegisterAccount registration;
      ASSERT_TRUE(unpack(c.payload, registration));
      change(registration);
      c.payload = pack(registration);
    });
  };
  EXPECT_EQ(with([](auto& r) { r.role = static_cast<::account::v1::Role>(9); }), 400);
  EXPECT_EQ(with([](auto& r) { r.display_name = "\xc3\x28"; }), 400);
  EXPECT_EQ(with([](auto& r) { r.display_name = std::string("a\0b", 3); }), 400);
  EXPECT_EQ(with([](auto& r) { r.display_name.clear(); }), 400);
  EXPECT_EQ(with([](auto& r) { r.display_name = std::string(201, 'x'); }), 400);
  EXPECT_EQ(with([](auto& r) { r.email = "nobody"; }), 400);
  EXPECT_EQ(with([](auto& r) { r.id = {}; }), 400);
  EXPECT_EQ(with([](auto&) {}), 200);

  const auto asked = [&](ShardQuestion question) { return status(peer_request(1, encode_peer_request(question))); };
  EXPECT_EQ(asked({id_of("x", in_second), {}, {ActorKind::service, {}}}), 200);
  EXPECT_EQ(asked({{}, StreamId{StreamKind::account, id_of("x", in_second)}, {ActorKind::service, {}}}), 200);
  EXPECT_EQ(asked({id_of("x", in_second), {}, {ActorKind::system, {}}}), 400);
  EXPECT_EQ(asked({{}, {}, {ActorKind::service, {}}}), 400);
  EXPECT_EQ(asked({{}, StreamId{static_cast<StreamKind>(99), id_of("x", in_second)}, {ActorKind::service, {}}}), 400);

  const std::string large(97 * 1024, 'x');
  EXPECT_EQ(ask(second.server.port(), "POST", "/internal/v1/shards/1",
                {{"Authorization", peer_authorization(cluster_key)}, {"Content-Type", "application/octet-stream"}}, large)
                .status,
            413);
}

TEST_F(Dispatch, a_command_as_large_as_a_body_fits_in_what_peers_send) {
  ASSERT_EQ(register_at(first, id_of("anna", in_second), "anna", "a").status, 201);
  std::string word;
  while (word.size() < 60'000) word += "\xe6\x9c\xac";  // 20,000 characters of three bytes.
  std::string body = R"({"expert_id":")" + to_string(id_of("anna", in_second)) +
                     R"(","title":"t","duration_minutes":60,"price_cents":0,"description":")" + word + R"(","prerequisites":")" +
                     std::string(4900, 'p') + "\"}";
  ASSERT_LE(body.size(), GateRules{}.body_bytes);
  const auto create = [&](const Process& process, const std::string& key) {
    return ask(process.server.port(), "POST", "/v1/sessions",
               {{"Authorization", platform.token(TokenRole::service_role)},
                {"Content-Type", "application/json"},
                {"Idempotency-Key", key}},
               body);
  };
  const Answer local = create(second, "k"), remote = create(first, "l");
  EXPECT_EQ(local.status, remote.status);
  EXPECT_EQ(guildhall::code_of(local.body), guildhall::code_of(remote.body));
}

TEST_F(Dispatch, damaged_bytes_never_do_harm) {
  ShardQuestion question{
      {}, StreamId{StreamKind::account, id_of("anna", in_second)}, {ActorKind::user, id_of("anna", in_second)}};
  CommandRequest with_version = command("anna");
  with_version.expected_version = 7;
  with_version.correlation_id = id_of("correlation");
  for (const ShardRequest& request : {ShardRequest(with_version), ShardRequest(question)}) {
    const std::string good = encode_peer_request(request);
    ASSERT_TRUE(decode_peer_request(good));
    std::map<int, int> statuses;
    for (std::size_t length = 0; length < good.size(); ++length)
      ++statuses[handle(second.dispatcher, peer_request(1, good.substr(0, length))).status];
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      std::string damaged = good;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      ++statuses[handle(second.dispatcher, peer_request(1, std::move(damaged))).status];
    }
    // A bit of a text or of an id makes another request, and a good one.
    EXPECT_GT(statuses[400], 0);
    EXPECT_GT(statuses[200], 0);
    EXPECT_EQ(statuses[200] + statuses[400], static_cast<int>(good.size() * 9));
  }
  const CommandResult result{CommandResult::Kind::replied, {201, "\"1\"", "/v1/x", "application/json", "{}"}, true, 1, 42};
  const std::string good = encode_peer_result(result);
  const auto back = decode_peer_result(good);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->reply, result.reply);
  EXPECT_TRUE(back->replayed);
  EXPECT_EQ(back->shard, 1U);
  EXPECT_EQ(back->sequence, 42U);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string damaged = good;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    static_cast<void>(decode_peer_result(damaged));
    static_cast<void>(decode_peer_result(damaged.substr(0, bit / 8)));
  }
  EXPECT_FALSE(second.routes.local(1)->failed());
}

TEST_F(Dispatch, the_wire_keeps_every_field) {
  CommandRequest request = command("anna");
  request.actor_kind = ActorKind::user;
  request.actor_id = id_of("actor");
  request.expected_version = 0;
  request.correlation_id = id_of("correlation");
  const auto back = decode_peer_request(encode_peer_request(request));
  ASSERT_TRUE(back);
  const auto& read = std::get<CommandRequest>(*back);
  EXPECT_EQ(read.command_id, request.command_id);
  EXPECT_EQ(read.type, request.type);
  EXPECT_EQ(read.payload, request.payload);
  EXPECT_EQ(read.fingerprint, request.fingerprint);
  EXPECT_EQ(read.actor_kind, request.actor_kind);
  EXPECT_EQ(read.actor_id, request.actor_id);
  EXPECT_EQ(read.expected_version, request.expected_version);
  EXPECT_EQ(read.correlation_id, request.correlation_id);
  request.expected_version.reset();
  EXPECT_FALSE(std::get<CommandRequest>(*decode_peer_request(encode_peer_request(request))).expected_version);
}

// ---- commands whose shard ended while they waited

TEST_F(Dispatch, a_resumed_command_waits_for_an_owner) {
  first.routes.name_owners(1, {});
  auto waiting = resume(first.dispatcher, command("anna"));
  auto here = resume(first.dispatcher, command("bert"));
  EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds(120)), std::future_status::timeout);
  Process third(platform);
  first.routes.name_owners(1, {third.address(), third.address(), second.address()});
  ASSERT_EQ(waiting.wait_for(patience), std::future_status::ready);
  EXPECT_EQ(waiting.get().reply.status, 201);
  ASSERT_EQ(here.wait_for(patience), std::future_status::ready);
  EXPECT_EQ(here.get().reply.status, 201);
  EXPECT_EQ(first.dispatcher.counters().resumed, 2U);
}

TEST_F(Dispatch, a_resumed_command_that_the_log_has_gets_its_reply) {
  const Outcome sent = submit(second.dispatcher, command("anna"));
  ASSERT_EQ(code_of(sent), "201");
  auto again = resume(first.dispatcher, command("anna"));
  ASSERT_EQ(again.wait_for(patience), std::future_status::ready);
  EXPECT_EQ(again.get().reply, sent->reply);
}

TEST_F(Dispatch, a_resumed_command_can_end_in_this_process_again) {
  second.routes.name_owners(1, {});
  std::shared_ptr<Shard> shard = second.routes.local(1);
  second.routes.serve(1, nullptr);
  auto waiting = resume(second.dispatcher, command("anna"));
  EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds(60)), std::future_status::timeout);
  second.routes.serve(1, shard);
  ASSERT_EQ(waiting.wait_for(patience), std::future_status::ready);
  EXPECT_EQ(waiting.get().reply.status, 201);
}

TEST_F(Dispatch, what_waits_in_a_shard_that_moves_is_answered_once_by_its_new_owner) {
  constexpr int accounts = 40;
  std::mutex mutex;
  std::map<std::string, int> answers;
  std::atomic<int> answered = 0;
  const auto count = [&](Outcome outcome) {
    {
      const std::lock_guard lock(mutex);
      ++answers[code_of(outcome)];
    }
    ++answered;
  };
  const auto until = [](const std::function<bool()>& reached) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!reached() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return reached();
  };
  platform.log.hold();
  for (int i = 0; i < accounts; ++i) {
    const std::string name = "account-" + std::to_string(i);
    first.dispatcher.submit(command(name), "test", count);
    second.dispatcher.submit(command(name), "test", count);
  }
  ASSERT_TRUE(until([&] { return second.dispatcher.counters().for_peers == accounts; }));

  // The first process takes the shard over, which fences the second's.
  const std::shared_ptr<Shard> old = second.routes.local(1);
  first.routes.name_owners(1, {});
  first.open(1);
  platform.log.release();
  ASSERT_TRUE(until([&] { return old->ended(); }));
  EXPECT_EQ(code_of(look_up(second.dispatcher, command("account-0").command_id)), "shard_unavailable");
  second.threads.front().join();
  second.routes.name_owners(1, {first.address()});
  // Before the routes say that the shard is gone: an ended one counts as not served.
  EXPECT_EQ(code_of(look_up(second.dispatcher, command("nobody").command_id)), "a result");
  second.routes.serve(1, nullptr);
  for (PendingCommand& pending : old->surrender()) second.dispatcher.resume(std::move(pending.request), std::move(pending.done));

  EXPECT_TRUE(until([&] { return answered == 2 * accounts; }));
  EXPECT_EQ(answers, (std::map<std::string, int>{{"201", 2 * accounts}}));
  int registered = 0;
  const auto reader = platform.log.read(1, 1);
  while (const Record* record = reader->next()) registered += record->header.type == "account.v1.AccountRegistered";
  EXPECT_EQ(registered, accounts);
}

TEST_F(Dispatch, a_resumed_command_is_unknown_after_its_time_never_refused) {
  DispatcherLimits limits;
  limits.resume_for_us = second_us / 5;
  Process third(platform, cluster_key, limits);
  ScriptedPeer silent({ScriptedPeer::Step::stay_silent}), broken({ScriptedPeer::Step::hang_up});
  for (const std::string& owner : {std::string(), silent.address(), broken.address(), std::string("http://127.0.0.1:1")}) {
    third.routes.name_owners(1, {owner});
    auto waiting = resume(third.dispatcher, command("anna"));
    ASSERT_EQ(waiting.wait_for(patience), std::future_status::ready) << owner;
    const CommandResult result = waiting.get();
    EXPECT_EQ(result.kind, CommandResult::Kind::unknown) << owner;
    EXPECT_EQ(result.shard, 1U);
  }
  EXPECT_GT(broken.requests(), 1U);

  // A process that ends, and one that has no peers, do not wait.
  third.routes.name_owners(1, {});
  auto waiting = resume(first.dispatcher, command("zoe", in_first));
  EXPECT_EQ(waiting.get().reply.status, 201);
  auto ended = resume(third.dispatcher, command("anna"));
  third.dispatcher.stop();
  EXPECT_EQ(ended.get().kind, CommandResult::Kind::unknown);
  EXPECT_EQ(resume(third.dispatcher, command("anna")).get().kind, CommandResult::Kind::unknown);
  Process alone(platform, "");
  EXPECT_EQ(resume(alone.dispatcher, command("anna")).get().kind, CommandResult::Kind::unknown);
}

}  // namespace
}  // namespace guildhall
