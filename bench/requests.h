// The requests that a stage is set with, and that measurements send.
#pragma once

#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "bench/server.h"

namespace guildhall {

inline constexpr std::size_t key_characters = 16;

std::string hex(std::uint64_t value);  // key_characters of them.
std::string random_uuid(std::mt19937_64& random);

// The bytes of a POST with the service's key.
std::string post_request(const Server& server, std::string_view path, std::string_view key, std::string_view body);

// The body that registers an account.
std::string account_body(const std::string& id, std::string_view role, std::size_t number);

// Throws std::runtime_error with the beginning of the body, unless the status is 2xx.
void expect_accepted(std::string_view what, int status, std::string_view body);

struct Command {
  std::string path, body;
};
// Sends `count` commands over many connections, all of which must be accepted: throws std::runtime_error with the answer else.
// The answers' bodies, in the order in which they came.
std::vector<std::string> send_all(const Server& server, std::size_t count, const std::function<Command(std::size_t)>& command);

}  // namespace guildhall
