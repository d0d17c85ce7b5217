// HTTP messages as plain values: handlers see these and never a socket, so they are tested without one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace guildhall {

class LiveBody;

enum class Method : std::uint8_t { get, head, post, put, patch, del, options };

// A request that passed the framing gate. Header names are lower case; each name of framing_gate.h's once-only list appears at
// most once.
struct Request {
  Method method = Method::get;
  std::string path;   // As sent, percent-encoding untouched, without the query.
  std::string query;  // Without the '?'.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string host;              // Without the port, lower case.
  std::string remote_address;    // Of the peer socket.
  std::string request_id;        // The client's X-Request-Id if it is well formed, else minted.
  std::int64_t received_at = 0;  // Microseconds since the epoch, from the server's clock.

  // The value of a header, or "" when absent. `name` is lower case.
  std::string_view header(std::string_view name) const {
    for (const auto& [key, value] : headers)
      if (key == name) return value;
    return {};
  }
};

// Content-Length or Transfer-Encoding, Date, Connection and X-Request-Id are added by the server.
struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::shared_ptr<LiveBody> live;  // In place of `body`, one that goes on (live_body.h); the last of its connection.
};

// Sends the response; called exactly once, from any thread. Destroyed without a call, the connection is closed.
using Respond = std::move_only_function<void(Response)>;
// Called on a server thread: must not block. It keeps `Respond` for as long as the answer takes.
using Handler = std::function<void(Request, Respond)>;

}  // namespace guildhall
