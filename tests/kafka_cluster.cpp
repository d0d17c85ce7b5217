#include "tests/kafka_cluster.h"

#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>

namespace guildhall {
namespace {

constexpr std::chrono::seconds death_deadline{30};  // A killed broker leaves half a gigabyte to tear down.
constexpr std::chrono::milliseconds death_poll{5};

[[noreturn]] void fail(const std::string& what, int error) { throw std::system_error(error, std::generic_category(), what); }

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string shell_word(std::string_view text) {  // For the shell.
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string(R"('\'')") : std::string(1, c);
  return out + "'";
}

std::string script() { return shell_word(GUILDHALL_SOURCE_DIR "/script/kafka"); }

// Whether the process is gone, or dead with all its threads and only its parent's to bury. One that has given back its memory,
// and so has no command line any more, may still hold its ports.
bool is_gone(pid_t process) {
  const std::filesystem::path folder = "/proc/" + std::to_string(process);
  const std::string stat = contents_of(folder / "stat");
  const auto state = stat.rfind(')');  // Behind the name, which may hold anything.
  if (state == std::string::npos || state + 2 >= stat.size()) return true;
  if (stat[state + 2] != 'Z' && stat[state + 2] != 'X') return false;
  std::error_code error;
  const std::filesystem::directory_iterator threads(folder / "task", error);
  return error || std::distance(begin(threads), end(threads)) <= 1;
}

void send(pid_t process, int signal) {
  if (::kill(process, signal) != 0) fail("no signal to broker, process " + std::to_string(process), errno);
}

}  // namespace

KafkaCluster::KafkaCluster(int brokers, const std::string& version) {
  const char* temp = std::getenv("TMPDIR");
  folder_ = std::string(temp != nullptr && *temp != '\0' ? temp : "/tmp") + "/guildhall_kafka_XXXXXX";
  if (::mkdtemp(folder_.data()) == nullptr) fail("mkdtemp " + folder_, errno);
  // `read` returns when the last holder of the other end is gone. Its own session keeps Ctrl-C away from it. `stop` waits for a
  // start that outlived the program.
  const std::string work = script() + " stop --data \"$1\"; cd /; rm -rf \"$1\"";
  guard_ = ::popen(("exec setsid sh -c " + shell_word("read -r never; " + work) + " guard " + shell_word(folder_)).c_str(), "we");
  if (guard_ == nullptr) fail("popen", errno);
  try {
    std::string arguments = " --port 0 --brokers " + std::to_string(brokers);
    if (!version.empty()) arguments += " --version " + shell_word(version);
    bootstrap_ = run_start(arguments);
  } catch (...) {
    end_guard();
    throw;
  }
}

KafkaCluster::~KafkaCluster() { end_guard(); }

KafkaCluster& KafkaCluster::shared() {
  const char* running = std::getenv("GUILDHALL_KAFKA_BOOTSTRAP");
  static KafkaCluster cluster = running != nullptr && *running != '\0' ? KafkaCluster(std::string(running)) : KafkaCluster(1);
  return cluster;
}

pid_t KafkaCluster::pid(int broker) const {
  if (folder_.empty()) throw std::logic_error("tests do not touch a broker that they share with others");
  return static_cast<pid_t>(std::stol(contents_of(folder_ + "/broker-" + std::to_string(broker) + ".pid")));
}

void KafkaCluster::kill(int broker) {
  const pid_t process = pid(broker);
  send(process, SIGKILL);
  for (const auto deadline = std::chrono::steady_clock::now() + death_deadline; !is_gone(process);) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("the killed broker does not go");
    std::this_thread::sleep_for(death_poll);
  }
}

void KafkaCluster::pause(int broker) { send(pid(broker), SIGSTOP); }

void KafkaCluster::resume(int broker) { send(pid(broker), SIGCONT); }

void KafkaCluster::start(int broker) { run_start(" --broker " + std::to_string(broker)); }

// CI: a small JVM that is ready soon.
std::string KafkaCluster::run_start(const std::string& arguments) const {
  const std::string errors = folder_ + "/start.log";
  std::FILE* out = ::popen(
      ("CI=true exec " + script() + " start --data " + shell_word(folder_) + arguments + " 2>" + shell_word(errors)).c_str(),
      "re");
  if (out == nullptr) fail("popen", errno);
  std::string text;
  std::array<char, 256> buffer;
  while (std::fgets(buffer.data(), buffer.size(), out) != nullptr) text += buffer.data();
  if (::pclose(out) != 0) throw std::runtime_error("script/kafka failed: " + contents_of(errors));
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

void KafkaCluster::end_guard() {
  if (guard_ != nullptr) ::pclose(guard_);
}

}  // namespace guildhall
