#include "tests/acceptance/history.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <sstream>
#include <unordered_map>

#include "events/ids.h"

namespace guildhall {
namespace {

constexpr std::string_view decision_type = "decision.v1.DecisionMade";
constexpr std::string_view create_type = "booking.v1.CreateBooking";
constexpr std::string_view created_type = "booking.v1.BookingCreated";
constexpr std::string_view checked_commands = "booking.v1.";  // Those that only the history's clients send.
constexpr std::string_view principal = "role:service_role";
constexpr std::string_view writer_streams = "writer/";
constexpr std::string_view platform = "tutoring";
constexpr int position_shard_bits = 48;

std::string text_member(const boost::json::object& object, std::string_view name) {
  const auto* found = object.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::uint64_t number_member(const boost::json::object& object, std::string_view name) {
  const auto* found = object.if_contains(name);
  if (found == nullptr || found->is_null()) return 0;
  if (found->is_string()) return std::stoull(std::string(found->get_string()));
  return found->to_number<std::uint64_t>();
}

// The status that an event gives to its booking; nothing when it leaves it.
std::optional<std::string_view> status_after(std::string_view type) {
  static const std::map<std::string_view, std::string_view> statuses{
      {created_type, "pending"},
      {"booking.v1.BookingConfirmed", "confirmed"},
      {"booking.v1.BookingDeclined", "declined"},
      {"booking.v1.BookingCancelled", "cancelled"},
      {"booking.v1.BookingExpired", "expired"},
      {"booking.v1.BookingReinstated", "pending"},
      {"booking.v1.BookingCompleted", "completed"},
      {"booking.v1.BookingNoShow", "no_show"},
  };
  const auto found = statuses.find(type);
  return found == statuses.end() ? std::nullopt : std::optional(found->second);
}

class Checker {
 public:
  Checker(const std::vector<Operation>& operations, const std::vector<LoggedRecord>& log, const Rows& rows)
      : operations_(operations), log_(log), rows_(rows) {
    for (const Operation& o : operations_) sent_.emplace(o.command_id, &o);
  }

  std::vector<Finding> run() {
    read_log();
    for (const Operation& o : operations_) look_at(o);
    look_at_order();
    look_at_rows();
    return std::move(findings_);
  }

 private:
  struct Effects {
    const LoggedRecord* decision = nullptr;
    std::size_t events = 0;
    std::string created;  // The booking that it made.
  };

  void found(Anomaly anomaly, std::string what) { findings_.push_back({anomaly, std::move(what)}); }
  static std::string place(const LoggedRecord& r) {
    return "shard " + std::to_string(r.shard) + " sequence " + std::to_string(r.sequence) + " (" + r.type + ")";
  }

  void read_log() {
    std::map<std::uint32_t, const LoggedRecord*> last;
    std::unordered_map<std::string, std::uint64_t> versions;
    std::set<std::string> events, bookings;
    for (const LoggedRecord& r : log_) {
      const LoggedRecord*& before = last[r.shard];
      const std::uint64_t expected = before != nullptr ? before->sequence + 1 : 1;
      if (r.sequence != expected) found(Anomaly::gap, place(r) + " follows " + std::to_string(expected - 1));
      if (before != nullptr && r.epoch < before->epoch)
        found(Anomaly::zombie,
              place(r) + " of epoch " + std::to_string(r.epoch) + " after one of " + std::to_string(before->epoch));
      before = &r;
      // A writer's stream is one of all shards, and its version the epoch.
      if (auto& version = versions[r.stream]; !r.stream.starts_with(writer_streams) && r.version != ++version) {
        found(Anomaly::stream_gap,
              place(r) + ": " + r.stream + " has version " + std::to_string(r.version) + " after " + std::to_string(version - 1));
        version = r.version;
      }
      if (!events.insert(r.event_id).second) found(Anomaly::doubled, place(r) + ": event " + r.event_id + " is there already");

      Effects& effects = effects_[r.command_id];
      if (r.type == decision_type) {
        if (effects.decision != nullptr) found(Anomaly::doubled, place(r) + ": command " + r.command_id + " was decided already");
        effects.decision = &r;
        if (r.decided.source == "client" && r.decided.type.starts_with(checked_commands) && !sent_.contains(r.command_id))
          found(Anomaly::invented, place(r) + ": nobody sent command " + r.command_id);
        continue;
      }
      ++effects.events;
      if (r.type != created_type) continue;
      if (!bookings.insert(r.booking_id).second)
        found(Anomaly::doubled, place(r) + ": booking " + r.booking_id + " is there already");
      if (!effects.created.empty()) found(Anomaly::doubled, place(r) + ": a second booking of command " + r.command_id);
      effects.created = r.booking_id;
      if (!sent_.contains(r.command_id)) found(Anomaly::invented, place(r) + ": nobody asked for booking " + r.booking_id);
    }
  }

  void look_at(const Operation& o) {
    const std::string name = o.type + " " + o.key;
    if (o.answers.empty()) return found(Anomaly::unresolved, name);
    const Answer& told = o.answers.front();
    for (const Answer& again : o.answers)
      if (again.identity != told.identity) {
        found(Anomaly::changing_reply, name + " was told\n" + told.identity + "\nand\n" + again.identity);
        break;
      }
    const auto place_of = effects_.find(o.command_id);
    const Effects* effects = place_of == effects_.end() ? nullptr : &place_of->second;
    if (effects == nullptr || effects->decision == nullptr) {
      found(Anomaly::lost, name + " was told " + std::to_string(told.status) + ", and has no decision in the log");
      if (effects != nullptr && !told.accepted()) found(Anomaly::effect_of_refusal, name);
      return;
    }
    const Decided& decided = effects->decision->decided;
    if (told.accepted() == (decided.outcome == "rejected"))
      found(Anomaly::wrong_outcome, name + " was told " + std::to_string(told.status) + " and is " + decided.outcome);
    else if (told.identity != decided.identity)
      found(Anomaly::wrong_reply, name + " was told\n" + told.identity + "\nand the log has\n" + decided.identity);
    if (decided.outcome != "accepted" && effects->events > 0)
      found(Anomaly::effect_of_refusal,
            name + " is " + decided.outcome + " and has " + std::to_string(effects->events) + " events");
    if (decided.outcome == "accepted" && effects->events == 0) found(Anomaly::no_effect, name);
    if (o.type == create_type && told.accepted() && told.id != effects->created)
      found(Anomaly::wrong_id, name + " was told booking " + told.id + " and made " + effects->created);
  }

  // A command that was answered before another one was sent is before it in the log.
  void look_at_order() {
    struct Decision {
      std::uint64_t sequence;
      const Operation* operation;
    };
    std::map<std::uint32_t, std::vector<Decision>> shards;
    for (const Operation& o : operations_) {
      const auto effects = effects_.find(o.command_id);
      if (effects != effects_.end() && effects->second.decision != nullptr)
        shards[effects->second.decision->shard].push_back({effects->second.decision->sequence, &o});
    }
    for (auto& [shard, decisions] : shards) {
      std::ranges::sort(decisions, std::greater<>(), &Decision::sequence);
      const Operation* first_answered = nullptr;  // Of those that come later in the log.
      for (const Decision& d : decisions) {
        if (first_answered != nullptr && first_answered->answered < d.operation->invoked)
          found(Anomaly::reordered, d.operation->key + " was sent after " + first_answered->key +
                                        " was answered, and is before it in shard " + std::to_string(shard));
        if (!d.operation->answers.empty() && (first_answered == nullptr || d.operation->answered < first_answered->answered))
          first_answered = d.operation;
      }
    }
  }

  void look_at_rows() {
    const Rows folded = fold(log_);
    for (const auto& [id, booking] : folded.bookings) {
      const auto row = rows_.bookings.find(id);
      if (row == rows_.bookings.end()) found(Anomaly::row_missing, "booking " + id);
      else if (row->second != booking)
        found(Anomaly::row_differs, "booking " + id + " is " + row->second.status + " at " +
                                        std::to_string(row->second.position) + ", by the log " + booking.status + " at " +
                                        std::to_string(booking.position));
    }
    for (const auto& [id, row] : rows_.bookings)
      if (!folded.bookings.contains(id)) found(Anomaly::row_invented, "booking " + id);
    if (folded.seats == rows_.seats) return;
    for (const auto& [slot, taken] : folded.seats) {
      const auto row = rows_.seats.find(slot);
      if (const int has = row == rows_.seats.end() ? 0 : row->second; has != taken)
        found(Anomaly::seats_differ,
              "slot " + slot + " has " + std::to_string(has) + " seats taken, by the log " + std::to_string(taken));
    }
    for (const auto& [slot, taken] : rows_.seats)
      if (!folded.seats.contains(slot))
        found(Anomaly::seats_differ, "slot " + slot + " has " + std::to_string(taken) + ", by the log none");
  }

  const std::vector<Operation>& operations_;
  const std::vector<LoggedRecord>& log_;
  const Rows& rows_;
  std::unordered_map<std::string, const Operation*> sent_;  // By command id.
  std::unordered_map<std::string, Effects> effects_;        // The same.
  std::vector<Finding> findings_;
};

}  // namespace

Answer::Answer(const Reply& reply) : status(reply.status), identity(reply.identity()), id(reply.text("id")) {}

std::string command_id_of(std::string_view type, std::string_view key, std::string_view group) {
  std::string input(platform);
  for (const std::string_view part : {principal, type, key}) {
    input += '\0';
    input += part;
  }
  return to_string(with_bucket(derive_root("command", input), bucket_of(*parse_uuid(group))));
}

std::uint32_t shard_of_text(std::string_view id, std::uint32_t shards) { return shard_of(*parse_uuid(id), shards); }

LoggedRecord parse_record(const boost::json::object& line) {
  LoggedRecord out;
  out.shard = static_cast<std::uint32_t>(number_member(line, "shard"));
  out.sequence = number_member(line, "sequence");
  out.epoch = number_member(line, "epoch");
  out.version = number_member(line, "version");
  out.stream = text_member(line, "stream");
  out.type = text_member(line, "type");
  out.event_id = text_member(line, "event_id");
  out.command_id = text_member(line, "command_id");
  const auto& data = line.at("data");
  if (!data.is_object()) return out;
  const auto& d = data.get_object();
  out.booking_id = text_member(d, "booking_id");
  out.slot_id = text_member(d, "slot_id");
  if (out.type != decision_type) return out;
  out.decided.outcome = text_member(d, "outcome");
  out.decided.source = text_member(d, "source");
  out.decided.type = text_member(d, "command_type");
  const Reply stored{static_cast<int>(number_member(d, "status")),
                     {{"content-type", text_member(d, "content_type")},
                      {"etag", text_member(d, "etag")},
                      {"location", text_member(d, "location")}},
                     text_member(d, "body")};
  out.decided.identity = stored.identity();
  return out;
}

Rows rows_of(const Server& server) {
  Rows out;
  std::string line;
  std::istringstream bookings(server.sql("SELECT booking_id, status, last_event_position FROM tutoring_rm.bookings"));
  while (std::getline(bookings, line)) {
    const auto first = line.find('|'), second = line.rfind('|');
    if (first == std::string::npos) continue;
    out.bookings[line.substr(0, first)] = {line.substr(first + 1, second - first - 1), std::stoull(line.substr(second + 1))};
  }
  std::istringstream slots(server.sql("SELECT slot_id, current_bookings FROM tutoring_rm.slots WHERE current_bookings <> 0"));
  while (std::getline(slots, line)) {
    const auto bar = line.find('|');
    if (bar != std::string::npos) out.seats[line.substr(0, bar)] = std::stoi(line.substr(bar + 1));
  }
  return out;
}

Rows fold(const std::vector<LoggedRecord>& log) {
  Rows out;
  for (const LoggedRecord& r : log) {
    if (r.stream.starts_with("booking/")) {
      BookingRow& booking = out.bookings[r.booking_id];
      if (const auto status = status_after(r.type)) booking.status = *status;
      booking.position = std::uint64_t{r.shard} << position_shard_bits | r.sequence;
    } else if (r.type == "calendar.v1.SeatHeld") {
      ++out.seats[r.slot_id];
    } else if (r.type == "calendar.v1.SeatReleased") {
      if (--out.seats[r.slot_id] == 0) out.seats.erase(r.slot_id);
    }
  }
  return out;
}

std::string_view name_of(Anomaly anomaly) {
  switch (anomaly) {
    case Anomaly::lost: return "lost";
    case Anomaly::doubled: return "doubled";
    case Anomaly::invented: return "invented";
    case Anomaly::wrong_outcome: return "wrong_outcome";
    case Anomaly::wrong_reply: return "wrong_reply";
    case Anomaly::wrong_id: return "wrong_id";
    case Anomaly::changing_reply: return "changing_reply";
    case Anomaly::effect_of_refusal: return "effect_of_refusal";
    case Anomaly::no_effect: return "no_effect";
    case Anomaly::unresolved: return "unresolved";
    case Anomaly::reordered: return "reordered";
    case Anomaly::gap: return "gap";
    case Anomaly::stream_gap: return "stream_gap";
    case Anomaly::zombie: return "zombie";
    case Anomaly::row_missing: return "row_missing";
    case Anomaly::row_invented: return "row_invented";
    case Anomaly::row_differs: return "row_differs";
    case Anomaly::seats_differ: return "seats_differ";
  }
  return "";
}

std::vector<Finding> check(const std::vector<Operation>& operations, const std::vector<LoggedRecord>& log, const Rows& rows) {
  return Checker(operations, log, rows).run();
}

}  // namespace guildhall
