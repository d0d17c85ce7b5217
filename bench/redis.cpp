#include "bench/redis.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>

namespace guildhall {
namespace {

constexpr std::chrono::milliseconds look_every{20};
constexpr int looks = 500;
constexpr std::size_t read_bytes = 64 << 10;

}  // namespace

RedisServer::RedisServer(const std::filesystem::path& folder)
    : socket_(folder / "redis.sock"),
      process_({"redis-server", "--port", "0", "--unixsocket", socket_.string(), "--save", "", "--appendonly", "no"}, {},
               folder / "redis.log") {
  for (int i = 0; i < looks; ++i) {
    if (!process_.running()) throw std::runtime_error("redis-server ended: " + tail_of_file(folder / "redis.log"));
    if (std::filesystem::exists(socket_)) return;
    std::this_thread::sleep_for(look_every);
  }
  throw std::runtime_error("redis-server does not listen");
}

RedisClient::RedisClient(const std::filesystem::path& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.string().size() >= sizeof address.sun_path) throw std::runtime_error("the path of the socket is too long");
  std::strcpy(address.sun_path, socket.c_str());
  fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0 || ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("cannot connect to redis-server");
}

RedisClient::~RedisClient() {
  if (fd_ >= 0) ::close(fd_);
}

void RedisClient::queue(std::initializer_list<std::string_view> words) {
  out_ += '*' + std::to_string(words.size()) + "\r\n";
  for (const std::string_view word : words) {
    out_ += '$' + std::to_string(word.size()) + "\r\n";
    out_ += word;
    out_ += "\r\n";
  }
  ++queued_;
}

std::string RedisClient::flush() {
  for (std::size_t sent = 0; sent < out_.size();) {
    const auto n = ::write(fd_, out_.data() + sent, out_.size() - sent);
    if (n <= 0) throw std::runtime_error("redis-server is gone");
    sent += static_cast<std::size_t>(n);
  }
  out_.clear();
  std::string raw;
  for (; queued_ > 0; --queued_) {
    raw.clear();
    read_answer(raw);
  }
  return raw;
}

char RedisClient::next() {
  if (at_ == in_.size()) {
    in_.resize(read_bytes);
    const auto n = ::read(fd_, in_.data(), in_.size());
    if (n <= 0) throw std::runtime_error("redis-server is gone");
    in_.resize(static_cast<std::size_t>(n));
    at_ = 0;
  }
  return in_[at_++];
}

void RedisClient::read_answer(std::string& raw) {
  std::string line;
  while (!line.ends_with("\r\n")) line += next();
  raw += line;
  const char kind = line.front();
  if (kind == '-') throw std::runtime_error("redis-server: " + line);
  if (kind == ':' || kind == '+') return;
  const long count = std::stol(line.substr(1));
  if (kind == '*')
    for (long i = 0; i < count; ++i) read_answer(raw);
  else
    for (long i = 0; i < count + 2 && count >= 0; ++i) raw += next();
}

}  // namespace guildhall
