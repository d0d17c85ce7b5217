// reliability.md §7, as raw bytes: what the gate refuses, with which status and code, and what it yields otherwise.
#include "gateway/framing_gate.h"

#include <gtest/gtest.h>

#include <random>

namespace guildhall {
namespace {

using namespace std::string_literals;

GateRules rules() { return {.allowed_hosts = {"api.example.com", "localhost", "[::1]"}}; }

// A request line and fields, with the Host that every request needs.
std::string with_host(const std::string& request_line, const std::string& fields = "") {
  return request_line + "\r\nHost: api.example.com\r\n" + fields + "\r\n";
}
std::string get(const std::string& target) { return with_host("GET " + target + " HTTP/1.1"); }
std::string post(const std::string& fields) { return with_host("POST /v1/x HTTP/1.1", fields); }
std::string fields(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "X-" + std::to_string(i) + ": v\r\n";
  return text;
}
std::string target_of(std::size_t bytes, const std::string& start) { return start + std::string(bytes - start.size(), 'a'); }
// A block of exactly so many bytes.
std::string block_of(std::size_t bytes) {
  const std::size_t frame = post("X-Fill: \r\n").size();
  return post("X-Fill: " + std::string(bytes - frame, 'f') + "\r\n");
}

struct Case {
  std::string name;
  std::string block;
  int status = 0;  // 0: passes.
  std::string_view code = "invalid_request";
  std::string_view detail_part = "";
};

TEST(FramingGate, answers_each_raw_block_as_listed) {
  const std::vector<Case> cases = {
      // The request line.
      {"plain get", get("/v1/x")},
      {"options", with_host("OPTIONS /v1/x HTTP/1.1")},
      {"http 1.0", with_host("GET / HTTP/1.0"), 400, "invalid_request", "version"},
      {"http 2 preface", "PRI * HTTP/2.0\r\n\r\n", 400, "invalid_request", "version"},
      {"http 1.2", with_host("GET / HTTP/1.2"), 400},
      {"lower-case version", with_host("GET / http/1.1"), 400},
      {"version with trailing blank", with_host("GET / HTTP/1.1 "), 400},
      {"no version", "GET /\r\nHost: localhost\r\n\r\n", 400},
      {"two blanks", with_host("GET  / HTTP/1.1"), 400, "invalid_request", "single spaces"},
      {"leading blank", with_host(" GET / HTTP/1.1"), 400},
      {"tab as separator", with_host("GET\t/\tHTTP/1.1"), 400},
      {"empty method", with_host(" / HTTP/1.1"), 400},
      {"method with a colon", with_host("GE:T / HTTP/1.1"), 400},
      {"lower-case method", with_host("get / HTTP/1.1"), 405, "method_not_allowed"},
      {"trace", with_host("TRACE / HTTP/1.1"), 405, "method_not_allowed"},
      {"connect", with_host("CONNECT api.example.com:443 HTTP/1.1"), 405, "method_not_allowed"},
      {"leading empty line", "\r\n" + get("/"), 400},
      // The target.
      {"absolute form", get("http://api.example.com/v1/x"), 400, "invalid_request", "origin form"},
      {"asterisk form", with_host("OPTIONS * HTTP/1.1"), 400, "invalid_request", "origin form"},
      {"authority form", get("api.example.com:80"), 400, "invalid_request", "origin form"},
      {"backslash", get("/v1\\x"), 400},
      {"fragment", get("/v1/x#y"), 400},
      {"raw utf-8 in path", get("/caf\xc3\xa9"), 400},
      {"DEL in path", get("/v1/\x7f"), 400},
      {"double dot segment", get("/v1/../admin"), 400, "invalid_request", "'..'"},
      {"double dot at the end", get("/v1/.."), 400, "invalid_request", "'..'"},
      {"encoded double dot", get("/v1/%2e%2E/admin"), 400, "invalid_request", "'..'"},
      {"half encoded double dot", get("/v1/.%2e/admin"), 400, "invalid_request", "'..'"},
      {"double dot before encoded slash", get("/v1/..%2fadmin"), 400, "invalid_request", "'..'"},
      {"single dots apart", get("/v1/a.b.c")},
      {"double dot as text of a query", get("/v1/x?q=wait...")},
      {"encoded NUL in path", get("/v1/x%00"), 400, "invalid_request", "encoded NUL"},
      {"encoded NUL in query", get("/v1/x?a=%00b"), 400, "invalid_request", "encoded NUL"},
      {"malformed percent", get("/v1/%zz"), 400, "invalid_request", "malformed"},
      {"percent at the end", get("/v1/x?a=%4"), 400, "invalid_request", "ends inside"},
      {"braces in query", get("/rest/v1/t?tags=cs.{a,b}")},
      {"braces in path", get("/v1/{id}"), 400},
      {"quote in query", get("/v1/x?a=\"b\""), 400},
      {"angle in query", get("/v1/x?a=<b"), 400},
      {"target at 2 KiB", get(target_of(2048, "/v1/"))},
      {"target above 2 KiB", get(target_of(2049, "/v1/")), 400, "invalid_request", "2048"},
      {"rest target at 8 KiB", get(target_of(8192, "/rest/v1/t?select="))},
      {"rest target above 8 KiB", get(target_of(8193, "/rest/v1/t?select=")), 400, "invalid_request", "8192"},
      {"look-alike of rest at 2049", get(target_of(2049, "/rest/v12?select=")), 400, "invalid_request", "2048"},
      // Lines.
      {"bare LF after request line", "GET / HTTP/1.1\nHost: localhost\r\n\r\n", 400},
      {"bare LF after a field", "GET / HTTP/1.1\r\nHost: localhost\n\r\n", 400},
      {"bare LF as empty line", "GET / HTTP/1.1\r\nHost: localhost\r\n\n", 400},
      {"bare CR in a value", post("X-A: a\rb\r\n"), 400, "invalid_request", "control character"},
      {"CR before CRLF", post("X-A: a\r\r\n"), 400},
      {"NUL in a value", post("X-A: a\0b\r\n"s), 400, "invalid_request", "NUL"},
      {"NUL in the target", "GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n"s, 400, "invalid_request", "NUL"},
      {"folded value", post("X-A: a\r\n b\r\n"), 400, "invalid_request", "folded"},
      {"folded with tab", post("X-A: a\r\n\tb\r\n"), 400, "invalid_request", "folded"},
      {"fold on the first field", "GET / HTTP/1.1\r\n Host: localhost\r\n\r\n", 400, "invalid_request", "folded"},
      {"unfinished block", "GET / HTTP/1.1\r\nHost: localhost\r\n", 400},
      {"bytes behind the block", get("/") + "x", 400},
      {"empty block", "", 400},
      // Fields.
      {"blank before colon", post("X-A : a\r\n"), 400, "invalid_request", "token"},
      {"no colon", post("X-A\r\n"), 400, "invalid_request", "colon"},
      {"empty name", post(": a\r\n"), 400, "invalid_request", "token"},
      {"utf-8 in a name", post("X-\xc3\xa9: a\r\n"), 400},
      {"empty value", post("X-A:\r\n")},
      {"control in a value", post("X-A: a\x01\r\n"), 400},
      {"utf-8 in a value", post("X-A: caf\xc3\xa9\r\n")},
      {"64 fields", post(fields(63))},
      {"65 fields", post(fields(64)), 400, "invalid_request", "64"},
      {"24 KiB", block_of(24 * 1024)},
      {"above 24 KiB", block_of(24 * 1024 + 1), 400, "invalid_request", "24576"},
      // Host.
      {"no host", "GET / HTTP/1.1\r\n\r\n", 400, "invalid_request", "missing"},
      {"two hosts", get("/").insert(16, "Host: localhost\r\n"), 400, "invalid_request", "more than once"},
      {"same host twice in another case", post("hOST: api.example.com\r\n"), 400, "invalid_request", "more than once"},
      {"foreign host", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 400, "invalid_request", "Host"},
      {"empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
      {"host list", "GET / HTTP/1.1\r\nHost: localhost, evil.example\r\n\r\n", 400},
      {"host with user", "GET / HTTP/1.1\r\nHost: x@localhost\r\n\r\n", 400},
      {"host with path", "GET / HTTP/1.1\r\nHost: localhost/x\r\n\r\n", 400},
      {"host with port", "GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"},
      {"host in upper case", "GET / HTTP/1.1\r\nHost: LOCALHOST\r\n\r\n"},
      {"ipv6 host with port", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"},
      {"ipv6 host unclosed", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
      {"empty port", "GET / HTTP/1.1\r\nHost: localhost:\r\n\r\n", 400},
      {"port out of range", "GET / HTTP/1.1\r\nHost: localhost:65536\r\n\r\n", 400},
      {"port not a number", "GET / HTTP/1.1\r\nHost: localhost:80x\r\n\r\n", 400},
      {"host with trailing dot", "GET / HTTP/1.1\r\nHost: localhost.\r\n\r\n", 400},
      // Bodies and their framing.
      {"chunked", post("Transfer-Encoding: chunked\r\n"), 400, "invalid_request", "Transfer-Encoding"},
      {"identity", post("Transfer-Encoding: identity\r\n"), 400, "invalid_request", "Transfer-Encoding"},
      {"gzip and length", post("Transfer-Encoding: gzip\r\nContent-Length: 3\r\n"), 400, "invalid_request", "Transfer-Encoding"},
      {"xchunked", post("transfer-encoding: xchunked\r\n"), 400, "invalid_request", "Transfer-Encoding"},
      {"empty transfer encoding", post("Transfer-Encoding:\r\n"), 400, "invalid_request", "Transfer-Encoding"},
      {"folded transfer encoding", post("Transfer-Encoding:\r\n chunked\r\n"), 400},
      {"transfer encoding with blank", post("Transfer-Encoding : chunked\r\n"), 400},
      {"transfer encoding and huge length", post("Content-Length: 99999999\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"content length", post("Content-Length: 65536\r\n")},
      {"content length zero", post("Content-Length: 0\r\n")},
      {"content length too large", post("Content-Length: 65537\r\n"), 413, "too_large", "65536"},
      {"content length overflow", post("Content-Length: 18446744073709551617\r\n"), 400, "invalid_request", "range"},
      {"content length signed", post("Content-Length: +5\r\n"), 400, "invalid_request", "plain number"},
      {"content length negative", post("Content-Length: -1\r\n"), 400, "invalid_request", "plain number"},
      {"content length hex", post("Content-Length: 0x5\r\n"), 400},
      {"content length list", post("Content-Length: 5, 5\r\n"), 400},
      {"content length fraction", post("Content-Length: 5.0\r\n"), 400},
      {"content length with inner blank", post("Content-Length: 1 2\r\n"), 400},
      {"content length empty", post("Content-Length:\r\n"), 400},
      {"length twice, equal", post("Content-Length: 5\r\nContent-Length: 5\r\n"), 400, "invalid_request", "more than once"},
      {"length twice, other", post("Content-Length: 5\r\ncontent-length: 6\r\n"), 400, "invalid_request", "more than once"},
      {"body on get", with_host("GET / HTTP/1.1", "Content-Length: 1\r\n"), 400, "invalid_request", "no body"},
      {"body on head", with_host("HEAD / HTTP/1.1", "Content-Length: 1\r\n"), 400, "invalid_request", "no body"},
      {"body on delete", with_host("DELETE / HTTP/1.1", "Content-Length: 1\r\n"), 400, "invalid_request", "no body"},
      {"zero body on get", with_host("GET / HTTP/1.1", "Content-Length: 0\r\n")},
      {"body on put", with_host("PUT / HTTP/1.1", "Content-Length: 1\r\n")},
      {"body on patch", with_host("PATCH / HTTP/1.1", "Content-Length: 1\r\n")},
      // Other headers that must not be doubled, or not be there.
      {"authorization twice", post("Authorization: a\r\nAuthorization: b\r\n"), 400, "invalid_request", "more than once"},
      {"apikey twice", post("apikey: a\r\nAPIKEY: a\r\n"), 400, "invalid_request", "more than once"},
      {"idempotency key twice", post("Idempotency-Key: a\r\nIdempotency-Key: a\r\n"), 400, "invalid_request", "more than once"},
      {"content type twice", post("Content-Type: a/b\r\nContent-Type: a/b\r\n"), 400, "invalid_request", "more than once"},
      {"each of them once", post("Authorization: a\r\napikey: b\r\nIdempotency-Key: c\r\nContent-Type: a/b\r\n")},
      {"cookie twice", post("Cookie: a=1\r\nCookie: b=2\r\n")},
      {"websocket", with_host("GET / HTTP/1.1", "Connection: x\r\nUpgrade: websocket\r\n"), 400, "invalid_request", "Upgrade"},
      {"h2c", with_host("GET / HTTP/1.1", "Upgrade: h2c\r\n"), 400, "invalid_request", "Upgrade"},
      {"expect continue", post("Expect: 100-Continue\r\nContent-Length: 5\r\n")},
      {"expect something else", post("Expect: miracle\r\n"), 400, "invalid_request", "expectation"},
  };
  ASSERT_GE(cases.size(), 60U);
  const GateRules gate = rules();
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const std::expected<Head, GateRefusal> head = scan_head(c.block, gate);
    ASSERT_EQ(head.has_value(), c.status == 0) << (head ? "passed" : head.error().detail);
    if (head) continue;
    EXPECT_EQ(head.error().status, c.status);
    EXPECT_EQ(head.error().code, c.code);
    EXPECT_TRUE(head.error().detail.contains(c.detail_part)) << head.error().detail;
  }
}

TEST(FramingGate, yields_the_parsed_head) {
  const std::string block =
      "PATCH /v1/bookings/a%20b?x=1&y=?/z HTTP/1.1\r\nHOST: Api.Example.com:8443\r\nContent-Length: 0042\r\n"
      "X-Blank: \t a b \t\r\nCookie: a\r\ncookie: b\r\nX-Empty:\r\nExpect: 100-continue\r\n\r\n";
  const std::expected<Head, GateRefusal> head = scan_head(block, rules());
  ASSERT_TRUE(head.has_value()) << head.error().detail;
  EXPECT_EQ(head->method, Method::patch);
  EXPECT_EQ(head->path, "/v1/bookings/a%20b");
  EXPECT_EQ(head->query, "x=1&y=?/z");
  EXPECT_EQ(head->host, "api.example.com");
  EXPECT_EQ(head->content_length, 42U);
  EXPECT_TRUE(head->keep_alive);
  EXPECT_TRUE(head->expects_continue);
  const std::vector<std::pair<std::string, std::string>> expected = {{"host", "Api.Example.com:8443"},
                                                                     {"content-length", "0042"},
                                                                     {"x-blank", "a b"},
                                                                     {"cookie", "a"},
                                                                     {"cookie", "b"},
                                                                     {"x-empty", ""},
                                                                     {"expect", "100-continue"}};
  EXPECT_EQ(head->headers, expected);
}

TEST(FramingGate, keeps_the_connection_unless_told_to_close) {
  const std::vector<std::pair<std::string, bool>> cases = {{"", true},
                                                           {"Connection: keep-alive\r\n", true},
                                                           {"Connection: Close\r\n", false},
                                                           {"Connection: x, close ,y\r\n", false},
                                                           {"Connection: closed\r\n", true},
                                                           {"Connection: keep-alive\r\nConnection: close\r\n", false}};
  for (const auto& [fields_text, keep_alive] : cases) {
    SCOPED_TRACE(fields_text);
    const std::expected<Head, GateRefusal> head = scan_head(post(fields_text), rules());
    ASSERT_TRUE(head.has_value());
    EXPECT_EQ(head->keep_alive, keep_alive);
  }
}

TEST(FramingGate, answers_no_host_without_an_allow_list) { EXPECT_FALSE(scan_head(get("/"), GateRules{}).has_value()); }

TEST(FramingGate, spells_every_method_as_it_reads_it) {
  for (const std::string name : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    const std::expected<Head, GateRefusal> head = scan_head(with_host(name + " / HTTP/1.1"), rules());
    ASSERT_TRUE(head.has_value()) << name;
    EXPECT_EQ(method_name(head->method), name);
  }
}

TEST(FramingGate, finds_the_end_of_the_block_however_it_arrives) {
  const std::string block = get("/v1/x");
  const std::string stream = block + "GET / HTTP/1.1\r\n";
  for (std::size_t step = 1; step <= stream.size(); ++step) {
    std::size_t scanned = 0;
    std::size_t end = 0;
    for (std::size_t size = step; end == 0 && size <= stream.size(); size += step) {
      const auto found = find_head_end(std::string_view(stream).substr(0, size), scanned, rules());
      ASSERT_TRUE(found.has_value());
      end = *found;
      EXPECT_EQ(end != 0, size >= block.size());
    }
    EXPECT_TRUE(end == 0 || end == block.size()) << "in steps of " << step;
  }
}

TEST(FramingGate, refuses_early_what_can_no_longer_become_a_head) {
  const GateRules small{.header_bytes = 32};
  const std::vector<std::pair<std::string, bool>> cases = {
      {"GET / HTTP/1.1\n", false},
      {"\n", false},
      {"\r\n", false},
      {"GET / HTTP/1.1\r\nA: b\n", false},
      {std::string(31, 'a'), true},
      {std::string(32, 'a'), false},
      {"GET / HTTP/1.1\r\nA: bcdefghij\r\n\r\n", true},    // 32 bytes.
      {"GET / HTTP/1.1\r\nA: bcdefghijk\r\n\r\n", false},  // 33.
  };
  for (const auto& [received, passes] : cases) {
    SCOPED_TRACE(received);
    std::size_t scanned = 0;
    EXPECT_EQ(find_head_end(received, scanned, small).has_value(), passes);
  }
}

// Whatever bytes come, the gate answers; and what it passes keeps its promises.
TEST(FramingGate, survives_mutated_blocks) {
  constexpr std::uint64_t seed = 20'240'611;
  constexpr int rounds = 5'000;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::string original =
      post("Content-Length: 12\r\nAuthorization: Bearer x\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n");
  const std::string spice = "\r\n \t:%.,[]/?\0\x7f\xff"s + "0aZ";
  for (int round = 0; round < rounds; ++round) {
    std::string block = original;
    for (std::uint64_t edits = 1 + random() % 3; edits > 0; --edits) {
      const std::size_t at = random() % block.size();
      const char byte = spice[random() % spice.size()];
      switch (random() % 3) {
        case 0: block[at] = byte; break;
        case 1: block.insert(at, 1, byte); break;
        default: block.erase(at, 1);
      }
    }
    const std::expected<Head, GateRefusal> head = scan_head(block, rules());
    if (!head) {
      EXPECT_TRUE(head.error().status == 400 || head.error().status == 405 || head.error().status == 413);
      EXPECT_FALSE(head.error().detail.empty());
      continue;
    }
    EXPECT_TRUE(head->path.starts_with('/')) << block;
    EXPECT_FALSE(head->path.contains("..")) << block;
    EXPECT_EQ(head->host, "api.example.com") << block;
    EXPECT_LE(head->content_length, rules().body_bytes) << block;
    for (const auto& [name, value] : head->headers) {
      EXPECT_NE(name, "transfer-encoding") << block;
      EXPECT_EQ(value.find_first_of("\r\n"), std::string::npos) << block;
    }
  }
}

}  // namespace
}  // namespace guildhall
