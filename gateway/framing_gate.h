// The framing gate: one pure scan over the raw bytes of a request's header block, before anything else looks at them.
// Where two parsers could disagree about where a request ends, whose it is or what it names, the gate refuses, and the server
// answers and closes the connection. Because it looks at every byte anyway it also yields the parsed head: there is no second
// parser to disagree with.
#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/http.h"

namespace guildhall {

struct GateRules {
  std::size_t header_bytes = 24 * 1024;  // Request line, fields and the empty line together.
  std::size_t header_fields = 64;
  std::size_t target_bytes = 2 * 1024;       // Path and query as sent.
  std::size_t rest_target_bytes = 8 * 1024;  // The same under /rest/v1: supabase-js writes whole filters into the query.
  std::size_t body_bytes = 64 * 1024;
  // The same under /internal/, where a peer sends a command's bytes: they are what a body of the above becomes, and its envelope.
  std::size_t internal_body_bytes = 96 * 1024;
  // Names that Host may carry: lower case, without port, IPv6 in brackets. Empty refuses every request.
  std::vector<std::string> allowed_hosts;
};

// A request that repeats one of these is refused: whoever reads the other copy would see another request.
inline constexpr std::array<std::string_view, 6> once_only_headers = {"host",   "content-length",  "authorization",
                                                                      "apikey", "idempotency-key", "content-type"};

struct Head {
  Method method = Method::get;
  std::string path;   // As sent, without the query. Starts with '/', holds no "..", plain or encoded.
  std::string query;  // As sent, without the '?'.
  std::vector<std::pair<std::string, std::string>> headers;  // In order; names lower case, values without surrounding blanks.
  std::string host;                                          // Lower case, without the port, one of the allowed ones.
  std::size_t content_length = 0;  // 0 without the header: a body is announced or absent, never open-ended.
  bool keep_alive = true;
  bool expects_continue = false;  // The client may wait for "100 Continue" before it sends the body.
};

// Why a request is refused; the connection must be closed after the answer. `detail` never repeats bytes of the request.
struct GateRefusal {
  int status = 400;  // 400 invalid_request, 405 method_not_allowed or 413 too_large.
  std::string_view code = "invalid_request";
  std::string detail;
};

// The length of the header block at the front of `received`, its empty line included, or 0 while more bytes are needed. Refuses a
// bare LF and an oversized block as soon as they are seen, so that nobody waits for the deadline. `scanned` is 0 for a new block,
// else what the previous call left there: bytes that arrive one by one are still looked at once.
std::expected<std::size_t, GateRefusal> find_head_end(std::string_view received, std::size_t& scanned, const GateRules& rules);

// Scans one whole header block. Safe for any bytes; does not rely on find_head_end having seen them.
std::expected<Head, GateRefusal> scan_head(std::string_view block, const GateRules& rules);

// The method's name as HTTP spells it.
std::string_view method_name(Method method);

}  // namespace guildhall
