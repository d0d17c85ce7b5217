#include "infra/sandbox_journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "events/event_log.h"

namespace guildhall {
namespace {

constexpr std::string_view fault_names[] = {"drop", "duplicate", "alter"};  // By JournalFault::Kind.

// Against the other processes that keep the file.
class ExclusiveUse {
 public:
  explicit ExclusiveUse(const File& file) : file_(file) {
    while (::flock(file_.fd(), LOCK_EX) != 0)
      if (errno != EINTR) throw_disk_error("cannot lock", file_.path(), errno);
  }
  ~ExclusiveUse() { ::flock(file_.fd(), LOCK_UN); }
  ExclusiveUse(const ExclusiveUse&) = delete;
  ExclusiveUse& operator=(const ExclusiveUse&) = delete;

 private:
  const File& file_;
};

std::string key_of(const ExportRow& row) { return row.processor + ' ' + row.type + ' ' + row.external_id; }

}  // namespace

std::optional<JournalFault> parse_journal_fault(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return std::nullopt;
  const std::string_view number = text.substr(colon + 1);
  JournalFault out;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), out.row);
  if (error != std::errc{} || end != number.data() + number.size() || out.row == 0) return std::nullopt;
  for (const auto kind : {JournalFault::Kind::drop, JournalFault::Kind::duplicate, JournalFault::Kind::alter})
    if (fault_names[static_cast<std::size_t>(kind)] == text.substr(0, colon)) {
      out.kind = kind;
      return out;
    }
  return std::nullopt;
}

SandboxJournal::SandboxJournal(const std::filesystem::path& file, std::vector<JournalFault> faults)
    : file_(file, O_RDWR | O_CREAT), faults_(std::move(faults)) {
  const ExclusiveUse mine(file_);
  catch_up();
}

// Takes in what other processes wrote. Whoever writes holds the lock, so a line without an end is one that a crash tore: the next
// one goes in its place.
void SandboxJournal::catch_up() {
  const std::uint64_t size = file_.size();
  if (size < read_to_) read_to_ = 0;  // Somebody cut it.
  std::string text(size - read_to_, '\0');
  text.resize(file_.read(read_to_, text.data(), text.size()));
  const std::size_t last_end = text.rfind('\n');
  text.resize(last_end == text.npos ? 0 : last_end + 1);
  if (read_to_ == 0 && text.empty()) {
    write_or_throw(system_disk(), file_, 0, export_header());
    read_to_ = export_header().size();
  } else {
    const std::uint64_t end = read_to_ + text.size();
    if (read_to_ > 0) text.insert(0, export_header());
    for (const ExportRow& row : parse_export(text)) made_.insert(key_of(row));
    read_to_ = end;
  }
  if (::ftruncate(file_.fd(), static_cast<off_t>(read_to_)) != 0) throw_disk_error("cannot cut", file_.path(), errno);
}

bool SandboxJournal::note(const ExportRow& row) {
  try {
    const ExclusiveUse mine(file_);
    catch_up();
    if (made_.contains(key_of(row))) return true;
    const std::string text = told(row);
    write_or_throw(system_disk(), file_, read_to_, text);
    read_to_ += text.size();
    made_.insert(key_of(row));
    ++rows_;
    return true;
  } catch (const LogError&) {
    return false;
  } catch (const ExportError&) {
    return false;
  }
}

std::string SandboxJournal::told(const ExportRow& row) const {
  std::string out = export_line(row);
  for (const JournalFault& fault : faults_) {
    if (fault.row != rows_ + 1) continue;
    switch (fault.kind) {
      case JournalFault::Kind::drop: return {};
      case JournalFault::Kind::duplicate: return out + out;
      case JournalFault::Kind::alter: {
        ExportRow altered = row;
        ++altered.amount_cents;
        return export_line(altered);
      }
    }
  }
  return out;
}

}  // namespace guildhall
