// The real binary for acceptance tests: `guildhall serve` as a child process on a folder of its own with a database of its own, a
// small HTTP client, and the few requests that every test needs.
//
// Failures of the harness (no start, no reply where one is needed) are std::runtime_error with the server's own words in the
// message. Waiting is polling with a deadline; nothing waits for a fixed time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>

namespace guildhall {

inline constexpr std::chrono::seconds patience{30};  // For everything that a healthy server does at once, on a slow machine.

// Polls until `done` is true; false after `limit`.
bool eventually(const std::function<bool()>& done, std::chrono::milliseconds limit = patience);

// A fresh folder under $TMPDIR (or /tmp), removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Reply {
  int status = 0;   // 0: no reply; whatever was asked may have happened or not.
  Headers headers;  // Names in lower case.
  std::string body;

  bool answered() const { return status != 0; }
  // Answered, and for good: a 5xx says that the outcome is not known, or that nothing was done.
  bool definite() const { return answered() && status < 500; }
  std::string header(std::string_view lower_case_name) const;  // Empty when absent.
  boost::json::value json() const;                             // Throws when the body is none.
  std::string text(std::string_view member) const;             // A string member of an object body, or empty.
  std::string code() const { return text("code"); }
  // What must be the same when a key is sent again: status, body, ETag, Location, Content-Type.
  std::string identity() const;
};

// One keep-alive connection, opened on the first request and again after it broke. One thread at a time; make one for each.
class HttpClient {
 public:
  HttpClient(std::uint16_t port, std::string token) : port_(port), token_(std::move(token)) {}
  ~HttpClient() { close(); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  bool connect();  // False: refused.
  // Never throws and never sends twice: a broken connection is a reply with status 0.
  Reply send(std::string_view method, std::string_view target, std::string_view body = {}, const Headers& headers = {});
  Reply get(std::string_view target, const Headers& headers = {}) { return send("GET", target, {}, headers); }
  Reply post(std::string_view target, std::string_view body = {}, const Headers& headers = {}) {
    return send("POST", target, body, headers);
  }

 private:
  void close();
  bool send_all(std::string_view bytes);
  Reply receive();

  std::uint16_t port_;
  std::string token_;  // Empty: none is sent.
  int fd_ = -1;
};

struct ToolResult {
  int exit_code = -1;  // Minus the signal's number when one ended it.
  std::string out;
  std::string err;
};

// `guildhall serve` on one data folder and one database, started and stopped as often as wanted.
class Server {
 public:
  // Makes the database; starts nothing.
  Server();
  // On a folder of the caller's.
  explicit Server(std::filesystem::path data);
  ~Server();  // Kills it.
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Returns when it serves. Throws when it ended before, or was not ready in time.
  void start(const std::vector<std::string>& flags = {});
  // Starts it where it may end before it serves: true when it serves, false when it ended (see exit_code()).
  bool try_start(const std::vector<std::string>& flags = {});
  void signal(int number) const;
  // Waits for its end and returns the exit code, or minus the number of the signal that ended it. Throws when it goes on.
  int wait_for_end();
  int stop();   // SIGTERM; the exit code.
  void kill();  // SIGKILL, as a power failure for the process.
  bool running();
  int exit_code() const { return exit_code_; }

  // Runs the binary with `arguments` and --data on this folder.
  ToolResult run(std::vector<std::string> arguments) const;
  // With `arguments` only.
  ToolResult run_as_is(std::vector<std::string> arguments) const;
  // `log show` with filters: one JSON object a record.
  std::vector<boost::json::object> log_records(const std::vector<std::string>& filters) const;
  std::string token(std::string_view account) const;  // Of a person.
  std::string sql(std::string_view script) const;     // Rows as psql -At prints them, as superuser.

  HttpClient client() const { return {port_, service_key_}; }
  HttpClient client_of(std::string_view account) const { return {port_, token(account)}; }
  HttpClient anonymous() const { return {port_, anon_key_}; }

  pid_t pid() const { return pid_; }
  std::uint16_t port() const { return port_; }
  const std::string& service_key() const { return service_key_; }
  const std::filesystem::path& data() const { return data_; }
  std::filesystem::path platform_folder() const { return data_ / "platforms" / "tutoring"; }
  std::string output() const;  // What it wrote since the last start.

 private:
  TemporaryFolder own_;
  std::filesystem::path data_;
  std::string database_;
  std::string name_;  // Of its topics, where the log is Kafka's.
  pid_t pid_ = -1;
  int exit_code_ = 0;
  std::uint16_t port_ = 0;
  std::string service_key_;
  std::string anon_key_;
};

// ---- a marketplace to try things on; all with the service key, all throw unless they are accepted

struct Account {
  std::string id;
  std::string name;
};
Account register_expert(HttpClient& client, std::string_view name);
Account register_learner(HttpClient& client, std::string_view name);
std::vector<Account> register_learners(const Server& server, std::size_t count);  // By several connections.
std::string create_session(HttpClient& client, const Account& expert, int minutes, int seats, int price_cents = 5000);
// A weekly window on every given day (0: Sunday), in UTC; returns when the read models have its slots.
void add_window(HttpClient& client, const Account& expert, const std::vector<int>& days, std::string_view start,
                std::string_view end);
// Ids of the session's slots that have a free seat, by time.
std::vector<std::string> free_slots(HttpClient& client, const std::string& session);
std::string booking_body(std::string_view slot, std::string_view learner, std::string_view notes = "Hello");
Reply book(HttpClient& client, std::string_view slot, std::string_view learner, std::string_view key = {});

// Environment GUILDHALL_TEST_LOG=kafka: every server's log is on a broker.
bool on_kafka();
// Environment GUILDHALL_LONG=1: as thorough as the acceptance tests get, instead of as fast as CI needs them.
bool thorough();

}  // namespace guildhall
