// GET /v1/notifications/live: what a recipient is told and nobody else, from now on and once (PA-102, M-6), who may listen, how
// many, and what becomes of it when the log or a client fails.
#include "gateway/live_notifications.h"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <array>
#include <thread>

#include "gateway/api.h"
#include "gateway/problem.h"
#include "tests/forwarded_log.h"
#include "tests/projectors/written_log.h"

namespace guildhall {
namespace {

namespace json = boost::json;
using ::notification::v1::Topic;
using ::notification::v1::Type;

constexpr std::uint32_t shards = 2;
constexpr auto patience = std::chrono::seconds(10);  // Of a test for what must happen.
constexpr std::size_t endless = 100'000;             // So many notifications no stream has room for.

// Accounts of the first shard and of the second.
Uuid account_in(ShardNo shard, std::uint64_t n) {
  return Uuid(0x1111111111118000ULL | shard * (bucket_count / shards), 0x8000000000000000ULL | n);
}
const Uuid ann = account_in(0, 1), bob = account_in(0, 2), eve = account_in(1, 3);

struct FixedClock final : Clock {
  Micros now() const override { return at; }
  Micros at = 1'700'000'000 * second_us;
};

// The log, whose readers can be made to fail.
class FailingLog final : public ForwardedLog {
 public:
  using ForwardedLog::ForwardedLog;
  std::unique_ptr<LogReader> read(ShardNo shard, Sequence from) override {
    ++readers;
    return std::make_unique<Reader>(*this, ForwardedLog::read(shard, from));
  }

  std::atomic<int> fails_after = -1;  // So many records more; below 0 never.
  std::atomic<bool> retryable = true;
  std::atomic<int> readers = 0;
  std::atomic<int> records = 0;  // That were read.

 private:
  struct Reader final : LogReader {
    Reader(FailingLog& log, std::unique_ptr<LogReader> reader) : log_(log), reader_(std::move(reader)) {}
    const Record* next() override {
      if (log_.fails_after == 0) {
        log_.fails_after = -1;
        throw LogError("the broker is away", "the broker", log_.retryable);
      }
      const Record* record = reader_->next();
      if (record != nullptr && log_.fails_after > 0) --log_.fails_after;
      if (record != nullptr) ++log_.records;
      return record;
    }
    FailingLog& log_;
    std::unique_ptr<LogReader> reader_;
  };
};

struct Event {
  std::string name;
  std::string id;
  json::object data;
};

// The events of the HTML standard's text/event-stream, as far as we write it: one data line each.
std::vector<Event> parse(std::string_view text) {
  std::vector<Event> out;
  while (!text.empty()) {
    const std::size_t end = text.find("\n\n");
    EXPECT_NE(end, text.npos) << text;
    std::string_view lines = text.substr(0, end + 1);
    text.remove_prefix(std::min(text.size(), end + 2));
    Event event;
    while (!lines.empty()) {
      const std::string_view line = lines.substr(0, lines.find('\n'));
      lines.remove_prefix(line.size() + 1);
      const auto value = [&](std::string_view field) { return std::string(line.substr(field.size())); };
      if (line.starts_with("event: ")) event.name = value("event: ");
      else if (line.starts_with("id: ")) event.id = value("id: ");
      else if (line.starts_with("data: ")) event.data = json::parse(value("data: ")).as_object();
      else EXPECT_EQ(line, "retry: 2000");
    }
    out.push_back(std::move(event));
  }
  return out;
}

class Live : public testing::Test {
 protected:
  static Claims of(const Uuid& account) {
    Claims out;
    out.role = TokenRole::authenticated;
    out.sub = account;
    out.exp_us = FixedClock().at + hour_us;
    return out;
  }
  Response ask(const Claims& claims, Method method = Method::get, std::string query = {}) {
    Request request;
    request.method = method;
    request.path = live_notifications_path;
    request.query = std::move(query);
    std::optional<Response> out;
    notifications.handle(request, claims, [&](Response r) { out = std::move(r); });
    EXPECT_TRUE(out);
    return out.value_or(Response{});
  }
  // A stream behind its `ready`.
  std::shared_ptr<LiveBody> listen(const Uuid& account) {
    const Response response = ask(of(account));
    EXPECT_EQ(response.status, 200) << response.body;
    const auto first = events(*response.live);
    EXPECT_EQ(first.size(), 1u);
    EXPECT_EQ(first.at(0).name, "ready");
    return response.live;
  }
  static std::vector<Event> events(LiveBody& body) {
    std::string text;
    EXPECT_EQ(body.take(text), LiveBody::State::open);
    return parse(text);
  }
  void follow_logs() {
    while (notifications.step()) {
    }
  }
  // "notification:1 read:…" of what came.
  std::string told(LiveBody& body) {
    follow_logs();
    std::string out;
    for (const Event& event : events(body)) {
      out += (out.empty() ? "" : " ") + event.name;
      if (!event.id.empty()) out += ":" + event.id;
    }
    return out;
  }
  static std::string code(const Response& response) {
    return std::string(json::parse(response.body).as_object().at("code").as_string());
  }
  static std::string header(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers)
      if (key == name) return value;
    return {};
  }

  static ShardNo shard_of_account(const Uuid& account) { return shard_of(account, shards); }
  static Uuid notification_id(const Uuid& account, std::int64_t sequence) {
    return Uuid(account.hi(), account.lo() | static_cast<std::uint64_t>(sequence) << 32);
  }
  void raise(const Uuid& account, Topic topic = Topic::followed, Type type = Type::follow, const Uuid& actor = eve) {
    notification::NotificationRaised e;
    e.user_id = account;
    e.sequence = ++told_[account];
    e.notification_id = notification_id(account, e.sequence);
    e.type = type;
    e.topic = topic;
    e.source_id = test_id(90);
    e.actor_id = actor;
    e.related_id = test_id(91);
    written.append(shard_of_account(account), {{{StreamKind::notification, e.notification_id}, e}});
  }
  void mark(const Uuid& account, std::int64_t sequence) {
    notification::NotificationRead e;
    e.notification_id = notification_id(account, sequence);
    e.user_id = account;
    e.read_at = FixedClock().at;
    written.append(shard_of_account(account), {{{StreamKind::notification, e.notification_id}, e}});
  }
  void mark_all(const Uuid& account, std::int64_t upto) {
    notification_inbox::AllNotificationsRead e;
    e.user_id = account;
    e.read_up_to = upto;
    e.read_at = FixedClock().at;
    written.append(shard_of_account(account), {{{StreamKind::notification_inbox, account}, e}});
  }

  WrittenLog written{shards, "producers_avenue"};
  FailingLog log{written.log};
  FixedClock clock;
  ConsistencyTokens tokens{"the key of consistency tokens", written.log.identity().log_id};
  std::vector<std::chrono::milliseconds> pauses;
  LiveNotificationLimits limits{.streams = 12, .recipient_streams = 3, .records_per_turn = 7};
  LiveNotifications notifications{log, clock, tokens, [this](std::stop_token, auto pause) { pauses.push_back(pause); }, limits};

 private:
  std::map<Uuid, std::int64_t, UuidLess> told_;
};

// ---- what is told

TEST_F(Live, a_stream_begins_with_the_place_from_where_it_is_complete) {
  raise(eve);
  raise(ann);
  follow_logs();
  const Response response = ask(of(eve));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(header(response, "Content-Type"), "text/event-stream");
  EXPECT_EQ(header(response, "Cache-Control"), "no-store");
  EXPECT_EQ(header(response, "X-Accel-Buffering"), "no");
  const auto first = events(*response.live);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].name, "ready");
  EXPECT_EQ(first[0].data.at("positions"), (json::array{json::object{{"shard", 1}, {"sequence", written.end(1)}}}));
  const auto token = tokens.decode(std::string(first[0].data.at("consistency_token").as_string()));
  ASSERT_TRUE(token);
  EXPECT_EQ(token->positions, (std::vector<ShardPosition>{{1, written.end(1)}}));
  EXPECT_EQ(header(response, "Consistency-Token"), first[0].data.at("consistency_token").as_string());
  EXPECT_EQ(parse(response.live->heartbeat()).at(0).name, "heartbeat");
}

// Named as the relation has it (PA-102).
TEST_F(Live, a_notification_comes_with_its_number_and_its_names) {
  const auto anns = listen(ann);
  const Micros raised_at = written.now;
  raise(ann, Topic::order_paid, Type::order, bob);
  raise(ann, Topic::payout_completed, Type::payout, Uuid{});
  follow_logs();
  const auto came = events(*anns);
  ASSERT_EQ(came.size(), 2u);
  EXPECT_EQ(came[0].name, "notification");
  EXPECT_EQ(came[0].id, "1");
  EXPECT_EQ(raised_at, 1'700'000'000 * second_us);
  EXPECT_EQ(came[0].data, (json::object{{"id", to_string(notification_id(ann, 1))},
                                        {"sequence", 1},
                                        {"type", "order"},
                                        {"topic", "order_paid"},
                                        {"actor_id", to_string(bob)},
                                        {"related_id", to_string(test_id(91))},
                                        {"created_at", "2023-11-14T22:13:20Z"}}));
  EXPECT_EQ(came[1].id, "2");
  EXPECT_TRUE(came[1].data.at("actor_id").is_null()) << "nobody did it";
}

TEST_F(Live, what_is_read_is_told_too) {
  const auto anns = listen(ann);
  raise(ann);
  mark(ann, 1);
  mark_all(ann, 1);
  follow_logs();
  const auto came = events(*anns);
  ASSERT_EQ(came.size(), 3u);
  EXPECT_EQ(came[1].name, "read");
  EXPECT_EQ(came[1].id, "") << "the last event id stays that of a notification";
  EXPECT_EQ(came[1].data, (json::object{{"id", to_string(notification_id(ann, 1))}, {"read_at", "2023-11-14T22:13:20Z"}}));
  EXPECT_EQ(came[2].name, "read_up_to");
  EXPECT_EQ(came[2].data, (json::object{{"read_up_to", 1}, {"read_at", "2023-11-14T22:13:20Z"}}));
}

TEST_F(Live, each_hears_of_their_own_on_every_stream_and_of_nothing_else) {
  const auto anns = listen(ann), anns_other = listen(ann), bobs = listen(bob), eves = listen(eve);
  raise(ann);
  raise(eve);
  raise(ann);
  written.append_raw(0, {StreamKind::order, ann}, "order.v9.NotOfOurTime", "whatever");
  raise(bob);
  mark(bob, 1);
  EXPECT_EQ(told(*anns), "notification:1 notification:2");
  EXPECT_EQ(told(*anns_other), "notification:1 notification:2");
  EXPECT_EQ(told(*bobs), "notification:1 read");
  EXPECT_EQ(told(*eves), "notification:1");
  EXPECT_EQ(told(*anns), "") << "once";
  EXPECT_EQ(notifications.sent(), 7u);
}

// M-6: whatever is replayed, what was before is not told.
TEST_F(Live, nothing_of_before_is_told_and_nothing_behind_is_missed) {
  raise(ann);
  const auto early = listen(ann);
  EXPECT_EQ(told(*early), "");
  raise(ann);
  const auto late = listen(ann);  // The second is in the log, and not handed on yet.
  raise(ann);
  EXPECT_EQ(told(*early), "notification:2 notification:3");
  EXPECT_EQ(told(*late), "notification:3");

  LiveNotifications restarted{log, clock, tokens, {}};
  while (restarted.step()) {
  }
  EXPECT_EQ(restarted.sent(), 0u);
  EXPECT_EQ(notifications.sent(), 3u);
}

TEST_F(Live, a_long_log_is_read_turn_by_turn) {
  const auto anns = listen(ann), eves = listen(eve);
  for (std::size_t i = 0; i < 100; ++i) raise(i % 10 == 0 ? ann : eve);
  std::vector<std::string> ids;
  follow_logs();
  for (const Event& event : events(*eves)) ids.push_back(event.id);
  ASSERT_EQ(ids.size(), 90u);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], std::to_string(i + 1));
  EXPECT_EQ(events(*anns).size(), 10u);
}

TEST_F(Live, a_log_that_nobody_listens_to_is_followed_to_its_end) {
  for (int i = 0; i < 50; ++i) raise(ann);
  LiveNotificationLimits unheard = limits;
  unheard.unheard_rest = std::chrono::hours(1);
  LiveNotifications follower(log, clock, tokens, [](std::stop_token, auto) {}, unheard);
  for (int i = 0; i < 50; ++i) raise(ann);
  std::jthread thread([&](std::stop_token stop) { follower.run(stop); });
  const auto end = std::chrono::steady_clock::now() + patience;
  while (log.records < 100 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_EQ(log.records, 100) << "two a notification, none of before";
}

// ---- when the log fails

TEST_F(Live, an_error_of_one_shard_does_not_silence_the_others) {
  const auto anns = listen(ann), eves = listen(eve);
  raise(ann);
  raise(eve);
  log.fails_after = 0;  // Of the first shard that is looked at, which is Ann's.
  EXPECT_THROW(notifications.step(), LogError);
  EXPECT_TRUE(events(*anns).empty());
  EXPECT_EQ(events(*eves).size(), 1u);
  EXPECT_EQ(told(*anns), "notification:1");
  EXPECT_EQ(told(*eves), "");
}

TEST_F(Live, after_an_error_of_the_log_it_goes_on_where_it_was) {
  const auto anns = listen(ann);
  follow_logs();
  for (int i = 0; i < 3; ++i) raise(ann);  // Two records each.
  const int readers = log.readers;
  log.fails_after = 3;
  EXPECT_THROW(notifications.step(), LogError);
  raise(ann);
  EXPECT_EQ(told(*anns), "notification:1 notification:2 notification:3 notification:4");
  EXPECT_EQ(log.readers, readers + 1) << "a reader that failed is not used again";
}

TEST_F(Live, its_thread_waits_longer_and_longer_for_a_log_that_may_come_back) {
  const auto anns = listen(ann);
  log.fails_after = 0;
  log.on_durable([this](ShardNo, Sequence) { notifications.notify(); });
  std::jthread thread([this](std::stop_token stop) { notifications.run(stop); });
  raise(ann);
  std::string came;
  const auto end = std::chrono::steady_clock::now() + patience;
  for (; came.empty() && std::chrono::steady_clock::now() < end; std::this_thread::yield()) anns->take(came);
  EXPECT_EQ(parse(came).at(0).id, "1");
  thread.request_stop();
  thread.join();
  ASSERT_EQ(pauses.size(), 1u);
  EXPECT_EQ(pauses[0], limits.first_backoff);
}

TEST_F(Live, its_thread_ends_with_an_error_that_does_not_go_away) {
  log.retryable = false;
  log.fails_after = 0;
  raise(ann);
  EXPECT_THROW(notifications.run({}), LogError);
  written.append_raw(0, {StreamKind::notification, ann}, type_name<notification::NotificationRaised>(), "none");
  EXPECT_THROW(notifications.run({}), CorruptLog);
}

// ---- who may listen, and for how long

TEST_F(Live, somebodys_token_is_needed) {
  EXPECT_EQ(ask(of(ann)).status, 200);
  Claims anon;
  anon.sub = ann;
  Claims service;
  service.role = TokenRole::service_role;
  for (const Claims& nobody : {anon, service}) {
    const Response refused = ask(nobody);
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(code(refused), "forbidden");
    EXPECT_EQ(refused.live, nullptr);
  }
  service.sub = ann;
  EXPECT_EQ(ask(service).status, 200);
  EXPECT_EQ(code(ask(of(ann), Method::get, "after=1")), "invalid_request");
}

TEST_F(Live, a_stream_lasts_as_long_as_its_token_is_accepted) {
  EXPECT_EQ(ask(of(ann)).live->lasts_us(), hour_us + clock_skew_us);
  clock.at += hour_us;
  EXPECT_EQ(ask(of(ann)).live->lasts_us(), clock_skew_us);
}

TEST_F(Live, head_opens_no_stream) {
  const Response response = ask(of(ann), Method::head);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(header(response, "Content-Type"), "text/event-stream");
  EXPECT_EQ(notifications.streams(), 0u);
}

TEST_F(Live, an_account_has_a_few_streams_and_gets_their_places_back) {
  std::vector<std::shared_ptr<LiveBody>> open;
  for (std::size_t i = 0; i < limits.recipient_streams; ++i) open.push_back(listen(ann));
  const Response refused = ask(of(ann));
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(code(refused), "quota_exceeded");
  EXPECT_EQ(header(refused, "Retry-After"), std::to_string(limits.retry_after_s));
  EXPECT_EQ(ask(of(bob)).status, 200);
  open.pop_back();
  EXPECT_EQ(ask(of(ann)).status, 200);
}

TEST_F(Live, a_process_has_so_many_streams) {
  std::vector<std::shared_ptr<LiveBody>> open;
  for (std::uint64_t n = 0; n < limits.streams; ++n) open.push_back(listen(account_in(n % shards, 100 + n)));
  EXPECT_EQ(notifications.streams(), limits.streams);
  const Response refused = ask(of(ann));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(code(refused), "overloaded");
  EXPECT_EQ(header(refused, "Retry-After"), std::to_string(limits.retry_after_s));
  open.clear();
  EXPECT_EQ(notifications.streams(), 0u);
  EXPECT_EQ(ask(of(ann)).status, 200);
}

TEST_F(Live, who_does_not_read_is_let_go_and_others_go_on) {
  const auto slow = listen(ann), quick = listen(ann);
  std::size_t came = 0, raised = 0;
  for (; slow->state() == LiveBody::State::open && raised < endless; ++raised) {
    raise(ann);
    follow_logs();
    came += events(*quick).size();
  }
  EXPECT_EQ(slow->state(), LiveBody::State::overrun);
  EXPECT_EQ(came, raised);
  EXPECT_EQ(notifications.streams(), 1u);
  raise(ann);
  EXPECT_EQ(told(*quick), "notification:" + std::to_string(raised + 1));
}

// ---- through the gateway

const std::string jwt_secret = "a secret of tokens, of 32 bytes or more";

class NoRoutes final : public ShardRoutes {
 public:
  std::shared_ptr<guildhall::Shard> local(ShardNo) const override { return nullptr; }
  std::string owner(ShardNo) const override { return {}; }
};

class LiveOverHttp : public Live {
 protected:
  LiveOverHttp() {
    auto made = TokenVerifier::create({.platform = "producers_avenue", .hs256_secret = jwt_secret});
    EXPECT_TRUE(made);
    verifier = std::make_unique<TokenVerifier>(std::move(*made));
    api = std::make_unique<Api>(ApiEnvironment{clock, *verifier, catalogue, commands, dispatcher, nullptr, {},
                                               {"https://shop.example"}, {}, {}, nullptr, &notifications});
  }
  std::string token(TokenRole role, const Uuid& subject = {}) const {
    TokenGrant grant;
    grant.role = role;
    if (!is_nil(subject)) grant.sub = subject;
    grant.platform = "producers_avenue";
    return issue_hs256(jwt_secret, grant, clock.now());
  }
  Response send(std::vector<std::pair<std::string, std::string>> headers, Method method = Method::get) {
    Request request;
    request.method = method;
    request.path = "/v1/notifications/live";
    request.headers = std::move(headers);
    std::optional<Response> out;
    api->handle(std::move(request), [&](Response r) { out = std::move(r); });
    EXPECT_TRUE(out);
    return out.value_or(Response{});
  }

  SchemaCatalogue catalogue{schemas()};
  NoRoutes routes;
  Dispatcher dispatcher{DispatcherEnvironment{written.log, catalogue, routes}};
  Commands commands{
      CommandsEnvironment{"producers_avenue", catalogue, written.log, dispatcher, tokens, nullptr, "claims", "seed", {}}};
  std::unique_ptr<TokenVerifier> verifier;
  std::unique_ptr<Api> api;
};

TEST_F(LiveOverHttp, the_token_comes_as_with_every_request) {
  const std::string anns = token(TokenRole::authenticated, ann);
  for (const auto& header : {std::pair<std::string, std::string>{"authorization", "Bearer " + anns}, {"apikey", anns}}) {
    const Response response = send({header});
    ASSERT_EQ(response.status, 200) << header.first;
    EXPECT_EQ(events(*response.live).at(0).name, "ready");
    raise(ann);
    follow_logs();
    EXPECT_EQ(events(*response.live).size(), 1u);
  }
  EXPECT_EQ(send({}).status, 401);
  EXPECT_EQ(send({{"authorization", "Bearer " + anns + "x"}}).status, 401);
  EXPECT_EQ(code(send({{"apikey", token(TokenRole::anon)}})), "forbidden");
  EXPECT_EQ(code(send({{"apikey", token(TokenRole::service_role)}})), "forbidden");
  const Response other_method = send({{"apikey", anns}}, Method::post);
  EXPECT_EQ(other_method.status, 405);
  EXPECT_EQ(header(other_method, "Allow"), "GET, HEAD");
}

TEST_F(LiveOverHttp, a_page_of_an_allowed_origin_may_listen) {
  const Response response =
      send({{"apikey", token(TokenRole::authenticated, ann)}, {"origin", "https://shop.example"}, {"last-event-id", "7"}});
  EXPECT_EQ(response.status, 200);
  EXPECT_NE(response.live, nullptr);
  EXPECT_EQ(header(response, "Access-Control-Allow-Origin"), "https://shop.example");
  const Response preflight = send({{"origin", "https://shop.example"}}, Method::options);
  EXPECT_TRUE(header(preflight, "Access-Control-Allow-Headers").contains("last-event-id"));
}

}  // namespace
}  // namespace guildhall
