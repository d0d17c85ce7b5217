// What a command is answered with, and the seam that words it: aggregates know codes and resources, the gateway knows HTTP.
#pragma once

#include <string>

#include "aggregates/decision.h"

namespace guildhall {

// The stored part of a reply: it comes back byte for byte.
struct Reply {
  std::uint16_t status = 0;
  std::string etag;
  std::string location;
  std::string content_type;
  std::string body;
  std::uint32_t retry_after_s = 0;  // Of a refusal that ends by itself; 0: not said.
  friend bool operator==(const Reply&, const Reply&) = default;
};

// Any thread. Pure: the same input gives the same reply.
class ReplyFormat {
 public:
  virtual ~ReplyFormat() = default;
  virtual Reply accepted(const AnyResource& resource, std::uint64_t version, bool created) const = 0;
  virtual Reply rejected(const Rejection& rejection, const Uuid& command_id) const = 0;
  // The same command id came with another fingerprint.
  virtual Reply key_reused(const Uuid& command_id) const = 0;
};

}  // namespace guildhall
