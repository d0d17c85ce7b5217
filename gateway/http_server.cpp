#include "gateway/http_server.h"

#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

#include "events/check.h"
#include "gateway/live_body.h"

namespace guildhall {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr std::size_t min_read_bytes = 2 * 1024;        // Room that every read has at least.
constexpr std::size_t input_growth_bytes = 8 * 1024;    // A connection's input buffer grows in these steps.
constexpr std::size_t kept_output_bytes = 64 * 1024;    // A larger output buffer is given back after the response.
constexpr std::chrono::milliseconds accept_pause{100};  // After a failed accept: descriptors or memory have run out.
constexpr unsigned slot_bits = 20;                      // Of an exchange number; the rest lasts 13 years at 40,000 a second.
constexpr std::uint64_t slot_mask = (std::uint64_t{1} << slot_bits) - 1;
constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t max_request_id_bytes = 128;

// ---- text

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    case 507: return "Insufficient Storage";
    default: return "";  // Legal, and nobody reads it.
  }
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= max_request_id_bytes &&
         std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

// 13 characters, which a std::string holds without allocating. Mixing by splitmix64 is a bijection, so ids of one seed differ.
std::string minted_request_id(std::uint64_t number) {
  constexpr std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  constexpr std::size_t characters = 13;  // Of 5 bits each.
  number += 0x9e3779b97f4a7c15;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
  number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
  number ^= number >> 31;
  std::string id(characters, '0');
  for (char& c : id) {
    c = alphabet[number & 31];
    number >>= 5;
  }
  return id;
}

// RFC 9110's IMF-fixdate, always 29 characters.
std::string http_date(std::int64_t second) {
  using namespace std::chrono;
  constexpr std::array<std::string_view, 7> weekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const sys_seconds time{seconds{second}};
  const sys_days day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  const auto two = [](auto number) {
    const auto n = static_cast<unsigned>(number);
    return std::string{static_cast<char>('0' + n / 10 % 10), static_cast<char>('0' + n % 10)};
  };
  std::string text(weekdays[weekday{day}.c_encoding()]);
  text.append(", ").append(two(static_cast<unsigned>(date.day()))).append(" ");
  text.append(months[static_cast<unsigned>(date.month()) - 1]).append(" ");
  text.append(two(static_cast<int>(date.year()) / 100)).append(two(static_cast<int>(date.year()) % 100)).append(" ");
  text.append(two(clock.hours().count())).append(":").append(two(clock.minutes().count())).append(":");
  return text.append(two(clock.seconds().count())).append(" GMT");
}

bool is_bodiless(int status) { return status == 204 || status == 304; }

// A chunk of RFC 9112 §7.1; of nothing none, since that would be the last one.
void append_chunk(std::string& out, std::string_view bytes) {
  if (bytes.empty()) return;
  std::array<char, 2 * sizeof(std::size_t)> size;
  const auto end = std::to_chars(size.data(), size.data() + size.size(), bytes.size(), 16).ptr;
  out.append(size.data(), end).append("\r\n").append(bytes).append("\r\n");
}

// What would break the framing of the answer, or contradict what the server adds itself.
bool is_sendable(const Response& response) {
  constexpr std::array<std::string_view, 5> servers_own = {"content-length", "date", "connection", "x-request-id",
                                                           "transfer-encoding"};
  constexpr std::string_view breaks_value("\r\n\0", 3);
  constexpr std::string_view breaks_name("\r\n\0 \t:", 6);
  if (response.status < 200 || response.status > 599) return false;
  if (response.live && (!response.body.empty() || is_bodiless(response.status))) return false;
  for (const auto& [name, value] : response.headers) {
    if (name.empty() || name.find_first_of(breaks_name) != std::string::npos) return false;
    if (value.find_first_of(breaks_value) != std::string::npos) return false;
    for (const std::string_view own : servers_own)
      if (equals_ignoring_case(name, own)) return false;
  }
  return true;
}

// ---- admission

enum class Verdict : std::uint8_t { admitted, turned_away, dropped };

// Counts the connections of all threads, per address and in all.
class Admission {
 public:
  Admission(const HttpLimits& limits, const std::vector<std::string>& trusted) : limits_(limits), trusted_(trusted) {}

  Verdict arrive(const std::string& address) {
    const std::lock_guard lock(mutex_);
    const bool trusted = std::ranges::find(trusted_, address) != trusted_.end();
    std::size_t& of_address = by_address_[address];
    if (admitted_ < limits_.connections && (trusted || of_address < limits_.address_connections)) {
      ++of_address;
      ++admitted_;
      return Verdict::admitted;
    }
    if (of_address == 0) by_address_.erase(address);
    if (turned_away_ == limits_.refused_connections) return Verdict::dropped;
    ++turned_away_;
    return Verdict::turned_away;
  }

  // Once for each arrival that was not dropped.
  void leave(const std::string& address, Verdict verdict) {
    const std::lock_guard lock(mutex_);
    if (verdict == Verdict::admitted) {
      const auto of_address = by_address_.find(address);
      CHECK(of_address != by_address_.end() && admitted_ > 0);
      --admitted_;
      if (--of_address->second == 0) by_address_.erase(of_address);
    } else {
      --turned_away_;
    }
    if (admitted_ + turned_away_ == 0) empty_.notify_all();
  }

  void wait_empty(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    empty_.wait_for(lock, patience, [this] { return admitted_ + turned_away_ == 0; });
  }

 private:
  const HttpLimits& limits_;
  const std::vector<std::string>& trusted_;
  std::mutex mutex_;
  std::condition_variable empty_;
  std::unordered_map<std::string, std::size_t> by_address_;
  std::size_t admitted_ = 0;
  std::size_t turned_away_ = 0;
};

// ---- answers on their way back

struct Completion {
  std::uint64_t exchange = 0;
  std::optional<Response> response;  // None: the handler let go of Respond without an answer.
};

// Where answers for one worker's connections arrive. Outlives the worker as long as somebody holds a Respond: this and an
// exchange number are all that a Respond refers to, so it is harmless after its connection or the server is gone.
class Mailbox {
 public:
  // `wake` makes the worker call take() soon.
  explicit Mailbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  // Before any exchange begins, on the worker's thread.
  void set_owner() { owner_ = std::this_thread::get_id(); }

  // Any thread.
  void complete(std::uint64_t exchange, std::optional<Response> response) {
    if (std::this_thread::get_id() == owner_ && exchange == inline_exchange_) {
      // Answered inside the handler's call: no lock, no wake-up.
      inline_exchange_ = 0;
      inline_response_ = std::move(response);
      return;
    }
    const std::lock_guard lock(mutex_);
    if (!wake_) return;
    arrived_.push_back({exchange, std::move(response)});
    if (arrived_.size() + stirred_.size() == 1) wake_();  // A burst of answers costs one wake-up.
  }

  // Any thread: the live body of this number has more, or has ended.
  void stir(std::uint64_t live) {
    const std::lock_guard lock(mutex_);
    if (!wake_) return;
    stirred_.push_back(live);
    if (arrived_.size() + stirred_.size() == 1) wake_();
  }

  // Around the handler's call, on the worker's thread. end_inline says whether the answer, or the dropping of it, came within.
  void begin_inline(std::uint64_t exchange) { inline_exchange_ = exchange; }
  bool end_inline(std::optional<Response>& response) {
    if (inline_exchange_ != 0) {
      inline_exchange_ = 0;
      return false;
    }
    response = std::exchange(inline_response_, std::nullopt);
    return true;
  }

  void take(std::vector<Completion>& arrived, std::vector<std::uint64_t>& stirred) {
    const std::lock_guard lock(mutex_);
    std::swap(arrived, arrived_);
    std::swap(stirred, stirred_);
  }

  // From now on answers vanish.
  void close() {
    const std::lock_guard lock(mutex_);
    wake_ = nullptr;
    arrived_.clear();
    stirred_.clear();
  }

 private:
  std::thread::id owner_;
  std::uint64_t inline_exchange_ = 0;  // Worker's thread only; 0 is none.
  std::optional<Response> inline_response_;
  std::mutex mutex_;
  std::function<void()> wake_;
  std::vector<Completion> arrived_;
  std::vector<std::uint64_t> stirred_;
};

// What a Respond holds. Small enough that std::move_only_function stores it without allocating.
class Answer {
 public:
  Answer(std::shared_ptr<Mailbox> mailbox, std::uint64_t exchange) : mailbox_(std::move(mailbox)), exchange_(exchange) {}
  Answer(Answer&&) noexcept = default;
  Answer& operator=(Answer&&) = delete;
  ~Answer() {
    if (mailbox_) mailbox_->complete(exchange_, std::nullopt);
  }
  void operator()(Response response) {
    CHECK(mailbox_ != nullptr);  // Called twice.
    const std::shared_ptr<Mailbox> mailbox = std::move(mailbox_);
    mailbox->complete(exchange_, std::move(response));
  }

 private:
  std::shared_ptr<Mailbox> mailbox_;
  std::uint64_t exchange_;
};
static_assert(sizeof(Answer) <= 3 * sizeof(void*));

// ---- connections

// Bytes received and not yet used.
class InputBuffer {
 public:
  std::string_view view() const { return {storage_.data() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }

  asio::mutable_buffer space() {
    if (storage_.size() - end_ < min_read_bytes) {
      std::memmove(storage_.data(), storage_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
      if (storage_.size() - end_ < min_read_bytes) storage_.resize(storage_.size() + input_growth_bytes);
    }
    return asio::buffer(storage_.data() + end_, storage_.size() - end_);
  }
  void received(std::size_t bytes) { end_ += bytes; }

  void use(std::size_t bytes) {
    begin_ += bytes;
    if (begin_ == end_) begin_ = end_ = 0;
  }

 private:
  std::vector<char> storage_ = std::vector<char>(input_growth_bytes);
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

enum class Phase : std::uint8_t { idle, reading_head, reading_body, answering, writing, live, lingering };

// Lives on its worker's thread, from adoption until its coroutine has ended.
struct Connection {
  Connection(tcp::socket connected, std::string peer, Verdict how)
      : socket(std::move(connected)), address(std::move(peer)), verdict(how) {}

  tcp::socket socket;
  std::string address;
  Verdict verdict;
  Phase phase = Phase::idle;
  bool expired = false;  // The sweep closed it.
  std::uint64_t deadline_tick = never;
  std::uint64_t born_tick = 0;
  std::size_t requests = 0;
  InputBuffer input;
  std::string output;

  // The request in hand.
  std::uint64_t exchange = 0;  // Its number while the handler has it, else 0.
  std::optional<Response> response;
  std::move_only_function<void()> resume;  // Continues the coroutine that waits for the answer, or for more of a live body.
  std::shared_ptr<LiveBody> live;          // While the response has it.
  std::uint64_t live_number = 0;           // As an exchange's; 0: none.
  std::string_view method = "-";
  std::string path;  // Kept for the access record only.
  std::string request_id;
  Micros received_at = 0;
};

// One thread, its event loop, and the connections that live on it. All but the constructor, io() and close_mailbox() runs there.
class Worker {
 public:
  Worker(const HttpServerOptions& options, const Handler& handler, Admission& admission,
         std::atomic<std::uint64_t>& request_numbers)
      : options_(options),
        limits_(options.limits),
        handler_(handler),
        admission_(admission),
        request_numbers_(request_numbers),
        work_(asio::make_work_guard(io_)),
        sweep_timer_(io_),
        mailbox_(std::make_shared<Mailbox>([this] { asio::post(io_, [this] { deliver(); }); })) {}

  asio::io_context& io() { return io_; }

  // The thread's body: returns after abort(), when every connection has ended.
  void run() {
    mailbox_->set_owner();
    sweep_later();
    io_.run();
  }

  void adopt(tcp::socket socket, std::string address, Verdict verdict) {
    if (draining_) {
      admission_.leave(address, verdict);
      return;
    }
    if (free_slots_.empty()) {
      free_slots_.push_back(slots_.size());
      slots_.emplace_back();
    }
    const std::size_t slot = free_slots_.back();
    free_slots_.pop_back();
    slots_[slot] = std::make_unique<Connection>(std::move(socket), std::move(address), verdict);
    Connection& connection = *slots_[slot];
    connection.born_tick = tick_;
    ErrorCode ignored;  // A peer that is gone already shows at the first read.
    connection.socket.set_option(tcp::no_delay(true), ignored);
    connection.socket.non_blocking(true, ignored);
    asio::co_spawn(io_, verdict == Verdict::admitted ? serve(connection, slot) : turn_away(connection),
                   [this, slot](const std::exception_ptr& error) {
                     CHECK(error == nullptr);
                     admission_.leave(slots_[slot]->address, slots_[slot]->verdict);
                     slots_[slot].reset();
                     free_slots_.push_back(slot);
                   });
  }

  // Cancels the reads of idle connections rather than closing them: where a request has been read already, it is still served.
  // Live bodies end.
  void drain() {
    draining_ = true;
    ErrorCode ignored;
    for (const auto& connection : slots_) {
      if (connection && connection->phase == Phase::idle) connection->socket.cancel(ignored);
      if (connection && connection->phase == Phase::live) resume(*connection);
    }
  }

  // Ends all connections at once, whatever they are doing, and lets run() return.
  void abort() {
    draining_ = true;
    aborted_ = true;
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
      if (!slots_[slot]) continue;
      Connection& connection = *slots_[slot];
      close(connection);
      connection.exchange = 0;  // An answer that is already on its way must not resume it again.
      resume(connection);
    }
    sweep_timer_.cancel();
    work_.reset();
  }

  // After the thread has ended.
  void close_mailbox() { mailbox_->close(); }

 private:
  // ---- deadlines: one coarse timer for all connections, since re-arming one for each phase would cost more than the request

  // Time for deadlines is counted in sweeps: no clock is asked, and a stepping wall clock moves no deadline.
  std::uint64_t sweeps(Micros duration_us) const {
    return static_cast<std::uint64_t>((duration_us + limits_.sweep_interval_us - 1) / limits_.sweep_interval_us);
  }
  // The first sweep may come right away, hence one more.
  void expire_after(Connection& connection, Micros duration_us) const {
    connection.deadline_tick = tick_ + sweeps(duration_us) + 1;
  }

  void enter(Connection& connection, Phase phase) const {
    connection.phase = phase;
    switch (phase) {
      case Phase::idle:
        return expire_after(connection, connection.requests == 0 ? limits_.header_deadline_us : limits_.idle_deadline_us);
      case Phase::reading_head: return expire_after(connection, limits_.header_deadline_us);
      case Phase::reading_body: return expire_after(connection, limits_.body_deadline_us);
      case Phase::writing: return expire_after(connection, limits_.write_deadline_us);
      case Phase::lingering: return expire_after(connection, limits_.linger_deadline_us);
      case Phase::answering: connection.deadline_tick = never; return;  // The handler's time is its own affair.
      case Phase::live: return;                                         // send_live() knows when it has to go on.
    }
  }

  void sweep_later() {
    sweep_timer_.expires_after(std::chrono::microseconds(limits_.sweep_interval_us));
    sweep_timer_.async_wait([this](const ErrorCode& error) {
      if (error || aborted_) return;  // A sweep that was due when abort() cancelled comes without an error.
      ++tick_;
      for (const auto& connection : slots_) {
        if (!connection || connection->deadline_tick > tick_) continue;
        if (connection->phase == Phase::live) {
          resume(*connection);
          continue;
        }
        connection->expired = true;
        close(*connection);
      }
      sweep_later();
    });
  }

  // Whatever operation is pending fails, and the coroutine ends.
  static void close(Connection& connection) {
    ErrorCode ignored;
    connection.socket.close(ignored);
    connection.deadline_tick = never;
  }

  // Where the coroutine waits for us and not for the socket.
  static void resume(Connection& connection) {
    if (connection.resume) std::exchange(connection.resume, nullptr)();
  }

  // ---- one connection
  // co_await stands in plain statements only: GCC 12 traps at run time on a loop whose condition awaits.

  asio::awaitable<void> serve(Connection& connection, std::size_t slot) {
    for (bool more = true; more;) more = co_await serve_one(connection, slot);
  }

  // One request from its first byte to the last of its response; false when the connection has to end.
  asio::awaitable<bool> serve_one(Connection& connection, std::size_t slot) {
    if (draining_ && connection.input.empty()) co_return false;
    connection.method = "-";
    connection.path.clear();
    connection.request_id.clear();

    std::size_t head_bytes = 0;
    enter(connection, connection.input.empty() ? Phase::idle : Phase::reading_head);
    for (std::size_t scanned = 0; head_bytes == 0;) {
      const std::expected<std::size_t, GateRefusal> end = find_head_end(connection.input.view(), scanned, options_.gate);
      if (!end) {
        co_await refuse(connection, end.error());
        co_return false;
      }
      head_bytes = *end;
      if (head_bytes > 0) break;
      const bool received = co_await receive(connection);
      if (!received) {
        if (connection.phase != Phase::idle) record_broken_off(connection);
        co_return false;
      }
      // A new connection's deadline has been running since its accept.
      if (connection.phase == Phase::idle && connection.requests > 0) enter(connection, Phase::reading_head);
      connection.phase = Phase::reading_head;
    }
    std::expected<Head, GateRefusal> head = scan_head(connection.input.view().substr(0, head_bytes), options_.gate);
    if (!head) {
      co_await refuse(connection, head.error());
      co_return false;
    }
    connection.input.use(head_bytes);
    ++connection.requests;

    Request request = make_request(connection, *head);
    if (head->content_length > 0) {
      const bool complete = co_await read_body(connection, *head, request.body);
      if (!complete) {
        record_broken_off(connection);
        co_return false;
      }
    }

    std::string problem = call_handler(connection, slot, std::move(request));
    if (connection.exchange != 0) co_await resumed(connection);
    if (!connection.response) {
      record(connection, 0, 0, draining_ ? "the server stopped before the answer" : "the handler gave no answer");
      co_return false;
    }
    Response response = *std::exchange(connection.response, std::nullopt);
    if (!is_sendable(response)) {
      problem = "the handler's response cannot be framed";
      response = internal_error();
    }
    if (response.live && head->method != Method::head) {
      const bool ended = co_await send_live(connection, slot, response);
      if (ended) co_await linger(connection);
      co_return false;
    }
    const bool keep_alive = head->keep_alive && !draining_ && connection.requests < limits_.connection_requests &&
                            tick_ - connection.born_tick < sweeps(limits_.connection_age_us);
    const bool sent = co_await send(connection, response, head->method != Method::head, keep_alive, problem);
    if (sent && !keep_alive) co_await linger(connection);
    co_return sent&& keep_alive;
  }

  // For a connection beyond the caps: an answer without reading the question.
  asio::awaitable<void> turn_away(Connection& connection) {
    Response response = problem_response(503, "overloaded", "The server is busy", "too many connections are open", true);
    response.headers.emplace_back("Retry-After", "1");
    connection.request_id = mint_request_id();
    connection.received_at = options_.clock.now();
    const bool sent = co_await send(connection, response, true, false, "too many connections are open");
    if (sent) co_await linger(connection);
  }

  // Answers what the gate refused.
  asio::awaitable<void> refuse(Connection& connection, const GateRefusal& refusal) {
    const std::string_view title = refusal.status == 405   ? "The method is not allowed here"
                                   : refusal.status == 413 ? "The body is too large"
                                                           : "The request is malformed";
    Response response = problem_response(refusal.status, refusal.code, title, refusal.detail, false);
    if (refusal.status == 405) response.headers.emplace_back("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    connection.request_id = mint_request_id();
    connection.received_at = options_.clock.now();
    // The gate knows no method of a request that it refuses, but an answer to HEAD must not have a body even then.
    const bool with_body = !connection.input.view().starts_with("HEAD ");
    const bool sent = co_await send(connection, response, with_body, false, refusal.detail);
    if (sent) co_await linger(connection);
  }

  Request make_request(Connection& connection, Head& head) {
    Request request;
    request.method = head.method;
    request.path = std::move(head.path);
    request.query = std::move(head.query);
    request.headers = std::move(head.headers);
    request.host = std::move(head.host);
    request.remote_address = connection.address;
    const std::string_view sent_id = request.header("x-request-id");
    request.request_id = is_request_id(sent_id) ? std::string(sent_id) : mint_request_id();
    request.received_at = options_.clock.now();
    connection.received_at = request.received_at;
    connection.request_id = request.request_id;
    if (options_.on_access) {
      connection.method = method_name(request.method);
      connection.path = request.path;
    }
    return request;
  }

  asio::awaitable<bool> receive(Connection& connection) {
    ErrorCode error;
    const std::size_t bytes =
        co_await connection.socket.async_read_some(connection.input.space(), asio::redirect_error(asio::use_awaitable, error));
    connection.input.received(bytes);
    co_return !error;
  }

  asio::awaitable<bool> read_body(Connection& connection, const Head& head, std::string& body) {
    enter(connection, Phase::reading_body);
    const std::size_t here = std::min(head.content_length, connection.input.view().size());
    body = connection.input.view().substr(0, here);
    connection.input.use(here);
    if (here == head.content_length) co_return true;
    ErrorCode error;
    if (head.expects_continue && here == 0) {
      constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      co_await asio::async_write(connection.socket, asio::buffer(go_on), asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return false;
    }
    body.resize(head.content_length);
    co_await asio::async_read(connection.socket, asio::buffer(body.data() + here, body.size() - here),
                              asio::redirect_error(asio::use_awaitable, error));
    co_return !error;
  }

  // Afterwards either connection.exchange != 0 and the answer is still to come, or connection.response is what there is. Returns
  // what went wrong, for the access record.
  std::string call_handler(Connection& connection, std::size_t slot, Request request) {
    enter(connection, Phase::answering);
    connection.exchange = (++exchanges_ << slot_bits) | slot;
    mailbox_->begin_inline(connection.exchange);
    std::string problem;
    try {
      handler_(std::move(request), Respond(Answer(mailbox_, connection.exchange)));
    } catch (const std::exception& error) {
      problem = error.what();
      if (problem.empty()) problem = "the handler threw";
    }
    const bool ended = mailbox_->end_inline(connection.response);
    // A handler that threw answers no more; should it have kept its Respond, what that says finds no exchange of this number.
    if (!problem.empty() && !connection.response) connection.response = internal_error();
    if (ended || !problem.empty()) connection.exchange = 0;
    return problem;
  }

  // Until deliver() brings the answer or more of a live body, or somebody else ends the wait without.
  static asio::awaitable<void> resumed(Connection& connection) {
    return asio::async_initiate<const asio::use_awaitable_t<>, void()>(
        [&connection](auto handler) { connection.resume = std::move(handler); }, asio::use_awaitable);
  }

  void deliver() {
    mailbox_->take(delivered_, stirred_);
    for (Completion& completion : delivered_) {
      Connection* connection = at_slot(completion.exchange);
      if (connection == nullptr || connection->exchange != completion.exchange) continue;
      connection->exchange = 0;
      connection->response = std::move(completion.response);
      resume(*connection);
    }
    delivered_.clear();
    for (const std::uint64_t number : stirred_) {
      Connection* connection = with_live(number);
      if (connection == nullptr) continue;
      // Also in the middle of a write: it stands, or it would have been quicker.
      if (connection->live->state() == LiveBody::State::overrun) close(*connection);
      if (connection->phase == Phase::live) resume(*connection);
    }
    stirred_.clear();
  }

  Connection* at_slot(std::uint64_t number) const {
    const std::size_t slot = number & slot_mask;
    return slot < slots_.size() ? slots_[slot].get() : nullptr;
  }
  Connection* with_live(std::uint64_t number) const {
    Connection* connection = at_slot(number);
    return connection != nullptr && connection->live_number == number ? connection : nullptr;
  }

  // ---- answers

  Response problem_response(int status, std::string_view code, std::string_view title, std::string_view detail,
                            bool retryable) const {
    // None of the texts comes from a request or holds a character that JSON would escape.
    std::string body = "{\"type\":\"" + options_.problem_type_base;
    body.append(code).append("\",\"title\":\"").append(title).append("\",\"status\":").append(std::to_string(status));
    body.append(",\"code\":\"").append(code).append("\",\"detail\":\"").append(detail);
    body.append("\",\"retryable\":").append(retryable ? "true" : "false").append("}");
    return {.status = status, .headers = {{"Content-Type", "application/problem+json"}}, .body = std::move(body)};
  }

  Response internal_error() const {
    return problem_response(503, "internal_error", "The server failed", "the request could not be handled", false);
  }

  // How much the socket's buffer takes of the output: nearly always all, and then no trip through the event loop is needed.
  static std::size_t write_now(Connection& connection, ErrorCode& error) {
    const std::size_t sent = connection.socket.write_some(asio::buffer(connection.output), error);
    if (error == asio::error::would_block) error.clear();
    return sent;
  }
  static asio::awaitable<std::size_t> write_rest(Connection& connection, std::size_t sent, ErrorCode& error) {
    return asio::async_write(connection.socket, asio::buffer(connection.output) + sent,
                             asio::redirect_error(asio::use_awaitable, error));
  }

  // One buffer, one write. False when the client did not take it all.
  asio::awaitable<bool> send(Connection& connection, const Response& response, bool with_body, bool keep_alive,
                             std::string_view problem) {
    enter(connection, Phase::writing);
    write_response(connection, response, with_body, keep_alive);
    ErrorCode error;
    std::size_t sent = write_now(connection, error);
    if (!error && sent < connection.output.size()) sent += co_await write_rest(connection, sent, error);
    if (error)
      problem = connection.expired ? "the client did not take the response in time" : "the client left before its response";
    record(connection, response.status, sent, problem);
    if (connection.output.capacity() > kept_output_bytes) std::string().swap(connection.output);
    co_return !error;
  }

  void write_response(Connection& connection, const Response& response, bool with_body, bool keep_alive) {
    std::string& out = connection.output;
    out = "HTTP/1.1 ";
    out.append(std::to_string(response.status)).append(" ").append(reason_phrase(response.status)).append("\r\n");
    for (const auto& [name, value] : response.headers) out.append(name).append(": ").append(value).append("\r\n");
    if (response.live) out.append("Transfer-Encoding: chunked\r\n");
    else if (!is_bodiless(response.status))
      out.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
    out.append("Date: ").append(date()).append("\r\nX-Request-Id: ").append(connection.request_id).append("\r\n");
    if (!keep_alive) out.append("Connection: close\r\n");
    out.append("\r\n");
    if (with_body && !is_bodiless(response.status)) out.append(response.body);
  }

  // ---- live bodies

  // The head, then chunks as they come; the last chunk when the body has ended, its time is over or the server drains. False when
  // the client has gone or was cut off.
  asio::awaitable<bool> send_live(Connection& connection, std::size_t slot, Response& response) {
    connection.live = std::move(response.live);
    connection.live_number = (++exchanges_ << slot_bits) | slot;
    LiveBody& body = *connection.live;
    body.on_more([mailbox = mailbox_, number = connection.live_number] { mailbox->stir(number); });
    end_when_dead(connection);
    watch(connection);
    const std::uint64_t end_tick = tick_ + sweeps(std::clamp<Micros>(body.lasts_us(), 0, limits_.live_age_us));
    const std::uint64_t quiet_ticks = sweeps(limits_.live_heartbeat_us) + 1;  // The first sweep may come right away.

    response.live = connection.live;
    write_response(connection, response, false, false);
    std::string bytes;
    std::uint64_t sent_bytes = 0;
    std::uint64_t written_tick = tick_;
    bool over = false;
    bool taken = true;  // By the client, as far as anybody knows.
    bool late = false;
    while (taken && !over) {
      const LiveBody::State state = body.take(bytes);
      if (state == LiveBody::State::overrun) break;
      over = state == LiveBody::State::ended || draining_ || tick_ > end_tick;
      if (bytes.empty() && !over && tick_ >= written_tick + quiet_ticks) bytes = body.heartbeat();
      append_chunk(connection.output, bytes);
      if (over) connection.output += "0\r\n\r\n";
      if (connection.output.empty()) {
        // Who waits holds no memory: an assignment would keep it.
        std::string().swap(connection.output);
        std::string().swap(bytes);
        connection.phase = Phase::live;
        connection.deadline_tick = std::min(end_tick + 1, written_tick + quiet_ticks);
        co_await resumed(connection);
        taken = connection.socket.is_open();
        continue;
      }
      enter(connection, Phase::writing);
      ErrorCode error;
      std::size_t sent = write_now(connection, error);
      if (!error && sent < connection.output.size()) sent += co_await write_rest(connection, sent, error);
      sent_bytes += sent;
      written_tick = tick_;
      connection.output.clear();
      taken = !error;
      late = connection.expired || error == asio::error::timed_out;
    }
    // That a client goes is how most of them end.
    const bool overrun = body.state() == LiveBody::State::overrun;
    record(connection, response.status, sent_bytes,
           overrun ? "the client did not keep up with the live response"
           : late  ? "the client did not take the response in time"
                   : "");
    connection.live_number = 0;
    connection.live.reset();
    response.live.reset();
    co_return over && taken;
  }

  // A client that goes is noticed at once, since nothing may be written for long. What it sends meanwhile, requests behind this
  // one, is thrown away: the connection ends with this response.
  void watch(Connection& watched) {
    watched.socket.async_wait(tcp::socket::wait_read, [this, number = watched.live_number](const ErrorCode& error) {
      Connection* connection = with_live(number);
      if (connection == nullptr || error) return;
      connection->input.use(connection->input.view().size());
      ErrorCode end;
      connection->input.received(connection->socket.read_some(connection->input.space(), end));
      if (!end || end == asio::error::would_block) return watch(*connection);
      close(*connection);
      if (connection->phase == Phase::live) resume(*connection);
    });
  }

  // Without it a peer that vanished is given up by the kernel after a quarter of an hour, whatever is written to it.
  void end_when_dead(Connection& connection) const {
    const auto milliseconds = static_cast<unsigned>(limits_.write_deadline_us / 1000);
    ::setsockopt(connection.socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
  }

  // The Date header's text, made anew once a second.
  const std::string& date() {
    const std::int64_t second = options_.clock.now() / second_us;
    if (second != date_second_ || date_.empty()) {
      date_second_ = second;
      date_ = http_date(second);
    }
    return date_;
  }

  // Closing with unread input makes the kernel send a reset, which may destroy the answer on its way: so first the client has its
  // chance to read and close.
  asio::awaitable<void> linger(Connection& connection) {
    enter(connection, Phase::lingering);
    ErrorCode ignored;
    connection.socket.shutdown(tcp::socket::shutdown_send, ignored);
    for (bool open = true; open;) {
      connection.input.use(connection.input.view().size());
      open = co_await receive(connection);
    }
  }

  std::string mint_request_id() {
    return minted_request_id(options_.request_id_seed + request_numbers_.fetch_add(1, std::memory_order_relaxed));
  }

  // ---- access records

  void record(const Connection& connection, int status, std::size_t sent_bytes, std::string_view problem) const {
    if (!options_.on_access) return;
    options_.on_access({.method = connection.method,
                        .path = connection.path,
                        .request_id = connection.request_id,
                        .problem = problem,
                        .status = status,
                        .duration_us = std::max<Micros>(0, options_.clock.now() - connection.received_at),
                        .sent_bytes = sent_bytes,
                        .is_live = connection.live != nullptr});
  }

  void record_broken_off(Connection& connection) const {
    if (connection.phase == Phase::reading_head) connection.received_at = options_.clock.now();
    record(connection, 0, 0,
           connection.expired ? "the request was not complete in time" : "the client left before its request was complete");
  }

  const HttpServerOptions& options_;
  const HttpLimits& limits_;
  const Handler& handler_;
  Admission& admission_;
  std::atomic<std::uint64_t>& request_numbers_;
  asio::io_context io_{1};  // One thread runs it.
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer sweep_timer_;
  std::shared_ptr<Mailbox> mailbox_;
  std::vector<std::unique_ptr<Connection>> slots_;
  std::vector<std::size_t> free_slots_;
  std::vector<Completion> delivered_;
  std::vector<std::uint64_t> stirred_;
  std::uint64_t exchanges_ = 0;
  std::uint64_t tick_ = 0;  // Sweeps so far.
  std::int64_t date_second_ = 0;
  std::string date_;
  bool draining_ = false;
  bool aborted_ = false;
};

// "::ffff:127.0.0.1" is 127.0.0.1 that came in on a socket for both families.
std::string address_text(const asio::ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address.to_string();
  return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
}

}  // namespace

// ---- the server

class HttpServer::Impl {
 public:
  Impl(HttpServerOptions options, Handler handler)
      : options_(std::move(options)), handler_(std::move(handler)), admission_(options_.limits, options_.trusted_addresses) {
    CHECK(handler_ != nullptr);
    CHECK(options_.threads > 0);
    CHECK(options_.limits.sweep_interval_us > 0);
    CHECK(options_.limits.connections + options_.limits.refused_connections <= slot_mask);
  }

  ~Impl() { stop(std::chrono::milliseconds(0)); }

  void start() {
    const std::lock_guard lock(mutex_);
    CHECK(workers_.empty());
    for (std::size_t i = 0; i < options_.threads; ++i)
      workers_.push_back(std::make_unique<Worker>(options_, handler_, admission_, request_numbers_));
    try {
      const tcp::endpoint endpoint(asio::ip::make_address(options_.address), options_.port);
      acceptor_.emplace(workers_.front()->io(), endpoint, /*reuse_addr=*/true);
      port_ = acceptor_->local_endpoint().port();
    } catch (const boost::system::system_error& error) {
      workers_.clear();
      const std::string where = options_.address + " port " + std::to_string(options_.port);
      throw HttpServerError("cannot listen on " + where + ": " + error.what());
    }
    asio::co_spawn(workers_.front()->io(), accept(), [](const std::exception_ptr& error) { CHECK(error == nullptr); });
    for (const auto& worker : workers_)
      threads_.emplace_back([&worker = *worker] {
        ::pthread_setname_np(::pthread_self(), "http");
        worker.run();
      });
  }

  std::uint16_t port() const { return port_; }

  // Takes no lock: a handler may call it while stop() waits for that handler's thread.
  void begin_drain() {
    if (draining_.exchange(true)) return;
    asio::post(workers_.front()->io(), [this] { acceptor_->close(); });
    for (const auto& worker : workers_) asio::post(worker->io(), [&worker = *worker] { worker.drain(); });
  }

  void stop(std::chrono::milliseconds patience) {
    const std::lock_guard lock(mutex_);
    if (threads_.empty()) return;
    begin_drain();
    admission_.wait_empty(patience);
    // In order: once the first, which accepts, has ended, no other gets a new connection.
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      asio::post(workers_[i]->io(), [&worker = *workers_[i]] { worker.abort(); });
      threads_[i].join();
    }
    for (const auto& worker : workers_) worker->close_mailbox();
    threads_.clear();
  }

 private:
  // Runs on the first worker's thread and deals the connections out in turn.
  asio::awaitable<void> accept() {
    asio::steady_timer pause(workers_.front()->io());
    for (std::size_t next = 0; acceptor_->is_open(); next = (next + 1) % workers_.size()) {
      Worker& worker = *workers_[next];
      ErrorCode error;
      tcp::socket socket = co_await acceptor_->async_accept(worker.io(), asio::redirect_error(asio::use_awaitable, error));
      if (!acceptor_->is_open()) break;
      if (error) {
        pause.expires_after(accept_pause);
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
        continue;
      }
      const tcp::endpoint peer = socket.remote_endpoint(error);
      if (error) continue;  // Gone already.
      std::string address = address_text(peer.address());
      const Verdict verdict = admission_.arrive(address);
      if (verdict == Verdict::dropped) continue;
      asio::post(worker.io(), [&worker, verdict, socket = std::move(socket), address = std::move(address)]() mutable {
        worker.adopt(std::move(socket), std::move(address), verdict);
      });
    }
  }

  const HttpServerOptions options_;
  const Handler handler_;
  Admission admission_;
  std::atomic<std::uint64_t> request_numbers_ = 0;
  std::mutex mutex_;                              // Guards starting and stopping against each other.
  std::vector<std::unique_ptr<Worker>> workers_;  // Fixed once started.
  std::optional<tcp::acceptor> acceptor_;
  std::vector<std::thread> threads_;
  std::uint16_t port_ = 0;
  std::atomic<bool> draining_ = false;
};

HttpServer::HttpServer(HttpServerOptions options, Handler handler)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handler))) {}
HttpServer::~HttpServer() = default;
void HttpServer::start() { impl_->start(); }
std::uint16_t HttpServer::port() const { return impl_->port(); }
void HttpServer::begin_drain() { impl_->begin_drain(); }
void HttpServer::stop(std::chrono::milliseconds patience) { impl_->stop(patience); }

}  // namespace guildhall
