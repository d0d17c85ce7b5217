#include "infra/kafka_reader.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <cstring>

#include "infra/kafka_record.h"

namespace guildhall {
namespace {

constexpr std::size_t idle_consumers = 4;
// For what is certainly there: the broker may be changing its leader.
constexpr std::chrono::seconds arrival_patience{30};
constexpr std::chrono::milliseconds poll_slice{100};
constexpr std::size_t recent_records = 4096;
constexpr std::size_t max_places = 65'536;        // Of a shard: 2^28 records at the usual spacing.
constexpr Sequence near_enough = 2048;            // Records that are read through rather than jumped over.
constexpr std::int64_t first_tail_offsets = 256;  // Read backwards from the end, then more and more.

std::size_t words_for(std::size_t bytes) { return (bytes + 7) / 8; }

std::chrono::milliseconds until(std::chrono::steady_clock::time_point deadline) {
  return std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
}

}  // namespace

// ---- consumers

KafkaClient KafkaConsumers::take(Fetch fetch) {
  {
    const std::lock_guard lock(mutex_);
    auto& idle = idle_[static_cast<std::size_t>(fetch)];
    if (!idle.empty()) {
      KafkaClient out = std::move(idle.back());
      idle.pop_back();
      return out;
    }
  }
  if (fetch == Fetch::much) return make_kafka_consumer(options_);
  return make_kafka_consumer(options_, {{"fetch.message.max.bytes", "16384"}});
}

void KafkaConsumers::give_back(KafkaClient consumer, Fetch fetch) {
  const std::lock_guard lock(mutex_);
  auto& idle = idle_[static_cast<std::size_t>(fetch)];
  if (idle.size() < idle_consumers) idle.push_back(std::move(consumer));
}

namespace {
void on_arrival(rd_kafka_t*, void* arrived) { (*static_cast<std::function<void()>*>(arrived))(); }
}  // namespace

void KafkaQueueClose::operator()(rd_kafka_queue_s* queue) const { rd_kafka_queue_destroy(queue); }

PartitionConsumer::PartitionConsumer(std::shared_ptr<KafkaConsumers> consumers, const std::string& topic, std::int32_t partition,
                                     std::function<void()> arrived, KafkaConsumers::Fetch fetch)
    : consumers_(std::move(consumers)),
      partition_(partition),
      fetch_(fetch),
      arrived_(std::move(arrived)),
      client_(consumers_->take(fetch)),
      topic_(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr)),
      queue_(rd_kafka_queue_new(client_.get())) {
  if (arrived_) rd_kafka_queue_cb_event_enable(queue_.get(), on_arrival, &arrived_);
}

PartitionConsumer::~PartitionConsumer() {
  stop();
  if (arrived_) rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr);
  queue_.reset();
  topic_.reset();
  consumers_->give_back(std::move(client_), fetch_);
}

void PartitionConsumer::stop() {
  if (started_) rd_kafka_consume_stop(topic_.get(), partition_);
  started_ = false;
}

void PartitionConsumer::start_at(std::int64_t offset) {
  stop();
  end_.reset();
  if (rd_kafka_consume_start_queue(topic_.get(), partition_, offset, queue_.get()) != 0)
    throw LogError(std::string("kafka: ") + rd_kafka_topic_name(topic_.get()) + ": " + rd_kafka_err2str(rd_kafka_last_error()),
                   "the brokers", true);
  started_ = true;
}

KafkaMessage PartitionConsumer::poll(std::chrono::milliseconds timeout) {
  KafkaMessage message(rd_kafka_consume_queue(queue_.get(), static_cast<int>(std::max<std::int64_t>(timeout.count(), 0))));
  if (!message) {
    rd_kafka_poll(client_.get(), 0);  // Errors that are told apart from messages.
    return message;
  }
  switch (message->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: end_.reset(); return message;
    case RD_KAFKA_RESP_ERR__PARTITION_EOF: end_ = message->offset; return nullptr;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      throw LogError(
          fmt::format("kafka: {}[{}]: {}", rd_kafka_topic_name(topic_.get()), partition_, rd_kafka_message_errstr(message.get())),
          "the topic: whether it was deleted, made anew, or cut by retention", false);
    // The client would go on behind what it can't read.
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:
      throw CorruptLog(fmt::format("{}[{}] offset {}: {}", rd_kafka_topic_name(topic_.get()), partition_, message->offset,
                                   rd_kafka_message_errstr(message.get())));
    default: return nullptr;  // The client goes on by itself.
  }
}

KafkaOffsets PartitionConsumer::offsets(std::chrono::milliseconds timeout) {
  return query_offsets(client_.get(), rd_kafka_topic_name(topic_.get()), partition_, timeout);
}

// ---- what is known of a shard

LogEnd KafkaShardTrack::end() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

std::int64_t KafkaShardTrack::end_offset() const {
  const std::lock_guard lock(mutex_);
  return end_offset_;
}

void KafkaShardTrack::reached(const LogEnd& end, std::int64_t next_offset) {
  const std::lock_guard lock(mutex_);
  if (end.sequence > end_.sequence) end_ = end;
  end_offset_ = std::max(end_offset_, next_offset);
}

void KafkaShardTrack::seen(Sequence sequence, std::int64_t offset) {
  if (offset < 0) return;
  const std::lock_guard lock(mutex_);
  const auto next = places_.upper_bound(sequence);
  if (next != places_.begin() && sequence - std::prev(next)->first < spacing) return;
  if (next != places_.end() && next->first - sequence < spacing) return;
  if (places_.size() < max_places) places_.emplace_hint(next, sequence, offset);
}

KafkaShardTrack::Place KafkaShardTrack::at_or_before(Sequence sequence) const {
  const std::lock_guard lock(mutex_);
  const auto next = places_.upper_bound(sequence);
  return next == places_.begin() ? Place{0, 0} : Place{std::prev(next)->first, std::prev(next)->second};
}

std::optional<KafkaShardTrack::Place> KafkaShardTrack::after(Sequence sequence) const {
  const std::lock_guard lock(mutex_);
  const auto next = places_.upper_bound(sequence);
  if (next != places_.end()) return Place{next->first, next->second};
  if (end_.sequence >= sequence) return Place{end_.sequence, end_offset_ - 1};
  return std::nullopt;
}

// ---- the reader

KafkaReader::KafkaReader(const std::shared_ptr<KafkaConsumers>& consumers, const std::string& topic, const LogIdentity& identity,
                         ShardNo shard, Sequence from, std::shared_ptr<KafkaShardTrack> track,
                         std::shared_ptr<KafkaReaderCounters> counters, std::function<void()> arrived)
    : identity_(identity),
      shard_(shard),
      from_(from),
      track_(std::move(track)),
      counters_(std::move(counters)),
      consumer_(consumers, topic, static_cast<std::int32_t>(shard), std::move(arrived)) {
  if (from_ == 1) {
    verifier_.emplace(identity_.platform, identity_.log_id, shard_);
    start_at(0);
  } else {
    PartitionConsumer probe(consumers, topic, static_cast<std::int32_t>(shard), {}, KafkaConsumers::Fetch::little);
    find_start(probe);
  }
}

void KafkaReader::start_at(std::int64_t offset) {
  started_at_ = offset;
  consumer_.start_at(offset);
}

// Offsets have holes (each commit takes one), so the record before `from` is searched: between two places that are known, by
// turns where it should lie if the holes are even, and in the middle, which bounds the search when they are not; until it is
// near enough to read on.
void KafkaReader::find_start(PartitionConsumer& probe) {
  const Sequence wanted = from_ - 1;
  auto low = track_->at_or_before(wanted);
  auto high = track_->after(wanted);
  for (bool even = true;
       high && wanted - low.sequence > near_enough && high->offset - low.offset > static_cast<std::int64_t>(near_enough);
       even = !even) {
    const double part =
        even ? static_cast<double>(wanted - low.sequence) / static_cast<double>(high->sequence - low.sequence) : 0.5;
    const auto span = static_cast<double>(high->offset - low.offset);
    // A little before: reading on is cheap, jumping back is not.
    auto guess = low.offset + static_cast<std::int64_t>(part * span) - static_cast<std::int64_t>(even ? near_enough / 4 : 0);
    guess = std::clamp(guess, low.offset + 1, high->offset - 1);
    counters_->probes.fetch_add(1, std::memory_order_relaxed);
    probe.start_at(guess);
    const auto deadline = std::chrono::steady_clock::now() + arrival_patience;
    KafkaMessage message;
    while (!message && !probe.at_end()) {
      if (std::chrono::steady_clock::now() >= deadline) throw LogError("kafka: the brokers do not answer", "the brokers", true);
      message = probe.poll(poll_slice);
    }
    if (!message) {
      high = KafkaShardTrack::Place{high->sequence, guess};
      continue;
    }
    const Record found = record_of(*message, identity_.generation);
    if (found.header.sequence <= wanted) low = {found.header.sequence, message->offset};
    else high = KafkaShardTrack::Place{found.header.sequence, guess};
  }
  start_at(low.offset);
}

const Record* KafkaReader::next() {
  for (;;) {
    while (at_ < batch_.size() && whole_) {
      const Kept& k = batch_[at_++];
      if (k.sequence < from_) continue;
      const char* bytes = reinterpret_cast<const char*>(words_.data());
      record_.header_bytes = {bytes + k.header_at, k.header_length};
      record_.header = decode_header(record_.header_bytes);  // Its texts point into the bytes.
      record_.payload = {bytes + k.payload_at, k.payload_length};
      record_.chain = k.chain;
      return &record_;
    }
    if (whole_) {
      batch_.clear();
      used_words_ = 0;
      at_ = 0;
      whole_ = false;
    }
    if (!collect()) return nullptr;
  }
}

// Until a batch is whole: false at the durable end.
bool KafkaReader::collect() {
  const auto deadline = std::chrono::steady_clock::now() + arrival_patience;
  for (;;) {
    // More is certainly there: what this process wrote, or the rest of a batch.
    const Sequence known = verifier_ ? verifier_->sequence() : based_ ? from_ - 1 : 0;
    const bool owed = !batch_.empty() || known < track_->end().sequence;
    const KafkaMessage message = consumer_.poll(owed ? std::min(until(deadline), poll_slice) : std::chrono::milliseconds(0));
    if (message) {
      if (take(*message)) return true;
      continue;
    }
    if (consumer_.at_end() && !batch_.empty()) verifier_->end_of_batch();  // Throws: a transaction is visible as a whole.
    if (!owed) return false;
    if (std::chrono::steady_clock::now() >= deadline)
      throw LogError(fmt::format("kafka: shard {}: the brokers give nothing after sequence {}, though the log goes to {}", shard_,
                                 known, track_->end().sequence),
                     "the brokers", true);
  }
}

// True when it ends a batch.
bool KafkaReader::take(const rd_kafka_message_s& message) {
  const Record record = record_of(message, identity_.generation);
  const RecordHeader& h = record.header;
  const Epoch highest = verifier_ ? std::max(verifier_->epoch(), base_epoch_) : base_epoch_;
  if (h.epoch < highest) {
    counters_->zombie_records.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  if (!verifier_) {
    if (h.sequence < from_) {
      if (h.sequence == from_ - 1) {
        base_ = record.chain;
        based_ = true;
      }
      base_epoch_ = h.epoch;
      remember(h.sequence, record.chain);
      return false;
    }
    const bool follows = based_ && h.sequence == from_ && chain_hash(base_, record.header_bytes, record.payload) == record.chain;
    if (!follows && started_at_ > 0) {
      // The search believes every record that it finds, and a zombie's leads it astray: from the beginning nothing does.
      based_ = false;
      base_epoch_ = 0;
      recent_.clear();
      start_at(0);
      return false;
    }
    if (!based_)
      throw CorruptLog(fmt::format("shard {}: sequence {} is missing before offset {}", shard_, from_ - 1, message.offset));
    verifier_.emplace(identity_.platform, identity_.log_id, shard_, from_ - 1, base_);
  }
  if (h.sequence <= verifier_->sequence()) {
    const auto same = std::find_if(recent_.rbegin(), recent_.rend(), [&](const auto& r) { return r.first == h.sequence; });
    if (same == recent_.rend() || same->second != record.chain)
      throw CorruptLog(fmt::format("shard {}: the log forks at sequence {}: offset {} holds another record than the one before",
                                   shard_, h.sequence, message.offset));
    counters_->duplicate_records.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  verifier_->check(record);
  keep(record);
  remember(h.sequence, record.chain);
  track_->seen(h.sequence, message.offset);
  whole_ = h.batch_index + 1 == h.batch_size;
  if (whole_) track_->reached({verifier_->sequence(), verifier_->head()}, message.offset + 1);
  return whole_;
}

void KafkaReader::remember(Sequence sequence, const Hash& chain) {
  recent_.emplace_back(sequence, chain);
  if (recent_.size() > recent_records) recent_.pop_front();
}

void KafkaReader::keep(const Record& record) {
  const std::size_t header_words = words_for(record.header_bytes.size());
  const std::size_t payload_words = words_for(record.payload.size());
  const std::size_t needed = used_words_ + header_words + payload_words;
  if (words_.size() < needed) words_.resize(std::max(needed, words_.size() * 2));
  char* bytes = reinterpret_cast<char*>(words_.data());
  const std::size_t header_at = used_words_ * 8, payload_at = (used_words_ + header_words) * 8;
  std::memcpy(bytes + header_at, record.header_bytes.data(), record.header_bytes.size());
  if (!record.payload.empty()) std::memcpy(bytes + payload_at, record.payload.data(), record.payload.size());
  used_words_ = needed;
  batch_.push_back(
      {record.header.sequence, header_at, record.header_bytes.size(), payload_at, record.payload.size(), record.chain});
}

KafkaTail find_tail(PartitionConsumer& consumer, const LogIdentity& identity, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const KafkaOffsets offsets = consumer.offsets(timeout);
  if (offsets.low > 0)
    throw CorruptLog(
        fmt::format("the topic {}.events begins at offset {}: its beginning was deleted", identity.platform, offsets.low));
  KafkaTail tail{{}, 0, offsets.high};
  bool whole = true;
  for (std::int64_t window = first_tail_offsets; tail.end.sequence == 0 && offsets.high > 0; window *= 8) {
    const std::int64_t begin = std::max<std::int64_t>(0, offsets.high - window);
    consumer.start_at(begin);
    // As far as the end that was asked for: one that is written to all the time is never reached.
    std::int64_t next = begin;
    while (!consumer.at_end() && (next < offsets.high || !whole)) {
      const KafkaMessage message = consumer.poll(std::min(until(deadline), poll_slice));
      if (!message) {
        if (std::chrono::steady_clock::now() >= deadline)
          throw LogError("kafka: the end of " + identity.platform + ".events can't be read in time", "the brokers", true);
        continue;
      }
      next = message->offset + 1;
      const Record record = record_of(*message, identity.generation);
      if (!(record.header.log_id == identity.log_id))
        throw CorruptLog("the topic " + identity.platform + ".events holds another log: " + to_string(record.header.log_id));
      // Of one writer the newest; a newer writer's word counts whatever an older one's says.
      const RecordHeader& h = record.header;
      const bool newer = h.epoch > tail.epoch;
      if (h.epoch < tail.epoch || (!newer && h.sequence < tail.end.sequence)) continue;
      if (!newer && h.sequence == tail.end.sequence && record.chain != tail.end.head)
        throw CorruptLog(fmt::format("shard {}: the log forks at sequence {}, offset {}", h.shard, h.sequence, message->offset));
      tail.epoch = h.epoch;
      tail.end = {h.sequence, record.chain};
      whole = h.batch_index + 1 == h.batch_size;
      tail.next_offset = std::max(tail.next_offset, next);
    }
    if (begin == 0) break;
  }
  // What a writer appended to a torn batch nobody could read.
  if (!whole)
    throw CorruptLog(
        fmt::format("{}.events: the log ends inside the batch of sequence {}", identity.platform, tail.end.sequence));
  return tail;
}

}  // namespace guildhall
