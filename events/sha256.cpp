// OpenSSL's SHA256_Init, _Update, _Final cost no allocation and no provider look-up; they are deprecated in favour of EVP, whose
// set-up is dearer than hashing a record.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "events/sha256.h"

#include <openssl/sha.h>

namespace guildhall {

struct Sha256::Context {
  SHA256_CTX sha;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) { start(); }
Sha256::~Sha256() = default;
void Sha256::start() { SHA256_Init(&context_->sha); }
void Sha256::add(std::string_view bytes) { SHA256_Update(&context_->sha, bytes.data(), bytes.size()); }

Hash Sha256::finish() {
  Hash out;
  SHA256_Final(reinterpret_cast<unsigned char*>(out.data()), &context_->sha);
  return out;
}

Hash sha256(std::string_view bytes) {
  // Not the one-shot SHA256(): in OpenSSL 3 it looks its provider up on every call.
  SHA256_CTX sha;
  SHA256_Init(&sha);
  SHA256_Update(&sha, bytes.data(), bytes.size());
  Hash out;
  SHA256_Final(reinterpret_cast<unsigned char*>(out.data()), &sha);
  return out;
}

std::string to_hex(std::string_view bytes) {
  constexpr char hex[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out.push_back(hex[static_cast<unsigned char>(c) >> 4]);
    out.push_back(hex[static_cast<unsigned char>(c) & 15]);
  }
  return out;
}

}  // namespace guildhall
