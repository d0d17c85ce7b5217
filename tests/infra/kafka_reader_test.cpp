// What a reader of the Kafka log believes: everything that our writers leave behind, and nothing else. On a real broker, with a
// writer that does what ours never would (kafka.md §2).
#include "infra/kafka_reader.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "tests/infra/kafka_platform.h"
#include "tests/infra/raw_writer.h"

namespace guildhall::test {
namespace {

using Strings = std::vector<std::string>;
constexpr std::chrono::seconds patience{20};

class KafkaReading : public testing::Test {
 protected:
  KafkaReading() : log_(KafkaLog::open_or_create(kafka_options(), identity_of(2))) {}

  const std::string& topic() const { return log_->topics().events; }
  RawWriter raw(const std::string& name = "raw") { return {kafka_options(), topic(), log_platform + "-" + name}; }

  // After `end`, which moves.
  static Batch batch(LogEnd& end, Epoch epoch, const Strings& payloads, const Uuid& log = log_id) {
    BatchBuilder builder;
    for (std::size_t i = 0; i < payloads.size(); ++i) {
      RecordHeader h = record_header(0, epoch, end.sequence + i + 1);
      h.log_id = log;
      h.time = 1'600'000'000'000'000;
      h.actor_id = log_id;
      builder.add(h, payloads[i]);
    }
    Batch out = builder.close(end.sequence, end.head);
    end = {out.last(), out.head};
    return out;
  }

  // Of a process that knows nothing but where the shard ends.
  std::unique_ptr<KafkaReader> reader(Sequence from = 1, std::optional<Sequence> end = {}) {
    const auto track = std::make_shared<KafkaShardTrack>();
    const KafkaOffsets offsets = PartitionConsumer(consumers_, topic(), 0).offsets(patience);
    track->reached({end.value_or(end_.sequence), {}}, offsets.high);
    return std::make_unique<KafkaReader>(consumers_, topic(), log_->identity(), 0, from, track, counters_, [] {});
  }
  Strings read(Sequence from = 1) { return read_payloads(*reader(from)); }

  void expect_corrupt(const std::string& words, Sequence from = 1, std::optional<Sequence> end = {}) {
    try {
      read_payloads(*reader(from, end));
      ADD_FAILURE() << "read on, where it should say: " << words;
    } catch (const CorruptLog& e) {
      EXPECT_NE(std::string(e.what()).find(words), std::string::npos) << e.what();
    }
  }

  OwnPlatform platform_;
  std::unique_ptr<KafkaLog> log_;
  std::shared_ptr<KafkaConsumers> consumers_ = std::make_shared<KafkaConsumers>(kafka_options());
  std::shared_ptr<KafkaReaderCounters> counters_ = std::make_shared<KafkaReaderCounters>();
  LogEnd end_;  // Of the honest log.
};

TEST_F(KafkaReading, drops_and_counts_what_a_zombie_wrote) {
  RawWriter w = raw();
  w.commit(batch(end_, 1, {"one", "two"}));
  LogEnd zombie_end = end_;
  w.commit(batch(end_, 2, {"three"}));
  w.commit(batch(zombie_end, 1, {"zombie", "zombie"}));  // On from where it stood.
  w.commit(batch(end_, 2, {"four"}));
  w.begin();
  const Batch five = batch(end_, 2, {"five", "six"});
  w.send(five, 0, 1);
  w.send(batch(zombie_end, 1, {"zombie"}));
  w.send(five, 1);
  w.commit();
  const Strings all{"one", "two", "three", "four", "five", "six"};
  EXPECT_EQ(read(), all);
  EXPECT_EQ(counters_->zombie_records, 3u);
  for (Sequence from = 1; from <= end_.sequence; ++from)
    EXPECT_EQ(read(from), Strings(all.begin() + static_cast<std::ptrdiff_t>(from) - 1, all.end())) << from;
}

TEST_F(KafkaReading, a_zombie_at_the_end_does_not_move_the_end) {
  RawWriter w = raw();
  LogEnd zombie_end;
  w.commit(batch(end_, 7, {"one"}));
  w.commit(batch(zombie_end, 6, {"zombie", "zombie", "zombie"}));
  EXPECT_EQ(log_->refresh_end(0).sequence, 1u);
  EXPECT_EQ(log_->open(0)->end().head, end_.head);
  EXPECT_EQ(log_->open(0)->epoch(), 9u);
}

// The search for a start meets the zombie's records first.
TEST_F(KafkaReading, a_zombie_does_not_lead_the_search_astray) {
  RawWriter w = raw();
  const Strings many(4000, "x");
  LogEnd zombie_end;
  zombie_end.sequence = 100;
  w.commit(batch(end_, 2, many));
  w.commit(batch(end_, 2, many));
  w.commit(batch(zombie_end, 1, many));
  w.commit(batch(end_, 2, many));
  for (const Sequence from : {4500u, 7900u, 8001u, 8500u, 12'000u}) {
    const auto r = reader(from);
    const Record* first = r->next();
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(first->header.sequence, from);
  }
}

TEST_F(KafkaReading, skips_and_counts_duplicates) {
  RawWriter w = raw();
  const Batch one = batch(end_, 1, {"one", "two", "three"});
  const Batch two = batch(end_, 1, {"four", "five"});
  w.commit(one);
  w.commit(one);
  w.begin();
  w.send(two, 0, 1);
  w.send(two, 0, 1);
  w.send(two);
  w.commit();
  w.commit(one, 1, 2);
  w.commit(batch(end_, 1, {"six"}));
  EXPECT_EQ(read(), (Strings{"one", "two", "three", "four", "five", "six"}));
  EXPECT_EQ(counters_->duplicate_records, 6u);
  EXPECT_EQ(read(3), (Strings{"three", "four", "five", "six"}));
  EXPECT_EQ(read(5), (Strings{"five", "six"}));
  EXPECT_EQ(read(6), Strings{"six"});
}

TEST_F(KafkaReading, stops_at_a_fork) {
  RawWriter w = raw();
  w.commit(batch(end_, 1, {"one"}));
  LogEnd other = end_;
  w.commit(batch(end_, 1, {"two"}));
  w.commit(batch(other, 1, {"another two"}));
  // A commit is told before its marker, which makes it visible, is in the partition: three records, three markers.
  ASSERT_TRUE(eventually([&] { return PartitionConsumer(consumers_, topic(), 0).offsets(patience).high == 6; }));
  expect_corrupt("forks at sequence 2");
  EXPECT_THROW(log_->refresh_end(0), CorruptLog);
  EXPECT_THROW(log_->open(0), CorruptLog);
}

TEST_F(KafkaReading, stops_where_a_new_writer_did_not_see_the_end) {
  RawWriter w = raw();
  w.commit(batch(end_, 1, {"one"}));
  LogEnd other = end_;
  w.commit(batch(end_, 1, {"two"}));
  w.commit(batch(other, 2, {"another two", "three"}));
  expect_corrupt("forks at sequence 2", 1, 3);
}

TEST_F(KafkaReading, stops_at_a_gap) {
  RawWriter w = raw();
  w.commit(batch(end_, 1, {"one"}));
  const Batch lost = batch(end_, 1, {"two"});
  w.commit(batch(end_, 1, {"three"}));
  expect_corrupt("found sequence 3");
  expect_corrupt("sequence 2 is missing", 3);
  expect_corrupt("found sequence 3", 2);
}

TEST_F(KafkaReading, stops_at_a_batch_that_is_torn_at_the_end) {
  RawWriter w = raw();
  w.commit(batch(end_, 1, {"one", "two", "three"}), 0, 2);
  expect_corrupt("ends inside the batch");
  // Nobody appends behind it.
  EXPECT_THROW(log_->refresh_end(0), CorruptLog);
  EXPECT_THROW(log_->open(0), CorruptLog);
}

TEST_F(KafkaReading, stops_at_a_batch_that_is_torn_where_the_next_begins) {
  RawWriter w = raw();
  Batch torn = batch(end_, 1, {"one", "two", "three"});
  w.commit(torn, 0, 2);
  BatchCursor cursor(torn.bytes);
  Record record;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(cursor.next(record));
  end_ = {2, record.chain};
  w.commit(batch(end_, 1, {"three"}));
  expect_corrupt("batch is torn at index 2 of 3");
}

TEST_F(KafkaReading, stops_at_what_the_chain_does_not_prove) {
  RawWriter w = raw();
  w.commit(batch(end_, 1, {"one"}));
  const Batch two = batch(end_, 1, {"pay 10"});
  BatchCursor cursor(two.bytes);
  Record record;
  ASSERT_TRUE(cursor.next(record));
  w.begin();
  w.send(record, {.payload = "pay 99"});
  w.commit();
  expect_corrupt("chain hash");
  expect_corrupt("chain hash", 2);
}

TEST_F(KafkaReading, stops_at_a_record_of_another_log) {
  RawWriter w = raw();
  w.commit(batch(end_, 1, {"one"}, Uuid(1, 2)));
  expect_corrupt("log id is");
  EXPECT_THROW(log_->refresh_end(0), CorruptLog);
  EXPECT_THROW(log_->open(0), CorruptLog);
}

TEST_F(KafkaReading, stops_at_a_foreign_message) {
  RawWriter w = raw();
  w.commit(batch(end_, 1, {"one"}));
  w.begin();
  w.send(0, "key", "hello");
  w.commit();
  expect_corrupt("without headers", 1, 2);
  EXPECT_THROW(log_->open(0), CorruptLog);
}

// Nobody is shown one thing while the chain proves another.
TEST_F(KafkaReading, refuses_a_message_whose_headers_say_something_else) {
  RawWriter w = raw();
  const Batch one = batch(end_, 1, {"one"});
  BatchCursor cursor(one.bytes);
  Record record;
  ASSERT_TRUE(cursor.next(record));
  std::vector<RawWriter::Forgery> forgeries;
  rd_kafka_headers_t* honest = kafka_headers_of(record, 1, 1'000'000);
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t length = 0;
  for (std::size_t i = 0; rd_kafka_header_get_all(honest, i, &name, &value, &length) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
    // The time of the append is told, not proved.
    if (std::string_view(name) != "ce_recordedtime") forgeries.push_back({.header = name, .value = "x"});
  rd_kafka_headers_destroy(honest);
  EXPECT_EQ(forgeries.size(), 23u);
  forgeries.push_back({.key = "booking/another"});
  forgeries.push_back({.partition = 1});
  forgeries.push_back({.headers = false});
  w.begin();
  for (const auto& f : forgeries) w.send(record, f);
  w.send(record);
  w.commit();
  std::size_t refused = 0, taken = 0;
  for (const std::int32_t partition : {0, 1}) {
    PartitionConsumer consumer(consumers_, topic(), partition);
    consumer.start_at(0);
    while (!consumer.at_end())
      if (const KafkaMessage m = consumer.poll(std::chrono::milliseconds(100))) {
        try {
          EXPECT_EQ(record_of(*m, 1).chain, record.chain);
          ++taken;
        } catch (const CorruptLog& e) {
          EXPECT_NE(std::string(e.what()).find(topic() + "["), std::string::npos) << e.what();
          ++refused;
        }
      }
  }
  EXPECT_EQ(refused, forgeries.size());
  EXPECT_EQ(taken, 1u);
}

TEST_F(KafkaReading, never_sees_what_was_aborted) {
  RawWriter w = raw();
  w.commit(batch(end_, 1, {"one"}));
  LogEnd gone = end_;
  w.begin();
  w.send(batch(gone, 1, {"never", "never"}));
  w.abort();
  EXPECT_EQ(read(), Strings{"one"});
  EXPECT_EQ(log_->refresh_end(0).sequence, 1u);
  w.commit(batch(end_, 1, {"two", "three"}));
  EXPECT_EQ(read(), (Strings{"one", "two", "three"}));
  EXPECT_EQ(read(3), Strings{"three"});
  EXPECT_EQ(read(4), Strings{});
}

TEST_F(KafkaReading, waits_at_a_dead_writers_open_transaction_until_it_is_taken_over) {
  RawWriter dead = raw("shard-0-a");
  dead.commit(batch(end_, 1, {"one"}));
  LogEnd gone = end_;
  dead.begin();
  dead.send(batch(gone, 1, {"never"}));
  dead.flush();
  RawWriter other = raw("shard-0-b");  // Its other id does not help: what it commits lies behind.
  other.commit(batch(end_, 1, {"two"}));
  const auto r = reader(1, 1);
  EXPECT_EQ(read_payloads(*r), Strings{"one"});
  EXPECT_EQ(r->next(), nullptr);
  const auto writer = log_->open(0);
  EXPECT_EQ(writer->end().sequence, 2u);
  EXPECT_TRUE(eventually([&] {
    const Record* record = r->next();
    return record != nullptr && record->payload == "two";
  }));
  EXPECT_EQ(r->next(), nullptr);
}

TEST_F(KafkaReading, refuses_a_topic_whose_beginning_was_deleted) {
  RawWriter w = raw();
  w.commit(batch(end_, 1, {"one", "two"}));
  w.commit(batch(end_, 1, {"three"}));
  {
    const KafkaClient client = consumers_->take();
    rd_kafka_topic_partition_list_t* before = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(before, topic().c_str(), 0)->offset = 3;
    rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(before);
    rd_kafka_queue_t* queue = rd_kafka_queue_new(client.get());
    rd_kafka_DeleteRecords(client.get(), &request, 1, nullptr, queue);
    rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 30'000);
    ASSERT_NE(event, nullptr);
    EXPECT_EQ(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteRecords_destroy(request);
    rd_kafka_topic_partition_list_destroy(before);
  }
  try {
    read();
    ADD_FAILURE() << "read on";
  } catch (const LogError& e) {
    EXPECT_FALSE(e.retryable()) << e.what();
    EXPECT_NE(e.hint().find("retention"), std::string::npos) << e.hint();
  }
  EXPECT_THROW(log_->refresh_end(0), CorruptLog);
  EXPECT_THROW(log_->open(0), CorruptLog);
  EXPECT_THROW(KafkaLog::open_existing(kafka_options(), log_platform), CorruptLog);
}

// Random batches, and holes of random sizes between them: wherever a reader starts, it finds its record, after few probes.
TEST_F(KafkaReading, finds_every_start_in_a_log_of_many_holes) {
  const auto seed = static_cast<unsigned>(std::chrono::steady_clock::now().time_since_epoch().count());
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const auto up_to = [&](std::size_t most) { return 1 + random() % most; };
  constexpr Sequence records = 20'000;
  RawWriter w = raw();
  std::vector<Sequence> firsts;
  while (end_.sequence < records) {
    // Now many small batches, of which markers take half the offsets, now few large ones; and aborted ones that leave a hole.
    const std::size_t largest = random() % 4 == 0 ? 2000 : 40;
    firsts.push_back(end_.sequence + 1);
    w.commit(batch(end_, 1, Strings(up_to(largest), "x")));
    if (random() % 4 != 0) continue;
    LogEnd gone = end_;
    w.begin();
    w.send(batch(gone, 1, Strings(up_to(random() % 8 == 0 ? 9000 : 30), "y")));
    w.abort();
  }
  std::vector<Sequence> starts{1, 2, end_.sequence - 1, end_.sequence};
  for (int i = 0; i < 15; ++i) starts.push_back(up_to(end_.sequence));
  for (int i = 0; i < 15; ++i) starts.push_back(firsts[random() % firsts.size()]);
  const auto offsets = PartitionConsumer(consumers_, topic(), 0).offsets(patience).high;
  std::uint64_t most = 0;
  for (const Sequence from : starts) {
    const std::uint64_t before = counters_->probes;
    const auto r = reader(from);
    const Record* first = r->next();
    ASSERT_NE(first, nullptr) << from;
    ASSERT_EQ(first->header.sequence, from);
    most = std::max(most, counters_->probes - before);
  }
  // Every second probe halves the offsets that are left.
  EXPECT_LE(most, 2 * std::bit_width(static_cast<std::uint64_t>(offsets)));
  EXPECT_EQ(read(end_.sequence + 1), Strings{});
  const auto whole = reader();
  Sequence n = 0;
  while (const Record* record = whole->next()) ASSERT_EQ(record->header.sequence, ++n);
  EXPECT_EQ(n, end_.sequence);
  RecordProperty("offsets", static_cast<int>(offsets));
  RecordProperty("most_probes", static_cast<int>(most));
}

TEST_F(KafkaReading, the_end_is_found_without_reading_the_log) {
  RawWriter w = raw();
  for (int i = 0; i < 10; ++i) w.commit(batch(end_, 1, Strings(2000, "x")));
  const auto track = std::make_shared<KafkaShardTrack>();
  const auto high = PartitionConsumer(consumers_, topic(), 0).offsets(patience).high;
  track->reached(end_, high);
  KafkaReader r(consumers_, topic(), log_->identity(), 0, end_.sequence + 1, track, counters_, [] {});
  EXPECT_GE(counters_->probes, 1u);
  EXPECT_LE(counters_->probes, 3u);
  EXPECT_EQ(r.next(), nullptr);
  w.commit(batch(end_, 1, {"more"}));
  EXPECT_TRUE(eventually([&] {
    const Record* record = r.next();
    return record != nullptr && record->payload == "more";
  }));
}

TEST_F(KafkaReading, the_largest_record_and_the_largest_batches_come_back) {
  Appender a(*log_, 1);
  const std::size_t header_room = 1024;
  const std::string largest(max_record_bytes - header_room, 'r');
  ASSERT_EQ(a.append({largest}), AppendOutcome::committed);
  ASSERT_EQ(a.append(Strings(max_batch_bytes / max_record_bytes, largest)), AppendOutcome::committed);
  ASSERT_EQ(a.append(Strings(max_batch_records, "n")), AppendOutcome::committed);
  const auto r = log_->read(1, 1);
  Sequence n = 0;
  while (const Record* record = r->next()) {
    ASSERT_EQ(record->header.sequence, ++n);
    ASSERT_EQ(record->payload, n <= 1 + max_batch_bytes / max_record_bytes ? largest : "n");
  }
  EXPECT_EQ(n, a.end().sequence);
}

// What a process that joins a busy platform does first.
TEST_F(KafkaReading, finds_the_end_of_a_log_that_never_rests) {
  RawWriter w = raw();
  w.commit(batch(end_, 1, {"one", "two"}));
  const Sequence before = end_.sequence;
  std::jthread busy([&](std::stop_token stop) {
    while (!stop.stop_requested()) w.commit(batch(end_, 1, {"more", "and more"}));
  });
  PartitionConsumer consumer(consumers_, topic(), 0);
  for (int i = 0; i < 5; ++i) {
    const KafkaTail tail = find_tail(consumer, log_->identity(), std::chrono::seconds(2));
    EXPECT_GE(tail.end.sequence, before);
    EXPECT_EQ(tail.end.sequence % 2, 0u) << "a batch's half";
  }
}

}  // namespace
}  // namespace guildhall::test
