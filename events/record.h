// The record: what the log stores, and the chain that makes loss, forgery and reordering visible (design: the log).
//
// Header v1, little-endian, in this order; a string is u16 length + bytes, an id its 16 bytes in text order:
//   "GHR1" · platform · log id · u32 shard · u64 sequence · u64 epoch · u32 batch index · u32 batch size · stream kind · stream
// id ·
//   u64 stream version · event id · type · 32 bytes schema digest · i64 time · u8 actor kind · actor id · command id · command
// type ·
//   32 bytes fingerprint · correlation id · causation id
// Chain: hash(n) = SHA-256(hash(n-1) ‖ header ‖ payload); hash(0) is 32 zero bytes.
//
// A batch is the records of one append unit of one shard, encoded one after the other, each padded to 8 bytes:
//   u32 header length · u32 payload length · 32 bytes chain hash · header · zeros to 8 · payload · zeros to 8
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "events/clock.h"
#include "events/ids.h"
#include "events/sha256.h"

namespace guildhall {

using Sequence = std::uint64_t;  // Dense from 1 within a shard.
using Epoch = std::uint64_t;     // Of a writer; grows with every open.

inline constexpr std::size_t max_record_bytes = 4 << 20;  // Header and payload together.
inline constexpr std::size_t max_batch_records = 16'384;
inline constexpr std::size_t max_batch_bytes = 16 << 20;

enum class ActorKind : std::uint8_t { anonymous = 0, user = 1, service = 2, system = 3 };

// The string views point into the record's bytes (reading) or at names that outlive the batch (writing).
struct RecordHeader {
  std::string_view platform;
  Uuid log_id{};
  ShardNo shard = 0;
  Sequence sequence = 0;
  Epoch epoch = 0;
  std::uint32_t batch_index = 0;
  std::uint32_t batch_size = 0;
  StreamId stream{};
  std::uint64_t stream_version = 0;
  Uuid event_id{};
  std::string_view type;
  Hash schema_digest{};
  Micros time = 0;
  ActorKind actor_kind{};
  Uuid actor_id{};
  Uuid command_id{};
  std::string_view command_type;
  Hash fingerprint{};
  Uuid correlation_id{};
  Uuid causation_id{};
};

// A record as read: views into the reader's buffer, valid until the reader moves on. The payload is 8-byte aligned.
struct Record {
  RecordHeader header;
  std::string_view header_bytes;
  std::string_view payload;
  Hash chain{};
};

// The log holds something that no writer of ours wrote, or lacks something that one did. Never retryable: the reader stops.
class CorruptLog : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void encode_header(const RecordHeader& header, std::string& out);
RecordHeader decode_header(std::string_view bytes);  // Throws CorruptLog.
Hash chain_hash(const Hash& previous, std::string_view header, std::string_view payload);

// What other processes are told of a stream with a batch: the version is the stream's, and a newer one replaces an older.
struct DirectoryFact {
  StreamId stream{};
  std::uint64_t version = 0;
  std::string value;  // As aggregates encode it.
};

// An append unit of one shard, ready for the log. A copy of a log appends several of its source's batches as one unit; what a
// batch is says the records' headers, and readers go by them.
struct Batch {
  std::string bytes;
  Sequence first = 0;
  std::uint32_t count = 0;
  Hash head_before{};                // Chain head before the first record.
  Hash head{};                       // Chain head after the last record.
  std::vector<DirectoryFact> facts;  // That changed with it; a log of one process has no use for them.
  // Behind the last inbox entry that the batch consumed, where the log has a transport for them; 0: none.
  std::uint64_t inbox_position = 0;
  Sequence last() const { return first + count - 1; }
};

// Collects records, then numbers, chains and encodes them at once: batch size and positions are only known at the close.
class BatchBuilder {
 public:
  // The payload is copied. Sequence, batch index and batch size are filled in by close().
  void add(const RecordHeader& header, std::string_view payload);
  std::size_t records() const { return pending_.size(); }
  std::size_t bytes() const { return payloads_.size(); }
  // `end` is the position after which the batch goes. Leaves the builder empty.
  Batch close(Sequence end_sequence, const Hash& end_head);

 private:
  struct Pending {
    RecordHeader header;
    std::size_t offset;
    std::size_t length;
  };
  std::vector<Pending> pending_;
  std::string payloads_;
};

// Puts records that were read together again byte for byte: headers, payloads and chain hashes as they are, so that sequences,
// event ids, epochs and batches stay what they were. For moving a log to another place.
class BatchCopy {
 public:
  // What is added follows `end_sequence`, where the chain head is `end_head`.
  BatchCopy(Sequence end_sequence, const Hash& end_head) { start(end_sequence, end_head); }
  // Throws CorruptLog when the record does not come next.
  void add(const Record& record);
  std::size_t records() const { return unit_.count; }
  std::size_t bytes() const { return unit_.bytes.size(); }
  bool whole() const { return whole_; }  // The last record ended its batch: only then the unit may be taken.
  // Leaves the copy empty, to go on behind what was taken. Not of nothing.
  Batch take();

 private:
  void start(Sequence end_sequence, const Hash& end_head);

  Batch unit_;
  bool whole_ = true;
};

// Walks the records of one batch's bytes. Throws CorruptLog where the framing is off. `bytes` must be 8-byte aligned.
class BatchCursor {
 public:
  explicit BatchCursor(std::string_view bytes) : rest_(bytes) {}
  bool next(Record& record);

 private:
  std::string_view rest_;
};

// What every reader checks on every record: it belongs to this log and shard, follows the one before, and its batch is whole.
// Throws CorruptLog with shard, sequence and what was expected.
class RecordVerifier {
 public:
  // Starts after `sequence` with chain head `head` (0 and zeros: the beginning).
  RecordVerifier(std::string platform, Uuid log_id, ShardNo shard, Sequence sequence = 0, Hash head = {})
      : platform_(std::move(platform)), log_id_(log_id), shard_(shard), sequence_(sequence), head_(head) {}
  void check(const Record& record);
  void end_of_batch() const;  // Throws unless the last batch was complete.
  Sequence sequence() const { return sequence_; }
  const Hash& head() const { return head_; }
  Epoch epoch() const { return epoch_; }

 private:
  std::string platform_;
  Uuid log_id_;
  ShardNo shard_;
  Sequence sequence_;
  Hash head_;
  Epoch epoch_ = 0;
  std::uint32_t batch_index_ = 0;
  std::uint32_t batch_size_ = 0;
};

}  // namespace guildhall
