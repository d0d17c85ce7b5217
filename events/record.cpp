#include "events/record.h"

#include <cstring>
#include <utility>

#include "events/check.h"

namespace guildhall {
namespace {

constexpr std::string_view domain_tag = "GHR1";
constexpr std::size_t record_prefix_bytes = 4 + 4 + sizeof(Hash);

constexpr std::size_t padded(std::size_t n) { return (n + 7) & ~std::size_t{7}; }

template <class Integer>
void put(std::string& out, Integer value) {
  char bytes[sizeof(Integer)];
  auto rest = static_cast<std::uint64_t>(value);
  for (char& b : bytes) {
    b = static_cast<char>(rest);
    rest >>= 8;
  }
  out.append(bytes, sizeof bytes);
}
void put_text(std::string& out, std::string_view text) {
  CHECK(text.size() <= 0xffff);
  put(out, static_cast<std::uint16_t>(text.size()));
  out.append(text);
}

void append_record(std::string& out, const Hash& chain, std::string_view header_bytes, std::string_view payload) {
  put(out, static_cast<std::uint32_t>(header_bytes.size()));
  put(out, static_cast<std::uint32_t>(payload.size()));
  out.append(view(chain));
  out.append(header_bytes);
  out.resize(padded(out.size()));
  out.append(payload);
  out.resize(padded(out.size()));
}

class Input {
 public:
  explicit Input(std::string_view rest) : rest_(rest) {}
  std::string_view take(std::size_t n) {
    if (rest_.size() < n) throw CorruptLog("record header is cut short");
    const auto out = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return out;
  }
  template <class Integer>
  Integer integer() {
    const auto bytes = take(sizeof(Integer));
    std::uint64_t value = 0;
    for (std::size_t i = sizeof(Integer); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return static_cast<Integer>(value);
  }
  std::string_view text() { return take(integer<std::uint16_t>()); }
  Uuid id() { return uuid_from_bytes(take(16).data()); }
  Hash hash() {
    Hash out;
    std::memcpy(out.data(), take(out.size()).data(), out.size());
    return out;
  }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace

void encode_header(const RecordHeader& h, std::string& out) {
  out.append(domain_tag);
  put_text(out, h.platform);
  append_bytes(out, h.log_id);
  put(out, h.shard);
  put(out, h.sequence);
  put(out, h.epoch);
  put(out, h.batch_index);
  put(out, h.batch_size);
  put_text(out, name_of(h.stream.kind));
  append_bytes(out, h.stream.id);
  put(out, h.stream_version);
  append_bytes(out, h.event_id);
  put_text(out, h.type);
  out.append(view(h.schema_digest));
  put(out, h.time);
  put(out, static_cast<std::uint8_t>(h.actor_kind));
  append_bytes(out, h.actor_id);
  append_bytes(out, h.command_id);
  put_text(out, h.command_type);
  out.append(view(h.fingerprint));
  append_bytes(out, h.correlation_id);
  append_bytes(out, h.causation_id);
}

RecordHeader decode_header(std::string_view bytes) {
  Input in(bytes);
  if (in.take(domain_tag.size()) != domain_tag) throw CorruptLog("record header has an unknown domain tag");
  RecordHeader h;
  h.platform = in.text();
  h.log_id = in.id();
  h.shard = in.integer<ShardNo>();
  h.sequence = in.integer<Sequence>();
  h.epoch = in.integer<Epoch>();
  h.batch_index = in.integer<std::uint32_t>();
  h.batch_size = in.integer<std::uint32_t>();
  const auto kind_name = in.text();
  const auto kind = stream_kind(kind_name);
  if (!kind) throw CorruptLog("record header names an unknown stream kind: " + std::string(kind_name));
  h.stream.kind = *kind;
  h.stream.id = in.id();
  h.stream_version = in.integer<std::uint64_t>();
  h.event_id = in.id();
  h.type = in.text();
  h.schema_digest = in.hash();
  h.time = in.integer<Micros>();
  const auto actor = in.integer<std::uint8_t>();
  if (actor > static_cast<std::uint8_t>(ActorKind::system)) throw CorruptLog("record header names an unknown actor kind");
  h.actor_kind = static_cast<ActorKind>(actor);
  h.actor_id = in.id();
  h.command_id = in.id();
  h.command_type = in.text();
  h.fingerprint = in.hash();
  h.correlation_id = in.id();
  h.causation_id = in.id();
  if (!in.empty()) throw CorruptLog("record header is longer than its fields");
  return h;
}

Hash chain_hash(const Hash& previous, std::string_view header, std::string_view payload) {
  thread_local Sha256 sha;
  sha.start();
  sha.add(view(previous));
  sha.add(header);
  sha.add(payload);
  return sha.finish();
}

void BatchBuilder::add(const RecordHeader& header, std::string_view payload) {
  pending_.push_back({header, payloads_.size(), payload.size()});
  payloads_.append(payload);
}

Batch BatchBuilder::close(Sequence end_sequence, const Hash& end_head) {
  CHECK(!pending_.empty() && pending_.size() <= max_batch_records);
  Batch batch{.bytes = {},
              .first = end_sequence + 1,
              .count = static_cast<std::uint32_t>(pending_.size()),
              .head_before = end_head,
              .head = end_head};
  constexpr std::size_t typical_header_bytes = 384;
  batch.bytes.reserve(payloads_.size() + pending_.size() * (record_prefix_bytes + typical_header_bytes));
  std::string header_bytes;
  for (std::uint32_t i = 0; i < batch.count; ++i) {
    RecordHeader& h = pending_[i].header;
    h.sequence = batch.first + i;
    h.batch_index = i;
    h.batch_size = batch.count;
    header_bytes.clear();
    encode_header(h, header_bytes);
    const auto payload = std::string_view(payloads_).substr(pending_[i].offset, pending_[i].length);
    CHECK(header_bytes.size() + payload.size() <= max_record_bytes);
    batch.head = chain_hash(batch.head, header_bytes, payload);
    append_record(batch.bytes, batch.head, header_bytes, payload);
  }
  pending_.clear();
  payloads_.clear();
  return batch;
}

void BatchCopy::start(Sequence end_sequence, const Hash& end_head) {
  unit_ = {.bytes = {}, .first = end_sequence + 1, .count = 0, .head_before = end_head, .head = end_head, .facts = {}};
}

void BatchCopy::add(const Record& record) {
  const RecordHeader& h = record.header;
  if (h.sequence != unit_.first + unit_.count || chain_hash(unit_.head, record.header_bytes, record.payload) != record.chain)
    throw CorruptLog("shard " + std::to_string(h.shard) + ": sequence " + std::to_string(h.sequence) +
                     " does not follow what was copied, up to " + std::to_string(unit_.first + unit_.count - 1));
  append_record(unit_.bytes, record.chain, record.header_bytes, record.payload);
  unit_.head = record.chain;
  ++unit_.count;
  whole_ = h.batch_index + 1 == h.batch_size;
}

Batch BatchCopy::take() {
  CHECK(whole_ && unit_.count > 0);
  Batch out = std::move(unit_);
  start(out.last(), out.head);
  return out;
}

bool BatchCursor::next(Record& record) {
  if (rest_.empty()) return false;
  if (rest_.size() < record_prefix_bytes) throw CorruptLog("batch ends inside a record's prefix");
  Input in(rest_.substr(0, record_prefix_bytes));
  const std::size_t header_length = in.integer<std::uint32_t>();
  const std::size_t payload_length = in.integer<std::uint32_t>();
  record.chain = in.hash();
  const std::size_t payload_at = padded(record_prefix_bytes + header_length);
  if (header_length > max_record_bytes || payload_length > max_record_bytes || rest_.size() < padded(payload_at + payload_length))
    throw CorruptLog("batch ends inside a record");
  record.header_bytes = rest_.substr(record_prefix_bytes, header_length);
  record.payload = rest_.substr(payload_at, payload_length);
  record.header = decode_header(record.header_bytes);
  rest_.remove_prefix(padded(payload_at + payload_length));
  return true;
}

void RecordVerifier::check(const Record& record) {
  const RecordHeader& h = record.header;
  const auto fail = [&](const std::string& what) {
    throw CorruptLog("shard " + std::to_string(shard_) + ", sequence " + std::to_string(sequence_ + 1) + ": " + what);
  };
  if (h.platform != platform_) fail("platform is " + std::string(h.platform) + ", not " + platform_);
  if (!(h.log_id == log_id_)) fail("log id is " + to_string(h.log_id) + ", not " + to_string(log_id_));
  if (h.shard != shard_) fail("record of shard " + std::to_string(h.shard));
  if (h.sequence != sequence_ + 1) fail("found sequence " + std::to_string(h.sequence));
  if (h.epoch < epoch_) fail("epoch went back from " + std::to_string(epoch_) + " to " + std::to_string(h.epoch));
  if (h.batch_size == 0 || h.batch_size > max_batch_records) fail("batch size " + std::to_string(h.batch_size));
  const bool begins = batch_index_ == batch_size_;
  if (begins && h.batch_index != 0) {
    // A reader may start inside a batch; from there on it must be dense.
    if (batch_size_ != 0 || h.batch_index >= h.batch_size) fail("batch begins at index " + std::to_string(h.batch_index));
  } else if (!begins && (h.batch_index != batch_index_ || h.batch_size != batch_size_)) {
    fail("batch is torn at index " + std::to_string(batch_index_) + " of " + std::to_string(batch_size_));
  }
  if (chain_hash(head_, record.header_bytes, record.payload) != record.chain) fail("chain hash does not match");
  sequence_ = h.sequence;
  head_ = record.chain;
  epoch_ = h.epoch;
  batch_index_ = h.batch_index + 1;
  batch_size_ = h.batch_size;
}

void RecordVerifier::end_of_batch() const {
  if (batch_index_ != batch_size_)
    throw CorruptLog("shard " + std::to_string(shard_) + ": the log ends inside the batch of sequence " +
                     std::to_string(sequence_));
}

}  // namespace guildhall
