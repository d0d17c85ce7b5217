#include "gateway/strict_json.h"

#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace guildhall {
namespace {

namespace json = boost::json;

std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

std::string object_of(std::size_t members) {
  std::string out = "{";
  for (std::size_t i = 0; i < members; ++i) out += (i == 0 ? "\"m" : ",\"m") + std::to_string(i) + "\":" + std::to_string(i);
  return out + '}';
}

TEST(StrictJson, reads_what_boost_json_reads) {
  const std::vector<std::string> texts = {
      "{}",
      "[]",
      " \t\r\n{ } \n",
      "null",
      "true",
      "0",
      "-0",
      "12",
      R"("")",
      R"({"a":1,"b":[true,false,null,{"c":"d"}],"e":{"a":1}})",
      R"(["\u00e9\ud83d\ude00\n\"\\\/", "é😀"])",
      "[9223372036854775807, -9223372036854775808, 18446744073709551615]",
      "[0.5, -1e3, 1E-2, 2.0, 1e308]",
      R"([{"a":1},{"a":2},{"b":{"a":3}}])",
      R"({"a":"a","b":"b","":""})",
      object_of(256),
      repeat("[", 16) + repeat("]", 16),
      '"' + repeat("x", 5000) + '"',
      R"({"é":1,"\u0061":2})",
  };
  for (const std::string& text : texts) {
    const auto value = parse_strict(text);
    ASSERT_TRUE(value) << text << ": " << name_of(value.error().reason) << " at " << value.error().offset;
    EXPECT_EQ(*value, json::parse(text)) << text;
  }
}

struct Bad {
  std::string text;
  JsonFault reason;
  std::size_t offset;
};

TEST(StrictJson, refuses_with_reason_and_offset) {
  const std::vector<Bad> table = {
      {"", JsonFault::truncated, 0},
      {"  ", JsonFault::truncated, 2},
      {"{", JsonFault::truncated, 1},
      {R"({"a":)", JsonFault::truncated, 5},
      {R"({"a":1)", JsonFault::truncated, 6},
      {R"(["a)", JsonFault::truncated, 3},
      {"[1,]", JsonFault::syntax, 3},
      {R"({"a":1,})", JsonFault::syntax, 7},
      {"{'a':1}", JsonFault::syntax, 1},
      {"{a:1}", JsonFault::syntax, 1},
      {"[01]", JsonFault::syntax, 2},
      {"[+1]", JsonFault::syntax, 1},
      {"[.5]", JsonFault::syntax, 1},
      {"[1.]", JsonFault::syntax, 3},
      {"[NaN]", JsonFault::syntax, 1},
      {"[Infinity]", JsonFault::syntax, 1},
      {"[1 /* one */]", JsonFault::syntax, 3},
      {"// x\n1", JsonFault::syntax, 0},
      {"[\"a\nb\"]", JsonFault::syntax, 3},
      {std::string("[\"a\0b\"]", 7), JsonFault::syntax, 3},
      {R"(["\x41"])", JsonFault::syntax, 3},
      {R"(["\u12g4"])", JsonFault::syntax, 6},
      {"{} {}", JsonFault::trailing_bytes, 3},
      {"1 2", JsonFault::trailing_bytes, 2},
      {std::string("{}\0", 3), JsonFault::trailing_bytes, 2},
      {"[\"\xff\"]", JsonFault::bad_unicode, 2},
      {"[\"\xc0\xaf\"]", JsonFault::bad_unicode, 2},          // Overlong '/'.
      {"[\"\xed\xa0\x80\"]", JsonFault::bad_unicode, 2},      // A surrogate as UTF-8.
      {"[\"\xf4\x90\x80\x80\"]", JsonFault::bad_unicode, 2},  // Beyond U+10FFFF.
      {"[\"\xe2\x82\"]", JsonFault::bad_unicode, 2},          // Cut short.
      {"\xef\xbb\xbf{}", JsonFault::bad_unicode, 0},
      {R"(["\ud800"])", JsonFault::syntax, 8},
      {R"(["\ud800\u0041"])", JsonFault::bad_unicode, 10},
      {R"(["\udc00"])", JsonFault::bad_unicode, 8},
      {R"({"a":1,"a":1})", JsonFault::duplicate_member, 9},
      {R"({"a":1,"b":{"c":1,"d":2,"c":3}})", JsonFault::duplicate_member, 26},
      {R"({"a":1,"\u0061":2})", JsonFault::duplicate_member, 14},
      {R"({"a":{"x":1},"b":[{"y":2}],"a":2})", JsonFault::duplicate_member, 29},
      {R"({"":1,"":2})", JsonFault::duplicate_member, 7},
      {repeat("[", 17) + repeat("]", 17), JsonFault::too_deep, 16},
      {repeat("{\"a\":", 17) + "1" + repeat("}", 17), JsonFault::too_deep, 80},
      {object_of(257), JsonFault::too_many_members, object_of(256).size() + 5},
      {"18446744073709551616", JsonFault::number_out_of_range, 20},
      {"[18446744073709551616]", JsonFault::number_out_of_range, 21},
      {"[-9223372036854775809]", JsonFault::number_out_of_range, 21},
      {"[1e999]", JsonFault::number_out_of_range, 6},
      {"[-1.5e400]", JsonFault::number_out_of_range, 9},
      {"[1e99999999999]", JsonFault::number_out_of_range, 12},
  };
  for (const Bad& bad : table) {
    const auto value = parse_strict(bad.text);
    ASSERT_FALSE(value) << bad.text;
    EXPECT_EQ(name_of(value.error().reason), name_of(bad.reason)) << bad.text;
    EXPECT_EQ(value.error().offset, bad.offset) << bad.text;
  }
}

TEST(StrictJson, bounds_are_the_callers) {
  EXPECT_TRUE(parse_strict("[[1]]", 2));
  EXPECT_EQ(parse_strict("[[1]]", 1).error().reason, JsonFault::too_deep);
  EXPECT_TRUE(parse_strict(R"({"a":1,"b":{"c":1,"d":1}})", 2, 2)) << "members are counted for each object alone";
  EXPECT_EQ(parse_strict(R"({"a":1,"b":2,"c":3})", 2, 2).error().reason, JsonFault::too_many_members);
}

TEST(StrictJson, builds_in_the_arena_it_is_given) {
  json::monotonic_resource arena;
  const auto value = parse_strict(R"({"a":["text long enough to need memory of its own"]})", 16, 256, &arena);
  ASSERT_TRUE(value);
  EXPECT_EQ(value->storage().get(), &arena);
}

// Random objects over few names: refused exactly when one object repeats a name.
TEST(StrictJson, finds_every_duplicate_and_nothing_else) {
  constexpr std::uint64_t seed = 20'240'501;
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2000; ++round) {
    bool repeats = false;
    const auto build = [&](auto& self, int depth) -> std::string {
      std::string out = "{";
      std::set<std::uint64_t> names;
      const std::uint64_t members = random() % 4;
      for (std::uint64_t i = 0; i < members; ++i) {
        const std::uint64_t name = random() % 12;
        repeats = !names.insert(name).second || repeats;
        // Two spellings of one name.
        const std::string letter =
            random() % 2 == 0 ? std::string(1, static_cast<char>('a' + name)) : std::string("\\u006") + "123456789abc"[name];
        out += (i == 0 ? "\"" : ",\"") + letter + "\":" + (depth < 3 && random() % 2 == 0 ? self(self, depth + 1) : "1");
      }
      return out + '}';
    };
    const std::string text = build(build, 0);
    const auto value = parse_strict(text);
    ASSERT_EQ(value.has_value(), !repeats) << "seed " << seed << ": " << text;
    if (!value) {
      EXPECT_EQ(value.error().reason, JsonFault::duplicate_member) << text;
    }
  }
}

}  // namespace
}  // namespace guildhall
