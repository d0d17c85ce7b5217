#include "bench/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace guildhall {
namespace {

constexpr std::size_t tail_bytes = 2000;
constexpr std::uint64_t backward_block_bytes = 1 << 20;

class Descriptor {
 public:
  explicit Descriptor(int fd, const std::string& what) : fd_(fd) {
    if (fd < 0) throw std::system_error(errno, std::generic_category(), what);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

Descriptor open_for_output(const std::filesystem::path& path) {
  return Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), path.string());
}

std::vector<std::string> merged(const Environment& extra) {
  std::vector<std::string> out;
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    bool replaced = false;
    for (const auto& [key, value] : extra) replaced = replaced || key == name;
    if (!replaced) out.emplace_back(text);
  }
  for (const auto& [key, value] : extra) out.push_back(key + "=" + value);
  return out;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

pid_t spawn(std::vector<std::string> arguments, const Environment& extra, int out, int errors,
            const std::filesystem::path& folder) {
  // Ends with us, however we end.
  arguments.insert(arguments.begin(), {"setpriv", "--pdeathsig=TERM"});
  std::vector<std::string> environment = merged(extra);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
  if (!folder.empty()) posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, arguments.front().c_str(), &actions, nullptr, pointers_to(arguments).data(),
                                   pointers_to(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::system_error(error, std::generic_category(), "cannot run " + arguments[2]);
  return pid;
}

int exit_status(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
  return exit_status(status);
}

std::uint64_t kilobytes_of(const std::string& status, std::string_view name) {
  const auto at = status.find(name);
  return at == std::string::npos ? 0 : std::strtoull(status.c_str() + at + name.size(), nullptr, 10);
}

}  // namespace

Process::Process(std::vector<std::string> arguments, const Environment& environment, const std::filesystem::path& output) {
  const Descriptor out = open_for_output(output);
  pid_ = spawn(std::move(arguments), environment, out.get(), out.get(), {});
}

Process::~Process() {
  if (!status_) stop();
}

bool Process::running() {
  int status = 0;
  if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = exit_status(status);
  return !status_;
}

int Process::stop() {
  if (running()) {
    ::kill(pid_, SIGTERM);
    status_ = wait_for(pid_);
  }
  return *status_;
}

ProcessUsage usage_of(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  ProcessUsage out;
  const std::string stat = text_of_file(folder + "/stat");
  // Fields 14 and 15; counted from behind the name, which may hold spaces.
  const char* at = stat.c_str() + stat.rfind(')') + 1;
  for (int field = 2; field < 13; ++field) at = std::strchr(at + 1, ' ');
  char* end = nullptr;
  const auto user = std::strtoull(at, &end, 10);
  const auto system = std::strtoull(end, nullptr, 10);
  out.cpu_seconds = static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  const std::string status = text_of_file(folder + "/status");
  out.resident_bytes = kilobytes_of(status, "VmRSS:") * 1024;
  out.peak_resident_bytes = kilobytes_of(status, "VmHWM:") * 1024;
  return out;
}

void run_program(std::vector<std::string> arguments, const Environment& environment, const std::filesystem::path& errors,
                 LineConsumer& consumer, const std::filesystem::path& folder) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  const Descriptor from(ends[0], "pipe");
  Descriptor to(ends[1], "pipe");
  const Descriptor complaints = open_for_output(errors);
  const std::string name = arguments.front();
  const pid_t pid = spawn(std::move(arguments), environment, to.get(), complaints.get(), folder);
  to.close();
  std::string text;
  std::array<char, 1 << 16> buffer;
  for (;;) {
    const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
      consumer.line(std::string_view(text).substr(begin, end - begin));
      begin = end + 1;
    }
    text.erase(0, begin);
  }
  if (!text.empty()) consumer.line(text);
  if (const int status = wait_for(pid); status != 0)
    throw std::runtime_error(name + " ended with status " + std::to_string(status) + ":\n" + tail_of_file(errors));
}

std::string run_program(std::vector<std::string> arguments, const Environment& environment, const std::filesystem::path& errors,
                        const std::filesystem::path& folder) {
  struct Text : LineConsumer {
    std::string all;
    void line(std::string_view text) override { all.append(text).append("\n"); }
  } text;
  run_program(std::move(arguments), environment, errors, text, folder);
  return text.all;
}

std::string text_of_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string tail_of_file(const std::filesystem::path& path) {
  const std::string all = text_of_file(path);
  return all.size() > tail_bytes ? all.substr(all.size() - tail_bytes) : all;
}

std::uint64_t written_bytes(const std::filesystem::path& folder) {
  std::uint64_t out = 0;
  std::string block(backward_block_bytes, '\0');
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    for (std::uint64_t end = entry.file_size(); end > 0;) {
      const std::uint64_t begin = (end - 1) / backward_block_bytes * backward_block_bytes;
      in.seekg(static_cast<std::streamoff>(begin));
      if (!in.read(block.data(), static_cast<std::streamsize>(end - begin))) break;
      const auto last = std::string_view(block.data(), end - begin).find_last_not_of('\0');
      if (last != std::string_view::npos) {
        out += begin + last + 1;
        break;
      }
      end = begin;
    }
  }
  return out;
}

}  // namespace guildhall
