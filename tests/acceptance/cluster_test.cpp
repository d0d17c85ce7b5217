// Several processes on Kafka under load: owners are killed, paused, stopped and restarted, brokers are killed and paused, and
// then the history is whole (I1–I5, I8–I10, I12).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <future>
#include <iterator>
#include <random>

#include "tests/acceptance/cluster.h"
#include "tests/acceptance/fault_report.h"

namespace guildhall {
namespace {

constexpr std::chrono::seconds whole_patience{120};  // On machines that do other things as well.
constexpr std::chrono::seconds long_patience{180};   // A transaction on three brokers may take 45 s to fail.

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* given = std::getenv(variable);
  return given != nullptr ? std::strtoull(given, nullptr, 10) : otherwise;
}

// Faults of a cluster under load, each followed by the wait until everything answers again.
class FaultyRun {
 public:
  FaultyRun(Cluster& cluster, const Marketplace& marketplace, ClusterLoad& load, std::chrono::milliseconds session)
      : cluster_(cluster), marketplace_(marketplace), load_(load), session_(session), client_(cluster, 0, troubles_) {
    HttpClient first = cluster.server(0).client();
    learner_ = register_learner(first, "Patient").id;
  }

  // A server that serves something; from `random`.
  std::size_t victim(std::mt19937_64& random) const {
    const std::size_t n = random() % cluster_.size();
    return cluster_.owned(n).empty() ? (n + 1) % cluster_.size() : n;
  }

  void kill_and_restart(std::size_t n, bool at_once) {
    Fault fault = begin(at_once ? "kill -9, restart at once" : "kill -9, restart after the take-over", "server", n);
    cluster_.server(n).kill();
    EXPECT_TRUE(at_once || served_by_others(n)) << "nobody took over";
    cluster_.server(n).start();
    end(std::move(fault));
  }

  // What it is asked while it is paused it answers when it runs again: rightly, or not at all.
  void pause(std::size_t n, std::chrono::milliseconds length) {
    Fault fault = begin("SIGSTOP", "server", n);
    cluster_.server(n).signal(SIGSTOP);
    const Instant until = fault.at + length;
    // Of each shard one that it alone gets, and one that the new owner gets as well, as from a client that lost patience.
    std::vector<Operation> asked;
    std::vector<std::future<Reply>> answers;
    for (std::uint32_t shard = 0; shard < Cluster::shards; ++shard)
      for (int i = 0; i < 2; ++i) {
        asked.push_back(new_booking(shard));
        answers.push_back(std::async(std::launch::async, [this, n, o = asked.back()] {
          HttpClient patient(cluster_.server(n).port(), cluster_.service_key(), whole_patience);
          return patient.post(o.target, o.body, {{"Idempotency-Key", o.key}});
        }));
      }
    EXPECT_TRUE(served_by_others(n)) << "nobody took over";
    for (std::size_t i = 0; i < asked.size(); i += 2)
      EXPECT_TRUE(client_.send(asked[i], std::chrono::steady_clock::now() + whole_patience)) << asked[i].key;
    std::this_thread::sleep_until(until);  // The fault's length, not a wait for something.
    cluster_.server(n).signal(SIGCONT);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const Reply reply = answers[i].get();
      if (reply.definite()) {
        ++zombie_answers_;
        if (asked[i].answers.empty()) asked[i].answered = std::chrono::steady_clock::now();
        asked[i].answers.emplace_back(reply);
      }
      operations_.push_back(std::move(asked[i]));
    }
    end(std::move(fault));
  }

  void stop_and_restart(std::size_t n) {
    Fault fault = begin("SIGTERM and restart", "server", n);
    EXPECT_EQ(cluster_.server(n).stop(), 0) << cluster_.server(n).output();
    cluster_.server(n).start();
    end(std::move(fault));
  }

  void kill_broker(KafkaCluster& brokers, int broker, std::chrono::milliseconds length) {
    Fault fault = begin_broker("broker kill -9 and restart", broker);
    brokers.kill(broker);
    std::this_thread::sleep_until(fault.at + length);
    brokers.start(broker);
    end(std::move(fault));
  }

  void pause_broker(KafkaCluster& brokers, int broker, std::chrono::milliseconds length) {
    Fault fault = begin_broker("broker SIGSTOP", broker);
    brokers.pause(broker);
    std::this_thread::sleep_until(fault.at + length);
    brokers.resume(broker);
    end(std::move(fault));
  }

  const std::vector<Fault>& faults() const { return faults_; }
  // Commands of its own.
  const std::vector<Operation>& operations() const { return operations_; }
  std::size_t zombie_answers() const { return zombie_answers_; }

 private:
  Operation new_booking(std::uint32_t shard) {
    const std::string& slot = marketplace_.slots(shard)[taken_[shard]++];
    Operation o{.key = "patient-" + std::to_string(shard) + "-" + std::to_string(taken_[shard]),
                .type = "booking.v1.CreateBooking",
                .target = "/v1/bookings",
                .body = booking_body(slot, learner_),
                .group = slot,
                .shard = shard};
    o.command_id = command_id_of(o.type, o.key, o.group);
    o.invoked = std::chrono::steady_clock::now();
    return o;
  }

  Fault begin(std::string kind, const std::string& what, std::size_t n) {
    Fault fault{.kind = std::move(kind), .target = what + " " + std::to_string(n), .shards = cluster_.owned(n)};
    fault.at = std::chrono::steady_clock::now();
    return say(std::move(fault));
  }
  Fault begin_broker(std::string kind, int broker) {
    Fault fault{.kind = std::move(kind), .target = "broker " + std::to_string(broker)};
    for (std::uint32_t n = 0; n < Cluster::shards; ++n) fault.shards.push_back(n);
    fault.at = std::chrono::steady_clock::now();
    return say(std::move(fault));
  }
  // With the time, to find it in the servers' logs.
  static Fault say(Fault fault) {
    const std::time_t time = std::time(nullptr);
    std::array<char, 16> clock{};
    std::strftime(clock.data(), clock.size(), "%H:%M:%S", std::gmtime(&time));
    std::printf("%s %s of %s\n", clock.data(), fault.kind.c_str(), fault.target.c_str());
    std::fflush(stdout);
    return fault;
  }

  bool served_by_others(std::size_t victim) const {
    return eventually(
        [&] {
          std::size_t served = 0;
          for (std::size_t n = 0; n < cluster_.size(); ++n)
            if (n != victim) served += cluster_.owned(n).size();
          return served == Cluster::shards;
        },
        std::chrono::duration_cast<std::chrono::seconds>(session_) + whole_patience);
  }

  // No server may end by itself. When one did, the run goes on as it would under a supervisor.
  void revive() {
    for (std::size_t n = 0; n < cluster_.size(); ++n) {
      Server& server = cluster_.server(n);
      if (server.running()) continue;
      ADD_FAILURE() << "server " << n << " ended with " << server.exit_code() << ":\n" << last_lines(server.output());
      server.start();
    }
  }
  static std::string last_lines(const std::string& text) {
    constexpr std::size_t bytes = 4'000;
    return text.size() > bytes ? text.substr(text.size() - bytes) : text;
  }

  void end(Fault fault) {
    const bool whole = eventually(
        [&] {
          revive();
          return cluster_.is_whole();
        },
        whole_patience);
    EXPECT_TRUE(whole) << "not whole after " << fault.kind << " of " << fault.target;
    EXPECT_TRUE(load_.flows(whole_patience)) << "a shard does not answer after " << fault.kind << " of " << fault.target;
    fault.over = std::chrono::steady_clock::now();
    faults_.push_back(std::move(fault));
  }

  Cluster& cluster_;
  const Marketplace& marketplace_;
  ClusterLoad& load_;
  const std::chrono::milliseconds session_;
  Troubles troubles_;
  ClusterClient client_;
  std::string learner_;
  std::array<std::size_t, Cluster::shards> taken_{};
  std::vector<Operation> operations_;
  std::size_t zombie_answers_ = 0;
  std::vector<Fault> faults_;
};

boost::json::object report_of(const ClusterLoad& load, const std::vector<Operation>& operations, const FaultyRun& run,
                              double seconds) {
  std::size_t accepted = 0, refused = 0, repeats = 0;
  for (const Operation& o : operations) {
    if (o.accepted()) ++accepted;
    else if (!o.answers.empty()) ++refused;
    if (o.answers.size() > 1) repeats += o.answers.size() - 1;
  }
  const Troubles& t = load.troubles();
  const std::vector<FaultCost> cost = costs(run.faults(), operations, Cluster::shards);
  return {{"seconds", seconds},
          {"commands", operations.size()},
          {"accepted", accepted},
          {"refused_by_rules", refused},
          {"keys_sent_again", repeats},
          {"commands_per_second", static_cast<double>(operations.size() + repeats) / seconds},
          {"without_answer_in_time", load.gave_up()},
          {"answers_of_resumed_processes", run.zombie_answers()},
          {"retries", boost::json::object{{"connection_refused", t.refused.load()},
                                          {"no_answer", t.broken.load()},
                                          {"503", t.unavailable.load()},
                                          {"503_outcome_unknown", t.outcome_unknown.load()},
                                          {"other_5xx", t.other_errors.load()}}},
          {"faults", summary(run.faults(), cost)},
          {"each_fault", each(run.faults(), cost)}};
}

double seconds_since(Instant began) { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(); }

TEST(Cluster, i1_to_i12_two_processes_killed_paused_and_restarted_under_load) {
  if (!on_kafka()) GTEST_SKIP() << "GUILDHALL_TEST_LOG=kafka: several processes need Kafka";
  constexpr std::chrono::milliseconds session{2'000};
  const std::uint64_t seed = number_from("GUILDHALL_SEED", std::random_device{}());
  SCOPED_TRACE("seed " + std::to_string(seed));
  RecordProperty("seed", std::to_string(seed));
  std::mt19937_64 random(seed);

  Cluster cluster(KafkaCluster::shared(), 2, session, whole_patience);
  cluster.start();
  ASSERT_TRUE(eventually([&] { return cluster.is_whole(); }, whole_patience));
  const Marketplace marketplace(cluster, 4);
  const Instant began = std::chrono::steady_clock::now();
  ClusterLoad load(cluster, marketplace, {.clients_a_shard = 2, .commands_per_second = 80, .seed = seed});
  ASSERT_TRUE(load.flows(whole_patience));
  FaultyRun run(cluster, marketplace, load, session);
  run.kill_and_restart(run.victim(random), false);
  run.pause(run.victim(random), 2 * session);
  // A rolling restart: whoever comes back on 503 gets everything done.
  const std::size_t gave_up = load.gave_up();
  const std::uint64_t errors = load.troubles().other_errors;
  for (std::size_t n = 0; n < cluster.size(); ++n) run.stop_and_restart(n);
  EXPECT_EQ(load.gave_up(), gave_up);
  EXPECT_EQ(load.troubles().other_errors, errors);
  std::vector<Operation> operations = load.finish();
  std::printf("%s\n", boost::json::serialize(report_of(load, operations, run, seconds_since(began))).c_str());
  std::ranges::copy(run.operations(), std::back_inserter(operations));
  expect_whole_history(cluster, operations, 200, seed);
}

// GUILDHALL_LONG_MINUTES, GUILDHALL_LONG_RATE (commands a second) and GUILDHALL_SEED change the run.
TEST(ClusterLong, i1_to_i12_three_brokers_and_two_processes_with_faults_of_all_kinds) {
  if (!thorough()) GTEST_SKIP() << "GUILDHALL_LONG=1: half an hour";
  constexpr std::chrono::milliseconds session{6'000};
  const std::uint64_t seed = number_from("GUILDHALL_SEED", std::random_device{}());
  const std::chrono::minutes length(number_from("GUILDHALL_LONG_MINUTES", 30));
  const auto rate = static_cast<double>(number_from("GUILDHALL_LONG_RATE", 200));
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  std::mt19937_64 random(seed);

  KafkaCluster brokers(3);
  Cluster cluster(brokers, 2, session, long_patience);
  cluster.start();
  ASSERT_TRUE(eventually([&] { return cluster.is_whole(); }, whole_patience));
  const Marketplace marketplace(cluster, 12);
  const Instant began = std::chrono::steady_clock::now();
  ClusterLoad load(cluster, marketplace,
                   {.clients_a_shard = 4, .commands_per_second = rate, .give_up = long_patience, .seed = seed});
  ASSERT_TRUE(load.flows(whole_patience));
  FaultyRun run(cluster, marketplace, load, session);
  // Every kind once in a random order, then again.
  std::array<int, 6> kinds{0, 1, 2, 3, 4, 5};
  for (std::size_t turn = 0; std::chrono::steady_clock::now() < began + length; ++turn) {
    if (turn % kinds.size() == 0) std::ranges::shuffle(kinds, random);
    const auto broker = static_cast<int>(1 + random() % 3);
    switch (kinds[turn % kinds.size()]) {
      case 0: run.kill_and_restart(run.victim(random), true); break;
      case 1: run.kill_and_restart(run.victim(random), false); break;
      case 2: run.pause(run.victim(random), std::chrono::seconds(30)); break;
      case 3: run.stop_and_restart(run.victim(random)); break;
      case 4: run.kill_broker(brokers, broker, std::chrono::seconds(15)); break;
      case 5: run.pause_broker(brokers, broker, std::chrono::seconds(10)); break;
    }
    if (HasFatalFailure()) break;
    // Between two faults everything runs for a while.
    std::this_thread::sleep_for(std::chrono::milliseconds(2'000 + random() % 6'000));
  }
  EXPECT_EQ(load.gave_up(), 0U);
  std::vector<Operation> operations = load.finish();
  std::printf("%s\n", boost::json::serialize(report_of(load, operations, run, seconds_since(began))).c_str());
  std::fflush(stdout);
  std::ranges::copy(run.operations(), std::back_inserter(operations));
  expect_whole_history(cluster, operations, 20'000, seed);
}

}  // namespace
}  // namespace guildhall
