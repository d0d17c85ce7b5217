#include "gateway/jwt.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <span>
#include <utility>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "events/check.h"
#include "events/sha256.h"
#include "infra/base64url.h"
#include "gateway/hmac_sha256.h"
#include "gateway/strict_json.h"

namespace guildhall {
namespace {

namespace json = boost::json;

template <auto free>
struct Free {
  template <typename T>
  void operator()(T* handle) const {
    free(handle);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using BigNumber = std::unique_ptr<BIGNUM, Free<BN_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;
using MdContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;
using PublicKey = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using PublicKeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;

constexpr std::size_t p256_coordinate_bytes = 32;
constexpr std::int64_t numeric_date_max = 253'402'300'799;  // 9999-12-31T23:59:59Z, far from overflow in microseconds.
constexpr std::string_view pem_begin = "-----BEGIN PUBLIC KEY-----";
constexpr std::string_view pem_end = "-----END PUBLIC KEY-----";
constexpr std::string_view white_space = " \t\r\n";

// OpenSSL keeps a thread's errors until someone looks; another library on this thread must not find ours.
struct ForgetOpenSslErrors {
  ~ForgetOpenSslErrors() { ERR_clear_error(); }
};

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::unexpected<TokenRefusal> refuse(TokenFault reason, std::string detail) {
  return std::unexpected(TokenRefusal{reason, std::move(detail)});
}
std::unexpected<KeyRefusal> refuse(KeyFault reason, std::string detail) {
  return std::unexpected(KeyRefusal{reason, std::move(detail)});
}

// The member as text; nothing when it is absent or no string.
std::optional<std::string_view> text_of(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(name);
  if (member == nullptr || !member->is_string()) return std::nullopt;
  return std::string_view(member->get_string());
}

// ---- public keys

struct VerifyingKey {
  PublicKey key;
  bool is_rsa = false;  // RS256, else ES256.
};

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(white_space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(white_space) - first + 1);
}

std::expected<PublicKey, KeyRefusal> key_from_pem(std::string_view pem) {
  if (!pem.starts_with(pem_begin) || pem.find(pem_end) != pem.size() - pem_end.size())
    return refuse(KeyFault::not_a_public_key, "expected exactly one PEM block PUBLIC KEY");
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  PublicKey key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  if (key == nullptr) return refuse(KeyFault::not_a_public_key, "the PEM block does not hold a public key");
  return key;
}

std::optional<std::string> bytes_of(const json::object& jwk, std::string_view name) {
  const auto text = text_of(jwk, name);
  return text ? base64url_decode(*text) : std::nullopt;
}

PublicKey key_from_parameters(const char* type, ParamBuilder builder) {
  const Params parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const PublicKeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return nullptr;
  return PublicKey(key);
}

std::expected<PublicKey, KeyRefusal> rsa_from_jwk(const json::object& jwk) {
  const auto modulus = bytes_of(jwk, "n");
  const auto exponent = bytes_of(jwk, "e");
  constexpr std::size_t modulus_bytes_max = rsa_bits_max / 8 + 1;
  if (!modulus || !exponent || modulus->size() > modulus_bytes_max || exponent->size() > modulus_bytes_max)
    return refuse(KeyFault::not_a_public_key, "the JWK's n and e must be base64url");
  const BigNumber n(BN_bin2bn(bytes(*modulus), static_cast<int>(modulus->size()), nullptr));
  const BigNumber e(BN_bin2bn(bytes(*exponent), static_cast<int>(exponent->size()), nullptr));
  ParamBuilder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  PublicKey key = key_from_parameters("RSA", std::move(builder));
  if (key == nullptr) return refuse(KeyFault::not_a_public_key, "OpenSSL refuses the JWK's n and e");
  return key;
}

std::expected<PublicKey, KeyRefusal> p256_from_jwk(const json::object& jwk) {
  if (text_of(jwk, "crv") != "P-256") return refuse(KeyFault::wrong_key_type, "the JWK's crv must be P-256");
  const auto x = bytes_of(jwk, "x");
  const auto y = bytes_of(jwk, "y");
  if (!x || !y || x->size() != p256_coordinate_bytes || y->size() != p256_coordinate_bytes)
    return refuse(KeyFault::not_a_public_key, "the JWK's x and y must be base64url of 32 bytes each");
  const std::string point = '\x04' + *x + *y;
  ParamBuilder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  PublicKey key = key_from_parameters("EC", std::move(builder));
  if (key == nullptr) return refuse(KeyFault::not_a_public_key, "the JWK's x and y are no point of P-256");
  return key;
}

std::expected<PublicKey, KeyRefusal> key_from_jwk(std::string_view text, std::string_view kid) {
  const auto parsed = parse_strict(text);
  if (!parsed || !parsed->is_object()) return refuse(KeyFault::not_a_public_key, "neither PEM nor a JWK object");
  const json::object& jwk = parsed->get_object();
  if (jwk.contains("kid") && text_of(jwk, "kid") != kid) return refuse(KeyFault::bad_kid, "the JWK holds another kid");
  if (jwk.contains("d")) return refuse(KeyFault::not_a_public_key, "the JWK is a private key");
  if (jwk.contains("use") && text_of(jwk, "use") != "sig") return refuse(KeyFault::wrong_key_type, "the JWK's use must be sig");
  const auto type = text_of(jwk, "kty");
  const bool is_rsa = type == "RSA";
  if (!is_rsa && type != "EC") return refuse(KeyFault::wrong_key_type, "the JWK's kty must be RSA or EC");
  if (jwk.contains("alg") && text_of(jwk, "alg") != (is_rsa ? "RS256" : "ES256"))
    return refuse(KeyFault::wrong_key_type, "the JWK's alg must be RS256 for RSA, ES256 for EC");
  return is_rsa ? rsa_from_jwk(jwk) : p256_from_jwk(jwk);
}

std::expected<VerifyingKey, KeyRefusal> read_public_key(const PublicKeyText& given) {
  const ForgetOpenSslErrors forget;
  const std::string_view text = trim(given.text);
  auto key = text.starts_with('{') ? key_from_jwk(text, given.kid) : key_from_pem(text);
  if (!key) return std::unexpected(std::move(key.error()));

  const int type = EVP_PKEY_get_base_id(key->get());
  if (type == EVP_PKEY_RSA) {
    const int bits = EVP_PKEY_get_bits(key->get());
    if (bits < rsa_bits_min || bits > rsa_bits_max) return refuse(KeyFault::weak_key, "RSA of " + std::to_string(bits) + " bits");
  } else {
    std::array<char, 32> group{};
    if (type != EVP_PKEY_EC || EVP_PKEY_get_group_name(key->get(), group.data(), group.size(), nullptr) != 1 ||
        std::string_view(group.data()) != "prime256v1")
      return refuse(KeyFault::wrong_key_type, "the key must be RSA or on the curve P-256");
  }
  const PublicKeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key->get(), nullptr));
  if (context == nullptr || EVP_PKEY_public_check(context.get()) != 1)
    return refuse(KeyFault::weak_key, "the key's values fail OpenSSL's checks");
  return VerifyingKey{.key = std::move(*key), .is_rsa = type == EVP_PKEY_RSA};
}

// ES256 signs with r and s as 32 bytes each (RFC 7518 §3.4), OpenSSL reads them as DER. Empty when the length is wrong; values
// out of range are left to the verification.
std::string der_from_raw(std::string_view raw) {
  if (raw.size() != 2 * p256_coordinate_bytes) return {};
  const EcdsaSignature signature(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(bytes(raw), p256_coordinate_bytes, nullptr);
  BIGNUM* s = BN_bin2bn(bytes(raw.substr(p256_coordinate_bytes)), p256_coordinate_bytes, nullptr);
  CHECK(signature != nullptr && r != nullptr && s != nullptr && ECDSA_SIG_set0(signature.get(), r, s) == 1);
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  CHECK(size > 0);
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

bool signature_holds(const VerifyingKey& key, std::string_view signed_text, std::string_view signature) {
  const ForgetOpenSslErrors forget;
  const std::string der = key.is_rsa ? std::string() : der_from_raw(signature);
  if (!key.is_rsa) signature = der;
  if (signature.empty()) return false;
  const MdContext context(EVP_MD_CTX_new());
  // RSA's padding is PKCS #1 v1.5 unless asked otherwise, which is what RS256 means.
  return context != nullptr && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.key.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(signed_text), signed_text.size()) == 1;
}

// ---- the parts of a token

struct TokenParts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_text;  // Header and payload with the dot between them.
};

std::optional<TokenParts> split(std::string_view token) {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  return TokenParts{.header = token.substr(0, first),
                    .payload = token.substr(first + 1, second - first - 1),
                    .signature = token.substr(second + 1),
                    .signed_text = token.substr(0, second)};
}

struct Header {
  std::string algorithm;
  std::optional<std::string> kid;
};

bool is_jwt_type(std::string_view type) {  // Media types are compared without regard to case (RFC 7515 §4.1.9).
  constexpr std::string_view jwt = "jwt";
  return std::ranges::equal(type, jwt, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

std::expected<Header, TokenRefusal> read_header(std::string_view encoded) {
  const auto text = base64url_decode(encoded);
  if (!text) return refuse(TokenFault::bad_base64url, "header");
  const auto parsed = parse_strict(*text);
  if (!parsed) return refuse(TokenFault::bad_header, std::string(name_of(parsed.error().reason)));
  if (!parsed->is_object()) return refuse(TokenFault::bad_header, "not an object");
  const json::object& header = parsed->get_object();
  for (const char* name : {"crit", "b64", "zip", "enc", "cty"})
    if (header.contains(name)) return refuse(TokenFault::unsupported_header, name);
  if (header.contains("typ")) {
    const auto type = text_of(header, "typ");
    if (!type) return refuse(TokenFault::bad_header, "typ is not a string");
    if (!is_jwt_type(*type)) return refuse(TokenFault::wrong_type, "typ is not JWT");
  }
  const auto algorithm = text_of(header, "alg");
  if (!algorithm) return refuse(TokenFault::bad_header, "alg is missing or not a string");
  Header out{.algorithm = std::string(*algorithm), .kid = std::nullopt};
  if (header.contains("kid")) {
    const auto kid = text_of(header, "kid");
    if (!kid) return refuse(TokenFault::bad_header, "kid is not a string");
    out.kid = std::string(*kid);
  }
  return out;
}

// ---- claims

// Whole seconds only: a fraction would be rounded by some readers and not by others.
std::expected<std::optional<Micros>, TokenRefusal> numeric_date(const json::object& payload, std::string_view name) {
  const json::value* member = payload.if_contains(name);
  if (member == nullptr) return std::nullopt;
  if (!member->is_int64() || member->get_int64() < 0 || member->get_int64() > numeric_date_max)
    return refuse(TokenFault::bad_claim, std::string(name) + " is not a whole number of seconds between 1970 and 9999");
  return member->get_int64() * second_us;
}

std::expected<std::optional<std::string>, TokenRefusal> optional_text(const json::object& payload, std::string_view name) {
  if (!payload.contains(name)) return std::nullopt;
  const auto text = text_of(payload, name);
  if (!text) return refuse(TokenFault::bad_claim, std::string(name) + " is not a string");
  return std::string(*text);
}

std::optional<TokenRole> role_named(std::string_view name) {
  for (const TokenRole role : {TokenRole::anon, TokenRole::authenticated, TokenRole::service_role})
    if (name_of(role) == name) return role;
  return std::nullopt;
}

std::optional<TokenRefusal> audience_problem(const json::object& payload, std::string_view expected, bool required) {
  const json::value* audience = payload.if_contains("aud");
  if (audience == nullptr)
    return required ? std::optional(TokenRefusal{TokenFault::wrong_audience, "aud is missing"}) : std::nullopt;
  const auto entries = audience->is_array()
                           ? std::span<const json::value>(audience->get_array().data(), audience->get_array().size())
                           : std::span<const json::value>(audience, 1);
  bool found = false;
  for (const json::value& entry : entries) {
    if (!entry.is_string()) return TokenRefusal{TokenFault::bad_claim, "aud is neither a string nor an array of strings"};
    found = found || std::string_view(entry.get_string()) == expected;
  }
  if (!found) return TokenRefusal{TokenFault::wrong_audience, "aud does not name " + std::string(expected)};
  return std::nullopt;
}

// ---- tokens seen before

// Four places for each set, which the hash chooses: bounded, without a list to keep in order. Only verified tokens get here, so
// strangers cannot push entries out.
class VerifiedTokens {
 public:
  // Null when the token is not known, or is of the past.
  std::shared_ptr<const Claims> find(const Hash& token, Micros now_us) {
    const std::lock_guard lock(mutex_);
    for (const Entry& entry : set_of(token))
      if (entry.claims != nullptr && entry.token == token && now_us < entry.claims->exp_us + clock_skew_us) return entry.claims;
    return nullptr;
  }

  void remember(const Hash& token, std::shared_ptr<const Claims> claims) {
    // Declared before the lock, so that the claims that give way are freed after it.
    std::shared_ptr<const Claims> given_up;
    const std::lock_guard lock(mutex_);
    const std::span<Entry> set = set_of(token);
    Entry* place = &set.front();
    for (Entry& entry : set) {
      if (entry.claims != nullptr && entry.token == token) {  // Two threads verified it at once, or the clock stepped back.
        place = &entry;
        break;
      }
      if (expiry(entry) < expiry(*place)) place = &entry;
    }
    given_up = std::exchange(place->claims, std::move(claims));
    place->token = token;
  }

 private:
  struct Entry {
    Hash token{};
    std::shared_ptr<const Claims> claims;
  };
  static constexpr std::size_t places = 4;
  static constexpr std::size_t sets = verified_tokens_limit / places;
  static_assert(verified_tokens_limit % places == 0 && sets <= 65'536);

  static Micros expiry(const Entry& entry) { return entry.claims == nullptr ? -1 : entry.claims->exp_us; }

  std::span<Entry> set_of(const Hash& token) {
    const std::size_t hash = static_cast<unsigned char>(token[0]) * std::size_t{256} + static_cast<unsigned char>(token[1]);
    return std::span(entries_).subspan(hash % sets * places, places);
  }

  std::mutex mutex_;
  std::vector<Entry> entries_ = std::vector<Entry>(verified_tokens_limit);
};

Hash hash_of(std::string_view token) {
  Sha256 hash;
  hash.add(token);
  return hash.finish();
}

}  // namespace

std::string_view name_of(TokenRole role) {
  switch (role) {
    case TokenRole::anon: return "anon";
    case TokenRole::authenticated: return "authenticated";
    case TokenRole::service_role: return "service_role";
  }
  std::unreachable();
}

std::string_view name_of(TokenFault fault) {
  switch (fault) {
    case TokenFault::too_large: return "too_large";
    case TokenFault::not_three_parts: return "not_three_parts";
    case TokenFault::bad_base64url: return "bad_base64url";
    case TokenFault::bad_header: return "bad_header";
    case TokenFault::unsupported_header: return "unsupported_header";
    case TokenFault::wrong_type: return "wrong_type";
    case TokenFault::unknown_key: return "unknown_key";
    case TokenFault::wrong_algorithm: return "wrong_algorithm";
    case TokenFault::bad_signature: return "bad_signature";
    case TokenFault::bad_payload: return "bad_payload";
    case TokenFault::bad_claim: return "bad_claim";
    case TokenFault::wrong_issuer: return "wrong_issuer";
    case TokenFault::wrong_audience: return "wrong_audience";
    case TokenFault::unknown_role: return "unknown_role";
    case TokenFault::subject_missing: return "subject_missing";
    case TokenFault::wrong_platform: return "wrong_platform";
    case TokenFault::expired: return "expired";
    case TokenFault::not_yet_valid: return "not_yet_valid";
    case TokenFault::issued_in_future: return "issued_in_future";
    case TokenFault::lives_too_long: return "lives_too_long";
  }
  std::unreachable();
}

std::string_view name_of(KeyFault fault) {
  switch (fault) {
    case KeyFault::no_platform: return "no_platform";
    case KeyFault::no_key: return "no_key";
    case KeyFault::both_modes: return "both_modes";
    case KeyFault::secret_too_short: return "secret_too_short";
    case KeyFault::secret_is_a_key: return "secret_is_a_key";
    case KeyFault::bad_kid: return "bad_kid";
    case KeyFault::not_a_public_key: return "not_a_public_key";
    case KeyFault::wrong_key_type: return "wrong_key_type";
    case KeyFault::weak_key: return "weak_key";
  }
  std::unreachable();
}

struct TokenVerifier::Impl {
  explicit Impl(KeySettings given) : settings(std::move(given)) {}

  std::expected<Claims, TokenRefusal> verify_anew(std::string_view token, Micros now_us) const;
  std::optional<TokenRefusal> signature_problem(const Header& header, const TokenParts& parts) const;
  std::expected<Claims, TokenRefusal> read_claims(std::string payload_text, std::string kid, Micros now_us) const;

  KeySettings settings;                                   // The secret and the texts of the keys are gone from it.
  std::optional<HmacSha256> hmac;                         // Mode hs256,
  std::map<std::string, VerifyingKey, std::less<>> keys;  // or mode asymmetric, by kid.
  VerifiedTokens cache;
  std::atomic<std::uint64_t> cache_hits = 0;
};

TokenVerifier::TokenVerifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TokenVerifier::~TokenVerifier() = default;
TokenVerifier::TokenVerifier(TokenVerifier&&) noexcept = default;
TokenVerifier& TokenVerifier::operator=(TokenVerifier&&) noexcept = default;

std::expected<TokenVerifier, KeyRefusal> TokenVerifier::create(KeySettings settings) {
  std::string secret = std::exchange(settings.hs256_secret, {});
  const std::vector<PublicKeyText> public_keys = std::exchange(settings.public_keys, {});
  struct Wipe {
    std::string& text;
    ~Wipe() { OPENSSL_cleanse(text.data(), text.size()); }
  };
  const Wipe wipe{secret};

  if (settings.platform.empty()) return refuse(KeyFault::no_platform, "the verifier belongs to a platform");
  if (!secret.empty() && !public_keys.empty())
    return refuse(KeyFault::both_modes, "give the HS256 secret or public keys, not both");
  if (secret.empty() && public_keys.empty()) return refuse(KeyFault::no_key, "give the HS256 secret or public keys");

  auto impl = std::make_unique<Impl>(std::move(settings));
  if (!secret.empty()) {
    if (secret.size() < hs256_secret_bytes_min)
      return refuse(KeyFault::secret_too_short, "the HS256 secret needs " + std::to_string(hs256_secret_bytes_min) + " bytes");
    if (secret.contains("-----BEGIN ")) return refuse(KeyFault::secret_is_a_key, "the HS256 secret is a PEM block");
    const auto& kids = impl->settings.hs256_kids;
    if (std::ranges::find(kids, std::string()) != kids.end()) return refuse(KeyFault::bad_kid, "a kid is empty");
    impl->hmac.emplace(secret);
  }
  for (const PublicKeyText& given : public_keys) {
    if (given.kid.empty()) return refuse(KeyFault::bad_kid, "a public key has no kid");
    auto key = read_public_key(given);
    if (!key) return refuse(key.error().reason, "key " + given.kid + ": " + key.error().detail);
    if (!impl->keys.emplace(given.kid, std::move(*key)).second) return refuse(KeyFault::bad_kid, "two keys " + given.kid);
  }
  return TokenVerifier(std::move(impl));
}

std::expected<Claims, TokenRefusal> TokenVerifier::verify(std::string_view token, Micros now_us) const {
  if (token.size() > token_bytes_limit)
    return refuse(TokenFault::too_large, std::to_string(token.size()) + " bytes, at most " + std::to_string(token_bytes_limit));
  const Hash hash = hash_of(token);
  if (const auto known = impl_->cache.find(hash, now_us)) {
    impl_->cache_hits.fetch_add(1, std::memory_order_relaxed);
    return *known;
  }
  auto claims = impl_->verify_anew(token, now_us);
  if (claims) impl_->cache.remember(hash, std::make_shared<const Claims>(*claims));
  return claims;
}

std::uint64_t TokenVerifier::cache_hits() const { return impl_->cache_hits.load(std::memory_order_relaxed); }

std::expected<Claims, TokenRefusal> TokenVerifier::Impl::verify_anew(std::string_view token, Micros now_us) const {
  const auto parts = split(token);
  if (!parts) return refuse(TokenFault::not_three_parts, "header, payload and signature are expected");
  auto header = read_header(parts->header);
  if (!header) return std::unexpected(std::move(header.error()));
  if (auto problem = signature_problem(*header, *parts)) return std::unexpected(std::move(*problem));
  // Only what a key of ours has signed is looked into.
  auto payload = base64url_decode(parts->payload);
  if (!payload) return refuse(TokenFault::bad_base64url, "payload");
  return read_claims(std::move(*payload), header->kid.value_or(""), now_us);
}

std::optional<TokenRefusal> TokenVerifier::Impl::signature_problem(const Header& header, const TokenParts& parts) const {
  const VerifyingKey* key = nullptr;
  if (hmac) {
    const auto& kids = settings.hs256_kids;
    if (header.kid && std::ranges::find(kids, *header.kid) == kids.end())
      return TokenRefusal{TokenFault::unknown_key, "no such kid"};
  } else {
    const auto found = header.kid ? keys.find(*header.kid) : keys.end();
    if (found == keys.end()) return TokenRefusal{TokenFault::unknown_key, header.kid ? "no such kid" : "kid is missing"};
    key = &found->second;
  }
  const std::string_view algorithm = key == nullptr ? "HS256" : key->is_rsa ? "RS256" : "ES256";
  if (header.algorithm != algorithm) return TokenRefusal{TokenFault::wrong_algorithm, "the key is for " + std::string(algorithm)};
  const auto signature = base64url_decode(parts.signature);
  if (!signature) return TokenRefusal{TokenFault::bad_base64url, "signature"};
  bool holds = false;
  if (key == nullptr) {
    const Mac mac = hmac->of(parts.signed_text);
    holds = equal_in_constant_time(*signature, std::string_view(mac.data(), mac.size()));
  } else {
    holds = signature_holds(*key, parts.signed_text, *signature);
  }
  if (!holds) return TokenRefusal{TokenFault::bad_signature, std::string(algorithm)};
  return std::nullopt;
}

std::expected<Claims, TokenRefusal> TokenVerifier::Impl::read_claims(std::string payload_text, std::string kid,
                                                                     Micros now_us) const {
  const auto parsed = parse_strict(payload_text);
  if (!parsed) return refuse(TokenFault::bad_payload, std::string(name_of(parsed.error().reason)));
  if (!parsed->is_object()) return refuse(TokenFault::bad_payload, "not an object");
  const json::object& payload = parsed->get_object();

  const auto issuer = text_of(payload, "iss");
  if (!issuer || std::ranges::find(settings.issuers, *issuer) == settings.issuers.end())
    return refuse(TokenFault::wrong_issuer, "iss is missing or not accepted here");
  const auto role_name = text_of(payload, "role");
  const auto role = role_name ? role_named(*role_name) : std::nullopt;
  if (!role) return refuse(TokenFault::unknown_role, "role is missing or none of anon, authenticated, service_role");
  const bool is_user = *role == TokenRole::authenticated;
  if (auto problem = audience_problem(payload, settings.audience, is_user)) return std::unexpected(std::move(*problem));

  Claims claims{.role = *role, .kid = std::move(kid)};
  auto subject = optional_text(payload, "sub");
  if (!subject) return std::unexpected(std::move(subject.error()));
  if (*subject) {
    // Of every role: the policies' auth.uid() casts it, and would fail inside PostgreSQL.
    claims.sub = parse_uuid(**subject);
    if (!claims.sub) return refuse(TokenFault::bad_claim, "sub is not a UUID");
  } else if (is_user) {
    return refuse(TokenFault::subject_missing, "sub is required for role authenticated");
  }
  auto email = optional_text(payload, "email");
  if (!email) return std::unexpected(std::move(email.error()));
  if (*email && !(*email)->empty()) claims.email = std::move(**email);  // Supabase writes "" for users without one.
  auto platform = optional_text(payload, "platform");
  if (!platform) return std::unexpected(std::move(platform.error()));
  if (*platform && **platform != settings.platform)
    return refuse(TokenFault::wrong_platform, "the token is for another platform");
  claims.platform = std::move(*platform);

  const auto expiry = numeric_date(payload, "exp");
  if (!expiry) return std::unexpected(expiry.error());
  if (!*expiry) return refuse(TokenFault::bad_claim, "exp is missing");
  const auto not_before = numeric_date(payload, "nbf");
  if (!not_before) return std::unexpected(not_before.error());
  const auto issued_at = numeric_date(payload, "iat");
  if (!issued_at) return std::unexpected(issued_at.error());
  if (now_us >= **expiry + clock_skew_us) return refuse(TokenFault::expired, "exp is past");
  if (*not_before && now_us < **not_before - clock_skew_us) return refuse(TokenFault::not_yet_valid, "nbf is to come");
  if (*issued_at && now_us < **issued_at - clock_skew_us) return refuse(TokenFault::issued_in_future, "iat is to come");
  if (is_user && settings.access_life_limit_us) {
    if (!*issued_at) return refuse(TokenFault::bad_claim, "iat is missing, and the token's life is limited");
    if (**expiry - **issued_at > *settings.access_life_limit_us)
      return refuse(TokenFault::lives_too_long, "exp is too long after iat");
  }
  claims.exp_us = **expiry;
  claims.iat_us = *issued_at;
  claims.json = std::move(payload_text);
  return claims;
}

std::string issue_hs256(std::string_view secret, const TokenGrant& grant, Micros now_us) {
  CHECK(secret.size() >= hs256_secret_bytes_min);
  CHECK(grant.life_us >= second_us && now_us >= 0);
  CHECK(grant.role != TokenRole::authenticated || grant.sub.has_value());
  json::object header{{"alg", "HS256"}, {"typ", "JWT"}};
  if (!grant.kid.empty()) header["kid"] = grant.kid;
  const std::int64_t issued_at_s = now_us / second_us;
  json::object payload{{"iss", grant.issuer}, {"role", name_of(grant.role)}};
  if (grant.role == TokenRole::authenticated) payload["aud"] = grant.audience;
  if (grant.sub) payload["sub"] = to_string(*grant.sub);
  if (!grant.email.empty()) payload["email"] = grant.email;
  if (!grant.platform.empty()) payload["platform"] = grant.platform;
  payload["iat"] = issued_at_s;
  payload["exp"] = issued_at_s + grant.life_us / second_us;
  std::string token = base64url_encode(json::serialize(header)) + '.' + base64url_encode(json::serialize(payload));
  const Mac mac = HmacSha256(secret).of(token);
  return token + '.' + base64url_encode(std::string_view(mac.data(), mac.size()));
}

}  // namespace guildhall
