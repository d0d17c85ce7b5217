// HMAC-SHA-256 under one key. Setting up the key costs four times the hash of a short message, so it is done once.
#pragma once

#include <array>
#include <memory>
#include <string_view>

namespace guildhall {

using Mac = std::array<char, 32>;

class HmacSha256 {
 public:
  explicit HmacSha256(std::string_view key);  // Copies the key; the copy is wiped with the object.
  ~HmacSha256();
  HmacSha256(HmacSha256&&) noexcept;
  HmacSha256& operator=(HmacSha256&&) noexcept;

  // Of the two texts written one after the other. Any thread.
  Mac of(std::string_view first, std::string_view second = {}) const;

 private:
  struct Keyed;
  std::unique_ptr<Keyed> keyed_;
};

// Takes the same time wherever the first difference is; false at once when the lengths differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace guildhall
