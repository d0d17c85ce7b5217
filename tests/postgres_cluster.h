// A real, private PostgreSQL cluster for tests: its own data folder, port, password and processes, nothing shared with the
// machine's.
//
// Everything lives in one fresh folder under $TMPDIR (or /tmp) and is gone after the test program, however that ends: a guard
// process waits for the end of a pipe that only the program holds, then stops the server and removes the folder. Failures of the
// world are std::runtime_error with the tool's own output in the message.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace guildhall {

class PostgresCluster {
 public:
  struct Options {
    bool fsync = false;  // Off: commits survive Stop::immediate, but not the machine; much faster.
    std::vector<std::pair<std::string, std::string>> settings;  // More lines for postgresql.conf; values are quoted for you.
  };
  enum class Stop : std::uint8_t { fast, immediate };  // immediate: as in a crash, the next start recovers.
  enum class Via : std::uint8_t { socket, tcp };       // The socket's folder is private; TCP is 127.0.0.1 with a random password.

  // Creates and starts a cluster (about two seconds). Prefer shared(); one of its own is for tests that stop the server.
  explicit PostgresCluster(Options options);
  PostgresCluster() : PostgresCluster(Options{}) {}
  ~PostgresCluster();
  PostgresCluster(const PostgresCluster&) = delete;
  PostgresCluster& operator=(const PostgresCluster&) = delete;

  // The one cluster of this test program, started by the first call and removed at exit. Any thread.
  static PostgresCluster& shared();

  // A URL to a fresh, empty database as superuser `postgres`, for libpq and everything like it. Any thread.
  std::string new_database(Via via = Via::socket);
  // A URL to the same database as another role; `role` must be a plain name. It needs a password only over TCP.
  std::string url(std::string_view database, std::string_view role, Via via = Via::socket, std::string_view password = {}) const;
  static std::string database_of(std::string_view url);

  // Runs a script through psql, stopping at its first error, which is thrown; returns the rows as psql -At prints them. Any
  // thread.
  std::string run_sql(const std::string& url, std::string_view script);

  // For fault tests. The URLs stay valid over a stop and start. Both return when it is done. Not while other threads use this
  // object.
  void stop(Stop how);
  void start();

  std::uint16_t port() const { return port_; }

 private:
  enum class RunAs : std::uint8_t { self, server };
  std::string run(std::vector<std::string> arguments, RunAs user, std::string_view input = {});
  std::vector<std::string> as_server(std::vector<std::string> arguments) const;
  void start_guard();
  void end_guard();

  std::string folder_;
  std::string binaries_;
  std::string password_;
  std::uint16_t port_ = 0;
  pid_t guard_ = -1;
  int guard_pipe_ = -1;  // Held open by this process only; its end is what wakes the guard.
  std::mutex mutex_;     // One tool at a time, because they share the files for input and output.
  int databases_ = 0;
};

}  // namespace guildhall
