#include "projectors/xp_gains.h"

#include "events/codec.h"

namespace guildhall {

std::optional<XpGain> xp_gain(const Record& record) {
  const RecordHeader& at = record.header;
  if (at.type != type_name<learner::XpGranted>()) return std::nullopt;
  // Read where it lies: a start reads millions.
  const auto* granted = verified<learner::XpGranted::TableType>(record.payload);
  if (granted == nullptr || granted->learner_id() == nullptr)
    throw CorruptLog("shard " + std::to_string(at.shard) + ", sequence " + std::to_string(at.sequence) +
                     ": the payload is no valid table of its type");
  const bool lesson = granted->source() == ::learner::v1::XpSource::lesson;
  if (!lesson && granted->board_xp() == 0) return std::nullopt;
  XpGain out;
  out.learner = *granted->learner_id();
  out.xp = granted->board_xp();
  out.at = at.time;
  out.lessons = lesson ? 1 : 0;
  out.streak_days = static_cast<std::uint32_t>(granted->streak_days());
  return out;
}

}  // namespace guildhall
