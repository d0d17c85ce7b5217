#include "gateway/strict_json.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

namespace guildhall {
namespace {

namespace json = boost::json;
using json::error_code;
using json::string_view;

// Receives the parser's events and builds the value. `fault` tells our own refusals from the parser's.
class Builder {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

  Builder(std::size_t max_members, json::storage_ptr storage)
      : max_members_(max_members), values_({}, scratch_, sizeof scratch_) {
    values_.reset(std::move(storage));
  }

  json::value release() { return values_.release(); }

  bool refused = false;
  JsonFault fault = JsonFault::syntax;

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) {
    first_member_.push_back(members_.size());
    return true;
  }
  bool on_object_end(std::size_t members, error_code&) {
    const std::size_t first = first_member_.back();
    first_member_.pop_back();
    if (first < members_.size()) names_.resize(members_[first].offset);
    members_.resize(first);
    values_.push_object(members);
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t elements, error_code&) {
    values_.push_array(elements);
    return true;
  }
  bool on_key_part(string_view part, std::size_t, error_code&) {
    names_.append(part.data(), part.size());
    values_.push_chars(part);
    return true;
  }
  bool on_key(string_view part, std::size_t size, error_code& ec) {
    names_.append(part.data(), part.size());
    values_.push_key(part);
    const std::string_view name = std::string_view(names_).substr(names_.size() - size);
    const std::size_t hash = std::hash<std::string_view>{}(name);
    const auto first = members_.begin() + static_cast<std::ptrdiff_t>(first_member_.back());
    if (static_cast<std::size_t>(members_.end() - first) >= max_members_) return refuse(JsonFault::too_many_members, ec);
    const bool twice = std::any_of(first, members_.end(), [&](const Member& other) {
      return other.hash == hash && std::string_view(names_).substr(other.offset, other.size) == name;
    });
    if (twice) return refuse(JsonFault::duplicate_member, ec);
    members_.push_back({.hash = hash, .offset = names_.size() - size, .size = size});
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code&) {
    values_.push_chars(part);
    return true;
  }
  bool on_string(string_view part, std::size_t, error_code&) {
    values_.push_string(part);
    return true;
  }
  bool on_number_part(string_view part, error_code&) {
    has_fraction_ = has_fraction_ || is_fraction(part);
    return true;
  }
  bool on_int64(std::int64_t number, string_view, error_code&) {
    values_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, string_view, error_code&) {
    values_.push_uint64(number);
    return true;
  }
  bool on_double(double number, string_view part, error_code& ec) {
    // The parser falls back to double for an integer that is too large, which would change its value silently.
    const bool fraction = has_fraction_ || is_fraction(part);
    has_fraction_ = false;
    if (!fraction || !std::isfinite(number)) return refuse(JsonFault::number_out_of_range, ec);
    values_.push_double(number);
    return true;
  }
  bool on_bool(bool value, error_code&) {
    values_.push_bool(value);
    return true;
  }
  bool on_null(error_code&) {
    values_.push_null();
    return true;
  }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  struct Member {
    std::size_t hash;  // Spares nearly all comparisons of names.
    std::size_t offset;
    std::size_t size;
  };

  static bool is_fraction(string_view number) { return number.find_first_of(".eE") != string_view::npos; }

  bool refuse(JsonFault why, error_code& ec) {
    refused = true;
    fault = why;
    ec = json::error::syntax;
    return false;
  }

  std::size_t max_members_;
  std::string names_;                      // Of the members seen in the objects that are open, one after another.
  std::vector<Member> members_;            // Their places in names_.
  std::vector<std::size_t> first_member_;  // Of each open object, in members_.
  bool has_fraction_ = false;
  unsigned char scratch_[2048];  // Spares the value stack its first allocations.
  json::value_stack values_;
};

JsonFault fault_of(error_code ec, std::string_view text, std::size_t offset) {
  if (ec == json::error::incomplete) return JsonFault::truncated;
  if (ec == json::error::too_deep) return JsonFault::too_deep;
  if (ec == json::error::exponent_overflow) return JsonFault::number_out_of_range;
  if (ec == json::error::illegal_leading_surrogate || ec == json::error::illegal_trailing_surrogate)
    return JsonFault::bad_unicode;
  // Valid text outside ASCII stands only in strings, where the parser accepts it.
  if (offset < text.size() && static_cast<unsigned char>(text[offset]) >= 0x80) return JsonFault::bad_unicode;
  return JsonFault::syntax;
}

}  // namespace

std::string_view name_of(JsonFault fault) {
  switch (fault) {
    case JsonFault::syntax: return "syntax";
    case JsonFault::bad_unicode: return "bad_unicode";
    case JsonFault::truncated: return "truncated";
    case JsonFault::trailing_bytes: return "trailing_bytes";
    case JsonFault::duplicate_member: return "duplicate_member";
    case JsonFault::too_deep: return "too_deep";
    case JsonFault::too_many_members: return "too_many_members";
    case JsonFault::number_out_of_range: return "number_out_of_range";
  }
  std::unreachable();
}

std::expected<json::value, StrictJsonError> parse_strict(std::string_view text, std::size_t max_depth, std::size_t max_members,
                                                         json::storage_ptr storage) {
  json::parse_options options;
  options.max_depth = max_depth;
  json::basic_parser<Builder> parser(options, max_members, std::move(storage));
  error_code ec;
  const std::size_t offset = parser.write_some(false, text.data(), text.size(), ec);
  Builder& builder = parser.handler();
  if (builder.refused) return std::unexpected(StrictJsonError{offset, builder.fault});
  if (ec) return std::unexpected(StrictJsonError{offset, fault_of(ec, text, offset)});
  if (offset < text.size()) return std::unexpected(StrictJsonError{offset, JsonFault::trailing_bytes});
  return builder.release();
}

}  // namespace guildhall
