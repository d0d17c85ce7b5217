#include "bench/server.h"

#include <charconv>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "bench/load_generator.h"

namespace guildhall {
namespace {

constexpr std::chrono::minutes ready_patience{5};  // It may have a log to replay.
constexpr std::chrono::milliseconds ready_pause{20};

std::vector<std::string> serve_arguments(const Installation& installation, const std::filesystem::path& data,
                                         const std::filesystem::path& platform_file) {
  std::vector<std::string> out{installation.program.string(),
                               "serve",
                               "--data",
                               data.string(),
                               "--port",
                               "0",
                               "--platform-file",
                               platform_file.string(),
                               "--http-threads",
                               std::to_string(installation.http_threads),
                               "--shards",
                               std::to_string(installation.shards)};
  out.insert(out.end(), installation.log.begin(), installation.log.end());
  out.insert(out.end(), installation.serve.begin(), installation.serve.end());
  return out;
}

Environment with_postgres(const std::string& url) { return {{"GUILDHALL_POSTGRES_URL", url}}; }

std::string_view value_of_member(std::string_view json, std::string_view name) {
  const std::string quoted = '"' + std::string(name) + '"';
  const auto at = json.find(quoted);
  if (at == std::string_view::npos) throw std::runtime_error("no " + quoted + " in " + std::string(json.substr(0, 200)));
  json.remove_prefix(at + quoted.size());
  json.remove_prefix(std::min(json.find_first_not_of(": \n"), json.size()));
  return json;
}

}  // namespace

Server::Server(const Installation& installation, const std::filesystem::path& data, const std::filesystem::path& platform_file,
               const std::string& postgres_url)
    : process_(serve_arguments(installation, data, platform_file), with_postgres(postgres_url), installation.output),
      output_(installation.output) {
  const auto description = data / "dev.json";
  const auto deadline = std::chrono::steady_clock::now() + ready_patience;
  std::string text;
  while (!(text = text_of_file(description)).contains('}')) {
    if (!process_.running()) throw std::runtime_error("guildhall serve ended at once:\n" + tail_of_file(output_));
    if (std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error("guildhall serve is not ready:\n" + tail_of_file(output_));
    std::this_thread::sleep_for(ready_pause);
  }
  const std::string url = text_member(text, "url");
  port_ = static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1)));
  service_key_ = text_member(text, "service_key");
}

double Server::metric(std::string_view family) const {
  const HttpAnswer answer = http_get(port_, "/metrics");
  double sum = 0;
  std::string_view rest = answer.body;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (!line.starts_with(family)) continue;
    const char after = line.size() > family.size() ? line[family.size()] : '\0';
    if (after != '{' && after != ' ') continue;
    const std::string_view number = line.substr(line.rfind(' ') + 1);
    double value = 0;
    std::from_chars(number.data(), number.data() + number.size(), value);
    sum += value;
  }
  return sum;
}

void Server::stop() {
  if (const int status = process_.stop(); status != 0)
    throw std::runtime_error("guildhall serve ended with status " + std::to_string(status) + ":\n" + tail_of_file(output_));
}

std::string run_guildhall(const Installation& installation, const std::filesystem::path& data, std::vector<std::string> arguments,
                          const std::string& postgres_url) {
  arguments.insert(arguments.begin(), installation.program.string());
  arguments.insert(arguments.end(), {"--data", data.string()});
  arguments.insert(arguments.end(), installation.log.begin(), installation.log.end());
  return run_program(std::move(arguments), with_postgres(postgres_url), installation.output);
}

std::string text_member(std::string_view json, std::string_view name) {
  const std::string_view value = value_of_member(json, name);
  if (!value.starts_with('"')) throw std::runtime_error(std::string(name) + " is no string");
  return std::string(value.substr(1, value.find('"', 1) - 1));
}

double number_member(std::string_view json, std::string_view name) {
  const std::string_view value = value_of_member(json, name);
  double number = 0;
  if (std::from_chars(value.data(), value.data() + value.size(), number).ec != std::errc{})
    throw std::runtime_error(std::string(name) + " is no number");
  return number;
}

}  // namespace guildhall
