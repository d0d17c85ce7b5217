#include "gateway/live_notifications.h"

#include <algorithm>
#include <boost/json.hpp>
#include <exception>
#include <iterator>

#include "events/codec.h"
#include "gateway/problem.h"
#include "infra/wire_time.h"

namespace guildhall {
namespace {

namespace json = boost::json;
using notification::NotificationRaised;
using notification::NotificationRead;
using notification_inbox::AllNotificationsRead;

constexpr std::string_view event_stream_type = "text/event-stream";
// Milliseconds until a browser asks again when its stream has ended.
constexpr std::string_view retry_line = "retry: 2000\n";

json::value id_or_null(const Uuid& id) { return is_nil(id) ? json::value() : json::value(to_string(id)); }

json::value instant(Micros at) {
  std::string out;
  return append_instant(out, at) ? json::value(out) : json::value();
}

// What is serialized has no line break, so the data is one line.
std::string event_of(std::string_view name, const json::object& data, std::string_view more_lines = {}) {
  std::string out = "event: ";
  out.append(name).append("\n").append(more_lines).append("data: ").append(json::serialize(data)).append("\n\n");
  return out;
}

std::string text_of(const RecordHeader& at, const NotificationRaised& e) {
  const json::object data{{"id", to_string(e.notification_id)},
                          {"sequence", e.sequence},
                          {"type", ::notification::v1::EnumNameType(e.type)},
                          {"topic", ::notification::v1::EnumNameTopic(e.topic)},
                          {"actor_id", id_or_null(e.actor_id)},
                          {"related_id", id_or_null(e.related_id)},
                          {"created_at", instant(at.time)}};
  return event_of("notification", data, "id: " + std::to_string(e.sequence) + "\n");
}
std::string text_of(const RecordHeader&, const NotificationRead& e) {
  return event_of("read", {{"id", to_string(e.notification_id)}, {"read_at", instant(e.read_at)}});
}
std::string text_of(const RecordHeader&, const AllNotificationsRead& e) {
  return event_of("read_up_to", {{"read_up_to", e.read_up_to}, {"read_at", instant(e.read_at)}});
}

template <class Event>
Event event_in(const Record& record) {
  Event out;
  if (!unpack(record.payload, out))
    throw CorruptLog("shard " + std::to_string(record.header.shard) + ", sequence " + std::to_string(record.header.sequence) +
                     ": the payload is no valid table of its type");
  return out;
}

}  // namespace

LiveNotifications::LiveNotifications(EventLog& log, const Clock& clock, const ConsistencyTokens& tokens, Pause pause,
                                     LiveNotificationLimits limits)
    : log_(log),
      clock_(clock),
      tokens_(tokens),
      pause_(std::move(pause)),
      limits_(limits),
      shards_(log.identity().shards),
      handed_on_(log.identity().shards, 0) {
  for (ShardNo shard = 0; shard < shards_.size(); ++shard) shards_[shard].position = log.durable_end(shard).sequence;
}

// ---- following the logs

void LiveNotifications::run(std::stop_token stop) {
  auto backoff = limits_.first_backoff;
  while (!stop.stop_requested()) {
    {
      const std::lock_guard lock(work_mutex_);
      work_ = false;
    }
    bool moved = false;
    try {
      moved = step();
      backoff = limits_.first_backoff;
    } catch (const LogError& e) {
      if (!e.retryable()) throw;
      pause_(stop, backoff);
      backoff = std::min(limits_.max_backoff, backoff * 2);
      continue;
    }
    bool heard = false;
    {
      const std::lock_guard lock(listeners_mutex_);
      heard = !listeners_.empty();
    }
    std::unique_lock lock(work_mutex_);
    // Who is not heard keeps up all the same: the first who listens waits for no backlog.
    const auto rest = heard || has_more_ ? limits_.rest : limits_.unheard_rest;
    if (moved) wake_.wait_for(lock, stop, rest, [&] { return new_listener_; });
    else wake_.wait(lock, stop, [&] { return work_; });
    new_listener_ = false;
  }
}

bool LiveNotifications::step() {
  bool moved = false;
  has_more_ = false;
  std::exception_ptr failure;  // Of one shard: the others' recipients hear on.
  for (ShardNo shard = 0; shard < shards_.size(); ++shard) {
    try {
      const Met met = follow(shard);
      moved = moved || met != Met::nothing;
      has_more_ = has_more_ || met == Met::a_full_turn;
    } catch (const LogError& e) {
      if (!e.retryable()) throw;
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
  return moved;
}

void LiveNotifications::notify() {
  {
    const std::lock_guard lock(work_mutex_);
    work_ = true;
  }
  wake_.notify_all();
}

LiveNotifications::Met LiveNotifications::follow(ShardNo number) {
  Shard& shard = shards_[number];
  std::size_t records = 0;
  try {
    if (!shard.reader) shard.reader = log_.read(number, shard.position + 1);
    for (; records < limits_.records_per_turn; ++records) {
      const Record* record = shard.reader->next();
      if (record == nullptr) break;
      hand_on(*record);
      shard.position = record->header.sequence;
    }
  } catch (...) {
    shard.reader.reset();  // The next one begins behind what was handed on.
    throw;
  }
  if (records == limits_.records_per_turn) return Met::a_full_turn;
  return records > 0 ? Met::records : Met::nothing;
}

// Others' events are told by their type, and not taken apart.
void LiveNotifications::hand_on(const Record& record) {
  const auto hand_on_if = [&]<class Event>(const Event*) {
    if (record.header.type != type_name<Event>()) return;
    const Event event = event_in<Event>(record);
    tell(record.header, event.user_id, [&] { return text_of(record.header, event); });
  };
  hand_on_if(static_cast<const NotificationRaised*>(nullptr));
  hand_on_if(static_cast<const NotificationRead*>(nullptr));
  hand_on_if(static_cast<const AllNotificationsRead*>(nullptr));
}

template <class Text>
void LiveNotifications::tell(const RecordHeader& at, const Uuid& recipient, const Text& text) {
  const std::lock_guard lock(listeners_mutex_);
  handed_on_[at.shard] = at.sequence;
  const auto found = listeners_.find(recipient);
  if (found == listeners_.end()) return;
  const std::string event = text();
  std::erase_if(found->second, [&](Listener& listener) {
    if (at.sequence <= listener.after) return false;
    if (!listener.writer.write(event)) return true;
    ++sent_;
    return false;
  });
  if (found->second.empty()) listeners_.erase(found);
}

// ---- who listens

void LiveNotifications::handle(const Request& request, const Claims& claims, Respond respond) {
  if (claims.role == TokenRole::anon || !claims.sub)
    return respond(problem("forbidden", "notifications are somebody's, and this token is nobody's"));
  if (!request.query.empty()) return respond(problem("invalid_request", "query: there are no parameters"));
  auto [body, writer] = live_body({.heartbeat = event_of("heartbeat", {}),
                                   .lasts_us = claims.exp_us + clock_skew_us - clock_.now()});  // As long as it is accepted.
  Response response{200,
                    {{"Content-Type", std::string(event_stream_type)},
                     {"Cache-Control", "no-store"},
                     {"X-Accel-Buffering", "no"}},  // nginx would keep events until it has a few thousand bytes.
                    {},
                    std::move(body)};
  if (request.method == Method::get)
    if (auto refused = listen(*claims.sub, std::move(writer), response)) return respond(std::move(*refused));
  respond(std::move(response));
}

// The response that refuses, or nothing.
std::optional<Response> LiveNotifications::listen(const Uuid& recipient, LiveBodyWriter writer, Response& response) {
  const ShardNo shard = shard_of(recipient, log_.identity().shards);
  {
    const std::lock_guard lock(listeners_mutex_);
    if (forget_closed() >= limits_.streams)
      return problem("overloaded", "too many live streams are open", {}, limits_.retry_after_s);
    const auto own = listeners_.find(recipient);
    if (own != listeners_.end() && own->second.size() >= limits_.recipient_streams)
      return problem("quota_exceeded", "too many live streams of this account are open", {}, limits_.retry_after_s);
    // Under the lock that records are handed on by: what is not in here comes, and nothing that is.
    const Sequence after = std::max(log_.durable_end(shard).sequence, handed_on_[shard]);
    const std::string token = tokens_.encode(
        {log_.identity().log_id, log_.identity().generation, {{static_cast<std::uint16_t>(shard), after}}});
    const json::object place{{"shard", shard}, {"sequence", after}};
    writer.write(event_of("ready", {{"positions", json::array{place}}, {"consistency_token", token}}, retry_line));
    response.headers.emplace_back("Consistency-Token", token);
    listeners_[recipient].push_back({after, std::move(writer)});
  }
  {
    const std::lock_guard lock(work_mutex_);
    work_ = new_listener_ = true;
  }
  wake_.notify_all();
  return std::nullopt;
}

std::size_t LiveNotifications::streams() {
  const std::lock_guard lock(listeners_mutex_);
  return forget_closed();
}

// Those whose client has gone give their place back. Under the lock; says how many are left.
std::size_t LiveNotifications::forget_closed() {
  std::size_t left = 0;
  for (auto entry = listeners_.begin(); entry != listeners_.end();) {
    std::erase_if(entry->second, [](const Listener& listener) { return listener.writer.closed(); });
    left += entry->second.size();
    entry = entry->second.empty() ? listeners_.erase(entry) : std::next(entry);
  }
  return left;
}

}  // namespace guildhall
