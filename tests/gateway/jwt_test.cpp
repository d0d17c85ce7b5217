#include "gateway/jwt.h"

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "events/check.h"
#include "infra/base64url.h"
#include "gateway/hmac_sha256.h"

namespace guildhall {
namespace {

using Key = std::shared_ptr<EVP_PKEY>;
Key own(EVP_PKEY* key) {
  CHECK(key != nullptr);
  return {key, EVP_PKEY_free};
}

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string pem_of(const Key& key, bool is_private = false) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  CHECK((is_private ? PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr)
                    : PEM_write_bio_PUBKEY(bio.get(), key.get())) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string number_of(const Key& key, const char* name, int width = 0) {
  BIGNUM* number = nullptr;
  CHECK(EVP_PKEY_get_bn_param(key.get(), name, &number) == 1);
  std::string out(static_cast<std::size_t>(width > 0 ? width : BN_num_bytes(number)), '\0');
  CHECK(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size())) >= 0);
  BN_free(number);
  return out;
}

std::string rsa_jwk(const Key& key, const std::string& more = "") {
  return R"({"kty":"RSA","n":")" + base64url_encode(number_of(key, OSSL_PKEY_PARAM_RSA_N)) + R"(","e":")" +
         base64url_encode(number_of(key, OSSL_PKEY_PARAM_RSA_E)) + '"' + more + '}';
}
std::string ec_jwk(const Key& key, const std::string& more = "") {
  return R"({"kty":"EC","crv":"P-256","x":")" + base64url_encode(number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, 32)) + R"(","y":")" +
         base64url_encode(number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, 32)) + '"' + more + '}';
}

std::string sign_with(const Key& key, std::string_view text, bool pss = false) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_PKEY_CTX* key_context = nullptr;
  CHECK(EVP_DigestSignInit(context.get(), &key_context, EVP_sha256(), nullptr, key.get()) == 1);
  if (pss) CHECK(EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1);
  std::size_t size = 0;
  CHECK(EVP_DigestSign(context.get(), nullptr, &size, bytes(text), text.size()) == 1);
  std::string out(size, '\0');
  CHECK(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes(text), text.size()) == 1);
  out.resize(size);
  return out;
}

// DER to the 64 bytes r ‖ s of a JWS.
std::string raw_from_der(std::string_view der) {
  const unsigned char* at = bytes(der);
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> signature(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), ECDSA_SIG_free);
  CHECK(signature != nullptr);
  std::string out(64, '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  CHECK(BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), to, 32) == 32 &&
        BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), to + 32, 32) == 32);
  return out;
}

const std::string secret = "a local secret of thirty-two bytes or more";
// Made once: an RSA key takes a while under the sanitizers.
const Key& rsa_key() {
  static const Key key = own(EVP_RSA_gen(2048));
  return key;
}
const Key& ec_key() {
  static const Key key = own(EVP_EC_gen("P-256"));
  return key;
}

using Sign = std::function<std::string(std::string_view)>;
std::string sign_hs(std::string_view text) {
  const Mac mac = HmacSha256(secret).of(text);
  return {mac.data(), mac.size()};
}
std::string sign_rs(std::string_view text) { return sign_with(rsa_key(), text); }
std::string sign_es(std::string_view text) { return raw_from_der(sign_with(ec_key(), text)); }

std::string token_of(std::string_view header, std::string_view payload, const Sign& sign = sign_hs) {
  const std::string text = base64url_encode(header) + '.' + base64url_encode(payload);
  return text + '.' + base64url_encode(sign(text));
}

constexpr std::int64_t now_s = 1'750'000'000;
constexpr Micros now = now_s * second_us;
const std::string hs_header = R"({"alg":"HS256","typ":"JWT"})";
const std::string rs_header = R"({"alg":"RS256","typ":"JWT","kid":"rsa-1"})";
const std::string es_header = R"({"alg":"ES256","typ":"JWT","kid":"ec-1"})";
const std::string user = "018f0000-0000-7abc-8000-000000000001";
const std::string good_payload =
    R"({"iss":"guildhall","aud":"authenticated","role":"authenticated","sub":"018f0000-0000-7abc-8000-000000000001",)"
    R"("email":"ada@example.com","platform":"techfix","iat":1750000000,"exp":1750000900})";

// `text` with its one `from` replaced.
std::string with(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  CHECK(at != std::string::npos && text.find(from, at + 1) == std::string::npos);
  return text.replace(at, from.size(), to);
}
std::string payload_with(std::string_view from, std::string_view to) { return with(good_payload, from, to); }

KeySettings hs_settings() {
  return {.platform = "techfix",
          .hs256_secret = secret,
          .hs256_kids = {"anon-1", "service-1"},
          .access_life_limit_us = 15 * minute_us};
}
KeySettings public_settings() {
  return {.platform = "techfix", .public_keys = {{"rsa-1", pem_of(rsa_key())}, {"ec-1", ec_jwk(ec_key())}}};
}
TokenVerifier verifier_of(KeySettings settings) {
  auto verifier = TokenVerifier::create(std::move(settings));
  CHECK(verifier.has_value());
  return std::move(*verifier);
}

// ---- good tokens

TEST(Jwt, good_tokens_of_every_algorithm_give_their_claims) {
  struct Good {
    std::string token;
    std::string kid;
    KeySettings settings;
  };
  const KeySettings jwk_and_pem = {
      .platform = "techfix",
      .public_keys = {{"rsa-1", " " + rsa_jwk(rsa_key(), R"(,"alg":"RS256","use":"sig","kid":"rsa-1")") + "\n"},
                      {"ec-1", "\n" + pem_of(ec_key()) + "\n"}}};
  const Good table[] = {
      {token_of(hs_header, good_payload), "", hs_settings()},
      {token_of(R"({"alg":"HS256"})", good_payload), "", hs_settings()},
      {token_of(R"({"typ":"jwt","alg":"HS256","kid":"anon-1"})", good_payload), "anon-1", hs_settings()},
      {token_of(rs_header, good_payload, sign_rs), "rsa-1", public_settings()},
      {token_of(es_header, good_payload, sign_es), "ec-1", public_settings()},
      {token_of(rs_header, good_payload, sign_rs), "rsa-1", jwk_and_pem},
      {token_of(es_header, good_payload, sign_es), "ec-1", jwk_and_pem},
      // Members that would point to a key elsewhere are ignored.
      {token_of(R"({"alg":"ES256","kid":"ec-1","jku":"https://evil.example/jwks","x5u":"https://evil.example/x",)"
                R"("jwk":{"kty":"oct","k":"AA"},"x5c":["AA"]})",
                good_payload, sign_es),
       "ec-1", public_settings()},
  };
  for (const Good& good : table) {
    const TokenVerifier verifier = verifier_of(good.settings);
    const auto claims = verifier.verify(good.token, now);
    ASSERT_TRUE(claims) << name_of(claims.error().reason) << ": " << claims.error().detail;
    EXPECT_EQ(claims->role, TokenRole::authenticated);
    EXPECT_EQ(claims->sub, parse_uuid(user));
    EXPECT_EQ(claims->exp_us, (now_s + 900) * second_us);
    EXPECT_EQ(claims->iat_us, now);
    EXPECT_EQ(claims->email, "ada@example.com");
    EXPECT_EQ(claims->platform, "techfix");
    EXPECT_EQ(claims->kid, good.kid);
    EXPECT_EQ(claims->json, good_payload);
  }
}

TEST(Jwt, good_variants_are_accepted) {
  const std::string table[] = {
      payload_with(R"("aud":"authenticated")", R"("aud":["other","authenticated"])"),
      payload_with(R"("platform":"techfix",)", ""),
      payload_with(R"("email":"ada@example.com",)", ""),
      payload_with(R"("email":"ada@example.com")", R"("email":"")"),
      payload_with(R"("iat":1750000000)", R"("iat":1750000060)"),
      payload_with(R"("iat":1750000000)", R"("iat":1750000000,"nbf":1750000060)"),
      payload_with(R"("iat":1750000000,"exp":1750000900)", R"("iat":1749999950,"exp":1749999941)"),
      payload_with(R"("platform":"techfix")",
                   R"("session_id":"x","app_metadata":{"providers":["email"]},"amr":[{"method":"password"}])"),
      // The long-lived keys: neither audience nor subject.
      R"({"iss":"guildhall","role":"anon","iat":1750000000,"exp":1781536000})",
      R"({"iss":"guildhall","role":"service_role","exp":1781536000})",
      R"({"iss":"guildhall","role":"service_role","aud":"authenticated","exp":1781536000})",
  };
  const TokenVerifier verifier = verifier_of(hs_settings());
  for (const std::string& payload : table) {
    const auto claims = verifier.verify(token_of(hs_header, payload), now);
    EXPECT_TRUE(claims) << payload << ": " << (claims ? "" : name_of(claims.error().reason));
  }
}

TEST(Jwt, issuers_are_a_list) {
  KeySettings settings = hs_settings();
  settings.issuers = {"https://project.supabase.co/auth/v1", "supabase"};
  const TokenVerifier verifier = verifier_of(settings);
  EXPECT_TRUE(verifier.verify(token_of(hs_header, payload_with("guildhall", "supabase")), now));
  EXPECT_EQ(verifier.verify(token_of(hs_header, good_payload), now).error().reason, TokenFault::wrong_issuer);
}

// ---- bad tokens

struct Bad {
  std::string_view what;
  std::string token;
  TokenFault reason;
};

void expect_refused(const TokenVerifier& verifier, std::span<const Bad> table) {
  for (const Bad& bad : table) {
    const auto claims = verifier.verify(bad.token, now);
    ASSERT_FALSE(claims) << bad.what;
    EXPECT_EQ(name_of(claims.error().reason), name_of(bad.reason)) << bad.what << ": " << claims.error().detail;
  }
  EXPECT_EQ(verifier.cache_hits(), 0U);
}

std::string header_with(std::string_view member) { return with(hs_header, "}", "," + std::string(member) + "}"); }

TEST(Jwt, bad_shapes_and_headers_are_refused) {
  const std::string good = token_of(hs_header, good_payload);
  const std::size_t first = good.find('.');
  const std::size_t second = good.rfind('.');
  const std::string header = good.substr(0, first);
  const std::string payload = good.substr(first + 1, second - first - 1);
  const std::string signature = good.substr(second + 1);
  const auto signed_raw = [](const std::string& header_and_payload) {
    return header_and_payload + '.' + base64url_encode(sign_hs(header_and_payload));
  };
  // 32 bytes end in a letter with two bits that do not count; 27 and 28 bytes of header likewise.
  std::string last_bits = good;
  last_bits.back() = static_cast<char>(last_bits.back() + 1);
  const std::string odd_header = base64url_encode(R"({"alg":"HS256"} )");

  const Bad table[] = {
      {"empty", "", TokenFault::not_three_parts},
      {"one part", header, TokenFault::not_three_parts},
      {"two parts", header + '.' + payload, TokenFault::not_three_parts},
      {"four parts", good + ".", TokenFault::not_three_parts},
      {"a JWE's five parts", header + ".." + payload + ".AAAA.AAAA", TokenFault::not_three_parts},
      {"three empty parts", "..", TokenFault::bad_header},
      {"one byte too large", good + std::string(token_bytes_limit + 1 - good.size(), 'A'), TokenFault::too_large},
      {"padded header", signed_raw(header + "=." + payload), TokenFault::bad_base64url},
      {"padded payload", signed_raw(header + '.' + payload + "=="), TokenFault::bad_base64url},
      {"padded signature", good + "=", TokenFault::bad_base64url},
      {"leading space", " " + good, TokenFault::bad_base64url},
      {"newline at the end", good + "\n", TokenFault::bad_base64url},
      {"NUL at the end", good + std::string(1, '\0'), TokenFault::bad_base64url},
      {"Bearer left on", "Bearer " + good, TokenFault::bad_base64url},
      {"base64 alphabet in the payload", signed_raw(header + ".+/+/"), TokenFault::bad_base64url},
      {"impossible length of header", signed_raw("AAAAA." + payload), TokenFault::bad_base64url},
      {"impossible length of payload", signed_raw(header + ".AAAAA"), TokenFault::bad_base64url},
      {"signature with trailing bits", last_bits, TokenFault::bad_base64url},
      {"header with trailing bits", signed_raw(odd_header.substr(0, odd_header.size() - 1) + "B." + payload),
       TokenFault::bad_base64url},
      {"payload with trailing bits", signed_raw(header + ".e31"), TokenFault::bad_base64url},
      {"header is no JSON", token_of("alg=HS256", good_payload), TokenFault::bad_header},
      {"header is an array", token_of(R"(["HS256"])", good_payload), TokenFault::bad_header},
      {"header with bytes after it", token_of(hs_header + "{}", good_payload), TokenFault::bad_header},
      {"header not UTF-8", token_of("{\"alg\":\"HS256\",\"x\":\"\xff\"}", good_payload), TokenFault::bad_header},
      {"alg twice", token_of(header_with(R"("alg":"HS256")"), good_payload), TokenFault::bad_header},
      {"alg twice, once escaped", token_of(header_with(R"("\u0061lg":"none")"), good_payload), TokenFault::bad_header},
      {"alg missing", token_of(R"({"typ":"JWT"})", good_payload), TokenFault::bad_header},
      {"alg is no string", token_of(R"({"alg":256})", good_payload), TokenFault::bad_header},
      {"kid is no string", token_of(header_with(R"("kid":1)"), good_payload), TokenFault::bad_header},
      {"typ is no string", token_of(R"({"alg":"HS256","typ":null})", good_payload), TokenFault::bad_header},
      {"typ of another thing", token_of(R"({"alg":"HS256","typ":"secevent+jwt"})", good_payload), TokenFault::wrong_type},
      {"typ that only begins as JWT", token_of(R"({"alg":"HS256","typ":"JWTx"})", good_payload), TokenFault::wrong_type},
      {"crit of an unknown name", token_of(header_with(R"("crit":["exp2"],"exp2":1)"), good_payload),
       TokenFault::unsupported_header},
      {"crit, empty", token_of(header_with(R"("crit":[])"), good_payload), TokenFault::unsupported_header},
      {"b64=false", token_of(header_with(R"("b64":false,"crit":["b64"])"), good_payload), TokenFault::unsupported_header},
      {"b64=false without crit", token_of(header_with(R"("b64":false)"), good_payload), TokenFault::unsupported_header},
      {"zip", token_of(header_with(R"("zip":"DEF")"), good_payload), TokenFault::unsupported_header},
      {"enc", token_of(R"({"alg":"dir","enc":"A256GCM"})", good_payload), TokenFault::unsupported_header},
      {"nested", token_of(header_with(R"("cty":"JWT")"), good), TokenFault::unsupported_header},
      {"nested without cty", token_of(hs_header, good), TokenFault::bad_payload},
      {"alg none, no signature", base64url_encode(R"({"alg":"none"})") + '.' + payload + '.', TokenFault::wrong_algorithm},
      {"alg none, signed", token_of(R"({"alg":"none"})", good_payload), TokenFault::wrong_algorithm},
      {"alg nOnE", token_of(R"({"alg":"nOnE"})", good_payload), TokenFault::wrong_algorithm},
      {"alg in lower case", token_of(R"({"alg":"hs256"})", good_payload), TokenFault::wrong_algorithm},
      {"alg HS512", token_of(R"({"alg":"HS512"})", good_payload), TokenFault::wrong_algorithm},
      {"alg RS256 under the secret", token_of(R"({"alg":"RS256"})", good_payload), TokenFault::wrong_algorithm},
      {"kid unknown", token_of(header_with(R"("kid":"anon-2")"), good_payload), TokenFault::unknown_key},
      {"kid in other case", token_of(header_with(R"("kid":"ANON-1")"), good_payload), TokenFault::unknown_key},
      {"kid with more after it", token_of(header_with(R"("kid":"anon-1\u0000")"), good_payload), TokenFault::unknown_key},
      {"kid empty", token_of(header_with(R"("kid":"")"), good_payload), TokenFault::unknown_key},
      {"kid a path", token_of(header_with(R"("kid":"../../dev/null")"), good_payload), TokenFault::unknown_key},
      {"signature missing", header + '.' + payload + '.', TokenFault::bad_signature},
      {"signature cut", header + '.' + payload + '.' + base64url_encode(sign_hs(header + '.' + payload).substr(0, 31)),
       TokenFault::bad_signature},
      {"signature longer", header + '.' + payload + '.' + base64url_encode(sign_hs(header + '.' + payload) + 'x'),
       TokenFault::bad_signature},
      {"signature of another token", header + '.' + base64url_encode(payload_with("ada@", "eve@")) + '.' + signature,
       TokenFault::bad_signature},
      {"signature under another secret",
       token_of(hs_header, good_payload,
                [](std::string_view text) {
                  const Mac mac = HmacSha256("another secret of thirty-two bytes or more").of(text);
                  return std::string(mac.data(), mac.size());
                }),
       TokenFault::bad_signature},
  };
  ASSERT_TRUE(verifier_of(hs_settings()).verify(good, now)) << "what the table mutates";
  expect_refused(verifier_of(hs_settings()), table);
}

TEST(Jwt, bad_claims_are_refused) {
  struct BadClaims {
    std::string_view what;
    std::string payload;
    TokenFault reason;
  };
  const BadClaims table[] = {
      {"no JSON", "sub=1", TokenFault::bad_payload},
      {"empty", "", TokenFault::bad_payload},
      {"a string", R"("claims")", TokenFault::bad_payload},
      {"a member twice", payload_with(R"("role":"authenticated")", R"("role":"authenticated","role":"service_role")"),
       TokenFault::bad_payload},
      {"a member twice, once escaped", payload_with(R"("iat")", R"("\u0073ub":"x","iat")"), TokenFault::bad_payload},
      {"a member twice, deep", payload_with(R"("platform":"techfix")", R"("app_metadata":{"a":1,"a":2})"),
       TokenFault::bad_payload},
      {"too deep", payload_with(R"("platform":"techfix")", R"("x":)" + std::string(16, '[') + std::string(16, ']')),
       TokenFault::bad_payload},
      {"iss missing", payload_with(R"("iss":"guildhall",)", ""), TokenFault::wrong_issuer},
      {"iss another", payload_with("guildhall", "guildhall2"), TokenFault::wrong_issuer},
      {"iss in other case", payload_with("guildhall", "Guildhall"), TokenFault::wrong_issuer},
      {"iss an array", payload_with(R"("guildhall")", R"(["guildhall"])"), TokenFault::wrong_issuer},
      {"aud missing", payload_with(R"("aud":"authenticated",)", ""), TokenFault::wrong_audience},
      {"aud another", payload_with(R"("aud":"authenticated")", R"("aud":"anon")"), TokenFault::wrong_audience},
      {"aud without ours", payload_with(R"("aud":"authenticated")", R"("aud":["a","b"])"), TokenFault::wrong_audience},
      {"aud empty", payload_with(R"("aud":"authenticated")", R"("aud":[])"), TokenFault::wrong_audience},
      {"aud with a number", payload_with(R"("aud":"authenticated")", R"("aud":["authenticated",1])"), TokenFault::bad_claim},
      {"aud an object", payload_with(R"("aud":"authenticated")", R"("aud":{"authenticated":true})"), TokenFault::bad_claim},
      {"anon with another aud", R"({"iss":"guildhall","role":"anon","aud":"other","exp":1781536000})",
       TokenFault::wrong_audience},
      {"role missing", payload_with(R"("role":"authenticated",)", ""), TokenFault::unknown_role},
      {"role of the database", payload_with(R"("role":"authenticated")", R"("role":"postgres")"), TokenFault::unknown_role},
      {"role in other case", payload_with(R"("role":"authenticated")", R"("role":"Service_role")"), TokenFault::unknown_role},
      {"role an array", payload_with(R"("role":"authenticated")", R"("role":["authenticated"])"), TokenFault::unknown_role},
      {"sub missing", payload_with(R"("sub":"018f0000-0000-7abc-8000-000000000001",)", ""), TokenFault::subject_missing},
      {"sub no UUID", payload_with(user, "ada"), TokenFault::bad_claim},
      {"sub nil", payload_with(user, "00000000-0000-0000-0000-000000000000"), TokenFault::bad_claim},
      {"sub with a quote", payload_with(user, user + "'"), TokenFault::bad_claim},
      {"sub a number", payload_with('"' + user + '"', "1"), TokenFault::bad_claim},
      {"sub null", payload_with('"' + user + '"', "null"), TokenFault::bad_claim},
      {"service's sub no UUID", R"({"iss":"guildhall","role":"service_role","sub":"root","exp":1781536000})",
       TokenFault::bad_claim},
      {"email a number", payload_with(R"("ada@example.com")", "1"), TokenFault::bad_claim},
      {"platform another", payload_with("techfix", "dracarys"), TokenFault::wrong_platform},
      {"platform empty", payload_with("techfix", ""), TokenFault::wrong_platform},
      {"platform an array", payload_with(R"("techfix")", R"(["techfix"])"), TokenFault::bad_claim},
      {"exp missing", payload_with(R"(,"exp":1750000900)", ""), TokenFault::bad_claim},
      {"exp a string", payload_with("1750000900", R"("1750000900")"), TokenFault::bad_claim},
      {"exp a fraction", payload_with("1750000900", "1750000900.5"), TokenFault::bad_claim},
      {"exp a power", payload_with("1750000900", "1e18"), TokenFault::bad_claim},
      {"exp beyond year 9999", payload_with("1750000900", "253402300800"), TokenFault::bad_claim},
      {"exp that would overflow", payload_with("1750000900", "9223372036854775807"), TokenFault::bad_claim},
      {"exp beyond int64", payload_with("1750000900", "18446744073709551615"), TokenFault::bad_claim},
      {"exp below 1970", payload_with("1750000900", "-1"), TokenFault::bad_claim},
      {"exp null", payload_with("1750000900", "null"), TokenFault::bad_claim},
      {"exp past by the skew", payload_with(R"("iat":1750000000,"exp":1750000900)", R"("iat":1749999000,"exp":1749999940)"),
       TokenFault::expired},
      {"nbf to come", payload_with(R"("iat")", R"("nbf":1750000061,"iat")"), TokenFault::not_yet_valid},
      {"nbf a string", payload_with(R"("iat")", R"("nbf":"now","iat")"), TokenFault::bad_claim},
      {"iat to come", payload_with(R"("iat":1750000000)", R"("iat":1750000061)"), TokenFault::issued_in_future},
      {"iat a string", payload_with(R"("iat":1750000000)", R"("iat":"1750000000")"), TokenFault::bad_claim},
      {"iat missing where life is limited", payload_with(R"("iat":1750000000,)", ""), TokenFault::bad_claim},
      {"lives a second too long", payload_with("1750000900", "1750000901"), TokenFault::lives_too_long},
  };
  std::vector<Bad> tokens;
  for (const BadClaims& bad : table) tokens.push_back({bad.what, token_of(hs_header, bad.payload), bad.reason});
  expect_refused(verifier_of(hs_settings()), tokens);
}

TEST(Jwt, bad_public_key_signatures_are_refused) {
  const std::string es_good = token_of(es_header, good_payload, sign_es);
  const std::string zero(32, '\0');
  const std::string order = "\xff\xff\xff\xff" + std::string(4, '\0') + std::string(8, '\xff') +
                            "\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";
  const auto raw = [](const std::string& bytes_of_signature) { return [=](std::string_view) { return bytes_of_signature; }; };
  const Sign r_of_zero = [&](std::string_view text) { return zero + sign_es(text).substr(32); };
  const Sign s_of_zero = [&](std::string_view text) { return sign_es(text).substr(0, 32) + zero; };
  const Sign r_of_order = [&](std::string_view text) { return order + sign_es(text).substr(32); };
  const Sign s_of_order = [&](std::string_view text) { return sign_es(text).substr(0, 32) + order; };
  const Sign swapped = [](std::string_view text) { return sign_es(text).substr(32) + sign_es(text).substr(0, 32); };
  const Sign der = [](std::string_view text) { return sign_with(ec_key(), text); };
  const Sign pss = [](std::string_view text) { return sign_with(rsa_key(), text, true); };
  const Sign other_rsa = [](std::string_view text) { return sign_with(own(EVP_RSA_gen(2048)), text); };
  const Sign other_ec = [](std::string_view text) { return raw_from_der(sign_with(own(EVP_EC_gen("P-256")), text)); };
  // The classic confusion: the public key's text as HMAC secret.
  const Sign hmac_of_pem = [](std::string_view text) {
    const Mac mac = HmacSha256(pem_of(rsa_key())).of(text);
    return std::string(mac.data(), mac.size());
  };
  const std::string own_key = R"({"alg":"ES256","kid":"mine","jwk":)" + ec_jwk(ec_key()) + "}";

  const Bad table[] = {
      {"ES256: r is 0", token_of(es_header, good_payload, r_of_zero), TokenFault::bad_signature},
      {"ES256: s is 0", token_of(es_header, good_payload, s_of_zero), TokenFault::bad_signature},
      {"ES256: both are 0", token_of(es_header, good_payload, raw(zero + zero)), TokenFault::bad_signature},
      {"ES256: r is the order", token_of(es_header, good_payload, r_of_order), TokenFault::bad_signature},
      {"ES256: s is the order", token_of(es_header, good_payload, s_of_order), TokenFault::bad_signature},
      {"ES256: both are all ones", token_of(es_header, good_payload, raw(std::string(64, '\xff'))), TokenFault::bad_signature},
      {"ES256: r and s swapped", token_of(es_header, good_payload, swapped), TokenFault::bad_signature},
      {"ES256: DER", token_of(es_header, good_payload, der), TokenFault::bad_signature},
      {"ES256: 63 bytes", token_of(es_header, good_payload, [](std::string_view t) { return sign_es(t).substr(0, 63); }),
       TokenFault::bad_signature},
      {"ES256: 65 bytes", token_of(es_header, good_payload, [](std::string_view t) { return sign_es(t) + 'x'; }),
       TokenFault::bad_signature},
      {"ES256: none", token_of(es_header, good_payload, raw("")), TokenFault::bad_signature},
      {"ES256: another key", token_of(es_header, good_payload, other_ec), TokenFault::bad_signature},
      {"RS256: PSS padding", token_of(rs_header, good_payload, pss), TokenFault::bad_signature},
      {"RS256: another key", token_of(rs_header, good_payload, other_rsa), TokenFault::bad_signature},
      {"RS256: cut", token_of(rs_header, good_payload, [](std::string_view t) { return sign_rs(t).substr(0, 255); }),
       TokenFault::bad_signature},
      {"RS256: a zero before", token_of(rs_header, good_payload, [](std::string_view t) { return '\0' + sign_rs(t); }),
       TokenFault::bad_signature},
      {"RS256: none", token_of(rs_header, good_payload, raw("")), TokenFault::bad_signature},
      {"HS256 with the public key as secret", token_of(with(rs_header, "RS256", "HS256"), good_payload, hmac_of_pem),
       TokenFault::wrong_algorithm},
      {"HS256 without kid", token_of(hs_header, good_payload, hmac_of_pem), TokenFault::unknown_key},
      {"RS256 naming the EC key", token_of(with(rs_header, "rsa-1", "ec-1"), good_payload, sign_rs), TokenFault::wrong_algorithm},
      {"ES256 naming the RSA key", token_of(with(es_header, "ec-1", "rsa-1"), good_payload, sign_es),
       TokenFault::wrong_algorithm},
      {"PS256", token_of(with(rs_header, "RS256", "PS256"), good_payload, pss), TokenFault::wrong_algorithm},
      {"RS512", token_of(with(rs_header, "RS256", "RS512"), good_payload, sign_rs), TokenFault::wrong_algorithm},
      {"ES384", token_of(with(es_header, "ES256", "ES384"), good_payload, sign_es), TokenFault::wrong_algorithm},
      {"none", token_of(with(es_header, "ES256", "none"), good_payload, raw("")), TokenFault::wrong_algorithm},
      {"kid missing", token_of(R"({"alg":"ES256"})", good_payload, sign_es), TokenFault::unknown_key},
      {"the key inside the token", token_of(own_key, good_payload, sign_es), TokenFault::unknown_key},
  };
  const TokenVerifier verifier = verifier_of(public_settings());
  expect_refused(verifier, table);
  EXPECT_TRUE(verifier.verify(es_good, now)) << "what the table mutates";
}

TEST(Jwt, no_single_changed_character_is_accepted) {
  const TokenVerifier verifier = verifier_of(hs_settings());
  const std::string good = token_of(hs_header, good_payload);
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char other : {'A', 'b', '-', '.', '='}) {
      if (good[at] == other) continue;
      std::string changed = good;
      changed[at] = other;
      ASSERT_FALSE(verifier.verify(changed, now)) << at;
    }
    ASSERT_FALSE(verifier.verify(std::string_view(good).substr(0, at), now)) << at;
  }
}

// ---- settings

TEST(Jwt, bad_key_settings_are_refused) {
  const Key p384 = own(EVP_EC_gen("P-384"));
  const Key ed25519 = own(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const Key rsa_1024 = own(EVP_RSA_gen(1024));
  const auto jwk = [](std::string text) { return std::vector<PublicKeyText>{{"k", std::move(text)}}; };
  const std::string n = base64url_encode(number_of(rsa_key(), OSSL_PKEY_PARAM_RSA_N));
  struct BadSettings {
    std::string_view what;
    KeySettings settings;
    KeyFault reason;
  };
  const BadSettings table[] = {
      {"no platform", {.hs256_secret = secret}, KeyFault::no_platform},
      {"neither", {.platform = "p"}, KeyFault::no_key},
      {"both", {.platform = "p", .hs256_secret = secret, .public_keys = jwk(ec_jwk(ec_key()))}, KeyFault::both_modes},
      {"31 bytes", {.platform = "p", .hs256_secret = std::string(31, 's')}, KeyFault::secret_too_short},
      {"PEM as secret", {.platform = "p", .hs256_secret = pem_of(rsa_key())}, KeyFault::secret_is_a_key},
      {"empty hs256 kid", {.platform = "p", .hs256_secret = secret, .hs256_kids = {""}}, KeyFault::bad_kid},
      {"no kid", {.platform = "p", .public_keys = {{"", ec_jwk(ec_key())}}}, KeyFault::bad_kid},
      {"kid twice", {.platform = "p", .public_keys = {{"k", ec_jwk(ec_key())}, {"k", rsa_jwk(rsa_key())}}}, KeyFault::bad_kid},
      {"another kid inside", {.platform = "p", .public_keys = jwk(ec_jwk(ec_key(), R"(,"kid":"x")"))}, KeyFault::bad_kid},
      {"nonsense", {.platform = "p", .public_keys = jwk("key")}, KeyFault::not_a_public_key},
      {"empty text", {.platform = "p", .public_keys = jwk("")}, KeyFault::not_a_public_key},
      {"private PEM", {.platform = "p", .public_keys = jwk(pem_of(ec_key(), true))}, KeyFault::not_a_public_key},
      {"two PEM blocks", {.platform = "p", .public_keys = jwk(pem_of(ec_key()) + pem_of(ec_key()))}, KeyFault::not_a_public_key},
      {"PEM cut",
       {.platform = "p",
        .public_keys = jwk(with(pem_of(ec_key()), "-----BEGIN PUBLIC KEY-----\nMF", "-----BEGIN PUBLIC KEY-----\nMG"))},
       KeyFault::not_a_public_key},
      {"private JWK", {.platform = "p", .public_keys = jwk(ec_jwk(ec_key(), R"(,"d":"AA")"))}, KeyFault::not_a_public_key},
      {"a member twice", {.platform = "p", .public_keys = jwk(ec_jwk(ec_key(), R"(,"kty":"EC")"))}, KeyFault::not_a_public_key},
      {"off the curve",
       {.platform = "p",
        .public_keys = jwk(R"({"kty":"EC","crv":"P-256","x":")" + base64url_encode(std::string(32, '\1')) + R"(","y":")" +
                           base64url_encode(std::string(32, '\1')) + "\"}")},
       KeyFault::not_a_public_key},
      {"x of 31 bytes",
       {.platform = "p",
        .public_keys = jwk(R"({"kty":"EC","crv":"P-256","x":")" + base64url_encode(std::string(31, '\1')) + R"(","y":")" +
                           base64url_encode(std::string(32, '\1')) + "\"}")},
       KeyFault::not_a_public_key},
      {"symmetric JWK", {.platform = "p", .public_keys = jwk(R"({"kty":"oct","k":"AAAA"})")}, KeyFault::wrong_key_type},
      {"JWK for encryption",
       {.platform = "p", .public_keys = jwk(rsa_jwk(rsa_key(), R"(,"use":"enc")"))},
       KeyFault::wrong_key_type},
      {"JWK for PS256", {.platform = "p", .public_keys = jwk(rsa_jwk(rsa_key(), R"(,"alg":"PS256")"))}, KeyFault::wrong_key_type},
      {"JWK of P-384", {.platform = "p", .public_keys = jwk(with(ec_jwk(ec_key()), "P-256", "P-384"))}, KeyFault::wrong_key_type},
      {"PEM of P-384", {.platform = "p", .public_keys = jwk(pem_of(p384))}, KeyFault::wrong_key_type},
      {"PEM of Ed25519", {.platform = "p", .public_keys = jwk(pem_of(ed25519))}, KeyFault::wrong_key_type},
      {"RSA of 1024 bits, PEM", {.platform = "p", .public_keys = jwk(pem_of(rsa_1024))}, KeyFault::weak_key},
      {"RSA of 1024 bits, JWK", {.platform = "p", .public_keys = jwk(rsa_jwk(rsa_1024))}, KeyFault::weak_key},
      {"RSA exponent 1",
       {.platform = "p", .public_keys = jwk(R"({"kty":"RSA","n":")" + n + R"(","e":"AQ"})")},
       KeyFault::weak_key},
  };
  for (const BadSettings& bad : table) {
    const auto verifier = TokenVerifier::create(bad.settings);
    ASSERT_FALSE(verifier) << bad.what;
    EXPECT_EQ(name_of(verifier.error().reason), name_of(bad.reason)) << bad.what << ": " << verifier.error().detail;
  }
}

// ---- the cache

TEST(Jwt, a_known_token_is_remembered_until_it_expires) {
  const TokenVerifier verifier = verifier_of(public_settings());
  const std::string token = token_of(es_header, good_payload, sign_es);
  const auto first = verifier.verify(token, now);
  ASSERT_TRUE(first);
  EXPECT_EQ(verifier.cache_hits(), 0U);
  const auto second = verifier.verify(token, now + second_us);
  ASSERT_TRUE(second);
  EXPECT_EQ(verifier.cache_hits(), 1U);
  EXPECT_EQ(second->json, first->json);
  EXPECT_EQ(second->sub, first->sub);
  const Micros end = (now_s + 900) * second_us + clock_skew_us;
  EXPECT_TRUE(verifier.verify(token, end - 1));
  EXPECT_EQ(verifier.verify(token, end).error().reason, TokenFault::expired);
  EXPECT_EQ(verifier.cache_hits(), 2U);
}

TEST(Jwt, refused_tokens_are_not_remembered) {
  const TokenVerifier verifier = verifier_of(hs_settings());
  const std::string early = token_of(hs_header, payload_with(R"("iat":1750000000)", R"("iat":1750000061)"));
  EXPECT_FALSE(verifier.verify(early, now));
  EXPECT_TRUE(verifier.verify(early, now + second_us)) << "its time has come";
}

TEST(Jwt, the_cache_is_bounded_and_never_wrong) {
  const TokenVerifier verifier = verifier_of(hs_settings());
  constexpr std::size_t tokens = verified_tokens_limit / 4;
  for (int pass = 0; pass < 2; ++pass) {
    for (std::size_t i = 0; i < tokens; ++i) {
      const std::string email = "user" + std::to_string(i) + "@example.com";
      const auto claims = verifier.verify(issue_hs256(secret, {.role = TokenRole::anon, .email = email}, now), now);
      ASSERT_TRUE(claims);
      ASSERT_EQ(claims->email, email);
    }
  }
  EXPECT_GT(verifier.cache_hits(), tokens * 9 / 10);
  EXPECT_LE(verifier.cache_hits(), tokens);
}

TEST(Jwt, threads_share_a_verifier) {
  const TokenVerifier verifier = verifier_of(hs_settings());
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        const std::string email = "user" + std::to_string(i % 20);
        const auto claims = verifier.verify(issue_hs256(secret, {.role = TokenRole::anon, .email = email}, now), now);
        if (!claims || claims->email != email) ++wrong;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

// ---- issuing

TEST(Jwt, issued_tokens_are_accepted) {
  const TokenVerifier verifier = verifier_of(hs_settings());
  const TokenGrant person{.role = TokenRole::authenticated,
                          .sub = parse_uuid(user),
                          .life_us = 15 * minute_us,
                          .email = "a\"b\n@x",
                          .platform = "techfix"};
  const auto claims = verifier.verify(issue_hs256(secret, person, now + 999'999), now);
  ASSERT_TRUE(claims) << claims.error().detail;
  EXPECT_EQ(claims->role, TokenRole::authenticated);
  EXPECT_EQ(claims->sub, parse_uuid(user));
  EXPECT_EQ(claims->email, "a\"b\n@x");
  EXPECT_EQ(claims->platform, "techfix");
  EXPECT_EQ(claims->iat_us, now);
  EXPECT_EQ(claims->exp_us, now + 15 * minute_us);

  const TokenGrant service{.role = TokenRole::service_role, .life_us = 365 * day_us, .kid = "service-1"};
  const std::string key = issue_hs256(secret, service, now);
  const auto of_service = verifier.verify(key, now);
  ASSERT_TRUE(of_service) << of_service.error().detail;
  EXPECT_EQ(of_service->role, TokenRole::service_role);
  EXPECT_EQ(of_service->kid, "service-1");
  EXPECT_FALSE(of_service->sub);

  KeySettings revoked = hs_settings();
  revoked.hs256_kids = {"anon-1"};
  EXPECT_EQ(verifier_of(revoked).verify(key, now).error().reason, TokenFault::unknown_key);
}

TEST(JwtDeathTest, a_person_without_subject_is_our_bug) {
  EXPECT_DEATH(issue_hs256(secret, {.role = TokenRole::authenticated}, now), "authenticated");
}

}  // namespace
}  // namespace guildhall
