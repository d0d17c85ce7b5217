// What the sandbox processor did, as a file that `guildhall money reconcile` reads (infra/processor_export.h), and its memory: a
// movement that stands there was made, whichever process asks for it again. Several may keep one file.
//
// It may be told to lie about rows, so that a reconciliation has something to find.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "infra/disk.h"
#include "infra/processor_export.h"

namespace guildhall {

struct JournalFault {
  enum class Kind : std::uint8_t {
    drop,       // It is not written.
    duplicate,  // It is written twice.
    alter,      // It is a cent too high.
  };
  Kind kind{};
  std::uint64_t row = 0;  // The n-th that this process notes, from 1.
  friend bool operator==(const JournalFault&, const JournalFault&) = default;
};
// "drop:3"; nothing for another text.
std::optional<JournalFault> parse_journal_fault(std::string_view text);

class SandboxJournal {
 public:
  // Makes the file, or goes on behind what is there. Throws LogError, or ExportError when the file is something else.
  explicit SandboxJournal(const std::filesystem::path& file, std::vector<JournalFault> faults = {});
  // True: it stands in the file, before or now; that outlives this process, a power failure not always. False: it could not be
  // written, and may be noted again. One thread at a time.
  bool note(const ExportRow& row);

 private:
  void catch_up();
  std::string told(const ExportRow& row) const;

  File file_;
  std::vector<JournalFault> faults_;
  std::uint64_t read_to_ = 0;  // What lies before is in made_.
  std::uint64_t rows_ = 0;     // Noted by this process.
  std::unordered_set<std::string> made_;
};

}  // namespace guildhall
