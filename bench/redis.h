// A Redis server of the benchmark's own (Debian's redis-server), without persistence, and a client that speaks just enough of its
// protocol for a sorted set.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "bench/process.h"

namespace guildhall {

class RedisServer {
 public:
  // Listens on a socket in the folder. Throws std::runtime_error when it does not come up.
  explicit RedisServer(const std::filesystem::path& folder);
  const std::filesystem::path& socket() const { return socket_; }

 private:
  std::filesystem::path socket_;
  Process process_;
};

// One connection. Throws std::runtime_error when it breaks or the server reports an error.
class RedisClient {
 public:
  explicit RedisClient(const std::filesystem::path& socket);
  ~RedisClient();
  RedisClient(const RedisClient&) = delete;
  RedisClient& operator=(const RedisClient&) = delete;

  // Adds a command to what flush() sends.
  void queue(std::initializer_list<std::string_view> words);
  // Sends all that is queued and reads an answer to each; the last one's, as its raw bytes.
  std::string flush();
  std::string ask(std::initializer_list<std::string_view> words) {
    queue(words);
    return flush();
  }

 private:
  void read_answer(std::string& raw);
  char next();

  int fd_ = -1;
  std::string out_;
  std::size_t queued_ = 0;
  std::string in_;
  std::size_t at_ = 0;
};

}  // namespace guildhall
