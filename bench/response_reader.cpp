#include "bench/response_reader.h"

#include <charconv>

namespace guildhall {
namespace {

constexpr std::size_t least_room_bytes = 4096;
constexpr std::string_view end_of_head = "\r\n\r\n";

bool same_name(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if ((a[i] | 0x20) != lower[i]) return false;  // Letters and '-' only, and '-' has that bit already.
  return true;
}

template <class Number>
bool read_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::span<char> ResponseReader::room() {
  if (buffer_.size() - used_ < least_room_bytes) buffer_.resize(used_ + 2 * least_room_bytes);
  return {buffer_.data() + used_, buffer_.size() - used_};
}

ResponseReader::State ResponseReader::took(std::size_t bytes) {
  const std::size_t before = used_;
  used_ += bytes;
  const std::string_view all(buffer_.data(), used_);
  if (body_at_ == 0) {
    const std::size_t from = before < end_of_head.size() ? 0 : before - end_of_head.size() + 1;
    const auto end = all.find(end_of_head, from);
    if (end == std::string_view::npos) return used_ > max_head_bytes ? State::broken : State::partial;
    body_at_ = end + end_of_head.size();
    if (read_head(all.substr(0, end)) == State::broken) return State::broken;
  }
  if (used_ < body_at_ + body_bytes_) return State::partial;
  // One request is under way at a time, so that nothing may follow its answer.
  return used_ == body_at_ + body_bytes_ ? State::whole : State::broken;
}

ResponseReader::State ResponseReader::read_head(std::string_view head) {
  constexpr std::string_view version = "HTTP/1.1 ";
  if (!head.starts_with(version) || head.size() < version.size() + 3 || !read_number(head.substr(version.size(), 3), status_))
    return State::broken;
  bool sized = status_ == 204 || status_ == 304;
  for (auto line_end = head.find("\r\n"); line_end != std::string_view::npos;) {
    head.remove_prefix(line_end + 2);
    line_end = head.find("\r\n");
    const std::string_view line = head.substr(0, line_end);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return State::broken;
    const std::string_view name = line.substr(0, colon);
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    if (same_name(name, "content-length")) {
      if (!read_number(value, body_bytes_) || body_bytes_ > max_body_bytes) return State::broken;
      sized = true;
    } else if (same_name(name, "connection")) {
      closes_ = same_name(value, "close");
    } else if (same_name(name, "transfer-encoding")) {
      return State::broken;
    }
  }
  return sized ? State::whole : State::broken;
}

void ResponseReader::clear() {
  used_ = body_at_ = body_bytes_ = 0;
  status_ = 0;
  closes_ = false;
}

}  // namespace guildhall
