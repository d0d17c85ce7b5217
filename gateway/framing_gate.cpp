#include "gateway/framing_gate.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

namespace guildhall {
namespace {

constexpr std::size_t max_port_digits = 5;
constexpr unsigned max_port = 65'535;

constexpr std::array<std::pair<std::string_view, Method>, 7> methods = {{{"GET", Method::get},
                                                                         {"HEAD", Method::head},
                                                                         {"POST", Method::post},
                                                                         {"PUT", Method::put},
                                                                         {"PATCH", Method::patch},
                                                                         {"DELETE", Method::del},
                                                                         {"OPTIONS", Method::options}}};

// What each byte may be part of.
enum CharClass : std::uint8_t { token_char = 1, path_char = 2, query_char = 4, value_char = 8 };

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr std::array<std::uint8_t, 256> char_classes = [] {
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const char c = static_cast<char>(i);
    unsigned bits = 0;
    const bool visible = i > 0x20 && i < 0x7f;
    if (is_alpha(c) || is_digit(c) || (visible && std::string_view("!#$%&'*+-.^_`|~").contains(c))) bits |= token_char;
    // RFC 3986's path characters, '%' being checked apart.
    if (is_alpha(c) || is_digit(c) || (visible && std::string_view("-._~!$&'()*+,;=:@%/").contains(c))) bits |= path_char;
    // In the query also what browsers leave unencoded there, although RFC 3986 does not allow it: {, }, |, and the like.
    if (visible && !std::string_view("\"#<>").contains(c)) bits |= query_char;
    // RFC 9110's field value; bytes above 0x7f are opaque but legal (cookies of other products hold them).
    if (visible || c == ' ' || c == '\t' || i >= 0x80) bits |= value_char;
    classes[i] = static_cast<std::uint8_t>(bits);
  }
  return classes;
}();

bool all_of_class(std::string_view text, CharClass wanted) {
  return std::ranges::all_of(text, [wanted](char c) { return (char_classes[static_cast<unsigned char>(c)] & wanted) != 0; });
}

std::unexpected<GateRefusal> refuse(std::string detail) { return std::unexpected(GateRefusal{.detail = std::move(detail)}); }

std::unexpected<GateRefusal> refuse_oversized_block(const GateRules& rules) {
  return refuse("the header block is larger than " + std::to_string(rules.header_bytes) + " bytes");
}

bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
  return text.size() == lower_case.size() &&
         std::equal(text.begin(), text.end(), lower_case.begin(), [](char a, char b) { return lower(a) == b; });
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Takes the next line off `rest`, without its CRLF; nothing when the line does not end in CRLF.
std::optional<std::string_view> next_line(std::string_view& rest) {
  const std::size_t lf = rest.find('\n');
  if (lf == std::string_view::npos || lf == 0 || rest[lf - 1] != '\r') return std::nullopt;
  const std::string_view line = rest.substr(0, lf - 1);
  rest.remove_prefix(lf + 1);
  return line;
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (lower(c) >= 'a' && lower(c) <= 'f') return lower(c) - 'a' + 10;
  return -1;
}

// Every '%' must start an encoded byte, and none may be NUL: behind us it would end a C string.
const char* percent_encoding_problem(std::string_view target) {
  for (std::size_t at = target.find('%'); at != std::string_view::npos; at = target.find('%', at + 3)) {
    if (target.size() - at < 3) return "the target ends inside a percent-encoding";
    const int high = hex_value(target[at + 1]);
    const int low = hex_value(target[at + 2]);
    if (high < 0 || low < 0) return "the target has a malformed percent-encoding";
    if (high == 0 && low == 0) return "the target has an encoded NUL";
  }
  return nullptr;
}

// Two dots side by side, each plain or encoded: wider than a ".." segment, since no
// route of ours needs them. A query may hold them as text.
bool has_double_dot(std::string_view path) {
  bool dot_before = false;
  for (std::size_t at = 0; at < path.size();) {
    const bool encoded = path[at] == '%' && path.size() - at >= 3 && path[at + 1] == '2' && lower(path[at + 2]) == 'e';
    const bool dot = encoded || path[at] == '.';
    if (dot && dot_before) return true;
    dot_before = dot;
    at += encoded ? 3 : 1;
  }
  return false;
}

std::optional<GateRefusal> scan_target(std::string_view target, const GateRules& rules, Head& head) {
  const auto problem = [](std::string detail) { return GateRefusal{.detail = std::move(detail)}; };
  if (!target.starts_with('/')) return problem("the target is not in origin form");
  const std::size_t question = target.find('?');
  const std::string_view path = target.substr(0, question);
  const bool rest = path == "/rest/v1" || path.starts_with("/rest/v1/");
  const std::size_t limit = rest ? rules.rest_target_bytes : rules.target_bytes;
  if (target.size() > limit) return problem("the target is longer than " + std::to_string(limit) + " bytes");
  if (!all_of_class(path, path_char)) return problem("the path has a character that must be percent-encoded");
  const std::string_view query = question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
  if (!all_of_class(query, query_char)) return problem("the query has a character that must be percent-encoded");
  if (const char* encoding = percent_encoding_problem(target)) return problem(encoding);
  if (has_double_dot(path)) return problem("the path has '..'");
  head.path = path;
  head.query = query;
  return std::nullopt;
}

std::optional<GateRefusal> scan_request_line(std::string_view line, const GateRules& rules, Head& head) {
  const auto problem = [](std::string detail) { return GateRefusal{.detail = std::move(detail)}; };
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos || line.find(' ', second + 1) != std::string_view::npos)
    return problem("the request line is not 'method target version' with single spaces");
  const std::string_view method = line.substr(0, first);
  if (line.substr(second + 1) != "HTTP/1.1") return problem("the version is not HTTP/1.1");
  if (method.empty() || !all_of_class(method, token_char)) return problem("the method is not a token");
  const auto known = std::ranges::find(methods, method, &std::pair<std::string_view, Method>::first);
  if (known == methods.end())
    return GateRefusal{.status = 405, .code = "method_not_allowed", .detail = "this server does not know the method"};
  head.method = known->second;
  return scan_target(line.substr(first + 1, second - first - 1), rules, head);
}

// The host of a Host value in lower case, or nothing when it is not `host` or `host:port`.
std::optional<std::string> host_without_port(std::string_view value) {
  const std::size_t bracket = value.starts_with('[') ? value.find(']') : 0;
  if (bracket == std::string_view::npos) return std::nullopt;
  const std::size_t colon = value.find(':', bracket);
  if (colon != std::string_view::npos) {
    const std::string_view port = value.substr(colon + 1);
    unsigned number = 0;
    if (port.empty() || port.size() > max_port_digits || !std::ranges::all_of(port, is_digit)) return std::nullopt;
    std::from_chars(port.data(), port.data() + port.size(), number);
    if (number > max_port) return std::nullopt;
  }
  std::string host(value.substr(0, colon));
  std::ranges::transform(host, host.begin(), lower);
  return host;
}

std::optional<GateRefusal> scan_content_length(std::string_view value, Head& head) {
  if (value.empty() || !std::ranges::all_of(value, is_digit))
    return GateRefusal{.detail = "Content-Length is not a plain number"};
  const std::errc error = std::from_chars(value.data(), value.data() + value.size(), head.content_length).ec;
  if (error != std::errc()) return GateRefusal{.detail = "Content-Length is out of range"};
  return std::nullopt;
}

// Connection is a list; of its options only "close" means something to us.
void scan_connection(std::string_view value, Head& head) {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    if (equals_ignoring_case(trimmed(value.substr(0, comma)), "close")) head.keep_alive = false;
    value = comma == std::string_view::npos ? std::string_view() : value.substr(comma + 1);
  }
}

// Which once-only headers were met, one bit each in the list's order.
using Seen = std::uint32_t;
static_assert(once_only_headers.size() <= 32);

// Where a name stands in the once-only list; its size when it is not listed.
constexpr std::size_t once_only_index(std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(once_only_headers, name) - once_only_headers.begin());
}

std::optional<GateRefusal> scan_field(std::string_view line, const GateRules& rules, Seen& seen, Head& head) {
  const auto problem = [](std::string detail) { return GateRefusal{.detail = std::move(detail)}; };
  if (line.front() == ' ' || line.front() == '\t') return problem("a header line is folded");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return problem("a header line has no colon");
  const std::string_view raw_name = line.substr(0, colon);
  if (raw_name.empty() || !all_of_class(raw_name, token_char)) return problem("a header name is not a token");
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (!all_of_class(value, value_char)) return problem("a header value has a control character");
  if (head.headers.size() == rules.header_fields)
    return problem("there are more than " + std::to_string(rules.header_fields) + " header fields");

  std::string name(raw_name);
  std::ranges::transform(name, name.begin(), lower);
  if (const std::size_t index = once_only_index(name); index < once_only_headers.size()) {
    const Seen bit = Seen{1} << index;
    if ((seen & bit) != 0) return problem("the header '" + name + "' appears more than once");
    seen |= bit;
  }
  if (name == "transfer-encoding") return problem("Transfer-Encoding is not accepted: send Content-Length");
  if (name == "upgrade") return problem("Upgrade is not accepted");
  if (name == "content-length") {
    if (auto refusal = scan_content_length(value, head)) return refusal;
  } else if (name == "host") {
    std::optional<std::string> host = host_without_port(value);
    if (!host || std::ranges::find(rules.allowed_hosts, *host) == rules.allowed_hosts.end())
      return problem("the Host is not one this server answers for");
    head.host = std::move(*host);
  } else if (name == "connection") {
    scan_connection(value, head);
  } else if (name == "expect") {
    if (!equals_ignoring_case(value, "100-continue")) return problem("the only expectation this server knows is 100-continue");
    head.expects_continue = true;
  }
  head.headers.emplace_back(std::move(name), value);
  return std::nullopt;
}

}  // namespace

std::expected<std::size_t, GateRefusal> find_head_end(std::string_view received, std::size_t& scanned, const GateRules& rules) {
  for (std::size_t lf = received.find('\n', scanned); lf != std::string_view::npos; lf = received.find('\n', lf + 1)) {
    if (lf >= rules.header_bytes) return refuse_oversized_block(rules);
    if (lf == 0 || received[lf - 1] != '\r') return refuse("a line ends in a bare LF");
    if (lf == 1) return refuse("the request starts with an empty line");
    if (received[lf - 2] == '\n') return lf + 1;
  }
  if (received.size() >= rules.header_bytes) return refuse_oversized_block(rules);
  scanned = received.size();
  return 0;
}

std::expected<Head, GateRefusal> scan_head(std::string_view block, const GateRules& rules) {
  if (block.size() > rules.header_bytes) return refuse_oversized_block(rules);
  if (block.contains('\0')) return refuse("the header block has a NUL");
  std::string_view rest = block;
  std::optional<std::string_view> line = next_line(rest);
  if (!line) return refuse("a line does not end in CRLF");

  Head head;
  if (auto refusal = scan_request_line(*line, rules, head)) return std::unexpected(std::move(*refusal));
  Seen seen = 0;
  head.headers.reserve(std::min(rules.header_fields, static_cast<std::size_t>(std::ranges::count(rest, '\n'))));
  for (;;) {
    line = next_line(rest);
    if (!line) return refuse("a line does not end in CRLF");
    if (line->empty()) break;
    if (auto refusal = scan_field(*line, rules, seen, head)) return std::unexpected(std::move(*refusal));
  }
  if (!rest.empty()) return refuse("bytes follow the header block");
  if ((seen & (Seen{1} << once_only_index("host"))) == 0) return refuse("the Host header is missing");
  const bool bodiless = head.method == Method::get || head.method == Method::head || head.method == Method::del;
  if (bodiless && head.content_length > 0) return refuse("GET, HEAD and DELETE take no body");
  // Last, since a client that can be told what is wrong with its framing should be told that first.
  const std::size_t body_limit = head.path.starts_with("/internal/") ? rules.internal_body_bytes : rules.body_bytes;
  if (head.content_length > body_limit) {
    std::string detail = "the body is larger than " + std::to_string(body_limit) + " bytes";
    return std::unexpected(GateRefusal{.status = 413, .code = "too_large", .detail = std::move(detail)});
  }
  return head;
}

std::string_view method_name(Method method) {
  return std::ranges::find(methods, method, &std::pair<std::string_view, Method>::second)->first;
}

}  // namespace guildhall
