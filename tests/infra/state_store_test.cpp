// One contract for the in-memory twin and RocksDB.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>

#include "infra/memory_state_store.h"
#include "infra/rocksdb_state_store.h"

namespace guildhall {
namespace {

struct Stores {
  RocksDbBudget budget;
  std::filesystem::path folder = std::filesystem::temp_directory_path() / ("guildhall_state_" + std::to_string(::getpid()));
  std::unique_ptr<StateStore> make(bool rocksdb) {
    if (!rocksdb) return std::make_unique<MemoryStateStore>();
    return std::make_unique<RocksDbStateStore>(folder.string(), budget);
  }
  ~Stores() {
    std::filesystem::remove_all(folder);
    std::filesystem::remove(folder.string() + ".damaged");
  }
};

class StateStoreContract : public ::testing::TestWithParam<bool> {
 public:
  Stores stores;
  std::unique_ptr<StateStore> store = stores.make(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Implementations, StateStoreContract, ::testing::Values(false, true),
                         [](const auto& test) { return test.param ? "RocksDb" : "Memory"; });

TEST_P(StateStoreContract, writes_apply_in_order_and_the_last_of_a_key_wins) {
  WriteSet w;
  w.put("a", "1");
  w.put("a", "2");
  w.put("b", "1");
  w.erase("b");
  w.put("c", "");
  store->write(w);
  EXPECT_EQ(store->get("a"), "2");
  EXPECT_EQ(store->get("b"), std::nullopt);
  EXPECT_EQ(store->get("c"), "");
  EXPECT_EQ(store->get("d"), std::nullopt);
}

TEST_P(StateStoreContract, scans_a_prefix_in_byte_order_from_a_key) {
  WriteSet w;
  const std::string high("T\xff\x01", 3);
  for (const std::string& key :
       {std::string("S1"), std::string("T"), std::string("T\0a", 3), std::string("Ta"), high, std::string("U")})
    w.put(key, key);
  store->write(w);
  std::vector<std::string> seen;
  const auto collect = [&](std::string_view key, std::string_view value) {
    EXPECT_EQ(key, value);
    seen.emplace_back(key);
    return true;
  };
  store->scan("T", {}, collect);
  EXPECT_EQ(seen, (std::vector<std::string>{"T", std::string("T\0a", 3), "Ta", high}));
  seen.clear();
  store->scan("T", "Ta", collect);
  EXPECT_EQ(seen, (std::vector<std::string>{"Ta", high}));
  seen.clear();
  store->scan("T", {}, [&](std::string_view key, std::string_view) {
    seen.emplace_back(key);
    return false;
  });
  EXPECT_EQ(seen.size(), 1u);
}

TEST_P(StateStoreContract, clear_leaves_nothing) {
  WriteSet w;
  w.put("S1", "x");
  w.put(std::string("\xfe", 1), "y");
  store->write(w);
  store->checkpoint(true);
  store->clear();
  store->scan({}, {}, [](std::string_view, std::string_view) -> bool {
    ADD_FAILURE() << "a key is left";
    return false;
  });
}

TEST_P(StateStoreContract, equals_a_map_under_random_writes) {
  const std::uint64_t seed = 7;
  std::mt19937_64 random(seed);
  std::map<std::string, std::string> model;
  for (int round = 0; round < 200; ++round) {
    WriteSet w;
    for (int i = 0; i < 20; ++i) {
      const std::string key = "k" + std::to_string(random() % 500);
      if (random() % 3 == 0) {
        w.erase(key);
        model.erase(key);
      } else {
        const std::string value(random() % 50, static_cast<char>('a' + random() % 26));
        w.put(key, value);
        model[key] = value;
      }
    }
    store->write(w);
    if (round % 50 == 0) store->checkpoint(true);
  }
  std::map<std::string, std::string> found;
  store->scan("k", {}, [&](std::string_view key, std::string_view value) {
    found.emplace(key, value);
    return true;
  });
  EXPECT_EQ(found, model) << "seed " << seed;
}

TEST(RocksDbStateStore, a_checkpoint_survives_a_new_open) {
  Stores stores;
  {
    const auto store = stores.make(true);
    WriteSet w;
    w.put("a", "1");
    store->write(w);
    store->checkpoint(true);
  }
  EXPECT_EQ(stores.make(true)->get("a"), "1");
}

// The log is the truth: a state that can't be read is made anew at the next start, not met again and again.
TEST(RocksDbStateStore, a_damaged_block_ends_the_use_and_the_next_open_begins_anew) {
  Stores stores;
  {
    const auto store = stores.make(true);
    WriteSet w;
    for (int i = 0; i < 1000; ++i) w.put("key" + std::to_string(i), std::string(100, 'x'));
    store->write(w);
    store->checkpoint(true);
  }
  for (const auto& file : std::filesystem::directory_iterator(stores.folder))
    if (file.path().extension() == ".sst") {
      std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
      bytes.seekp(2000);  // In a data block: the footer and the index stay whole, so that it opens.
      bytes << "damage";
    }
  {
    const auto store = stores.make(true);
    const auto read_all = [&] {
      for (int i = 0; i < 1000; ++i) store->get("key" + std::to_string(i));
    };
    EXPECT_THROW(read_all(), StateStoreError);
  }
  {
    const auto store = stores.make(true);
    EXPECT_EQ(store->get("key1"), std::nullopt);
    WriteSet w;
    w.put("a", "1");
    store->write(w);
    store->checkpoint(true);
  }
  EXPECT_EQ(stores.make(true)->get("a"), "1");
}

}  // namespace
}  // namespace guildhall
