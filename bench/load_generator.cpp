#include "bench/load_generator.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "bench/response_reader.h"

namespace guildhall {
namespace {

using Clock = std::chrono::steady_clock;
using Instant = Clock::time_point;

constexpr int events_at_once = 256;
constexpr std::chrono::milliseconds idle_wait{50};      // Between looks at the time when no answers come.
constexpr std::chrono::milliseconds held_back_wait{1};  // Between looks at hold_back.
constexpr time_t blocking_patience_s = 30;
constexpr std::size_t max_broken_connections = 1000;

class Socket {
 public:
  Socket() = default;
  explicit Socket(std::uint16_t port) : Socket() {  // Delegates, so that a failure below closes what is open.
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    const timeval patience{.tv_sec = blocking_patience_s, .tv_usec = 0};
    if (fd_ < 0 || ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0)
      throw std::system_error(errno, std::generic_category(), "connect to port " + std::to_string(port));
  }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

  // A request is far smaller than a loopback socket's buffer, and the one before was answered: it never has to wait.
  bool send(std::string_view bytes) const {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(bytes.size());
  }

 private:
  int fd_ = -1;
};

std::uint64_t microseconds_between(Instant a, Instant b) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(b - a).count());
}
double seconds_between(Instant a, Instant b) { return std::chrono::duration<double>(b - a).count(); }

struct Connection {
  Socket socket;
  ResponseReader reader;
  Instant sent;
  bool waiting = false;  // For an answer.
};

class Run {
 public:
  Run(const LoadOptions& options, RequestSource& source)
      : options_(options), source_(source), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    connections_.resize(options.connections);
    for (std::size_t i = 0; i < connections_.size(); ++i) connect(i);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() { ::close(epoll_); }

  LoadResult run() {
    const Instant start = Clock::now();
    last_answer_ = now_ = start_ = start;
    begin_ = start + options_.warmup;
    end_ = options_.measured.count() > 0 ? begin_ + options_.measured : Instant::max();
    advance_phase();
    for (std::size_t i = 0; i < connections_.size(); ++i) send_next(i);
    std::array<epoll_event, events_at_once> events;
    while (phase_ != Phase::over || under_way_ > 0 || !parked_.empty()) {
      if (under_way_ == 0 && parked_.empty()) break;  // The source has ended.
      const timespec patience = wait_time();
      const int count = ::epoll_pwait2(epoll_, events.data(), events_at_once, &patience, nullptr);
      if (count < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "epoll_pwait2");
      now_ = Clock::now();
      advance_phase();
      for (int i = 0; i < count; ++i) read(events[static_cast<std::size_t>(i)].data.u64);
      resume_parked();
      if (under_way_ > 0 && now_ - last_answer_ > options_.answer_deadline)
        throw std::runtime_error(std::to_string(under_way_) + " requests were not answered within the deadline");
    }
    if (phase_ != Phase::over) finish(Clock::now());
    return std::move(result_);
  }

 private:
  enum class Phase : std::uint8_t { warming, measuring, over };

  void connect(std::size_t i) {
    Connection& c = connections_[i];
    c.socket = Socket(options_.port);
    c.reader.clear();
    epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, c.socket.fd(), &event) != 0)
      throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }

  void advance_phase() {
    if (phase_ == Phase::warming && now_ >= begin_) {
      phase_ = Phase::measuring;
      begin_ = now_;
      if (options_.measured.count() > 0) end_ = begin_ + options_.measured;
      if (options_.on_begin) options_.on_begin();
    }
    if (phase_ == Phase::measuring && now_ >= end_) finish(now_);
  }

  void finish(Instant at) {
    if (phase_ == Phase::measuring) {
      result_.seconds = seconds_between(begin_, at);
      if (!parked_.empty()) result_.held_back_seconds += seconds_between(std::max(parked_since_, begin_), at);
    }
    phase_ = Phase::over;
    if (options_.per_second == 0) parked_.clear();  // What was due before the end is sent, however late.
    if (options_.on_end) options_.on_end();
  }

  bool is_held_back() const { return options_.hold_back != nullptr && options_.hold_back->load(std::memory_order_relaxed); }
  Instant due() const {  // The next request, where there is a rate.
    return start_ + std::chrono::duration_cast<Clock::duration>(
                        std::chrono::duration<double>(static_cast<double>(sent_) / static_cast<double>(options_.per_second)));
  }
  bool must_wait() const { return is_held_back() || (options_.per_second > 0 && due() > now_); }
  bool is_sent_all() const {
    return result_.source_ended || (options_.per_second > 0 ? due() >= end_ : phase_ == Phase::over);
  }
  // Until somebody has to look even if no answer comes.
  timespec wait_time() const {
    using std::chrono::nanoseconds;
    nanoseconds wait = parked_.empty() ? idle_wait : held_back_wait;
    if (options_.per_second > 0 && !parked_.empty())
      wait = std::clamp<nanoseconds>(std::min(due(), end_) - Clock::now(), nanoseconds::zero(), idle_wait);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait);
    return {.tv_sec = seconds.count(), .tv_nsec = (wait - seconds).count()};
  }

  void send_next(std::size_t i) {
    if (is_sent_all()) return;
    if (must_wait()) {
      if (parked_.empty()) parked_since_ = now_;
      parked_.push_back(i);
      return;
    }
    if (!source_.next(request_)) {
      result_.source_ended = true;
      return;
    }
    Connection& c = connections_[i];
    c.sent = options_.per_second > 0 ? due() : Clock::now();
    ++sent_;
    c.waiting = true;
    ++under_way_;
    if (!c.socket.send(request_)) reconnect_broken(i);
  }

  // Connections sit here while the load is held back, or until a request is due.
  void resume_parked() {
    if (parked_.empty() || must_wait()) return;
    if (phase_ == Phase::measuring) result_.held_back_seconds += seconds_between(std::max(parked_since_, begin_), now_);
    for (const std::size_t i : std::exchange(parked_, {})) send_next(i);
  }

  void read(std::size_t i) {
    Connection& c = connections_[i];
    const auto room = c.reader.room();
    const ssize_t got = ::recv(c.socket.fd(), room.data(), room.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return reconnect_broken(i);
    switch (c.reader.took(static_cast<std::size_t>(got))) {
      case ResponseReader::State::partial: return;
      case ResponseReader::State::broken: return reconnect_broken(i);
      case ResponseReader::State::whole: break;
    }
    const Instant at = Clock::now();
    last_answer_ = at;
    c.waiting = false;
    --under_way_;
    source_.answered(c.reader.status(), c.reader.body());
    count(c, microseconds_between(c.sent, at));
    const bool closes = c.reader.closes();
    c.reader.clear();
    if (closes) {
      ++result_.reconnects;
      connect(i);
    }
    send_next(i);
  }

  void count(const Connection& c, std::uint64_t us) {
    const int status = c.reader.status();
    const bool expected = (status >= 200 && status < 300) || (status >= 400 && status < 500);
    if (!expected && result_.first_other.empty())
      result_.first_other = std::to_string(status) + " " + std::string(c.reader.body());
    // With a rate all count that were due in the measured time: what a stall kept from being sent or answered would be missing.
    const bool counts = options_.per_second > 0 ? c.sent >= begin_ && c.sent < end_ : phase_ == Phase::measuring;
    if (!counts) return;
    if (status >= 200 && status < 300) result_.accepted.record(us);
    else if (status >= 400 && status < 500) result_.refused.record(us);
    else if (status == 503) ++result_.unavailable;
    else ++result_.other;
  }

  // The server closed without an answer, or sent what is none. Its request's fate is not known, so it is not sent again.
  void reconnect_broken(std::size_t i) {
    Connection& c = connections_[i];
    if (std::exchange(c.waiting, false)) --under_way_;
    if (++result_.broken_connections > max_broken_connections) throw std::runtime_error("the server keeps breaking connections");
    connect(i);
    send_next(i);
  }

  const LoadOptions& options_;
  RequestSource& source_;
  int epoll_;
  std::vector<Connection> connections_;
  std::vector<std::size_t> parked_;
  Instant parked_since_;
  std::string request_;
  std::size_t under_way_ = 0;
  std::uint64_t sent_ = 0;
  Phase phase_ = Phase::warming;
  Instant start_, begin_, end_, now_, last_answer_;
  LoadResult result_;
};

}  // namespace

LoadResult run_load(const LoadOptions& options, RequestSource& source) { return Run(options, source).run(); }

HttpAnswer http_get(std::uint16_t port, std::string_view target, std::string_view bearer) {
  const Socket socket(port);
  std::string request = "GET " + std::string(target) + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n";
  if (!bearer.empty()) request += "Authorization: Bearer " + std::string(bearer) + "\r\n";
  if (!socket.send(request + "\r\n")) throw std::runtime_error("the request was not sent");
  ResponseReader reader;
  for (;;) {
    const auto room = reader.room();
    const ssize_t got = ::recv(socket.fd(), room.data(), room.size(), 0);
    if (got <= 0) throw std::runtime_error("no answer to GET " + std::string(target));
    const auto state = reader.took(static_cast<std::size_t>(got));
    if (state == ResponseReader::State::broken) throw std::runtime_error("no proper answer to GET " + std::string(target));
    if (state == ResponseReader::State::whole) return {reader.status(), std::string(reader.body())};
  }
}

}  // namespace guildhall
