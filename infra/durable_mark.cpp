#include "infra/durable_mark.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "events/check.h"

namespace guildhall {
namespace {

constexpr std::size_t mark_bytes = 8;
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && sizeof(std::atomic<std::uint64_t>) == mark_bytes);

std::uint64_t pack(LogPosition p) { return std::uint64_t{p.segment} << 32 | p.offset; }
LogPosition unpack(std::uint64_t v) { return {static_cast<std::uint32_t>(v >> 32), static_cast<std::uint32_t>(v)}; }

std::atomic<std::uint64_t>* map(const File& file, int protection) {
  void* at = ::mmap(nullptr, mark_bytes, protection, MAP_SHARED, file.fd(), 0);
  if (at == MAP_FAILED) throw_disk_error("cannot map", file.path(), errno);
  return static_cast<std::atomic<std::uint64_t>*>(at);
}

}  // namespace

DurableMark::DurableMark(std::atomic<std::uint64_t>* shared, bool owner, LogPosition position)
    : own_(pack(position)), shared_(shared), owner_(owner) {}
DurableMark::DurableMark(DurableMark&& other) noexcept
    : own_(other.own_.load()), shared_(std::exchange(other.shared_, nullptr)), owner_(other.owner_) {}
DurableMark::~DurableMark() {
  if (shared_ != nullptr) ::munmap(shared_, mark_bytes);
}

DurableMark DurableMark::own(const std::filesystem::path& path, LogPosition position, Disk& disk) {
  const File file(path, O_RDWR | O_CREAT);
  const std::uint64_t packed = pack(position);
  // Written and synced once, so that a later store into the mapping never has to find space on the disk.
  write_or_throw(disk, file, 0, {reinterpret_cast<const char*>(&packed), sizeof packed});
  sync_or_throw(disk, file);
  return {map(file, PROT_READ | PROT_WRITE), true, position};
}

DurableMark DurableMark::follow(const std::filesystem::path& path, LogPosition at_least) {
  if (!std::filesystem::exists(path)) return {nullptr, false, at_least};
  const File file(path, O_RDONLY);
  return {file.size() < mark_bytes ? nullptr : map(file, PROT_READ), false, at_least};
}

void DurableMark::publish(LogPosition position) {
  CHECK(owner_);
  own_.store(pack(position), std::memory_order_release);
  shared_->store(pack(position), std::memory_order_release);
}

LogPosition DurableMark::position() const {
  std::uint64_t at = own_.load(std::memory_order_acquire);
  if (!owner_ && shared_ != nullptr) at = std::max(at, shared_->load(std::memory_order_acquire));
  return unpack(at);
}

}  // namespace guildhall
