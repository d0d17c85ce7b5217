// A snapshot comes back as it was saved, or not at all.
#include "infra/snapshot_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace guildhall {
namespace {

class SnapshotFiles : public testing::Test {
 protected:
  SnapshotFiles() {
    std::string pattern = std::filesystem::temp_directory_path() / "guildhall_snapshot_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ / "boards";
  }
  ~SnapshotFiles() override { std::filesystem::remove_all(folder_); }

  void save(std::initializer_list<std::string_view> pieces) {
    SnapshotFile(path_).save([&](const auto& sink) {
      for (const std::string_view piece : pieces) sink(piece);
    });
  }
  std::optional<std::string> load() { return SnapshotFile(path_).load(); }

  std::filesystem::path folder_, path_;
};

TEST_F(SnapshotFiles, come_back_as_they_were_saved) {
  EXPECT_EQ(load(), std::nullopt);
  save({"one", "", "two"});
  EXPECT_EQ(load(), "onetwo");
  save({"three"});
  EXPECT_EQ(load(), "three");
  save({});
  EXPECT_EQ(load(), "");
}

TEST_F(SnapshotFiles, are_nothing_when_a_byte_is_not_as_it_was_written) {
  save({"some bytes"});
  const auto size = std::filesystem::file_size(path_);
  for (std::uintmax_t at = 0; at < size; ++at) {
    save({"some bytes"});
    {
      std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(static_cast<std::streamoff>(at));
      const char changed = static_cast<char>(file.get() ^ 0x20);
      file.seekp(static_cast<std::streamoff>(at));
      file.put(changed);
    }
    EXPECT_EQ(load(), std::nullopt) << at;
  }
  for (std::uintmax_t length = 0; length < size; ++length) {
    save({"some bytes"});
    std::filesystem::resize_file(path_, length);
    EXPECT_EQ(load(), std::nullopt) << length;
  }
}

TEST_F(SnapshotFiles, one_that_was_not_finished_leaves_the_old_one) {
  save({"old"});
  EXPECT_THROW(SnapshotFile(path_).save([](const auto& sink) {
    sink("half of the n");
    throw std::runtime_error("the process ends");
  }),
               std::runtime_error);
  EXPECT_EQ(load(), "old");
}

}  // namespace
}  // namespace guildhall
