#include "bench/conditions.h"

#include <fcntl.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <system_error>
#include <thread>

namespace guildhall {
namespace {

constexpr std::size_t sync_block_bytes = 4096;
constexpr int sync_count = 1000;
constexpr std::chrono::seconds sync_time{2};

}  // namespace

Machine describe_machine() {
  Machine out;
  out.cores = std::thread::hardware_concurrency();
  std::ifstream processors("/proc/cpuinfo");
  for (std::string line; std::getline(processors, line) && out.processor.empty();)
    if (line.starts_with("model name")) out.processor = line.substr(line.find(':') + 2);
  struct sysinfo memory {};
  if (::sysinfo(&memory) == 0) out.memory_bytes = static_cast<std::uint64_t>(memory.totalram) * memory.mem_unit;
  utsname system{};
  if (::uname(&system) == 0) out.kernel = std::string(system.sysname) + " " + system.release;
  double load = 0;
  if (::getloadavg(&load, 1) == 1) out.load_average = load;
  return out;
}

MachineCpu machine_cpu() {
  std::ifstream in("/proc/stat");
  std::string name;
  double user = 0, nice = 0, system = 0, idle = 0, io_wait = 0, irq = 0, soft_irq = 0, steal = 0;
  in >> name >> user >> nice >> system >> idle >> io_wait >> irq >> soft_irq >> steal;
  const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return {(user + nice + system + irq + soft_irq) / ticks_per_second, steal / ticks_per_second};
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

Histogram measure_sync(const std::filesystem::path& folder) {
  const auto path = folder / "sync";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const auto fail = [&](const char* what) {
    const int error = errno;
    if (fd >= 0) ::close(fd);
    throw std::system_error(error, std::generic_category(), what);
  };
  if (fd < 0) fail("open");
  // Allocated beforehand, as the log's segments are.
  if (::posix_fallocate(fd, 0, sync_count * sync_block_bytes) != 0) fail("posix_fallocate");
  const std::string block(sync_block_bytes, 'x');
  Histogram out;
  const auto end = std::chrono::steady_clock::now() + sync_time;
  for (int i = 0; i < sync_count && std::chrono::steady_clock::now() < end; ++i) {
    const auto began = std::chrono::steady_clock::now();
    if (::pwrite(fd, block.data(), block.size(), static_cast<off_t>(i) * static_cast<off_t>(sync_block_bytes)) !=
            static_cast<ssize_t>(block.size()) ||
        ::fdatasync(fd) != 0)
      fail("fdatasync");
    out.record(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began).count()));
  }
  ::close(fd);
  std::filesystem::remove(path);
  return out;
}

}  // namespace guildhall
