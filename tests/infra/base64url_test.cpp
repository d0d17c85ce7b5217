#include "infra/base64url.h"

#include <random>

#include <gtest/gtest.h>

namespace guildhall {
namespace {

TEST(Base64url, vectors_of_rfc_4648_without_padding) {
  const std::pair<std::string, std::string> table[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "-_8"}};
  for (const auto& [bytes, text] : table) {
    EXPECT_EQ(base64url_encode(bytes), text);
    EXPECT_EQ(base64url_decode(text), bytes) << text;
  }
}

TEST(Base64url, refuses_all_but_the_one_spelling) {
  for (const std::string_view text : {"Zg==", "Zg=", "Z", "Zm9vY", "Zh", "Zm9", "Zg\n", " Zg", "-/8", "+_8", "Zm9v.", "Zm9v\x80"})
    EXPECT_FALSE(base64url_decode(text)) << text;
  EXPECT_FALSE(base64url_decode(std::string_view("Zg\0", 3)));
}

TEST(Base64url, random_bytes_come_back) {
  constexpr std::uint64_t seed = 7;
  std::mt19937_64 random(seed);
  for (std::size_t size = 0; size < 300; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(random() & 0xff));
    ASSERT_EQ(base64url_decode(base64url_encode(bytes)), bytes) << "seed " << seed << " size " << size;
  }
}

}  // namespace
}  // namespace guildhall
