#include "gateway/hmac_sha256.h"

#include <mutex>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "events/check.h"

namespace guildhall {
namespace {

struct FreeMac {
  void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
};
struct FreeMacContext {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }  // Wipes the key.
};

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

// One context behind a lock: it is held for a third of a microsecond, less than copying a context for each call costs.
struct HmacSha256::Keyed {
  std::unique_ptr<EVP_MAC_CTX, FreeMacContext> context;
  std::mutex mutex;
};

HmacSha256::HmacSha256(std::string_view key) : keyed_(std::make_unique<Keyed>()) {
  CHECK(!key.empty());  // To OpenSSL an empty key means "the key of before".
  const std::unique_ptr<EVP_MAC, FreeMac> mac(EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr));
  CHECK(mac != nullptr);
  keyed_->context.reset(EVP_MAC_CTX_new(mac.get()));
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  CHECK(keyed_->context != nullptr && EVP_MAC_init(keyed_->context.get(), bytes(key), key.size(), parameters) == 1);
}
HmacSha256::~HmacSha256() = default;
HmacSha256::HmacSha256(HmacSha256&&) noexcept = default;
HmacSha256& HmacSha256::operator=(HmacSha256&&) noexcept = default;

Mac HmacSha256::of(std::string_view first, std::string_view second) const {
  Mac out;
  std::size_t size = 0;
  EVP_MAC_CTX* const context = keyed_->context.get();
  const std::lock_guard lock(keyed_->mutex);
  CHECK(EVP_MAC_init(context, nullptr, 0, nullptr) == 1);  // Starts anew under the same key.
  CHECK(EVP_MAC_update(context, bytes(first), first.size()) == 1 && EVP_MAC_update(context, bytes(second), second.size()) == 1);
  CHECK(EVP_MAC_final(context, reinterpret_cast<unsigned char*>(out.data()), &size, out.size()) == 1 && size == out.size());
  return out;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace guildhall
