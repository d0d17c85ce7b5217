// HTTP/1.1 to the platform's other processes: kept-alive connections, one request at a time on each, all of it on one thread.
// Plain http: that only peers can listen and speak between the processes is the network's affair (a mesh, or a proxy on each
// side, brings the TLS).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "events/clock.h"

namespace guildhall {

struct PeerLimits {
  std::size_t connections = 64;  // To one peer. The peer trusts our address, or its own cap of connections comes first.
  std::size_t queued = 4096;     // Calls to one peer that wait for a connection; one more is not sent.
  Micros queue_deadline_us = 2 * second_us;    // A call that waited so long for a connection is not sent.
  Micros connect_deadline_us = 2 * second_us;  // Includes resolving the name.
  Micros answer_deadline_us = 10 * second_us;  // From a call's first byte to its answer's last.
  Micros idle_us = 20 * second_us;             // Then a connection is closed; the server would at 30 s.
  Micros sweep_interval_us = second_us / 4;    // How late the queue's and the idle deadline may be seen.
  std::size_t answer_bytes = 4 << 20;
};

struct PeerCall {
  std::string address;     // "http://host:port"
  std::string target;      // "/internal/v1/shards/3"
  std::string request_id;  // For the logs of both sides.
  std::string body;
};

struct PeerAnswer {
  enum class Kind : std::uint8_t {
    not_sent,  // The peer certainly has not got all of it: nothing was done.
    lost,      // Sent, and no whole answer came.
    answered,
  };
  Kind kind = Kind::not_sent;
  int status = 0;
  std::string content_type;
  std::string body;
};

class PeerClient {
 public:
  using Done = std::move_only_function<void(PeerAnswer)>;

  // Starts the thread. `authorization` is the header's value.
  explicit PeerClient(std::string authorization, PeerLimits limits = {});
  // stop().
  ~PeerClient();
  PeerClient(const PeerClient&) = delete;
  PeerClient& operator=(const PeerClient&) = delete;

  // POSTs the body. Any thread. `done` is called once, on the client's thread; after stop() at once, with not_sent. A connection
  // that was kept and turns out to be closed is replaced once by a new one, so the peer may get a call twice.
  void send(PeerCall call, Done done);

  // Calls back on the client's thread after the time, or earlier when the client stops. False after stop(): never called.
  bool later(Micros delay_us, std::move_only_function<void()> callback);

  // Answers every call that is under way (not_sent or lost), runs what was asked for later, ends the thread. Repeatable; not from
  // a callback.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace guildhall
