#include "infra/postgres_pool.h"

#include <pthread.h>

#include <stdexcept>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <pqxx/result>
#include <pqxx/version>

#include "events/check.h"

namespace guildhall {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int connect_timeout_seconds = 5;
constexpr int unacknowledged_timeout_ms = 10'000;  // A silent server is noticed then, not after the kernel's quarter of an hour.

// The statement that makes a transaction the user's. All of it is local to the transaction, also when a pooler stands between.
constexpr const char* enter_context =
    "SELECT set_config('role', $1, true), set_config('request.jwt.claims', $2, true), set_config('request.method', $3, true), "
    "set_config('request.path', $4, true), set_config('statement_timeout', $5, true), set_config('TimeZone', 'UTC', true)";

std::string with_timeouts(std::string url) {
  url += url.find('?') == std::string::npos ? '?' : '&';
  return url + fmt::format("connect_timeout={}&tcp_user_timeout={}", connect_timeout_seconds, unacknowledged_timeout_ms);
}

// The part of a libpq message under a label, up to the next label; empty without it.
std::string section(std::string_view text, std::string_view label) {
  const std::size_t start = text.find(label);
  if (start == std::string_view::npos) return {};
  text.remove_prefix(start + label.size());
  for (const std::string_view next : {"\nLINE ", "\nDETAIL:  ", "\nHINT:  ", "\nQUERY:  ", "\nCONTEXT:  "})
    text = text.substr(0, text.find(next));
  while (text.ends_with('\n')) text.remove_suffix(1);
  return std::string(text);
}

// libpqxx 6 keeps only the text that libpq makes for people: "ERROR:  message\nLINE 1: …\nDETAIL:  …\nHINT:  …".
PostgresFailure statement_failure(std::string sqlstate, std::string_view text) {
  PostgresFailure failure;
  failure.message = section(text, ":  ");
  if (failure.message.empty()) failure.message = text;
  failure.details = section(text, "\nDETAIL:  ");
  failure.hint = section(text, "\nHINT:  ");
  // Lost connections, too few resources, cancelled or timed out, shutting down, rolled back for another's sake.
  const std::string_view kind = std::string_view(sqlstate).substr(0, 2);
  failure.retryable = kind == "08" || kind == "53" || kind == "57" || kind == "40" || sqlstate == "55P03";
  failure.sqlstate = std::move(sqlstate);
  return failure;
}

PostgresFailure unreachable(std::string_view message) {
  return {PostgresFailure::Kind::unreachable, "", std::string(message), "", "", true};
}

PostgresFailure refused(std::string_view message) {
  return {PostgresFailure::Kind::refused, "", std::string(message), "", "", true};
}

PostgresRows rows_of(const pqxx::result& result) {
  PostgresRows out;
  for (pqxx::row_size_type column = 0; column < result.columns(); ++column) out.columns.emplace_back(result.column_name(column));
  out.rows.reserve(result.size());
  for (const pqxx::row row : result) {
    std::vector<std::optional<std::string>> fields;
    fields.reserve(row.size());
    for (const pqxx::field field : row) {
      if (field.is_null()) fields.emplace_back(std::nullopt);
      else fields.emplace_back(std::string(field.c_str(), field.size()));
    }
    out.rows.push_back(std::move(fields));
  }
  return out;
}

}  // namespace

// One session. Between queries it is outside any transaction and has no state; if that is in doubt, it is dropped.
class PostgresPool::Connection {
 public:
  explicit Connection(const std::string& url) : session_(url), backend_(session_.backendpid()) {}

  // Throws pqxx's exceptions.
  PostgresRows read(const ReadQuery& query, const std::string& timeout_ms) {
    execute("BEGIN READ ONLY");
    pqxx::nontransaction transaction(session_);  // pqxx's name for: BEGIN and its end are ours.
    transaction.exec_params(enter_context, query.role, query.claims, query.method, query.path, timeout_ms);
    const pqxx::result result = transaction.exec_params(query.sql, pqxx::prepare::make_dynamic_params(query.parameters));
    // pqxx may reconnect without a word, and the statement would have run outside our transaction, without the role.
    if (session_.backendpid() != backend_) throw pqxx::broken_connection("the connection was replaced during a query");
    return rows_of(result);
  }

  // Ends the transaction after read(), whether that threw or not; false: the session must not be used again. There is nothing to
  // commit, and a rollback cannot fail for any reason but the connection's.
  bool leave() noexcept {
    try {
      execute("ROLLBACK");
      return session_.is_open() && session_.backendpid() == backend_;
    } catch (const std::exception&) {
      return false;
    }
  }

  bool is_open() const { return session_.is_open(); }

  void cancel() noexcept {
    try {
      session_.cancel_query();
    } catch (const std::exception&) {
      // Whoever runs it learns more from its own end of the connection.
    }
  }

 private:
  void execute(const char* command) { pqxx::nontransaction(session_).exec(command); }

  pqxx::connection session_;
  int backend_;
};

PostgresPool::PostgresPool(PostgresPoolOptions options) : options_(std::move(options)), connections_(options_.connections) {
  CHECK(options_.connections > 0);
  CHECK(options_.url.find("://") != std::string::npos);
  for (std::size_t worker = 0; worker < options_.connections; ++worker)
    threads_.emplace_back([this, worker] {
      ::pthread_setname_np(::pthread_self(), "reads");
      serve(worker);
    });
}

PostgresPool::~PostgresPool() { stop(); }

void PostgresPool::submit(ReadQuery query, ReadCallback callback) {
  CHECK(!query.role.empty());
  std::string_view reason;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      reason = "the server is stopping";
    } else if (queue_.size() >= options_.queued_queries) {
      reason = "too many reads are waiting";
    } else {
      queue_.push_back({std::move(query), std::move(callback), Clock::now()});
    }
  }
  if (reason.empty()) work_.notify_one();
  else callback(std::unexpected(refused(reason)));
}

void PostgresPool::stop() {
  std::deque<Job> waiting;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting.swap(queue_);
    for (const auto& connection : connections_)
      if (connection) connection->cancel();
  }
  work_.notify_all();
  for (Job& job : waiting) job.callback(std::unexpected(refused("the server is stopping")));
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void PostgresPool::serve(std::size_t worker) {
  while (true) {
    std::unique_lock lock(mutex_);
    work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    Job job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    if (Clock::now() - job.submitted > options_.queue_wait) {
      job.callback(std::unexpected(refused("the read waited too long for a connection")));
    } else {
      job.callback(run(worker, job.query));
      // After the answer, for which nobody need wait longer.
      if (connections_[worker] && !connections_[worker]->leave()) replace(worker, nullptr);
    }
  }
}

bool PostgresPool::replace(std::size_t worker, std::unique_ptr<Connection> by) {
  const std::lock_guard lock(mutex_);
  connections_[worker].swap(by);  // The old one is closed after the lock, when `by` ends.
  return !stopping_;
}

ReadOutcome PostgresPool::run(std::size_t worker, const ReadQuery& query) {
  std::unique_ptr<Connection>& connection = connections_[worker];
  while (true) {
    const bool fresh = connection == nullptr;
    std::optional<ReadOutcome> outcome;
    bool broken = false;
    try {
      if (fresh && !replace(worker, std::make_unique<Connection>(with_timeouts(options_.url))))
        return std::unexpected(refused("the server is stopping"));
      outcome = connection->read(query, std::to_string(options_.statement_timeout.count()));
    } catch (const pqxx::broken_connection& error) {
      outcome = std::unexpected(unreachable(error.what()));
      broken = true;
    } catch (const pqxx::insufficient_privilege& error) {  // The one whose sqlstate libpqxx 6.4.5 forgets.
      outcome = std::unexpected(statement_failure("42501", error.what()));
    } catch (const pqxx::sql_error& error) {
      outcome = std::unexpected(statement_failure(error.sqlstate(), error.what()));
      broken = !connection->is_open();  // The server's last word before it closed, say "terminating connection".
    } catch (const pqxx::deadlock_detected& error) {
      outcome = std::unexpected(statement_failure("40P01", error.what()));
    } catch (const pqxx::transaction_rollback& error) {
      outcome = std::unexpected(statement_failure("40001", error.what()));
    } catch (const std::exception& error) {
      outcome = std::unexpected(unreachable(error.what()));
      broken = true;
    }
    if (broken) replace(worker, nullptr);
    if (!broken || fresh) {
      if (broken) outcome->error().kind = PostgresFailure::Kind::unreachable;
      return std::move(*outcome);
    }
  }
}

}  // namespace guildhall
