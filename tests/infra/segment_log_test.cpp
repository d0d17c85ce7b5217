#include "infra/segment_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <random>

#include "infra/memory_log.h"
#include "tests/infra/segment_folder.h"

namespace guildhall::test {
namespace {

using Strings = std::vector<std::string>;

// A disk that fails on demand, and that forgets: lose_power() puts back, page by page and at random, what was written but not
// synced.
class FaultyDisk final : public Disk {
 public:
  int write(int fd, std::uint64_t offset, std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    if (dies()) return EIO;
    if (const int error = std::exchange(write_error_, 0)) return error;
    Unsynced u{path_of(fd), offset, std::string(bytes.size(), '\0')};
    u.before.resize(static_cast<std::size_t>(
        std::max<ssize_t>(0, ::pread(fd, u.before.data(), u.before.size(), static_cast<off_t>(offset)))));
    u.before.resize(bytes.size(), '\0');
    unsynced_.push_back(std::move(u));
    return system_disk().write(fd, offset, bytes);
  }
  int sync_data(int fd) override {
    {
      const std::lock_guard lock(mutex_);
      if (sync_error_ != 0 && !dying_ && path_of(fd).extension() != ".unfinished") {
        ++syncs_;
        return std::exchange(sync_error_, 0);
      }
    }
    return sync(fd);
  }
  int sync(int fd) override {
    const std::lock_guard lock(mutex_);
    if (dies()) return EIO;
    ++syncs_;
    std::erase_if(unsynced_, [path = path_of(fd)](const Unsynced& u) { return u.path == path; });
    return 0;  // Nothing here survives a real power loss; the test is about what would.
  }
  std::uint64_t free_bytes(const std::filesystem::path&) override { return free_bytes_; }
  std::array<char, 16> nonce() override { return system_disk().nonce(); }

  void fail_next_write(int error) { set(write_error_, error); }
  // Of what was appended: the next segment is made ready beside, and its syncs may come first.
  void fail_next_sync(int error) { set(sync_error_, error); }
  // The operation after `operations` more, and all that follow, fail.
  void die_after(std::uint64_t operations) {
    const std::lock_guard lock(mutex_);
    left_ = operations;
    dying_ = true;
  }
  int syncs() const { return syncs_; }
  std::atomic<std::uint64_t> free_bytes_{1ULL << 40};

  void lose_power(std::mt19937_64& random) {
    const std::lock_guard lock(mutex_);
    constexpr std::uint64_t page = 4096;
    std::ranges::reverse(unsynced_);
    for (const Unsynced& u : unsynced_) {
      if (!std::filesystem::exists(u.path)) continue;
      const File file(u.path, O_RDWR);
      for (std::uint64_t at = u.offset; at < u.offset + u.before.size();) {
        const std::uint64_t end = std::min(u.offset + u.before.size(), (at / page + 1) * page);
        if (random() % 2 == 0) system_disk().write(file.fd(), at, std::string_view(u.before).substr(at - u.offset, end - at));
        at = end;
      }
    }
    unsynced_.clear();
    dying_ = false;
  }

 private:
  struct Unsynced {
    std::filesystem::path path;
    std::uint64_t offset;
    std::string before;
  };
  static std::filesystem::path path_of(int fd) { return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd)); }
  bool dies() {
    if (dying_ && left_ > 0) --left_;
    else if (dying_) return true;
    return false;
  }
  void set(int& what, int error) {
    const std::lock_guard lock(mutex_);
    what = error;
  }
  std::mutex mutex_;
  std::vector<Unsynced> unsynced_;
  int write_error_ = 0, sync_error_ = 0;
  std::atomic<int> syncs_ = 0;
  bool dying_ = false;
  std::uint64_t left_ = 0;
};

class SegmentLogTest : public testing::Test {
 protected:
  Folder folder;
  FaultyDisk disk;
  SegmentLogOptions options = small_options();
  std::unique_ptr<SegmentLog> log;

  void SetUp() override {
    options.disk = &disk;
    options.space_check_interval = std::chrono::milliseconds(1);
  }
  void make(std::uint32_t shards = 1) {
    create_log(folder, options, shards);
    open(shards);
  }
  void open(std::uint32_t shards = 1) { log = open_log(folder, options, shards); }
  // As kill -9 does: no clean stop. (Every later operation fails, so the destructor can't mark one.)
  void kill() {
    disk.die_after(0);
    EXPECT_THROW(log->move_anchor(), LogError);
    log.reset();
    disk.die_after(~0ULL);
  }
  std::string segment(std::uint32_t index = 1) const { return slurp(segment_path(folder.path() / "log", index)); }
  void set_segment(const std::string& bytes, std::uint32_t index = 1) {
    spill(segment_path(folder.path() / "log", index), bytes);
  }
  // Appends, kills, and gives the offsets of the frames in the first segment.
  std::vector<std::uint32_t> three_unanchored_frames(const std::string& payload) {
    make();
    std::vector<std::uint32_t> offsets;
    Appender a(*log, 0);
    for (int i = 0; i < 3; ++i) {
      offsets.push_back(static_cast<std::uint32_t>(end_of_content(segment())));
      EXPECT_EQ(a.append({payload + std::to_string(i)}), AppendOutcome::committed);
    }
    offsets[0] = segment_header_bytes;
    kill();
    offsets.push_back(static_cast<std::uint32_t>(end_of_content(segment())));
    return offsets;
  }
  static std::size_t end_of_content(const std::string& bytes) { return bytes.find_last_not_of('\0') + 1; }
  std::string corruption() {
    try {
      open();
    } catch (const CorruptLog& e) {
      return e.what();
    }
    return "";
  }
};

TEST_F(SegmentLogTest, a_clean_stop_needs_no_repair) {
  make();
  Appender(*log, 0).append({"one"});
  log.reset();
  open();
  EXPECT_TRUE(log->recovery().clean);
  EXPECT_EQ(log->recovery().frames_rewritten, 0u);
  EXPECT_EQ(read_payloads(*log, 0), Strings{"one"});
}

TEST_F(SegmentLogTest, after_a_kill_frames_beyond_the_anchor_are_synced_again_before_anything_is_served) {
  three_unanchored_frames("p");
  const int before = disk.syncs();
  open();
  EXPECT_FALSE(log->recovery().clean);
  EXPECT_EQ(log->recovery().frames_rewritten, 3u);
  EXPECT_EQ(log->recovery().bytes_cut, 0u);
  EXPECT_GE(disk.syncs() - before, 2);
  EXPECT_EQ(read_payloads(*log, 0), (Strings{"p0", "p1", "p2"}));
}

// A copy's records carry epochs of another log's writers.
TEST_F(SegmentLogTest, a_raised_epoch_stays_below_all_later_ones) {
  constexpr Epoch foreign = 1000;
  make();
  log->raise_epoch(foreign);
  log->raise_epoch(3);  // Never lowered.
  EXPECT_GT(log->open(0)->epoch(), foreign);
  log.reset();
  open();
  EXPECT_GT(log->open(0)->epoch(), foreign + 1);
}

TEST_F(SegmentLogTest, epochs_grow_over_clean_and_unclean_stops_and_damaged_anchor_slots) {
  make();
  Epoch last = 0;
  for (int i = 0; i < 6; ++i) {
    Appender a(*log, 0);
    EXPECT_GT(a.writer().epoch(), last);
    last = a.writer().epoch();
    a.append({"x"});
    if (i % 2 == 0) log.reset();
    else kill();
    open();
  }
}

TEST_F(SegmentLogTest, moving_the_anchor_shortens_the_repair) {
  make();
  Appender a(*log, 0);
  a.append({"one"});
  log->move_anchor();
  a.append({"two"});
  kill();
  open();
  EXPECT_EQ(log->recovery().frames_rewritten, 1u);
}

TEST_F(SegmentLogTest, refuses_a_second_writer_another_platform_other_shards_and_a_second_creation) {
  make(2);
  EXPECT_THROW(open_log(folder, options, 2), LogError);
  EXPECT_THROW(create_log(folder, options, 2), LogError);
  log.reset();
  EXPECT_THROW(open_log(folder, options, 3), LogError);
  EXPECT_THROW(SegmentLog::open(folder.path(), "techfix", 2, options), LogError);
  EXPECT_THROW(SegmentLog::open(folder.path() / "nowhere", log_platform, 2, options), LogError);
  EXPECT_NO_THROW(open(2));
}

TEST_F(SegmentLogTest, refuses_a_segment_of_another_log) {
  make();
  log.reset();
  const Folder other;
  SegmentLog::create(other.path(), {log_platform, Uuid(7, 7), 1, 1}, options);
  set_segment(slurp(segment_path(other.path() / "log", 1)));
  EXPECT_NE(corruption(), "");
}

TEST_F(SegmentLogTest, rolls_over_and_reads_across_segments) {
  options.segment_bytes = 20 << 10;
  make(4);
  std::map<ShardNo, Strings> expected;
  {
    std::vector<Appender> appenders;
    for (ShardNo shard = 0; shard < 4; ++shard) appenders.emplace_back(*log, shard);
    for (int i = 0; i < 100; ++i) {
      const auto shard = static_cast<ShardNo>(i % 3);
      const std::string payload = std::to_string(i) + std::string(1000, 'x');
      ASSERT_EQ(appenders[shard].append({payload}), AppendOutcome::committed);
      expected[shard].push_back(payload);
    }
  }
  for (const bool clean : {true, false}) {
    for (ShardNo shard = 0; shard < 4; ++shard) {
      EXPECT_EQ(read_payloads(*log, shard), expected[shard]);
      for (const std::ptrdiff_t from : {2, 17, 33}) {
        if (shard == 3) continue;
        EXPECT_EQ(read_payloads(*log, shard, static_cast<Sequence>(from)),
                  Strings(expected[shard].begin() + from - 1, expected[shard].end()));
      }
    }
    EXPECT_GT(list_segments(folder.path() / "log").size(), 8u);
    if (clean) log.reset();
    else log->move_anchor(), log.reset();
    open(4);
  }
}

TEST_F(SegmentLogTest, a_batch_larger_than_a_segment_is_aborted) {
  options.segment_bytes = 16 << 10;
  make();
  Appender a(*log, 0);
  EXPECT_EQ(a.append({std::string(20'000, 'x')}), AppendOutcome::aborted);
  EXPECT_EQ(a.append({"small"}), AppendOutcome::committed);
}

// ---- the tail rule

TEST_F(SegmentLogTest, a_torn_tail_is_cut_and_reported) {
  const auto at = three_unanchored_frames(std::string(3000, 'p'));
  std::string bytes = segment();
  const std::size_t sector = (at[2] + 1024) / 512 * 512;
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(sector), 512, '\0');
  set_segment(bytes);
  open();
  EXPECT_EQ(log->recovery().bytes_cut, at[3] - at[2]);
  EXPECT_NE(log->recovery().cut_at.find("offset " + std::to_string(at[2])), std::string::npos) << log->recovery().cut_at;
  EXPECT_FALSE(log->recovery().accepted_loss);
  EXPECT_EQ(log->durable_end(0).sequence, 2u);
  EXPECT_EQ(Appender(*log, 0).append({"goes on"}), AppendOutcome::committed);
  log.reset();
  open();
  EXPECT_EQ(log->durable_end(0).sequence, 3u);
}

TEST_F(SegmentLogTest, a_tail_whose_first_page_never_landed_is_cut) {
  const auto at = three_unanchored_frames(std::string(9000, 'p'));
  std::string bytes = segment();
  const std::size_t page = (at[2] / 4096 + 1) * 4096;
  std::fill(bytes.begin() + at[2], bytes.begin() + static_cast<std::ptrdiff_t>(page), '\0');
  set_segment(bytes);
  open();
  EXPECT_EQ(log->recovery().bytes_cut, at[3] - at[2]);
  EXPECT_EQ(log->durable_end(0).sequence, 2u);
}

TEST_F(SegmentLogTest, a_file_that_ends_inside_the_last_frame_is_torn) {
  const auto at = three_unanchored_frames(std::string(3000, 'p'));
  set_segment(segment().substr(0, at[3] - 100));
  open();
  EXPECT_EQ(log->durable_end(0).sequence, 2u);
  EXPECT_EQ(segment().size(), options.segment_bytes);
}

TEST_F(SegmentLogTest, damage_with_a_valid_frame_behind_it_is_refused_by_name_and_offset) {
  const auto at = three_unanchored_frames(std::string(3000, 'p'));
  std::string bytes = segment();
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>((at[1] + 1024) / 512 * 512), 512, '\0');  // As torn as can be.
  set_segment(bytes);
  const std::string what = corruption();
  EXPECT_NE(what.find("0000000001.segment, offset " + std::to_string(at[1])), std::string::npos) << what;
  EXPECT_EQ(segment(), bytes);  // Refusing changes nothing.
  options.accept_loss = true;
  open();
  EXPECT_TRUE(log->recovery().accepted_loss);
  EXPECT_EQ(log->recovery().bytes_cut, at[3] - at[1]);
  EXPECT_EQ(read_payloads(*log, 0).size(), 1u);
}

TEST_F(SegmentLogTest, a_changed_last_frame_that_was_not_torn_is_refused) {
  // Zeros that the client sent are no sign of a torn write.
  const auto at = three_unanchored_frames(std::string(3000, '\0'));
  std::string bytes = segment();
  bytes[at[3] - 20] = static_cast<char>(bytes[at[3] - 20] ^ 1);
  set_segment(bytes);
  EXPECT_NE(corruption().find("offset " + std::to_string(at[2])), std::string::npos);
}

TEST_F(SegmentLogTest, refuses_when_the_log_ends_before_the_anchor) {
  make();
  Appender a(*log, 0);
  a.append({"one"});
  const std::string short_log = segment();
  a.append({"two"});
  log->move_anchor();
  kill();
  set_segment(short_log);
  EXPECT_NE(corruption().find("anchor"), std::string::npos);
  options.accept_loss = true;
  open();
  EXPECT_TRUE(log->recovery().accepted_loss);
  EXPECT_EQ(read_payloads(*log, 0), Strings{"one"});
}

TEST_F(SegmentLogTest, a_frame_damaged_after_a_clean_stop_is_found_by_its_reader_and_cut_only_when_the_loss_is_accepted) {
  make();
  Appender a(*log, 0);
  a.append({"one"});
  a.append({std::string(1000, 'x')});
  log.reset();
  std::string bytes = segment();
  const std::size_t end = bytes.find_last_not_of('\0') + 1;
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(end - 100), 100, '\0');
  set_segment(bytes);
  open();
  EXPECT_TRUE(log->recovery().clean);
  EXPECT_THROW(read_payloads(*log, 0), CorruptLog);
  log.reset();
  options.accept_loss = true;
  open();
  EXPECT_TRUE(log->recovery().accepted_loss);
  EXPECT_EQ(read_payloads(*log, 0), Strings{"one"});
}

TEST_F(SegmentLogTest, refuses_a_missing_segment) {
  options.segment_bytes = 16 << 10;
  make();
  Appender a(*log, 0);
  for (int i = 0; i < 40; ++i) a.append({std::string(1500, 'x')});
  log.reset();
  const auto path = segment_path(folder.path() / "log", 2);
  const std::string bytes = slurp(path);
  std::filesystem::remove(path);
  EXPECT_NE(corruption().find("0000000002.segment is missing"), std::string::npos);
}

// ---- every byte

// Each byte of each file flipped in turn, after a clean stop and after a kill: the log is refused, or gives exactly what was
// committed. It may be shorter only by what lies beyond the anchor, and says so then.
TEST_F(SegmentLogTest, no_flipped_byte_is_ever_served) {
  options.segment_bytes = 40 << 10;  // Less than half of it is used, so that no open prepares another
  for (const bool clean : {true, false}) {
    std::filesystem::remove_all(folder.path() / "log");
    make();
    Strings expected;
    {
      Appender a(*log, 0);
      for (int i = 0; i < 4; ++i) {
        expected.push_back(std::to_string(i) + std::string(i == 2 ? 9000u : 300u, i == 1 ? '\0' : 'x'));
        ASSERT_EQ(a.append({expected.back()}), AppendOutcome::committed);
      }
    }
    if (clean) log.reset();
    else kill();
    const Folder good;
    std::filesystem::copy(folder.path() / "log", good.path() / "log", std::filesystem::copy_options::recursive);
    int refused = 0, served = 0;
    std::map<std::string, std::string> files;
    for (const auto& f : std::filesystem::directory_iterator(good.path() / "log")) files[f.path().filename()] = slurp(f.path());
    for (const auto& [name, bytes] : files)
      for (std::size_t i = 0; i < bytes.size();) {
        std::string bad = bytes;
        bad[i] = static_cast<char>(bad[i] ^ 0x21);
        spill(folder.file(name), bad);
        try {
          open();
          const Strings got = read_payloads(*log, 0);
          ASSERT_LE(got.size(), expected.size());
          ASSERT_TRUE(
              std::ranges::equal(got, Strings(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(got.size()))));
          if (got.size() < expected.size()) {
            ASSERT_FALSE(clean) << name << " " << i;
            ASSERT_GT(log->recovery().bytes_cut, 0u) << name << " " << i;
          }
          ++served;
        } catch (const CorruptLog&) {
          ++refused;
        }
        if (log) disk.die_after(0), log.reset(), disk.die_after(~0ULL);
        for (const auto& [original, content] : files) spill(folder.file(original), content);
        // Every byte that is not zero, every 61st of those that are, and of the long runs of x.
        do ++i;
        while (i < bytes.size() && i % 61 != 0 && (bytes[i] == 0 || bytes[i] == 'x'));
      }
    EXPECT_GT(refused, 100);
    EXPECT_GT(served, 10);
  }
}

// ---- errors

TEST_F(SegmentLogTest, a_failed_sync_is_unknown_and_the_log_takes_nothing_more) {
  make(2);
  std::string told;
  log->on_failure([&](const std::string& what) { told = what; });
  Appender a(*log, 0), b(*log, 1);
  a.append({"one"});
  disk.fail_next_sync(EIO);
  EXPECT_EQ(a.append({"two"}), AppendOutcome::unknown);
  const int syncs = disk.syncs();
  EXPECT_EQ(b.append({"other shard"}), AppendOutcome::unknown);
  EXPECT_EQ(disk.syncs(), syncs);  // Never tried again.
  EXPECT_NE(told.find("sync of"), std::string::npos);
  EXPECT_EQ(log->failure(), told);
  EXPECT_FALSE(log->admits());
  EXPECT_EQ(log->durable_end(0).sequence, 1u);
  EXPECT_EQ(read_payloads(*log, 0), Strings{"one"});  // Readable is not durable.
  EXPECT_THROW(log->open(0), LogError);
  log.reset();
  open(2);
  EXPECT_FALSE(log->recovery().clean);
  EXPECT_EQ(read_payloads(*log, 0), (Strings{"one", "two"}));  // The reopen tells.
}

TEST_F(SegmentLogTest, a_failed_write_is_unknown) {
  make();
  Appender a(*log, 0);
  disk.fail_next_write(ENOSPC);
  EXPECT_EQ(a.append({"one"}), AppendOutcome::unknown);
  EXPECT_TRUE(log->failure());
  log.reset();
  open();
  EXPECT_EQ(log->durable_end(0).sequence, 0u);
}

TEST_F(SegmentLogTest, admits_nothing_while_the_disk_is_nearly_full) {
  options.min_free_bytes = 1 << 20;
  disk.free_bytes_ = (1 << 20) + 3 * options.segment_bytes - 1;
  make();
  EXPECT_FALSE(log->admits());
  EXPECT_EQ(Appender(*log, 0).append({"what was decided still fits"}), AppendOutcome::committed);
  disk.free_bytes_ = (1 << 20) + 3 * options.segment_bytes;
  while (!log->admits()) std::this_thread::yield();
}

TEST_F(SegmentLogTest, waits_for_the_next_segment_instead_of_tearing) {
  options.segment_bytes = 16 << 10;
  make();
  Appender a(*log, 0);
  for (int i = 0; i < 30; ++i) {
    if (i == 10) disk.fail_next_write(ENOSPC);  // Meets a frame or the segment in preparation.
    const AppendOutcome outcome = a.append({std::string(1500, 'x')});
    ASSERT_NE(outcome, AppendOutcome::aborted);
    if (outcome == AppendOutcome::unknown) break;
  }
  const Sequence end = log->durable_end(0).sequence;
  log.reset();
  open();
  EXPECT_GE(log->durable_end(0).sequence, end);
}

// ---- power loss

// Power goes at a random operation; pages that were not synced land or not, one by one. What was told committed is there, what is
// there was submitted, and the log goes on.
TEST_F(SegmentLogTest, power_loss_at_any_operation_loses_nothing_committed) {
  const std::uint64_t seed = 20'240'607;
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  options.segment_bytes = 32 << 10;
  create_log(folder, options, 2);
  Strings submitted[2];
  std::size_t committed[2] = {0, 0};
  for (int cycle = 0; cycle < 60; ++cycle) {
    try {
      open(2);
      disk.die_after(random() % 40);
      for (int i = 0; i < 12; ++i) {
        const auto shard = static_cast<ShardNo>(random() % 2);
        Appender a(*log, shard);
        submitted[shard].resize(a.end().sequence);
        const std::string payload =
            std::to_string(cycle) + "/" + std::to_string(i) + std::string(random() % 7000, random() % 2 != 0 ? '\0' : 'x');
        submitted[shard].push_back(payload);
        if (a.append({payload}) != AppendOutcome::committed) break;
        committed[shard] = submitted[shard].size();
      }
    } catch (const LogError&) {
    }
    log.reset();
    disk.lose_power(random);
    open(2);
    for (ShardNo shard : {0u, 1u}) {
      const Strings got = read_payloads(*log, shard);
      ASSERT_GE(got.size(), committed[shard]) << "cycle " << cycle;
      ASSERT_LE(got.size(), submitted[shard].size()) << "cycle " << cycle;
      submitted[shard].resize(got.size());
      ASSERT_TRUE(got == submitted[shard]) << "cycle " << cycle;
      committed[shard] = got.size();
    }
    log.reset();
  }
}

// ---- reading commands

TEST_F(SegmentLogTest, a_read_only_log_follows_a_live_writer_up_to_the_durable_mark) {
  options.segment_bytes = 16 << 10;
  make(2);
  Appender a(*log, 1);
  a.append({"one"});
  const auto beside = SegmentLog::open_read_only(folder.path());
  EXPECT_EQ(beside->identity().platform, log_platform);
  const auto reader = beside->read(1, 1);
  EXPECT_EQ(read_payloads(*reader), Strings{"one"});
  Strings more;
  for (int i = 0; i < 40; ++i) {
    more.push_back(std::to_string(i) + std::string(1000, 'x'));
    a.append({more.back()});
  }
  EXPECT_EQ(read_payloads(*reader), more);
  EXPECT_EQ(beside->durable_end(1).sequence, 41u);
  EXPECT_EQ(beside->durable_end(1).head, a.end().head);
  disk.fail_next_sync(EIO);
  a.append({"readable, not durable"});
  EXPECT_EQ(reader->next(), nullptr);
  EXPECT_FALSE(beside->admits());
  EXPECT_THROW(beside->open(0), LogError);
  log.reset();
  EXPECT_EQ(read_payloads(*SegmentLog::open_read_only(folder.path()), 1).size(), 41u);
}

// ---- against the twin

TEST_F(SegmentLogTest, ten_thousand_random_batches_read_as_from_the_twin) {
  const std::uint64_t seed = 4711;
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  options.segment_bytes = 1 << 20;
  make(3);
  MemoryLog twin(log_platform, log_id, 3);
  std::vector<std::unique_ptr<LogWriter>> writers;
  std::vector<std::unique_ptr<LogWriter>> twin_writers;
  std::vector<LogEnd> ends(3);
  for (ShardNo shard = 0; shard < 3; ++shard) {
    writers.push_back(log->open(shard));
    twin_writers.push_back(twin.open(shard));
  }
  for (int i = 0; i < 10'000;) {
    std::vector<std::future<AppendOutcome>> outcomes;
    for (ShardNo shard = 0; shard < 3; ++shard) {
      if (random() % 4 == 0) continue;
      BatchBuilder builder;
      for (std::uint64_t n = 0; n <= random() % 3; ++n)
        builder.add(record_header(shard, 9, n), std::string(random() % 300, static_cast<char>(random())));
      const Batch batch = builder.close(ends[shard].sequence, ends[shard].head);
      ends[shard] = {batch.last(), batch.head};
      auto outcome = std::make_shared<std::promise<AppendOutcome>>();
      outcomes.push_back(outcome->get_future());
      writers[shard]->submit(batch, [outcome](AppendOutcome o) { outcome->set_value(o); });
      twin_writers[shard]->submit(batch, [](AppendOutcome) {});
      ++i;
    }
    for (auto& outcome : outcomes) ASSERT_EQ(outcome.get(), AppendOutcome::committed);
  }
  const auto same_from = [&](ShardNo shard, Sequence from) {
    const auto a = log->read(shard, from);
    const auto b = twin.read(shard, from);
    for (;;) {
      const Record* x = a->next();
      const Record* y = b->next();
      ASSERT_EQ(x == nullptr, y == nullptr);
      if (x == nullptr) return;
      ASSERT_EQ(x->header_bytes, y->header_bytes);
      ASSERT_EQ(x->payload, y->payload);
      ASSERT_EQ(x->chain, y->chain);
    }
  };
  for (const bool reopened : {false, true}) {
    for (ShardNo shard = 0; shard < 3; ++shard) {
      same_from(shard, 1);
      same_from(shard, 1 + random() % ends[shard].sequence);
      EXPECT_EQ(log->durable_end(shard).head, twin.durable_end(shard).head);
    }
    if (reopened) break;
    writers.clear();
    log.reset();
    open(3);
  }
}

}  // namespace
}  // namespace guildhall::test
