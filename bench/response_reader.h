// Reads HTTP/1.1 responses of one connection as far as a load generator needs them: status, Content-Length, body, Connection:
// close. Anything else that frames a body (chunks, HTTP/1.0) is broken to it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace guildhall {

class ResponseReader {
 public:
  enum class State : unsigned char { partial, whole, broken };
  static constexpr std::size_t max_head_bytes = 16 << 10;
  static constexpr std::size_t max_body_bytes = 64 << 20;

  // Where the next bytes go; `took` says how many came. After `whole` call clear() first.
  std::span<char> room();
  State took(std::size_t bytes);
  void clear();

  // Of a whole response, until clear().
  int status() const { return status_; }
  bool closes() const { return closes_; }
  std::string_view body() const { return {buffer_.data() + body_at_, body_bytes_}; }

 private:
  State read_head(std::string_view head);

  std::string buffer_;
  std::size_t used_ = 0;
  std::size_t body_at_ = 0;  // 0: the header block is not complete.
  std::size_t body_bytes_ = 0;
  int status_ = 0;
  bool closes_ = false;
};

}  // namespace guildhall
