// Several servers of one platform on one Kafka log and one database, and clients that know them all: they go to the next one
// when one refuses, breaks off or says 503, with the same Idempotency-Key, until an answer is definite.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "tests/acceptance/history.h"
#include "tests/acceptance/server.h"
#include "tests/kafka_cluster.h"

namespace guildhall {

class Cluster {
 public:
  static constexpr std::uint32_t shards = 4;

  // Starts nothing. `session`: after so long without a word the group gives a server's shards to the others.
  Cluster(KafkaCluster& brokers, std::size_t servers, std::chrono::milliseconds session, std::chrono::seconds ready_within,
          std::string_view platform = "tutoring");

  void start();  // All, one after another.
  std::size_t size() const { return servers_.size(); }
  Server& server(std::size_t n) { return *servers_[n]; }
  const Server& server(std::size_t n) const { return *servers_[n]; }
  std::string service_key() const { return servers_.front()->service_key(); }

  // What /readyz says; nothing when it does not answer at once.
  std::optional<boost::json::object> readiness(std::size_t n) const;
  std::vector<std::uint32_t> owned(std::size_t n) const;  // The shards that it serves.
  // All are ready and serve every shard between them, each at least one.
  bool is_whole() const;

 private:
  TemporaryFolder folder_;
  std::vector<std::unique_ptr<Server>> servers_;
};

// What clients met before their definite answers.
struct Troubles {
  std::atomic<std::uint64_t> refused{0};          // No connection: nothing was sent.
  std::atomic<std::uint64_t> broken{0};           // Sent, and no answer in time.
  std::atomic<std::uint64_t> unavailable{0};      // 503 that says that nothing was done.
  std::atomic<std::uint64_t> outcome_unknown{0};  // 503 that does not.
  std::atomic<std::uint64_t> other_errors{0};     // Another 5xx.
};

// One thread at a time.
class ClusterClient {
 public:
  // `preferred`: the server that is asked first, while it answers.
  ClusterClient(const Cluster& cluster, std::size_t preferred, Troubles& troubles);

  // Sends until an answer is definite, and adds that to the operation; false: none came until `give_up`.
  bool send(Operation& operation, Instant give_up);

 private:
  struct Way {
    std::unique_ptr<HttpClient> client;
    Instant avoided_until;
  };
  Way& next_way();

  std::vector<Way> ways_;
  std::size_t preferred_;
  std::size_t turn_ = 0;
  Troubles& troubles_;
};

// Sessions of experts in every shard, and learners for the clients.
class Marketplace {
 public:
  explicit Marketplace(const Cluster& cluster, std::size_t learners);
  const std::vector<std::string>& slots(std::uint32_t shard) const { return slots_[shard]; }
  const std::vector<Account>& learners() const { return learners_; }

 private:
  std::array<std::vector<std::string>, Cluster::shards> slots_;
  std::vector<Account> learners_;
};

// Clients that book, confirm, cancel, ask for what must be refused, and send old keys again, each on one shard, at a bounded
// rate.
class ClusterLoad {
 public:
  struct Options {
    std::size_t clients_a_shard = 2;
    double commands_per_second = 100;   // Of all of them together, at most.
    std::chrono::seconds give_up{120};  // Of one command.
    std::uint64_t seed = 0;
  };
  ClusterLoad(const Cluster& cluster, const Marketplace& marketplace, const Options& options);
  ~ClusterLoad();  // Stops.

  // Answers since the start.
  std::size_t answered(std::uint32_t shard) const { return answered_[shard]; }
  std::size_t answered() const;
  std::size_t gave_up() const { return gave_up_; }  // Commands without a definite answer in time.
  const Troubles& troubles() const { return troubles_; }
  // Whether every shard answers again: one more command on each.
  bool flows(std::chrono::seconds limit) const;
  // Ends the clients and returns everything that they sent.
  std::vector<Operation> finish();

 private:
  void run(std::uint32_t shard, std::size_t number, const std::vector<std::pair<std::string, std::string>>& seats,
           std::stop_token stop);

  const Cluster& cluster_;
  const Options options_;
  Troubles troubles_;
  std::array<std::atomic<std::size_t>, Cluster::shards> answered_{};
  std::atomic<std::size_t> gave_up_{0};
  std::mutex mutex_;
  std::vector<Operation> operations_;
  std::vector<std::jthread> threads_;
};

// The whole log, and every reply, row and state compared with it; `operations` get their last answers first. Servers run
// before, and are stopped when it returns. Reports by gtest.
void expect_whole_history(Cluster& cluster, std::vector<Operation>& operations, std::size_t keys_sent_again, std::uint64_t seed);

}  // namespace guildhall
