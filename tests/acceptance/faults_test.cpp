// The disk fails, fills up, or gives back other bytes than were written (reliability.md §4, §5).
#include <gtest/gtest.h>

#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <random>
#include <set>

#include "tests/acceptance/booking_load.h"

namespace guildhall {
namespace {

constexpr std::size_t clients = 8;
constexpr std::size_t enough_replies = 40;
constexpr int flips_a_file = 4;
constexpr int exit_mismatch = 5;  // Of the CLI: the log is not what it must be.

// ---- a sync that fails

// strace on a running process and all its threads, which makes their fdatasync fail from now on.
class FailingSyncs {
 public:
  explicit FailingSyncs(pid_t victim) {
    const std::string pid = std::to_string(victim);
    child_ = ::fork();
    if (child_ == 0) {
      const std::string out = folder_.path() / "trace";
      ::execlp("strace", "strace", "-f", "-qq", "-o", out.c_str(), "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO",
               "-p", pid.c_str(), nullptr);
      ::_exit(127);
    }
  }
  ~FailingSyncs() {
    if (ended()) return;
    ::kill(child_, SIGTERM);
    ::waitpid(child_, nullptr, 0);
  }
  // Without the right to trace, or without strace, it ends at once.
  bool ended() {
    if (child_ > 0 && ::waitpid(child_, nullptr, WNOHANG) != 0) child_ = -1;
    return child_ < 0;
  }
  // The kernel names a tracer for each thread.
  static bool traced(pid_t victim) {
    for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(victim) + "/task")) {
      std::ifstream status(thread.path() / "status");
      for (std::string line; std::getline(status, line);)
        if (line.starts_with("TracerPid:") && line.ends_with("\t0")) return false;
    }
    return true;
  }

 private:
  TemporaryFolder folder_;
  pid_t child_ = -1;
};

TEST(Faults, a_failed_sync_is_unknown_and_ends_the_process) {
  Server server;
  server.start();
  SeatSupply seats(server, 2, 10);
  std::vector<Booking> bookings;
  {
    BookingLoad load(server, seats, 1);
    ASSERT_TRUE(eventually([&] { return load.replies() >= enough_replies; }));
    bookings = load.finish();
  }
  std::vector<Reply> replies(clients);
  std::vector<Booking> last;
  {
    FailingSyncs strace(server.pid());
    ASSERT_TRUE(eventually([&] { return strace.ended() || FailingSyncs::traced(server.pid()); }));
    if (strace.ended()) GTEST_SKIP() << "strace can't be run, or may not trace here";
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < clients; ++i) last.push_back(seats.next());
    for (std::size_t i = 0; i < clients; ++i)
      threads.emplace_back([&, i] {
        HttpClient client = server.client();
        replies[i] = send_again(client, last[i]);
      });
    threads.clear();
    EXPECT_EQ(server.wait_for_end(), 1) << server.output();
  }
  std::size_t unknown = 0;
  for (const Reply& r : replies) {
    EXPECT_FALSE(r.definite()) << "answered though nothing could be made durable: " << r.status << " " << r.body;
    if (r.code() == "outcome_unknown") {
      ++unknown;
      EXPECT_EQ(r.text("command_id").size(), 36U) << r.body;
    }
  }
  EXPECT_GT(unknown, 0U) << replies.front().status << " " << replies.front().body;

  server.start();
  bookings.insert(bookings.end(), last.begin(), last.end());
  resolve(server, bookings);
  expect_exactly(server, bookings);
  EXPECT_EQ(server.stop(), 0) << server.output();
}

// ---- a disk that is full

// A file system in memory whose size can be changed while it is used.
class SmallDisk {
 public:
  explicit SmallDisk(std::filesystem::path at) : at_(std::move(at)) {
    std::filesystem::create_directories(at_);
    mounted_ = ::mount("guildhall", at_.c_str(), "tmpfs", 0, plenty) == 0;
    error_ = mounted_ ? 0 : errno;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  std::string error() const { return std::strerror(error_); }
  void fill() { resize(little); }
  void grow() { resize(plenty); }

 private:
  // Of the log's need (three segments and 512 MiB) more, and less. Memory is used only for what is written.
  static constexpr const char* plenty = "size=1200m";
  static constexpr const char* little = "size=400m";
  void resize(const char* size) {
    if (::mount("guildhall", at_.c_str(), "tmpfs", MS_REMOUNT, size) != 0)
      throw std::runtime_error(std::string("remount: ") + std::strerror(errno));
  }
  std::filesystem::path at_;
  bool mounted_ = false;
  int error_ = 0;
};

TEST(Faults, a_full_disk_refuses_commands_before_and_serves_reads) {
  TemporaryFolder folder;
  SmallDisk disk(folder.path() / "data" / "platforms");
  if (!disk.mounted()) GTEST_SKIP() << "no right to mount a small disk here: " << disk.error();
  Server server(folder.path() / "data");
  server.start();
  SeatSupply seats(server, 2, 10);
  std::vector<Booking> bookings;
  BookingLoad load(server, seats, clients);
  ASSERT_TRUE(eventually([&] { return load.replies() >= enough_replies; }));
  disk.fill();
  // Clients end at the first refusal.
  HttpClient client = server.client();
  Booking refused = seats.next();
  Reply reply;
  ASSERT_TRUE(eventually([&] {
    reply = send_again(client, refused);
    if (reply.definite()) {
      refused.reply = reply;
      bookings.push_back(refused);
      refused = seats.next();
    }
    return !reply.definite();
  }));
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.code(), "storage_full") << reply.body;
  EXPECT_FALSE(reply.header("retry-after").empty());
  EXPECT_EQ(client.get("/readyz").status, 503);
  for (Booking& b : load.finish()) bookings.push_back(std::move(b));
  for (const Booking& b : bookings) {
    if (!b.reply.answered()) continue;
    EXPECT_EQ(client
                  .get("/rest/v1/bookings?select=id&id=eq." + b.reply.text("id"),
                       {{"Consistency-Token", b.reply.header("consistency-token")}})
                  .status,
              200);
  }

  // With room again it goes on by itself: nothing was done for the one that was refused, so the retry does it.
  disk.grow();
  ASSERT_TRUE(eventually([&] { return (reply = send_again(client, refused)).definite(); })) << reply.body;
  EXPECT_EQ(reply.status, 201);
  refused.reply = reply;
  bookings.push_back(refused);
  resolve(server, bookings);
  expect_exactly(server, bookings);

  // Stopped while it is full, the folder opens again with more.
  disk.fill();
  EXPECT_EQ(server.stop(), 0) << server.output();
  disk.grow();
  server.start();
  expect_exactly(server, bookings);
  EXPECT_EQ(server.stop(), 0) << server.output();
}

// ---- bytes that changed

void flip(const std::filesystem::path& file, std::uint64_t offset) {
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekg(static_cast<std::streamoff>(offset));
  const char flipped = static_cast<char>(bytes.get() ^ 0x55);
  bytes.seekp(static_cast<std::streamoff>(offset));
  bytes.put(flipped);
  ASSERT_TRUE(bytes.good()) << file << " at " << offset;
}

std::uint64_t length_without_zeros(const std::filesystem::path& file) {
  std::string bytes(std::filesystem::file_size(file), '\0');
  std::ifstream(file, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const auto last = bytes.find_last_not_of('\0');
  return last == std::string::npos ? 0 : last + 1;
}

// A folder that was stopped, with what its commands were answered and what its state was.
class ChangedBytes : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    original = new Server;
    original->start();
    SeatSupply seats(*original, 4, 10);
    BookingLoad load(*original, seats, clients);
    ASSERT_TRUE(eventually([&] { return load.replies() >= enough_replies; }));
    bookings = new std::vector<Booking>(load.finish());
    resolve(*original, *bookings);
    ASSERT_EQ(original->stop(), 0) << original->output();
    const ToolResult told = original->run({"state", "hash"});
    hash = new std::string(told.out);
    ASSERT_EQ(told.exit_code, 0) << told.err;
  }
  static void TearDownTestSuite() {
    delete original;
    delete bookings;
    delete hash;
  }

  void SetUp() override {
    std::filesystem::copy(original->data(), folder.path() / "data", std::filesystem::copy_options::recursive);
  }

  // Whatever the server makes of the folder, an answer that it gives is the right one.
  void expect_no_wrong_answer(const std::string& what) {
    SCOPED_TRACE(what);
    if (!copy.try_start()) {
      EXPECT_GT(copy.exit_code(), 0) << "it crashed:\n" << copy.output();
      EXPECT_FALSE(copy.output().empty());
      return;
    }
    HttpClient client = copy.client();
    for (const Booking& b : *bookings) {
      const Reply again = send_again(client, b);
      if (!again.definite()) {
        EXPECT_GT(copy.wait_for_end(), 0) << "what is noticed while it serves ends it:\n" << copy.output();
        return;
      }
      EXPECT_EQ(again.identity(), b.reply.identity()) << b.key;
    }
    if (copy.running()) copy.stop();
  }

  static Server* original;
  static std::vector<Booking>* bookings;
  static std::string* hash;
  TemporaryFolder folder;
  Server copy{folder.path() / "data"};
  std::mt19937_64 random{20'26};
};
Server* ChangedBytes::original = nullptr;
std::vector<Booking>* ChangedBytes::bookings = nullptr;
std::string* ChangedBytes::hash = nullptr;

TEST_F(ChangedBytes, in_the_log_are_found_and_named) {
  constexpr int offsets = 12;
  const auto segment = copy.platform_folder() / "log" / "0000000001.segment";
  const std::uint64_t length = length_without_zeros(segment);
  ASSERT_GT(length, 4096U);
  for (int i = 0; i < offsets; ++i) {
    const std::uint64_t offset = 4096 + random() % (length - 4096);
    flip(segment, offset);
    const ToolResult verified = copy.run({"log", "verify"});
    EXPECT_EQ(verified.exit_code, exit_mismatch) << "byte " << offset << " of " << length << ": " << verified.out << verified.err;
    EXPECT_TRUE(verified.err.contains("offset") || verified.err.contains("sequence")) << verified.err;
    flip(segment, offset);
  }
  EXPECT_EQ(copy.run({"log", "verify"}).exit_code, 0);
}

TEST_F(ChangedBytes, in_the_log_after_a_crash_are_refused_at_the_start) {
  // Not stopped: everything behind the anchor is read again before anything is served.
  copy.start();
  HttpClient client = copy.client();
  const Account account = register_learner(client, "Dora");
  copy.kill();
  const auto segment = copy.platform_folder() / "log" / "0000000001.segment";
  flip(segment, length_without_zeros(segment) - 16);
  EXPECT_FALSE(copy.try_start());
  EXPECT_EQ(copy.exit_code(), exit_mismatch) << copy.output();
  EXPECT_TRUE(copy.output().contains("0000000001.segment")) << copy.output();
  EXPECT_TRUE(copy.output().contains("offset")) << copy.output();
}

TEST_F(ChangedBytes, in_the_anchor_are_survived_by_its_other_slot_or_refused) {
  const auto anchor = copy.platform_folder() / "log" / "anchor";
  flip(anchor, 40);  // The identity: there is only one.
  EXPECT_FALSE(copy.try_start());
  EXPECT_EQ(copy.exit_code(), exit_mismatch) << copy.output();
  EXPECT_TRUE(copy.output().contains("anchor")) << copy.output();
  flip(anchor, 40);
  for (const std::uint64_t slot : {1U, 2U}) {
    flip(anchor, slot * 4096 + 40);
    expect_no_wrong_answer("slot " + std::to_string(slot));
    std::filesystem::copy_file(original->platform_folder() / "log" / "anchor", anchor,
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::copy_file(original->platform_folder() / "log" / "0000000001.segment",
                               copy.platform_folder() / "log" / "0000000001.segment",
                               std::filesystem::copy_options::overwrite_existing);
  }
  flip(anchor, 4096 + 40);
  flip(anchor, 2 * 4096 + 40);
  EXPECT_FALSE(copy.try_start());
  EXPECT_EQ(copy.exit_code(), exit_mismatch) << copy.output();
  EXPECT_TRUE(copy.output().contains("both slots")) << copy.output();
}

TEST_F(ChangedBytes, in_the_state_never_reach_an_answer) {
  const auto state = copy.platform_folder() / "state";
  for (const std::string_view kind : {"CURRENT", "MANIFEST", ".sst"}) {
    std::filesystem::remove_all(state);
    std::filesystem::copy(original->platform_folder() / "state", state, std::filesystem::copy_options::recursive);
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(state)) {
      const bool wanted = entry.is_regular_file() && entry.path().filename().string().contains(kind);
      if (wanted && entry.file_size() > 0) files.push_back(entry.path());
    }
    ASSERT_FALSE(files.empty()) << kind;
    for (const auto& file : files) {
      const std::uint64_t size = std::filesystem::file_size(file);
      for (int i = 0; i < flips_a_file; ++i) flip(file, random() % size);
    }
    expect_no_wrong_answer("flipped bytes in each " + std::string(kind));
  }
}

TEST_F(ChangedBytes, a_state_that_is_gone_is_made_anew) {
  std::filesystem::remove_all(copy.platform_folder() / "state");
  const ToolResult told = copy.run({"state", "hash"});
  EXPECT_EQ(told.exit_code, 0) << told.err;
  EXPECT_EQ(told.out, *hash);
  expect_no_wrong_answer("no state");
}

}  // namespace
}  // namespace guildhall
