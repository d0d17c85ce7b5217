// Bearer tokens: signed JWTs (RFC 7515, 7519), read under the narrow profile of RFC 8725. The key decides the algorithm, never
// the token; where a token could be read in two ways it is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/clock.h"
#include "events/ids.h"

namespace guildhall {

inline constexpr std::size_t token_bytes_limit = 8 * 1024;
inline constexpr std::size_t hs256_secret_bytes_min = 32;  // A shorter one is weaker than the hash (RFC 7518 §3.2).
inline constexpr int rsa_bits_min = 2048;
inline constexpr int rsa_bits_max = 8192;  // Beyond it a check costs milliseconds.
inline constexpr Micros clock_skew_us = 60 * second_us;
inline constexpr std::size_t verified_tokens_limit = 16'384;

enum class TokenRole : std::uint8_t { anon, authenticated, service_role };
std::string_view name_of(TokenRole role);

struct Claims {
  TokenRole role = TokenRole::anon;
  std::optional<Uuid> sub;  // Always there for role authenticated.
  Micros exp_us = 0;
  std::optional<Micros> iat_us;
  std::optional<std::string> email;
  std::optional<std::string> platform;
  std::string kid;   // Of the token's header, "" when it names none.
  std::string json;  // The payload byte for byte, for PostgreSQL's request.jwt.claims.
};

enum class TokenFault : std::uint8_t {
  too_large,
  not_three_parts,     // A JWE has five.
  bad_base64url,       // Padding, white space, trailing bits that are not zero.
  bad_header,          // Not a JSON object, a member twice, or a member of the wrong type.
  unsupported_header,  // crit, b64, zip, enc, or cty (a token inside a token): we honour none, and ignoring them is unsafe.
  wrong_type,          // typ is there and not JWT.
  unknown_key,         // The kid is not one of ours, or is missing where keys have one.
  wrong_algorithm,     // alg is not that of the key; "none" never is.
  bad_signature,
  bad_payload,  // Not a JSON object, or a member twice.
  bad_claim,    // A claim of the wrong type or form, or exp is missing.
  wrong_issuer,
  wrong_audience,
  unknown_role,
  subject_missing,
  wrong_platform,
  expired,
  not_yet_valid,
  issued_in_future,
  lives_too_long,
};
std::string_view name_of(TokenFault fault);

// For logs and metrics. What the client is told is 401 unauthenticated and no more.
struct TokenRefusal {
  TokenFault reason = TokenFault::bad_signature;
  std::string detail;  // Which member or claim, and what was expected; never a part of the token.
};

struct PublicKeyText {
  std::string kid;
  std::string text;  // One PEM block "PUBLIC KEY", or one JWK; RSA (for RS256) or P-256 (for ES256).
};

// Whose tokens are accepted. Either the secret or the public keys are given.
struct KeySettings {
  std::string platform;
  std::string hs256_secret;
  // Which kids a token may name under the secret; one that names none is accepted. Anon and service keys live long and have a kid
  // each, so that leaving it out here revokes them.
  std::vector<std::string> hs256_kids;
  std::vector<PublicKeyText> public_keys;
  std::vector<std::string> issuers = {"guildhall"};
  std::string audience = "authenticated";
  std::optional<Micros> access_life_limit_us;  // exp - iat of role authenticated; none: any.
};

enum class KeyFault : std::uint8_t {
  no_platform,
  no_key,
  both_modes,  // A secret and public keys: a token could choose how it is checked.
  secret_too_short,
  secret_is_a_key,   // A PEM block as HMAC secret: a public key is no secret.
  bad_kid,           // Empty, twice, or not the one inside the JWK.
  not_a_public_key,  // Neither PEM nor JWK, malformed, or a private key.
  wrong_key_type,    // Neither RSA nor P-256, or a JWK made for something else than verifying RS256 or ES256.
  weak_key,          // RSA of fewer than rsa_bits_min (or more than rsa_bits_max) bits, or key values that fail OpenSSL's checks.
};
std::string_view name_of(KeyFault fault);

struct KeyRefusal {
  KeyFault reason = KeyFault::no_key;
  std::string detail;
};

// Immutable but for its cache of verified tokens. Any thread. Rotating keys is building another one.
class TokenVerifier {
 public:
  static std::expected<TokenVerifier, KeyRefusal> create(KeySettings settings);
  ~TokenVerifier();
  TokenVerifier(TokenVerifier&&) noexcept;
  TokenVerifier& operator=(TokenVerifier&&) noexcept;

  // `token` is what follows "Bearer ". Issuer, exp and role are required of all; audience and sub of role authenticated (the
  // long-lived anon and service keys carry neither), but are checked wherever they stand. A token that was accepted is known by
  // its SHA-256 until it expires, which spares the signature check; the cache holds verified_tokens_limit tokens and forgets the
  // first to expire.
  std::expected<Claims, TokenRefusal> verify(std::string_view token, Micros now_us) const;

  std::uint64_t cache_hits() const;  // Since it was built, for metrics.

 private:
  struct Impl;
  explicit TokenVerifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// What `guildhall token` issues under a local secret.
struct TokenGrant {
  TokenRole role = TokenRole::anon;
  std::optional<Uuid> sub;   // Required for role authenticated (CHECK).
  Micros life_us = hour_us;  // At least a second (CHECK); part seconds are dropped.
  std::string email;         // This and the next two are left out when empty.
  std::string platform;
  std::string kid;
  std::string issuer = "guildhall";
  std::string audience = "authenticated";  // Written for role authenticated only.
};
// The secret is one that TokenVerifier::create accepts (CHECK for its length).
std::string issue_hs256(std::string_view secret, const TokenGrant& grant, Micros now_us);

}  // namespace guildhall
