// Both logs that live in this process pass the one contract.
#include "infra/memory_log.h"
#include "tests/infra/event_log_contract.h"
#include "tests/infra/segment_folder.h"

namespace guildhall::test {
namespace {

class MadeMemoryLog {
 public:
  EventLog& log() { return log_; }
  void reopen() {}  // It lives as long as the process.

 private:
  MemoryLog log_{log_platform, log_id, 4};
};

template <std::uint32_t segment_bytes>
class MadeSegmentLog {
 public:
  MadeSegmentLog() { create_log(folder_, small_options(segment_bytes)), reopen(); }
  EventLog& log() { return *log_; }
  void reopen() {
    log_.reset();
    log_ = open_log(folder_, small_options(segment_bytes));
  }

 private:
  Folder folder_;
  std::unique_ptr<SegmentLog> log_;
};

// Once with everything in one segment, once with a new segment every few batches.
using Logs = testing::Types<MadeMemoryLog, MadeSegmentLog<(1 << 20)>, MadeSegmentLog<(20 << 10)>>;
INSTANTIATE_TYPED_TEST_SUITE_P(All, EventLogContract, Logs);

}  // namespace
}  // namespace guildhall::test
