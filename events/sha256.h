// SHA-256, for the chain, fingerprints and derived ids. The one place below the gateway that names OpenSSL.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace guildhall {

using Hash = std::array<char, 32>;

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::string_view bytes);
  Hash finish();  // Once; start() makes it new.
  void start();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

Hash sha256(std::string_view bytes);
std::string to_hex(std::string_view bytes);
inline std::string_view view(const Hash& hash) { return {hash.data(), hash.size()}; }

}  // namespace guildhall
