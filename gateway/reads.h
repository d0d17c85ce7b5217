// GET /rest/v1/<relation>: a read model's rows, as the row-level policies let this caller see them, in PostgREST's dialect.
//
// Order of work: plan (refusals cost nothing), wait for the position that a consistency token names, then one read-only
// transaction.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "gateway/http.h"
#include "gateway/rest_query.h"
#include "infra/postgres_pool.h"

namespace guildhall {

inline constexpr std::string_view rest_path = "/rest/v1/";

// Who reads: from a verified token, never from the request's own words.
struct ReadCaller {
  std::string role;    // A database role: anon, authenticated or service_role.
  std::string claims;  // The token's claims, as JSON; for anon "" or the anon key's.
};

// How a wait for a consistency token ended.
struct TokenWait {
  enum class End : std::uint8_t {
    reached,
    timed_out,       // `detail` is how far behind, "events=12;ms=340".
    not_applicable,  // Not a token of this log; `detail` says why.
    stopped,         // A projection is paused or failed, `detail` says which: waiting longer would not help.
  };
  End end = End::reached;
  std::string detail;
};
// Calls back exactly once, from any thread, at the latest soon after the timeout.
using WaitForToken =
    std::function<void(std::string token, std::chrono::milliseconds timeout, std::move_only_function<void(TokenWait)> done)>;

// PostgreSQL did not give the catalogue.
struct CatalogueError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The relations of a schema, read through the pool as `role`; blocks. Not from a callback of the pool. Throws CatalogueError.
RelationCatalogue load_catalogue(PostgresPool& pool, const std::string& schema, const std::string& role);

struct ReadHandlerOptions {
  PostgresPool& user_reads;
  PostgresPool& service_reads;  // For role service_role; may be the same pool.
  WaitForToken wait_for_token;
  std::size_t max_rows = rest_max_rows;
};

// Outlives its requests: stop the pools and the waiter before it goes.
class ReadHandler {
 public:
  ReadHandler(ReadHandlerOptions options, RelationCatalogue catalogue);

  // After read models changed; requests that are under way keep the old one. Any thread.
  void set_catalogue(RelationCatalogue catalogue);

  // `request.path` must begin with rest_path. Any thread; does not block.
  void handle(const Request& request, ReadCaller caller, Respond respond);

 private:
  struct Read;
  void run(std::shared_ptr<Read> read);

  const ReadHandlerOptions options_;
  std::atomic<std::shared_ptr<const RelationCatalogue>> catalogue_;
};

}  // namespace guildhall
