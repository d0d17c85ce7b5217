// The gateway's one handler: who asks, for what, and which part answers. No I/O of its own.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "gateway/commands.h"
#include "gateway/http.h"
#include "gateway/jwt.h"
#include "gateway/leaderboards.h"
#include "gateway/live_notifications.h"
#include "gateway/reads.h"
#include "gateway/schema.h"

namespace guildhall {

struct ApiEnvironment {
  const Clock& clock;
  const TokenVerifier& verifier;
  const SchemaCatalogue& schemas;
  Commands& commands;
  Dispatcher& dispatcher;
  ReadHandler* reads;  // nullptr: this process has no PostgreSQL.
  std::string openapi;
  std::vector<std::string> cors_origins;  // Allow-listed; "*" is refused at start.
  std::function<Response()> ready;        // GET /readyz
  std::function<Response()> metrics;      // GET /metrics
  LeaderboardReads* leaderboards = nullptr;         // nullptr: there are none here.
  LiveNotifications* live_notifications = nullptr;  // nullptr: there are none here.
};

class Api {
 public:
  explicit Api(ApiEnvironment environment) : env_(std::move(environment)) {}
  // A server's Handler: does not block.
  void handle(Request request, Respond respond);

 private:
  void route(const Request& request, Respond respond);
  void call_function(const Request& request, const Claims& claims, std::string_view name, Respond respond);

  ApiEnvironment env_;
};

// The error shape of PostgREST, which supabase-js reads: {code, message, details, hint}.
Response rest_error(int status, std::string_view code, std::string_view message, std::string_view details = {},
                    std::string_view hint = {});

}  // namespace guildhall
