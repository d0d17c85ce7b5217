#include "infra/kafka_log.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "decision_generated.h"
#include "events/check.h"
#include "events/codec.h"
#include "infra/crash_point.h"
#include "infra/json_log.h"
#include "infra/kafka_reader.h"
#include "infra/kafka_record.h"
#include "infra/kafka_topics.h"
#include "infra/kafka_transaction.h"
#include "infra/system_clock.h"

namespace guildhall {
namespace {

constexpr std::chrono::seconds read_patience{30};
constexpr int replicas_wanted = 3;
constexpr std::string_view identity_key = "log";
constexpr std::string_view owner_prefix = "shard/";
constexpr std::string_view inbox_prefix = "inbox/";  // How far a shard's inbox was consumed, as a decimal.
// Places of a writer's topics.
constexpr std::size_t events_topic = 0, inbox_topic = 1, directory_topic = 2, owners_topic = 3;

Micros elapsed_us(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - since).count();
}

std::string identity_json(const LogIdentity& identity) {
  return boost::json::serialize(boost::json::object{{"platform", identity.platform},
                                                    {"log_id", to_string(identity.log_id)},
                                                    {"shards", identity.shards},
                                                    {"generation", identity.generation}});
}

LogIdentity parse_identity(std::string_view json) {
  boost::system::error_code error;
  const auto value = boost::json::parse(json, error);
  const auto* object = error ? nullptr : value.if_object();
  const auto number = [&](std::string_view name) -> std::uint32_t {
    const auto* found = object->if_contains(name);
    const auto* n = found ? found->if_int64() : nullptr;
    return n != nullptr && *n > 0 && *n <= std::numeric_limits<std::uint32_t>::max() ? static_cast<std::uint32_t>(*n) : 0;
  };
  const auto text = [&](std::string_view name) -> std::string {
    const auto* found = object->if_contains(name);
    return found && found->is_string() ? std::string(found->get_string()) : std::string();
  };
  LogIdentity out;
  if (object != nullptr) {
    out.platform = text("platform");
    out.log_id = parse_uuid(text("log_id")).value_or(Uuid{});
    out.shards = number("shards");
    out.generation = number("generation");
  }
  if (out.platform.empty() || is_nil(out.log_id) || out.shards == 0 || out.generation == 0)
    throw CorruptLog("the owners topic holds no readable identity of the log: " + std::string(json));
  return out;
}

// Everything that a small compacted topic's one partition holds by now; what comes meanwhile may be left out.
void read_all(const std::shared_ptr<KafkaConsumers>& consumers, const std::string& topic,
              const std::function<void(std::string_view key, std::string_view value)>& visit) {
  PartitionConsumer consumer(consumers, topic, 0);
  const std::int64_t end = consumer.offsets(read_patience).high;
  consumer.start_at(0);
  const auto deadline = std::chrono::steady_clock::now() + read_patience;
  for (std::int64_t next = 0; next < end && !consumer.at_end();) {
    const KafkaMessage m = consumer.poll(std::chrono::milliseconds(100));
    if (m) next = m->offset + 1;
    if (m) visit({static_cast<const char*>(m->key), m->key_len}, {static_cast<const char*>(m->payload), m->len});
    else if (std::chrono::steady_clock::now() >= deadline)
      throw LogError("kafka: " + topic + " can't be read in time", "the brokers", true);
  }
}

std::optional<LogIdentity> read_identity(const std::shared_ptr<KafkaConsumers>& consumers, const KafkaTopics& topics) {
  std::optional<LogIdentity> out;
  read_all(consumers, topics.owners, [&](std::string_view key, std::string_view value) {
    if (key == identity_key) out = parse_identity(value);
  });
  return out;
}

TransactionTimes times_of(const KafkaOptions& options, const ClusterDescription& cluster) {
  return options.times.value_or(cluster.brokers >= replicas_wanted ? replicated_times : one_broker_times);
}

std::string writer_id(const std::string& prefix, ShardNo shard, char which) {
  return fmt::format("{}-shard-{}-{}", prefix, shard, which);
}

}  // namespace

std::optional<ShardOwner> parse_owner(std::string_view key, std::string_view value) {
  if (!key.starts_with(owner_prefix) || value.empty()) return std::nullopt;
  boost::system::error_code error;
  const auto json = boost::json::parse(value, error);
  const auto* object = error ? nullptr : json.if_object();
  const auto* shard = object ? object->if_contains("shard") : nullptr;
  const auto* epoch = object ? object->if_contains("epoch") : nullptr;
  const auto* address = object ? object->if_contains("address") : nullptr;
  if (!shard || !shard->is_int64() || !epoch || !epoch->is_int64() || !address || !address->is_string())
    throw CorruptLog("the owners topic holds an unreadable owner: " + std::string(value));
  return ShardOwner{static_cast<ShardNo>(shard->get_int64()), static_cast<Epoch>(epoch->get_int64()),
                    std::string(address->get_string())};
}

// The version in decimal, a space, the fact's bytes.
DirectoryFact parse_directory_fact(std::string_view key, std::string_view value) {
  const auto stream = parse_stream(key);
  DirectoryFact out;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out.version);
  if (!stream || error != std::errc{} || end == value.data() + value.size() || *end != ' ')
    throw CorruptLog("the directory topic holds an unreadable message");
  out.stream = *stream;
  out.value = value.substr(static_cast<std::size_t>(end - value.data()) + 1);
  return out;
}

struct KafkaLog::Shared {
  Shared(KafkaOptions o, const std::string& platform)
      : options(std::move(o)),
        topics(options.topics.empty() ? platform : options.topics),
        consumers(std::make_shared<KafkaConsumers>(options)) {}

  KafkaOptions options;
  KafkaTopics topics;
  std::shared_ptr<KafkaConsumers> consumers;
  std::string cluster;
  TransactionTimes times = one_broker_times;
  LogIdentity identity;
  std::vector<std::shared_ptr<KafkaShardTrack>> tracks;
  std::vector<std::atomic<std::uint64_t>> inbox_positions;
  std::shared_ptr<KafkaReaderCounters> reader_counters = std::make_shared<KafkaReaderCounters>();
  KafkaLogCounters counters;
  std::mutex mutex;
  std::string address;
  std::shared_mutex listener_mutex;
  std::function<void(ShardNo, Sequence)> listener;

  // Called by commit threads and by librdkafka's, of readers: whoever takes it away knows that no call is under way.
  void set_listener(std::function<void(ShardNo, Sequence)> next) {
    const std::unique_lock lock(listener_mutex);
    listener = std::move(next);
  }
  void tell(ShardNo shard, Sequence sequence) {
    const std::shared_lock lock(listener_mutex);
    if (listener) listener(shard, sequence);
  }

  void found(LogIdentity known) {
    identity = std::move(known);
    inbox_positions = std::vector<std::atomic<std::uint64_t>>(identity.shards);
    for (ShardNo n = 0; n < identity.shards; ++n) tracks.push_back(std::make_shared<KafkaShardTrack>());
  }
  std::string own_address() {
    const std::lock_guard lock(mutex);
    return address;
  }
};

// ---- writing

class KafkaLog::Writer final : public LogWriter {
 public:
  Writer(std::shared_ptr<Shared> shared, ShardNo shard)
      : shared_(std::move(shared)), shard_(shard), track_(shared_->tracks.at(shard)) {
    const auto began = std::chrono::steady_clock::now();
    const KafkaTopics& t = shared_->topics;
    // Both ids first, then the end: in between nobody else can append any more.
    const auto take_over = [&](char which) {
      return std::make_unique<TransactionalProducer>(shared_->options, shared_->times, writer_id(t.prefix, shard_, which),
                                                     std::vector{t.events, t.inbox, t.directory, t.owners});
    };
    auto second = std::async(std::launch::async, take_over, 'b');
    producers_[0] = take_over('a');
    producers_[1] = second.get();
    KafkaTail tail;
    {
      PartitionConsumer consumer(shared_->consumers, t.events, static_cast<std::int32_t>(shard_));
      tail = find_tail(consumer, shared_->identity, read_patience);
    }
    track_->reached(tail.end, tail.next_offset);
    end_ = tail.end;
    epoch_ = tail.epoch;
    // An owner that wrote nothing is known from here only.
    read_all(shared_->consumers, t.owners, [&](std::string_view key, std::string_view value) {
      if (const auto owner = parse_owner(key, value); owner && owner->shard == shard_) epoch_ = std::max(epoch_, owner->epoch);
      if (key == fmt::format("{}{}", inbox_prefix, shard_))
        shared_->inbox_positions[shard_] = std::strtoull(std::string(value).c_str(), nullptr, 10);
    });
    ++epoch_;
    // Told through the shard's own writers, so that nobody who was fenced can overwrite it; and the first transaction of each
    // is slow.
    for (auto& producer : producers_) tell_owner(*producer);
    next_ = end_;
    shared_->counters.opens.fetch_add(1, std::memory_order_relaxed);
    shared_->counters.open_us.fetch_add(static_cast<std::uint64_t>(elapsed_us(began)), std::memory_order_relaxed);
    thread_ = std::jthread([this](std::stop_token stop) {
      ::pthread_setname_np(::pthread_self(), fmt::format("commit-{}", shard_).c_str());
      run(stop);
    });
  }

  // A batch that was submitted has its outcome first: the thread looks for one after the request to stop.
  ~Writer() override { thread_.request_stop(); }

  Epoch epoch() const override { return epoch_; }
  LogEnd end() const override { return end_; }

  void submit(Batch batch, std::move_only_function<void(AppendOutcome)> done) override {
    {
      const std::lock_guard lock(mutex_);
      CHECK(!waiting_);
      CHECK(batch.first == next_.sequence + 1 && batch.head_before == next_.head);
      waiting_ = Waiting{std::move(batch), std::move(done)};
    }
    wake_.notify_all();
  }

 private:
  struct Waiting {
    Batch batch;
    std::move_only_function<void(AppendOutcome)> done;
  };

  void tell_owner(TransactionalProducer& producer) {
    const std::string key = std::string(owner_prefix) + std::to_string(shard_);
    const std::string value =
        boost::json::serialize(boost::json::object{{"shard", shard_}, {"epoch", epoch_}, {"address", shared_->own_address()}});
    AppendOutcome outcome = producer.begin();
    if (outcome == AppendOutcome::committed) {
      producer.produce({owners_topic, 0, key, value, nullptr, SystemClock().now()});
      outcome = producer.commit();
    }
    if (outcome != AppendOutcome::committed)
      throw LogError(fmt::format("kafka: shard {} can't be taken over: {}", shard_, producer.last_error()), "the brokers", true);
  }

  void run(std::stop_token stop) {
    for (;;) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, stop, [&] { return waiting_.has_value(); });
      if (!waiting_) return;
      Waiting w = std::move(*waiting_);
      lock.unlock();
      AppendOutcome outcome = commit(w.batch);
      lock.lock();
      if (outcome == AppendOutcome::committed) next_ = {w.batch.last(), w.batch.head};
      waiting_.reset();
      lock.unlock();
      if (outcome == AppendOutcome::committed) shared_->tell(shard_, w.batch.last());
      w.done(outcome);
      crash_at("log_after_outcome");
    }
  }

  AppendOutcome commit(const Batch& batch) {
    TransactionalProducer& producer = *producers_[turn_];
    // An EndTxn that librdkafka sent twice may still be on its way, and would end this transaction in place of the one before.
    if (over_ || producers_[0]->tainted() || producers_[1]->tainted())
      return ended(AppendOutcome::fenced, "a connection broke in a commit");
    turn_ = (turn_ + 1) % producers_.size();
    const auto began = std::chrono::steady_clock::now();
    if (const auto begun = producer.begin(); begun != AppendOutcome::committed) return ended(begun, producer.last_error());
    crash_at("log_before_write");
    send(producer, batch);
    crash_at("log_after_write");
    const AppendOutcome outcome = producer.commit();
    crash_at("log_after_sync");
    switch (outcome) {
      case AppendOutcome::committed:
        shared_->counters.commits.fetch_add(1, std::memory_order_relaxed);
        shared_->counters.commit_us.fetch_add(static_cast<std::uint64_t>(elapsed_us(began)), std::memory_order_relaxed);
        track_->seen(batch.first, producer.first_offset());
        track_->reached({batch.last(), batch.head}, producer.first_offset() + batch.count);
        return outcome;
      case AppendOutcome::aborted:
        shared_->counters.aborted.fetch_add(1, std::memory_order_relaxed);
        log_line(LogLevel::warning, SystemClock().now(), "a batch was aborted and is decided again",
                 {{"shard", static_cast<std::int64_t>(shard_)}, {"reason", std::string_view(producer.last_error())}});
        return outcome;
      case AppendOutcome::fenced:
      case AppendOutcome::unknown: return ended(outcome, producer.last_error());
    }
    return outcome;
  }

  AppendOutcome ended(AppendOutcome outcome, const std::string& why) {
    auto& counter = outcome == AppendOutcome::fenced ? shared_->counters.fenced : shared_->counters.unknown;
    if (!over_) counter.fetch_add(1, std::memory_order_relaxed);
    over_ = true;
    log_line(LogLevel::warning, SystemClock().now(),
             outcome == AppendOutcome::fenced ? "the writer of a shard was fenced" : "the outcome of a commit is unknown",
             {{"shard", static_cast<std::int64_t>(shard_)}, {"reason", std::string_view(why)}});
    return outcome;
  }

  void send(TransactionalProducer& producer, const Batch& batch) {
    const Micros now = SystemClock().now();
    const std::uint32_t generation = shared_->identity.generation;
    BatchCursor cursor(batch.bytes);
    Record record;
    while (cursor.next(record)) {
      const RecordHeader& h = record.header;
      producer.produce({events_topic, static_cast<std::int32_t>(shard_), to_string(h.stream), record.payload,
                        kafka_headers_of(record, generation, now), h.time});
      if (h.stream.kind != StreamKind::inbox) continue;
      const auto* command = verified<::decision::v1::InboxCommand>(record.payload);
      CHECK(command != nullptr);
      producer.produce({inbox_topic, static_cast<std::int32_t>(command->target_shard()), to_string(h.stream), record.payload,
                        kafka_headers_of(record, generation, now), h.time});
    }
    if (batch.inbox_position > 0)
      producer.produce(
          {owners_topic, 0, fmt::format("{}{}", inbox_prefix, shard_), std::to_string(batch.inbox_position), nullptr, now});
    for (const DirectoryFact& fact : batch.facts)
      producer.produce({directory_topic, static_cast<std::int32_t>(shard_), to_string(fact.stream),
                        std::to_string(fact.version) + " " + fact.value, nullptr, now});
  }

  std::shared_ptr<Shared> shared_;
  const ShardNo shard_;
  std::shared_ptr<KafkaShardTrack> track_;
  std::array<std::unique_ptr<TransactionalProducer>, 2> producers_;
  LogEnd end_;
  Epoch epoch_ = 0;

  // Of the commit thread.
  std::size_t turn_ = 0;
  bool over_ = false;

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::optional<Waiting> waiting_;
  LogEnd next_;
  std::jthread thread_;  // Last: it uses all of the above.
};

// ---- the log

KafkaLog::KafkaLog(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
KafkaLog::~KafkaLog() = default;

const LogIdentity& KafkaLog::identity() const { return shared_->identity; }
const KafkaOptions& KafkaLog::options() const { return shared_->options; }
const KafkaTopics& KafkaLog::topics() const { return shared_->topics; }
const std::string& KafkaLog::cluster_id() const { return shared_->cluster; }
const KafkaLogCounters& KafkaLog::counters() const { return shared_->counters; }
std::uint64_t KafkaLog::zombie_records() const { return shared_->reader_counters->zombie_records; }

std::uint64_t KafkaLog::inbox_position(ShardNo shard) const { return shared_->inbox_positions.at(shard); }

void KafkaLog::set_address(std::string address) {
  const std::lock_guard lock(shared_->mutex);
  shared_->address = std::move(address);
}

void KafkaLog::on_durable(std::function<void(ShardNo, Sequence)> listener) { shared_->set_listener(std::move(listener)); }

std::unique_ptr<KafkaLog> KafkaLog::open_existing(const KafkaOptions& options, const std::string& platform) {
  check_kafka_properties(options.properties);
  auto shared = std::make_shared<Shared>(options, platform);
  KafkaClient client = shared->consumers->take();
  const ClusterDescription cluster = describe_cluster(client.get(), options.connect_timeout);
  shared->cluster = cluster.id;
  shared->times = times_of(options, cluster);
  if (count_partitions(client.get(), shared->topics.owners, options.connect_timeout) == 0 ||
      count_partitions(client.get(), shared->topics.events, options.connect_timeout) == 0)
    return nullptr;
  auto identity = read_identity(shared->consumers, shared->topics);
  if (!identity) return nullptr;
  if (identity->platform != platform)
    throw LogError("kafka: " + shared->topics.owners + " is of the platform " + identity->platform + ", not " + platform,
                   "settings platform and kafka_topics", false);
  check_topics(client.get(), plan_topics(shared->topics, identity->shards), options.connect_timeout);
  shared->consumers->give_back(std::move(client));
  shared->found(std::move(*identity));
  std::unique_ptr<KafkaLog> log(new KafkaLog(std::move(shared)));
  for (ShardNo n = 0; n < log->identity().shards; ++n) log->refresh_end(n);
  return log;
}

std::unique_ptr<KafkaLog> KafkaLog::open_or_create(const KafkaOptions& options, const LogIdentity& identity) {
  if (auto existing = open_existing(options, identity.platform)) return existing;
  const KafkaTopics topics(options.topics.empty() ? identity.platform : options.topics);
  const auto consumers = std::make_shared<KafkaConsumers>(options);
  KafkaClient client = consumers->take();
  const ClusterDescription cluster = describe_cluster(client.get(), options.connect_timeout);
  const int replication = options.replication > 0              ? options.replication
                          : cluster.brokers >= replicas_wanted ? replicas_wanted
                                                               : 1;
  const auto plans = plan_topics(topics, identity.shards);
  create_topics(client.get(), plans, replication, options.connect_timeout);
  check_topics(client.get(), plans, options.connect_timeout);
  {
    // Of several that make the log at once one writes its identity: the id fences, and what stands there is looked at after.
    TransactionalProducer producer(options, times_of(options, cluster), topics.prefix + "-log", {topics.owners});
    if (!read_identity(consumers, topics)) {
      for (ShardNo n = 0; n < identity.shards; ++n)
        if (query_offsets(client.get(), topics.events, static_cast<std::int32_t>(n), options.connect_timeout).high > 0)
          throw LogError("kafka: " + topics.events + " holds records, but " + topics.owners + " no identity of the log",
                         "the owners topic was deleted: restore it, or use another platform name", false);
      AppendOutcome outcome = producer.begin();
      if (outcome == AppendOutcome::committed) {
        producer.produce({0, 0, identity_key, identity_json(identity), nullptr, SystemClock().now()});
        outcome = producer.commit();
      }
      // Fenced: another one was quicker, and its word counts.
      if (outcome == AppendOutcome::aborted || outcome == AppendOutcome::unknown)
        throw LogError("kafka: the log can't be made: " + producer.last_error(), "the brokers", true);
    }
  }
  const auto deadline = std::chrono::steady_clock::now() + options.connect_timeout;
  for (;;) {
    if (auto made = open_existing(options, identity.platform)) return made;
    if (std::chrono::steady_clock::now() >= deadline)
      throw LogError("kafka: the log was made, but can't be read", "the brokers", true);
  }
}

std::unique_ptr<LogWriter> KafkaLog::open(ShardNo shard) { return std::make_unique<Writer>(shared_, shard); }

LogEnd KafkaLog::refresh_end(ShardNo shard) {
  PartitionConsumer consumer(shared_->consumers, shared_->topics.events, static_cast<std::int32_t>(shard));
  const auto& track = shared_->tracks.at(shard);
  const KafkaOffsets offsets = consumer.offsets(read_patience);
  if (offsets.high > track->end_offset() || offsets.low > 0) {
    const KafkaTail tail = find_tail(consumer, shared_->identity, read_patience);
    track->reached(tail.end, tail.next_offset);
  }
  return track->end();
}

std::unique_ptr<LogReader> KafkaLog::read(ShardNo shard, Sequence from) {
  const auto& track = shared_->tracks.at(shard);
  if (from == 0 || (from > track->end().sequence + 1 && from > refresh_end(shard).sequence + 1))
    throw LogError(fmt::format("shard {}: read from {} starts beyond the log's end", shard, from), "position of the reader",
                   false);
  return std::make_unique<KafkaReader>(shared_->consumers, shared_->topics.events, shared_->identity, shard, from, track,
                                       shared_->reader_counters, [shared = std::weak_ptr(shared_), shard] {
                                         if (const auto log = shared.lock()) log->tell(shard, log->tracks[shard]->end().sequence);
                                       });
}

LogEnd KafkaLog::durable_end(ShardNo shard) const { return shared_->tracks.at(shard)->end(); }

}  // namespace guildhall
