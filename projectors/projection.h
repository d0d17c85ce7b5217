// What a projection is: a pure function from one record to row writes.
#pragma once

#include "events/catalogue.h"
#include "events/record.h"
#include "projectors/row_store.h"

namespace guildhall {

// The place of a record as rows carry it. 16 bits of shard, 48 of sequence: shards are at most 4,096.
inline std::int64_t position_of(const RecordHeader& header) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(header.shard) << 48 | header.sequence);
}

// Appends the writes that the event causes, in order. Never throws for an event that an aggregate made, never looks outside.
using Project = void (*)(const RecordHeader& at, const AnyEvent& event, Writes& out);

// The Project of a platform that shows these aggregates, such as booking::Event: each of their events must have a `project`. Of
// others the platform has none, or none that anybody reads.
template <class... Aggregates>
void project_events(const RecordHeader& at, const AnyEvent& event, Writes& out) {
  visit(
      [&]<class E>(const E& e) {
        if constexpr ((is_one_of<E, Aggregates> || ...)) project(at, e, out);
      },
      event);
}

// A set of read models that share their offsets.
struct Projection {
  std::string_view name;  // "tutoring": also the schema that clients read.
  std::span<const Table* const> tables;
  Project project;
  // Tables that are made of the rows of those, not of events, by the function derive() of their schema (RowStore::derive). They
  // are in no dump and no comparison, and a rebuilt generation begins without their rows.
  std::span<const std::string_view> derived = {};
};

// What makes a projection's tables in PostgreSQL: its scripts of sql/<platform>, embedded in the binary.
struct ProjectionSql {
  std::string_view roles;
  std::string_view auth;
  std::string_view control;
  std::string_view tables;  // Into the schema that search_path names; so do the next two.
  std::string_view indexes;
  std::string_view policies;
  std::string_view views;  // Over <platform>_rm, into <platform>.
};

// Absent texts are empty in events and NULL in rows.
inline Value text_or_null(const std::string& text) { return text.empty() ? Value{} : Value{storable(text)}; }
inline Value texts(std::vector<std::string> all) {
  for (std::string& text : all) text = storable(std::move(text));
  return all;
}
inline Value id_or_null(const Uuid& id) { return is_nil(id) ? Value{} : Value{id}; }

}  // namespace guildhall
