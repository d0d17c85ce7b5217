// The HTTP/1.1 listener: framing gate, limits and deadlines, keep-alive and pipelining, drain. Handlers see plain values.
//
// Every connection lives on one of the server's threads; the requests of a connection are handled strictly in order: a handler
// is never given the next one before the previous one was answered. A refused request (framing_gate.h) is answered with
// problem+json, then the connection is closed. `Expect: 100-continue` is answered with "100 Continue" unless the body has already
// begun to arrive.
//
// A response with a live body (live_body.h) is sent in chunks as it is written, on no thread of its own, until it ends, its
// client goes or does not keep up, its age is reached or the server drains; then the connection is closed, and requests that were
// sent behind it are not read.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "events/clock.h"
#include "gateway/framing_gate.h"
#include "gateway/http.h"

namespace guildhall {

// The world refused the listener: address in use, no permission, not an address. Thrown by start() only.
struct HttpServerError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One answered, refused or broken-off request. The texts live for the call only.
struct AccessRecord {
  std::string_view method;  // "-" when the request did not pass the gate.
  std::string_view path;    // Empty then.
  std::string_view request_id;
  std::string_view problem;  // Why there was no ordinary answer; empty when all went well.
  int status = 0;            // 0: closed without an answer.
  Micros duration_us = 0;    // From the complete header block until the last byte was handed to the kernel.
  std::uint64_t sent_bytes = 0;
  bool is_live = false;  // The duration is how long somebody listened.
};

struct HttpLimits {
  // Deadlines are absolute: each phase ends that long after it began, however busily bytes drip in. They are checked every
  // sweep_interval_us, so one may be late by that much and never early. A connection that misses one is closed without an answer.
  Micros header_deadline_us = 5 * second_us;  // First byte to the end of the header block; of a new connection from its accept.
  Micros body_deadline_us = 10 * second_us;
  Micros write_deadline_us = 10 * second_us;  // One response.
  Micros idle_deadline_us = 30 * second_us;   // Between a response and the first byte of the next request.
  Micros linger_deadline_us = 2 * second_us;  // Reading on after the last answer, lest a reset destroys that answer.
  // Of a live body each write has the write deadline; between writes it has none of the above.
  Micros live_heartbeat_us = 15 * second_us;  // After so long without a write: a peer that is dead is noticed, proxies stay.
  Micros live_age_us = hour_us;               // Then it ends; the client asks again.
  Micros sweep_interval_us = second_us / 4;
  std::size_t connection_requests = 10'000;  // Then the response says `Connection: close`.
  Micros connection_age_us = hour_us;        // Likewise.
  std::size_t address_connections = 64;      // Of one peer address that is not trusted.
  std::size_t connections = 4'096;           // Of all peers; at most 2^20.
  std::size_t refused_connections = 256;     // Above the two caps: answered 503, beyond this many at a time just closed.
};

struct HttpServerOptions {
  const Clock& clock;  // For Request::received_at, Date and durations; deadlines do not depend on it. Outlives the server.
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one, see port().
  std::size_t threads = 1;
  GateRules gate;  // Its allowed_hosts must be filled.
  HttpLimits limits;
  std::vector<std::string> trusted_addresses;  // Reverse proxies, load generators: exempt from address_connections.
  // Drawn from the random source at start, so that minted request ids of two runs differ.
  std::uint64_t request_id_seed = 0;
  std::string problem_type_base = "/docs/errors/";  // A problem's `type` is this and the code.
  // Called on a server thread after each request, and for each connection refused with 503; must be quick and must not throw.
  // May be empty.
  std::function<void(const AccessRecord&)> on_access;
};

class HttpServer {
 public:
  // Opens nothing yet. The handler must not block; one that throws is answered with 503 internal_error if it has not responded.
  HttpServer(HttpServerOptions options, Handler handler);
  // stop() without patience.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Listens and starts the threads. Once only. Throws HttpServerError.
  void start();

  // The port listened on; from start() on.
  std::uint16_t port() const;

  // From start() on: stops accepting, closes idle connections, closes the others after the response in flight. Returns at once;
  // any thread, repeatable.
  void begin_drain();

  // Drains for at most `patience`, then closes what is left and joins the threads: afterwards no handler or callback runs any
  // more, and a Respond still held elsewhere may still be called or destroyed, without effect. Repeatable; not from a handler.
  void stop(std::chrono::milliseconds patience);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace guildhall
