#include "gateway/peer_client.h"

#include <pthread.h>
#include <sys/socket.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace guildhall {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr std::uint32_t answer_header_bytes = 16 * 1024;

std::chrono::microseconds micros(Micros duration_us) { return std::chrono::microseconds(duration_us); }

struct Place {
  std::string host;  // Without the brackets of IPv6.
  std::string port;
  std::string authority;  // The Host header.
};
std::optional<Place> parse_address(std::string_view address) {
  constexpr std::string_view scheme = "http://";
  if (!address.starts_with(scheme)) return std::nullopt;
  address.remove_prefix(scheme.size());
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == address.size()) return std::nullopt;
  std::string_view host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return Place{std::string(host), std::string(address.substr(colon + 1)), std::string(address)};
}

}  // namespace

// All but send(), later() and stop() runs on the thread.
class PeerClient::Impl {
 public:
  Impl(std::string authorization, PeerLimits limits)
      : authorization_(std::move(authorization)), limits_(limits), work_(asio::make_work_guard(io_)), sweep_timer_(io_) {
    sweep_later();
    thread_ = std::thread([this] {
      ::pthread_setname_np(::pthread_self(), "peers");
      io_.run();
    });
  }
  ~Impl() { stop(); }

  void send(PeerCall call, Done done) {
    {
      const std::lock_guard lock(mutex_);
      if (!stopped_) {
        asio::post(io_, [this, waiting = Waiting{std::move(call), std::move(done)}]() mutable { take(std::move(waiting)); });
        return;
      }
    }
    done({});
  }

  bool later(Micros delay_us, std::move_only_function<void()> callback) {
    const std::lock_guard lock(mutex_);
    if (stopped_) return false;
    asio::post(io_, [this, delay_us, callback = std::move(callback)]() mutable { wait(delay_us, std::move(callback)); });
    return true;
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      if (!std::exchange(stopped_, true)) asio::post(io_, [this] { end(); });
    }
    if (thread_.joinable()) thread_.join();
  }

 private:
  struct Waiting {
    PeerCall call;
    Done done;
    std::uint64_t since_tick = 0;
    bool may_be_there = false;  // A kept connection broke after it was sent: the peer may have it.
  };

  struct Peer;
  struct Connection {
    explicit Connection(asio::io_context& io) : stream(io), resolver(io) {}
    Peer* peer = nullptr;
    beast::tcp_stream stream;
    tcp::resolver resolver;
    beast::flat_buffer buffer;
    std::optional<http::request<http::span_body<const char>>> request;
    std::optional<http::response_parser<http::string_body>> answer;
    std::optional<Waiting> waiting;  // What it is busy with.
    bool kept = false;               // It has answered before.
    bool sent = false;               // All of the request in hand.
    bool closed = false;             // Whatever comes in for it now is of no interest.
    bool resolving = false;
    std::uint64_t since_tick = 0;  // Idle, or resolving.
  };
  using ConnectionPtr = std::shared_ptr<Connection>;

  struct Peer {
    std::optional<Place> place;
    std::unordered_set<ConnectionPtr> connections;  // All that are open or opening.
    std::vector<ConnectionPtr> idle;                // Of them, the last used at the end.
    std::deque<Waiting> queue;
  };

  static void answer(Waiting waiting, PeerAnswer::Kind kind) { waiting.done({kind, 0, {}, {}}); }
  static void not_sent(Waiting waiting) {
    const auto kind = waiting.may_be_there ? PeerAnswer::Kind::lost : PeerAnswer::Kind::not_sent;
    answer(std::move(waiting), kind);
  }

  // ---- calls

  void take(Waiting waiting) {
    const auto [at, is_new] = peers_.try_emplace(waiting.call.address);
    Peer& peer = at->second;
    if (is_new) peer.place = parse_address(waiting.call.address);
    if (!peer.place) return not_sent(std::move(waiting));
    while (!peer.idle.empty()) {
      const ConnectionPtr connection = peer.idle.back();
      peer.idle.pop_back();
      if (is_alive(*connection)) return exchange(connection, std::move(waiting));
      close(connection);
    }
    if (peer.connections.size() < limits_.connections) return connect(peer, std::move(waiting));
    if (peer.queue.size() >= limits_.queued) return not_sent(std::move(waiting));
    waiting.since_tick = tick_;
    peer.queue.push_back(std::move(waiting));
  }

  // A peer that went away has closed its end: seen here, nothing is sent into it.
  static bool is_alive(Connection& connection) {
    char byte = 0;
    const auto received = ::recv(connection.stream.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }

  void connect(Peer& peer, Waiting waiting) {
    const auto connection = std::make_shared<Connection>(io_);
    connection->peer = &peer;
    connection->waiting = std::move(waiting);
    peer.connections.insert(connection);
    connection->stream.expires_after(micros(limits_.connect_deadline_us));
    ErrorCode not_numeric;
    const auto address = asio::ip::make_address(peer.place->host, not_numeric);
    if (!not_numeric) {
      const auto port = static_cast<std::uint16_t>(std::strtoul(peer.place->port.c_str(), nullptr, 10));
      connection->stream.async_connect(tcp::endpoint(address, port),
                                       [this, connection](const ErrorCode& error) { connected(connection, error); });
      return;
    }
    connection->resolving = true;
    connection->since_tick = tick_;
    connection->resolver.async_resolve(
        peer.place->host, peer.place->port, [this, connection](const ErrorCode& error, const tcp::resolver::results_type& found) {
          if (connection->closed) return;
          connection->resolving = false;
          if (error) return give_up(connection);
          connection->stream.async_connect(
              found, [this, connection](const ErrorCode& failed, const tcp::endpoint&) { connected(connection, failed); });
        });
  }

  void connected(const ConnectionPtr& connection, const ErrorCode& error) {
    if (connection->closed) return;
    if (error) return give_up(connection);
    ErrorCode ignored;
    connection->stream.socket().set_option(tcp::no_delay(true), ignored);
    exchange(connection, std::move(*std::exchange(connection->waiting, std::nullopt)));
  }

  void exchange(const ConnectionPtr& connection, Waiting waiting) {
    connection->sent = false;
    connection->waiting = std::move(waiting);
    const PeerCall& call = connection->waiting->call;
    auto& request = connection->request.emplace(http::verb::post, call.target, 11);
    request.set(http::field::host, connection->peer->place->authority);
    request.set(http::field::authorization, authorization_);
    request.set(http::field::content_type, "application/octet-stream");
    request.set("X-Request-Id", call.request_id);
    request.body() = {call.body.data(), call.body.size()};
    request.prepare_payload();
    connection->stream.expires_after(micros(limits_.answer_deadline_us));
    http::async_write(connection->stream, request,
                      [this, connection](const ErrorCode& error, std::size_t) { written(connection, error); });
  }

  void written(const ConnectionPtr& connection, const ErrorCode& error) {
    if (connection->closed) return;
    if (error) return connection->kept ? again(connection) : give_up(connection);
    connection->sent = true;
    auto& parser = connection->answer.emplace();
    parser.header_limit(answer_header_bytes);
    parser.body_limit(limits_.answer_bytes);
    http::async_read(connection->stream, connection->buffer, parser,
                     [this, connection](const ErrorCode& failed, std::size_t) { received(connection, failed); });
  }

  void received(const ConnectionPtr& connection, const ErrorCode& error) {
    if (connection->closed) return;
    if (error) {
      // The server closes what was idle for long; that may cross our request.
      if (connection->kept && error != beast::error::timeout && !connection->answer->got_some()) {
        connection->waiting->may_be_there = true;
        return again(connection);
      }
      return give_up(connection);
    }
    Waiting waiting = std::move(*std::exchange(connection->waiting, std::nullopt));
    const bool keep = connection->answer->keep_alive() && connection->buffer.size() == 0;
    auto message = connection->answer->release();
    PeerAnswer answer{PeerAnswer::Kind::answered, static_cast<int>(message.result_int()),
                      std::string(message[http::field::content_type]), std::move(message.body())};
    connection->answer.reset();
    if (keep) release(connection);
    else close(connection);
    waiting.done(std::move(answer));
  }

  // The call in hand ends without an answer, and the connection with it.
  void give_up(const ConnectionPtr& connection) {
    Waiting waiting = std::move(*std::exchange(connection->waiting, std::nullopt));
    const bool sent = connection->sent;
    close(connection);
    if (sent) answer(std::move(waiting), PeerAnswer::Kind::lost);
    else not_sent(std::move(waiting));
  }

  void again(const ConnectionPtr& connection) {
    Waiting waiting = std::move(*std::exchange(connection->waiting, std::nullopt));
    Peer& peer = *connection->peer;
    forget(connection);
    connect(peer, std::move(waiting));
  }

  // ---- the pool

  void release(const ConnectionPtr& connection) {
    connection->kept = true;
    Peer& peer = *connection->peer;
    if (!peer.queue.empty()) return exchange(connection, next(peer));
    connection->stream.expires_never();
    connection->since_tick = tick_;
    peer.idle.push_back(connection);
  }

  void close(const ConnectionPtr& connection) {
    Peer& peer = *connection->peer;
    forget(connection);
    if (!peer.queue.empty() && peer.connections.size() < limits_.connections) connect(peer, next(peer));
  }

  static void forget(const ConnectionPtr& connection) {
    connection->closed = true;
    connection->resolver.cancel();
    connection->stream.close();
    connection->peer->connections.erase(connection);
  }

  static Waiting next(Peer& peer) {
    Waiting waiting = std::move(peer.queue.front());
    peer.queue.pop_front();
    return waiting;
  }

  // ---- time: the queue's and the idle deadline are counted in sweeps, so no clock is asked

  bool is_over(std::uint64_t since_tick, Micros duration_us) const {
    return (tick_ - since_tick) * static_cast<std::uint64_t>(limits_.sweep_interval_us) > static_cast<std::uint64_t>(duration_us);
  }

  void sweep_later() {
    sweep_timer_.expires_after(micros(limits_.sweep_interval_us));
    sweep_timer_.async_wait([this](const ErrorCode& error) {
      if (error || ended_) return;
      ++tick_;
      for (auto at = peers_.begin(); at != peers_.end();) {
        sweep(at->second);
        const bool unused = at->second.connections.empty() && at->second.queue.empty();
        at = unused ? peers_.erase(at) : std::next(at);
      }
      sweep_later();
    });
  }

  void sweep(Peer& peer) {
    while (!peer.queue.empty() && is_over(peer.queue.front().since_tick, limits_.queue_deadline_us)) not_sent(next(peer));
    // The longest idle are in front.
    while (!peer.idle.empty() && (is_over(peer.idle.front()->since_tick, limits_.idle_us) || !is_alive(*peer.idle.front()))) {
      const ConnectionPtr connection = peer.idle.front();
      peer.idle.erase(peer.idle.begin());
      close(connection);
    }
    // Asking the system's resolver can't be broken off, so who waits for it is told here.
    std::vector<ConnectionPtr> late;
    for (const ConnectionPtr& connection : peer.connections)
      if (connection->resolving && is_over(connection->since_tick, limits_.connect_deadline_us)) late.push_back(connection);
    for (const ConnectionPtr& connection : late) give_up(connection);
  }

  void wait(Micros delay_us, std::move_only_function<void()> callback) {
    const auto timer = std::make_shared<asio::steady_timer>(io_, micros(delay_us));
    timers_.insert(timer);
    timer->async_wait([this, timer, callback = std::move(callback)](const ErrorCode&) mutable {
      timers_.erase(timer);
      callback();  // When it was cancelled too: the client ends.
    });
  }

  void end() {
    ended_ = true;
    sweep_timer_.cancel();
    for (auto& [address, peer] : peers_) {
      for (Waiting& waiting : std::exchange(peer.queue, {})) not_sent(std::move(waiting));
      peer.idle.clear();
      for (const ConnectionPtr& connection : std::unordered_set(peer.connections)) {
        if (connection->waiting) give_up(connection);
        else close(connection);
      }
    }
    for (const auto& timer : timers_) timer->cancel();
    work_.reset();
  }

  const std::string authorization_;
  const PeerLimits limits_;
  asio::io_context io_{1};  // One thread runs it.
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer sweep_timer_;
  std::unordered_map<std::string, Peer> peers_;  // By address. A peer stays where it is while it has a connection.
  std::unordered_set<std::shared_ptr<asio::steady_timer>> timers_;
  std::uint64_t tick_ = 0;  // Sweeps so far.
  bool ended_ = false;
  std::mutex mutex_;  // So that nothing is posted behind end().
  bool stopped_ = false;
  std::thread thread_;
};

PeerClient::PeerClient(std::string authorization, PeerLimits limits)
    : impl_(std::make_unique<Impl>(std::move(authorization), limits)) {}
PeerClient::~PeerClient() = default;
void PeerClient::send(PeerCall call, Done done) { impl_->send(std::move(call), std::move(done)); }
bool PeerClient::later(Micros delay_us, std::move_only_function<void()> callback) {
  return impl_->later(delay_us, std::move(callback));
}
void PeerClient::stop() { impl_->stop(); }

}  // namespace guildhall
