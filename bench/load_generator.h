// A closed loop over HTTP/1.1: every connection sends its next request when the answer to the one before has come. One thread and
// epoll, a few microseconds of CPU a request, because the generator shares the machine with what it measures.
//
// A closed loop waits with a slow server instead of piling requests up, so its percentiles are those of clients that do the same.
// With a rate, requests are due at their times whatever the server does, and an answer's time counts from when its request was
// due: as many connections as the rate needs are the caller's care.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "bench/histogram.h"

namespace guildhall {

// What is sent. All calls come from the generator's thread.
class RequestSource {
 public:
  virtual ~RequestSource() = default;
  // Puts the next request's bytes into `out`, whatever it held. False: there are no more.
  virtual bool next(std::string& out) = 0;
  // Every answer, in the order in which they come.
  virtual void answered(int status, std::string_view body) = 0;
};

struct LoadOptions {
  std::uint16_t port = 0;  // On 127.0.0.1.
  std::size_t connections = 1;
  std::size_t per_second = 0;             // Requests, at most. 0: as fast as answers come.
  std::chrono::microseconds warmup{0};    // Answers in it are not counted.
  std::chrono::microseconds measured{0};  // Then nothing more is sent. 0: until the source ends, everything counted.
  std::chrono::seconds answer_deadline{30};
  const std::atomic<bool>* hold_back = nullptr;  // While it is true nothing new is sent; what is under way goes on.
  std::function<void()> on_begin;                // When the warm-up is over.
  std::function<void()> on_end;                  // When the measured time is over.
};

struct LoadResult {
  Histogram accepted;             // 2xx
  Histogram refused;              // 4xx
  std::uint64_t unavailable = 0;  // 503
  std::uint64_t other = 0;
  std::uint64_t broken_connections = 0;
  std::uint64_t reconnects = 0;  // After `Connection: close`.
  double seconds = 0;            // That the counts are of.
  double held_back_seconds = 0;
  bool source_ended = false;  // Before the measured time was over.
  std::string first_other;    // Status and body of the first answer that is neither 2xx nor 4xx.

  double accepted_per_s() const { return seconds > 0 ? static_cast<double>(accepted.count()) / seconds : 0; }
  double refused_per_s() const { return seconds > 0 ? static_cast<double>(refused.count()) / seconds : 0; }
};

// Throws std::runtime_error when it can't connect, or when answers fail to come within the deadline.
LoadResult run_load(const LoadOptions& options, RequestSource& source);

// For what is not measured: one request to 127.0.0.1 on a connection of its own. Throws std::runtime_error.
struct HttpAnswer {
  int status = 0;
  std::string body;
};
HttpAnswer http_get(std::uint16_t port, std::string_view target, std::string_view bearer = {});

}  // namespace guildhall
