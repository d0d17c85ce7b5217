// application/problem+json (RFC 9457): every refusal of /v1 has this form, with a stable code that clients branch on.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "aggregates/shard/reply.h"
#include "gateway/http.h"
#include "gateway/schema.h"
#include "gateway/transcoder.h"

namespace guildhall {

inline constexpr std::string_view problem_content_type = "application/problem+json";

// Codes that are the gateway's own; the rules' codes are in aggregates/rejections.h.
struct GatewayCode {
  std::string_view name;
  int status;
  std::string_view title;
  std::string_view hint;
  bool retryable = false;
};
std::span<const GatewayCode> gateway_codes();
const GatewayCode& gateway_code(std::string_view name);  // CHECKs that it is one.

int http_status(Kind kind);

// A response with the code's status, title and hint. 503 and 429 get a Retry-After.
Response problem(std::string_view code, std::string_view detail = {}, const Uuid& command_id = {}, int retry_after_s = 1);
Response invalid_request(std::span<const Problem> problems);

void append_json_string(std::string& out, std::string_view text);  // With its quotes.

// Replies of the shard: resources by the schema, rejections as problems.
class HttpReplies final : public ReplyFormat {
 public:
  explicit HttpReplies(const SchemaCatalogue& schemas) : schemas_(schemas) {}
  Reply accepted(const AnyResource& resource, std::uint64_t version, bool created) const override;
  Reply rejected(const Rejection& rejection, const Uuid& command_id) const override;
  Reply key_reused(const Uuid& command_id) const override;

 private:
  const SchemaCatalogue& schemas_;
};

}  // namespace guildhall
