// The body of a response that goes on while things happen: a pipe between whoever knows of them and the server that sends them.
// Neither end waits for the other. What is written and not yet sent is bounded, and a client that is further behind is cut off.
// Either end may go first; a response that is never sent closes its body like one whose client has gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "events/clock.h"

namespace guildhall {

class LivePipe;

struct LiveBodyOptions {
  std::size_t limit_bytes = 64 * 1024;  // Written and not yet taken by the server, which has at most as much in hand.
  std::string heartbeat;                // Sent when nothing else was for HttpLimits::live_heartbeat_us. Not empty.
  Micros lasts_us = std::numeric_limits<Micros>::max();  // HttpLimits::live_age_us if that is less.
};

// The server's end.
class LiveBody {
 public:
  enum class State : std::uint8_t {
    open,
    ended,    // There is no more than what was taken.
    overrun,  // The client was too slow: the rest is lost, and so there is no end.
  };

  LiveBody(std::shared_ptr<LivePipe> pipe, LiveBodyOptions options) : pipe_(std::move(pipe)), options_(std::move(options)) {}
  ~LiveBody();
  LiveBody(const LiveBody&) = delete;
  LiveBody& operator=(const LiveBody&) = delete;

  const std::string& heartbeat() const { return options_.heartbeat; }
  Micros lasts_us() const { return options_.lasts_us; }

  // `wake` is called, on any thread, when there is more after a take(), at the end, and when it is overrun. It must not block.
  void on_more(std::function<void()> wake);
  // What was written since the last call, in place of what `into` holds.
  State take(std::string& into);
  State state() const;

 private:
  std::shared_ptr<LivePipe> pipe_;
  const LiveBodyOptions options_;
};

// The other end. Any thread; destroyed, it ends the body.
class LiveBodyWriter {
 public:
  explicit LiveBodyWriter(std::shared_ptr<LivePipe> pipe) : pipe_(std::move(pipe)) {}
  ~LiveBodyWriter();
  LiveBodyWriter(LiveBodyWriter&&) noexcept = default;
  LiveBodyWriter& operator=(LiveBodyWriter&&) noexcept = default;

  // False, and from then on for ever: it is not sent, because the client has gone or was too slow.
  bool write(std::string_view bytes);
  bool closed() const;

 private:
  std::shared_ptr<LivePipe> pipe_;
};

std::pair<std::shared_ptr<LiveBody>, LiveBodyWriter> live_body(LiveBodyOptions options);

}  // namespace guildhall
