#include "projectors/log_fold.h"

#include <algorithm>

#include "events/check.h"
#include "events/codec.h"

namespace guildhall {
namespace {

// Records of the log's own machinery: decisions, inbox commands, writers. They are no events, and no read model shows them.
bool is_machinery(StreamKind kind) {
  return kind == StreamKind::decision || kind == StreamKind::inbox || kind == StreamKind::writer;
}

constexpr std::size_t recent_rows = 131'072;  // About 15 MB.

// A row that has no columns beside its key: once there, writing it again changes nothing.
bool is_presence(const Write& write) { return write.kind == WriteKind::upsert && write.table->columns.empty(); }

}  // namespace

void RecentRows::add(std::string row) {
  if (young_.size() >= capacity_ / 2) {
    old_ = std::move(young_);
    young_.clear();
  }
  young_.insert(std::move(row));
}

void RecentRows::clear() {
  young_.clear();
  old_.clear();
}

LogFold::LogFold(EventLog& log, const Projection& projection, std::vector<ShardNo> shards)
    : log_(log), projection_(projection), recent_(recent_rows) {
  for (const ShardNo shard : shards) {
    CHECK(shard < log.identity().shards);
    shards_.push_back({shard, 0, nullptr, false});
  }
}

void LogFold::start(const std::vector<Sequence>& offsets) {
  clear();
  recent_.clear();
  failures_.clear();
  for (Shard& shard : shards_) {
    shard.position = offsets.at(shard.number);
    shard.failed = false;
    shard.reader.reset();
    if (shard.position > log_.durable_end(shard.number).sequence) look_beyond(shard);
  }
}

// Another process may have written and projected more than this one knows of, as after a pause: a reader that starts there asks.
void LogFold::look_beyond(Shard& shard) {
  try {
    shard.reader = log_.read(shard.number, shard.position + 1);
  } catch (const LogError& e) {
    if (e.retryable()) throw;
    throw RowStoreError(RowStoreError::Kind::schema,
                        "rows of shard " + std::to_string(shard.number) + " are ahead of the log: its end is " +
                            std::to_string(log_.durable_end(shard.number).sequence) + ", theirs " +
                            std::to_string(shard.position),
                        "projection rebuild");
  }
}

void LogFold::clear() {
  batch_.clear();
  fresh_.clear();
  advances_.clear();
  records_ = 0;
}

void LogFold::applied() {
  for (std::string& row : fresh_) recent_.add(std::move(row));
  clear();
}

void LogFold::abandon() {
  CHECK(records_ == 1);
  for (Shard& shard : shards_)
    if (shard.number == advances_.front().shard) {
      shard.position = advances_.front().before;
      shard.failed = true;
      shard.reader.reset();
    }
  clear();
}

void LogFold::fill(std::size_t max_records) {
  // A fair share each, then what is left to whoever has more.
  const std::size_t share = std::max<std::size_t>(1, max_records / std::max<std::size_t>(1, shards_.size()));
  for (const std::size_t limit : {share, max_records})
    for (std::size_t i = 0; i < shards_.size() && records_ < max_records; ++i)
      read_shard(shards_[(next_shard_ + i) % shards_.size()], std::min(limit, max_records - records_));
  if (!shards_.empty()) next_shard_ = (next_shard_ + 1) % shards_.size();
}

void LogFold::read_shard(Shard& shard, std::size_t max_records) {
  if (shard.failed || max_records == 0) return;
  const Sequence before = shard.position;
  try {
    if (!shard.reader) shard.reader = log_.read(shard.number, shard.position + 1);
    for (std::size_t n = 0; n < max_records; ++n) {
      const Record* record = shard.reader->next();
      if (record == nullptr) break;
      const RecordHeader& at = record->header;
      if (at.sequence != shard.position + 1) {
        fail(shard, FailureKind::order, at.sequence, std::string(at.type), "expected " + std::to_string(shard.position + 1));
        break;
      }
      if (!is_machinery(at.stream.kind)) {
        if (!is_event_type(at.type)) {
          fail(shard, FailureKind::unknown_type, at.sequence, std::string(at.type), "no event of this name is known");
          break;
        }
        const auto event = decode_event(at.type, record->payload);
        if (!event) {
          fail(shard, FailureKind::decode, at.sequence, std::string(at.type), "the payload is no valid table of its type");
          break;
        }
        projection_.project(at, *event, writes_);
        for (Write& write : writes_.take()) add(std::move(write));
      }
      if (records_ == 0) first_type_ = at.type;
      last_time_ = at.time;
      shard.position = at.sequence;
      ++records_;
    }
  } catch (const RowStoreError& e) {
    if (records_ > 0) throw;
    batch_.clear();
    fail(shard, FailureKind::order, shard.position + 1, "", e.what());
  } catch (const CorruptLog& e) {
    fail(shard, FailureKind::other, shard.position + 1, "", e.what());
  } catch (const LogError& e) {
    shard.reader.reset();
    if (e.retryable()) {
      if (shard.position == before) throw;
    } else {
      fail(shard, FailureKind::other, shard.position + 1, "", e.what());
    }
  }
  if (shard.position == before) return;
  const auto known = std::find_if(advances_.begin(), advances_.end(), [&](const Advance& a) { return a.shard == shard.number; });
  if (known != advances_.end()) known->after = shard.position;
  else advances_.push_back({shard.number, before, shard.position});
}

void LogFold::add(Write write) {
  if (is_presence(write)) {
    std::string row = row_identity(write);
    if (recent_.contains(row)) return;
    fresh_.push_back(std::move(row));
  }
  batch_.add(std::move(write));
}

void LogFold::fail(Shard& shard, FailureKind kind, Sequence sequence, std::string type, std::string detail) {
  shard.failed = true;
  shard.reader.reset();
  failures_.push_back({kind, shard.number, sequence, std::move(type), std::move(detail)});
}

ProjectionFailure LogFold::first_record(FailureKind kind, std::string detail) const {
  CHECK(!advances_.empty());
  return {kind, advances_.front().shard, advances_.front().before + 1, first_type_, std::move(detail)};
}

}  // namespace guildhall
