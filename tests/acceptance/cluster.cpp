#include "tests/acceptance/cluster.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <deque>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>

#include "tests/postgres_cluster.h"

namespace guildhall {
namespace {

constexpr std::chrono::milliseconds client_patience{
    2'000};  // For an answer; less than the server's, so that a stopped process costs that.
constexpr std::chrono::milliseconds retry_pause{50};   // After every server was tried.
constexpr std::chrono::milliseconds avoid_for{3'000};  // A server that gave no answer.
constexpr std::chrono::milliseconds readiness_patience{2'000};
constexpr std::uint16_t first_port = 10'000, port_count = 10'000;  // Below those that Linux gives to outgoing connections.
constexpr int seats_a_slot = 100, session_minutes = 120, price_cents = 5000;
constexpr std::size_t most_bookings = 150;  // Of one client at a time.
constexpr std::size_t most_experts = 200;
constexpr std::size_t findings_shown = 20;
constexpr std::size_t resolving_clients = 8;
constexpr std::chrono::seconds quiet_for{2}, quiet_patience{300};

// A port that nobody listens on now. The number is the test's for as long as it runs, over restarts.
std::uint16_t free_port() {
  static std::random_device random;
  for (;;) {
    const auto port = static_cast<std::uint16_t>(first_port + random() % port_count);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const bool is_free = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    if (is_free) return port;
  }
}

Instant now() { return std::chrono::steady_clock::now(); }

}  // namespace

// ---- the servers

Cluster::Cluster(KafkaCluster& brokers, std::size_t servers, std::chrono::milliseconds session,
                 std::chrono::seconds ready_within, std::string_view platform) {
  const std::string name = folder_.path().filename();
  const std::string database = PostgresCluster::shared().new_database();
  for (std::size_t n = 0; n < servers; ++n) {
    ServerPlace place;
    place.data = folder_.path() / std::to_string(n);
    place.database = database;
    place.port = free_port();
    place.settings = {"GUILDHALL_LOG=kafka",
                      "GUILDHALL_PLATFORM=" + std::string(platform),
                      "GUILDHALL_BROKERS=" + brokers.bootstrap(),
                      "GUILDHALL_KAFKA_TOPICS=" + name,
                      "GUILDHALL_NODE=" + name + "-" + std::to_string(n),
                      "GUILDHALL_SECRETS=" + (folder_.path() / "secrets").string(),
                      "GUILDHALL_SHARDS=" + std::to_string(shards),
                      "GUILDHALL_SESSION_MS=" + std::to_string(session.count())};
    place.ready_within = ready_within;
    servers_.push_back(std::make_unique<Server>(std::move(place)));
  }
}

void Cluster::start() {
  for (const auto& server : servers_) server->start();
}

std::optional<boost::json::object> Cluster::readiness(std::size_t n) const {
  HttpClient client(servers_[n]->port(), {}, readiness_patience);
  const Reply reply = client.get("/readyz");
  boost::system::error_code error;
  auto about = boost::json::parse(reply.body, error);
  if (!reply.answered() || error || !about.is_object()) return std::nullopt;
  return about.as_object();
}

std::vector<std::uint32_t> Cluster::owned(std::size_t n) const {
  std::vector<std::uint32_t> out;
  const auto about = readiness(n);
  if (!about || !about->contains("owned_shards")) return out;
  for (const auto& shard : about->at("owned_shards").as_array()) out.push_back(shard.to_number<std::uint32_t>());
  return out;
}

bool Cluster::is_whole() const {
  std::set<std::uint32_t> served;
  for (std::size_t n = 0; n < size(); ++n) {
    const auto about = readiness(n);
    const auto own = owned(n);
    if (!about || !about->at("ready").as_bool() || own.empty()) return false;
    served.insert(own.begin(), own.end());
  }
  return served.size() == shards;
}

// ---- a client

ClusterClient::ClusterClient(const Cluster& cluster, std::size_t preferred, Troubles& troubles)
    : preferred_(preferred % cluster.size()), troubles_(troubles) {
  for (std::size_t n = 0; n < cluster.size(); ++n)
    ways_.push_back({std::make_unique<HttpClient>(cluster.server(n).port(), cluster.service_key(), client_patience), {}});
}

// The preferred one, unless it did not answer lately; in a retry the one after the last.
ClusterClient::Way& ClusterClient::next_way() {
  for (std::size_t i = 0; i < ways_.size(); ++i) {
    Way& way = ways_[(preferred_ + turn_ + i) % ways_.size()];
    if (way.avoided_until <= now()) return way;
  }
  return ways_[(preferred_ + turn_) % ways_.size()];
}

bool ClusterClient::send(Operation& operation, Instant give_up) {
  turn_ = 0;
  const bool first = operation.answers.empty();
  for (;;) {
    Way& way = next_way();
    const Instant sent = now();
    const Reply reply = way.client->post(operation.target, operation.body, {{"Idempotency-Key", operation.key}});
    if (reply.definite()) {
      if (first) {
        operation.sent = sent;
        operation.answered = now();
      }
      operation.answers.emplace_back(reply);
      return true;
    }
    if (!reply.answered()) {
      (way.client->refused() ? troubles_.refused : troubles_.broken).fetch_add(1, std::memory_order_relaxed);
      way.avoided_until = now() + avoid_for;
    } else if (reply.status != 503) {
      troubles_.other_errors.fetch_add(1, std::memory_order_relaxed);
    } else {
      (reply.code() == "outcome_unknown" ? troubles_.outcome_unknown : troubles_.unavailable)
          .fetch_add(1, std::memory_order_relaxed);
    }
    if (now() >= give_up) return false;
    if (++turn_ % ways_.size() == 0) std::this_thread::sleep_for(retry_pause);  // As a client that was told to come back does.
  }
}

// ---- what they ask for

Marketplace::Marketplace(const Cluster& cluster, std::size_t learners)
    : learners_(register_learners(cluster.server(0), learners)) {
  HttpClient client = cluster.server(0).client();
  for (std::size_t i = 0; std::ranges::any_of(slots_, [](const auto& slots) { return slots.empty(); }); ++i) {
    if (i == most_experts) throw std::runtime_error("no expert for some shard");
    const Account expert = register_expert(client, "Expert " + std::to_string(i));
    const std::uint32_t shard = shard_of_text(expert.id, Cluster::shards);
    if (!slots_[shard].empty()) continue;
    // Free sessions in every other shard: bookings with a payment have the processor's outcomes between the clients' commands.
    const std::string session = create_session(client, expert, session_minutes, seats_a_slot, shard % 2 == 0 ? price_cents : 0);
    add_window(client, expert, {1, 2, 3, 4}, "06:00", "22:00");
    slots_[shard] = free_slots(client, session);
    if (slots_[shard].empty()) throw std::runtime_error("an expert without slots");
  }
}

ClusterLoad::ClusterLoad(const Cluster& cluster, const Marketplace& marketplace, const Options& options)
    : cluster_(cluster), options_(options) {
  const std::size_t clients = Cluster::shards * options_.clients_a_shard;
  if (marketplace.learners().size() < options_.clients_a_shard)
    throw std::logic_error("every client of a shard needs a learner of its own");
  for (std::size_t number = 0; number < clients; ++number) {
    const auto shard = static_cast<std::uint32_t>(number % Cluster::shards);
    // Nobody else books these: whether a seat is refused depends on this client only.
    std::vector<std::pair<std::string, std::string>> seats;
    for (std::size_t l = number / Cluster::shards; l < marketplace.learners().size(); l += options_.clients_a_shard)
      for (const std::string& slot : marketplace.slots(shard)) seats.emplace_back(slot, marketplace.learners()[l].id);
    threads_.emplace_back(
        [this, shard, number, seats = std::move(seats)](std::stop_token stop) { run(shard, number, seats, stop); });
  }
}

ClusterLoad::~ClusterLoad() { finish(); }

void ClusterLoad::run(std::uint32_t shard, std::size_t number, const std::vector<std::pair<std::string, std::string>>& seats,
                      std::stop_token stop) {
  struct Held {
    std::string booking;
    std::size_t seat;
  };
  std::mt19937_64 random(options_.seed + number);
  const auto one_in = [&](std::uint64_t n) { return random() % n == 0; };
  ClusterClient client(cluster_, number / Cluster::shards, troubles_);
  std::vector<Operation> mine;
  std::deque<Held> held;
  std::deque<std::size_t> free;
  for (std::size_t i = 0; i < seats.size(); ++i) free.push_back(i);
  const auto interval = std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(
      static_cast<double>(Cluster::shards * options_.clients_a_shard) / options_.commands_per_second));
  Instant next = now() + interval * static_cast<int>(random() % 100) / 100;

  while (!stop.stop_requested()) {
    // The bound of the load: no more than the agreed rate, and no catching up after an outage.
    std::this_thread::sleep_until(next);
    next = std::max(next + interval, now());

    if (!mine.empty() && one_in(10)) {
      Operation& old = mine[random() % mine.size()];
      if (!old.answers.empty()) client.send(old, now() + options_.give_up);
      continue;
    }
    Operation o;
    o.key = "client-" + std::to_string(number) + "-" + std::to_string(mine.size());
    o.shard = shard;
    std::optional<std::size_t> seat;
    const bool full = held.size() >= most_bookings || free.empty();
    if (!held.empty() && (full || one_in(3))) {
      const Held ends = held.front();
      held.pop_front();
      free.push_back(ends.seat);
      o.type = "booking.v1.CancelBooking";
      o.group = ends.booking;
      o.target = "/v1/bookings/" + ends.booking + "/cancel";
      o.body = R"({"reason":"Another time"})";
    } else if (!held.empty() && one_in(4)) {
      o.type = "booking.v1.ConfirmBooking";
      o.group = held[random() % held.size()].booking;
      o.target = "/v1/bookings/" + o.group + "/confirm";
    } else {
      // A seat that the learner has already is refused.
      const bool again = !held.empty() && one_in(8);
      seat = again ? held[random() % held.size()].seat : free.front();
      if (!again) free.pop_front();
      o.type = "booking.v1.CreateBooking";
      o.group = seats[*seat].first;
      o.target = "/v1/bookings";
      o.body = booking_body(seats[*seat].first, seats[*seat].second);
      if (again) seat.reset();
    }
    o.command_id = command_id_of(o.type, o.key, o.group);
    o.invoked = now();
    if (client.send(o, o.invoked + options_.give_up)) {
      answered_[shard].fetch_add(1, std::memory_order_relaxed);
      if (seat && o.accepted()) held.push_back({o.answers.front().id, *seat});
    } else {
      gave_up_.fetch_add(1, std::memory_order_relaxed);
    }
    mine.push_back(std::move(o));
  }
  const std::lock_guard lock(mutex_);
  std::ranges::move(mine, std::back_inserter(operations_));
}

std::size_t ClusterLoad::answered() const {
  std::size_t sum = 0;
  for (const auto& shard : answered_) sum += shard;
  return sum;
}

bool ClusterLoad::flows(std::chrono::seconds limit) const {
  std::array<std::size_t, Cluster::shards> before{};
  for (std::uint32_t n = 0; n < Cluster::shards; ++n) before[n] = answered_[n];
  return eventually(
      [&] {
        for (std::uint32_t n = 0; n < Cluster::shards; ++n)
          if (answered_[n] <= before[n]) return false;
        return true;
      },
      limit);
}

std::vector<Operation> ClusterLoad::finish() {
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();
  return std::move(operations_);
}

// ---- the end of a run

namespace {

// Outcomes of payments are in the log, and all of it is in the rows.
bool wait_until_quiet(const Cluster& cluster) {
  std::string before;
  Instant since;
  return eventually(
      [&] {
        for (std::size_t n = 0; n < cluster.size(); ++n) {
          const auto about = cluster.readiness(n);
          if (!about || about->at("projection_lag_events").to_number<std::uint64_t>() != 0) return false;
        }
        const std::string applied = cluster.server(0).sql("SELECT shard, sequence FROM guildhall.offsets ORDER BY 1, 2");
        if (applied != before) since = now();
        before = applied;
        return now() - since > quiet_for;
      },
      quiet_patience);
}

}  // namespace

void expect_whole_history(Cluster& cluster, std::vector<Operation>& operations, std::size_t keys_sent_again, std::uint64_t seed) {
  // Every unknown outcome is resolved by its key, and so is a choice of the others.
  std::vector<Operation*> again;
  for (Operation& o : operations)
    if (o.answers.empty()) again.push_back(&o);
  std::mt19937_64 random(seed);
  for (std::size_t i = 0; i < keys_sent_again && !operations.empty(); ++i)
    again.push_back(&operations[random() % operations.size()]);
  std::ranges::sort(again);
  again.erase(std::ranges::unique(again).begin(), again.end());
  std::atomic<std::size_t> next{0};
  Troubles ignored;
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < resolving_clients; ++t)
      threads.emplace_back([&, t] {
        ClusterClient client(cluster, t, ignored);
        for (std::size_t i; (i = next++) < again.size();) client.send(*again[i], now() + std::chrono::minutes(2));
      });
  }

  const Server& reader = cluster.server(0);
  EXPECT_TRUE(wait_until_quiet(cluster)) << "the log goes on, or the read models do not follow";
  const ToolResult verified = reader.run({"log", "verify"});
  EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
  std::vector<LoggedRecord> log;
  reader.visit_log({"--show-pii"}, [&](const boost::json::object& line) { log.push_back(parse_record(line)); });
  testing::Test::RecordProperty("records", std::to_string(log.size()));
  const std::vector<Finding> findings = check(operations, log, rows_of(reader));
  if (!findings.empty()) {
    std::map<std::string_view, std::size_t> kinds;
    std::ostringstream text;
    for (const Finding& f : findings)
      if (kinds[name_of(f.anomaly)]++ < findings_shown) text << name_of(f.anomaly) << ": " << f.what << "\n";
    for (const auto& [kind, count] : kinds) text << kind << ": " << count << "\n";
    ADD_FAILURE() << text.str();
  }

  // State that lived through all of it, as owner or as standby, is what the log alone gives.
  for (std::size_t n = 0; n < cluster.size(); ++n) EXPECT_EQ(cluster.server(n).stop(), 0) << cluster.server(n).output();
  std::optional<std::string> told;
  for (std::size_t n = 0; n < cluster.size(); ++n) {
    const ToolResult lived = cluster.server(n).run({"state", "hash"});
    EXPECT_EQ(lived.exit_code, 0) << lived.err;
    if (!told) told = lived.out;
    EXPECT_EQ(lived.out, *told) << "server " << n << " has another state";
  }
  const ToolResult rebuilt = cluster.server(0).run({"state", "rebuild"});
  EXPECT_EQ(rebuilt.exit_code, 0) << rebuilt.err;
  EXPECT_EQ(cluster.server(0).run({"state", "hash"}).out, told.value_or(""));
}

}  // namespace guildhall
