// Reads of PostgreSQL: a few connections, each with its own thread, since libpqxx blocks.
//
// Every query is one READ ONLY transaction under a role and claims that end with it, so row-level security sees who asks and the
// next user of the connection inherits nothing. The URL's own role should have no rights but to become the roles of the queries.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace guildhall {

struct ReadQuery {
  std::string role;                     // Never empty.
  std::string claims;                   // JSON, becomes request.jwt.claims; may be empty.
  std::string method;                   // Becomes request.method.
  std::string path;                     // Becomes request.path.
  std::string sql;                      // One statement.
  std::vector<std::string> parameters;  // $1, $2, … as texts without NUL; the statement casts them.
};

struct PostgresRows {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;  // In PostgreSQL's text form.
};

struct PostgresFailure {
  enum class Kind : std::uint8_t {
    refused,      // Never sent: too many queries wait, it waited too long, or the pool stops.
    unreachable,  // No connection, or it broke.
    statement,    // PostgreSQL said no; `sqlstate` says why.
  };
  Kind kind = Kind::statement;
  std::string sqlstate;  // Five characters, empty where PostgreSQL gave none.
  std::string message;
  std::string details;  // Empty when there are none, likewise the hint.
  std::string hint;
  bool retryable = false;  // The same query may succeed later.
};

using ReadOutcome = std::expected<PostgresRows, PostgresFailure>;
// Called exactly once and must not throw: on one of the pool's threads, or before submit returns when the query is refused. Until
// it returns, its connection serves nobody else.
using ReadCallback = std::move_only_function<void(ReadOutcome)>;

struct PostgresPoolOptions {
  std::string url;  // postgresql://…
  std::size_t connections = 4;
  std::size_t queued_queries = 1'024;           // More are refused.
  std::chrono::milliseconds queue_wait{5'000};  // A query that waited longer is refused, as its client has given up.
  std::chrono::milliseconds statement_timeout{30'000};
};

class PostgresPool {
 public:
  // Starts the threads; each connects with its first query, and again whenever its connection broke.
  explicit PostgresPool(PostgresPoolOptions options);
  // stop().
  ~PostgresPool();
  PostgresPool(const PostgresPool&) = delete;
  PostgresPool& operator=(const PostgresPool&) = delete;

  // Any thread. A query whose connection turns out to be broken is sent once more over a new one: a read may be repeated.
  void submit(ReadQuery query, ReadCallback callback);

  // Refuses what waits and what comes, cancels what runs, joins the threads. Not from a callback. Repeatable.
  void stop();

 private:
  class Connection;
  struct Job {
    ReadQuery query;
    ReadCallback callback;
    std::chrono::steady_clock::time_point submitted;
  };

  void serve(std::size_t worker);
  bool replace(std::size_t worker, std::unique_ptr<Connection> by);  // False when the pool stops.
  ReadOutcome run(std::size_t worker, const ReadQuery& query);       // Leaves the transaction open, for serve() to end.

  const PostgresPoolOptions options_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Job> queue_;
  bool stopping_ = false;
  std::vector<std::unique_ptr<Connection>> connections_;  // One a worker; replaced under the mutex, so that stop() can cancel.
  std::vector<std::thread> threads_;
};

}  // namespace guildhall
