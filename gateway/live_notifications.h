// GET /v1/notifications/live: what somebody is told (PA-102, M-6) while it happens, as Server-Sent Events.
//
// A thread follows all shards' logs from where they end when it begins, and hands on what is somebody's who listens: nothing is
// kept, and nothing is sent again, whatever is replayed or restarted. A stream begins with
//   event: ready         {"positions":[{"shard":1,"sequence":88}],"consistency_token":"v1.…"}
// and is complete from there: all that the shard's log holds behind that sequence comes, once and in order, as
//   event: notification  {"id","sequence","type","topic","actor_id","related_id","created_at"}, as in /rest/v1/notifications;
//                        its id: is the sequence, which counts all that the recipient was told: 1, 2, 3 …
//   event: read          {"id","read_at"}          one was marked
//   event: read_up_to    {"read_up_to","read_at"}  all up to that sequence were
//   event: heartbeat     {}                        when nothing else was sent for a while
// What a client missed it reads after `ready` from /rest/v1/notifications?sequence=gt.N with the token; what comes twice then has
// the same sequence.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "events/event_log.h"
#include "gateway/consistency_token.h"
#include "gateway/http.h"
#include "gateway/jwt.h"
#include "gateway/live_body.h"
#include "projectors/runner.h"

namespace guildhall {

inline constexpr std::string_view live_notifications_path = "/v1/notifications/live";

struct LiveNotificationLimits {
  std::size_t streams = 2'000;        // Of this process: half of the connections that its server takes.
  std::size_t recipient_streams = 8;  // Of one account: its tabs and devices.
  int retry_after_s = 10;             // Of who finds one of the two reached.
  std::size_t records_per_turn = 4'096;
  // After records were read: what comes one by one is taken together.
  std::chrono::milliseconds rest{2};
  std::chrono::milliseconds unheard_rest{500};  // The same while nobody listens; the first who does ends it.
  std::chrono::milliseconds first_backoff{50};
  std::chrono::milliseconds max_backoff{5'000};
};

// run() and step() belong to one thread; the other members may be called from any.
class LiveNotifications {
 public:
  // All references outlive it.
  LiveNotifications(EventLog& log, const Clock& clock, const ConsistencyTokens& tokens, Pause pause,
                    LiveNotificationLimits limits = {});

  // Until a stop is asked for. Throws CorruptLog, and what of the log's errors is not retryable.
  void run(std::stop_token stop);
  // One look at every shard's log: false when there was nothing new. Throws as run(), and retryable errors as well, of one shard
  // after the others were looked at.
  bool step();
  void notify();  // There may be more in a log.

  // GET and HEAD of live_notifications_path. Does not block. A stream lives as long as its token is accepted, at most.
  void handle(const Request& request, const Claims& claims, Respond respond);

  std::size_t streams();                        // That somebody reads.
  std::uint64_t sent() const { return sent_; }  // Events, once for each stream that took them.

 private:
  struct Shard {
    std::unique_ptr<LogReader> reader;
    Sequence position = 0;  // Of the last record that was read.
  };
  struct Listener {
    Sequence after = 0;  // In the log of the recipient's shard.
    LiveBodyWriter writer;
  };
  enum class Met : std::uint8_t { nothing, records, a_full_turn };
  Met follow(ShardNo shard);
  void hand_on(const Record& record);
  template <class Text>
  void tell(const RecordHeader& at, const Uuid& recipient, const Text& text);
  std::optional<Response> listen(const Uuid& recipient, LiveBodyWriter writer, Response& response);
  std::size_t forget_closed();

  EventLog& log_;
  const Clock& clock_;
  const ConsistencyTokens& tokens_;
  const Pause pause_;
  const LiveNotificationLimits limits_;
  std::vector<Shard> shards_;  // Of the running thread.
  bool has_more_ = false;      // So: a shard's log was not read to its end.

  std::mutex listeners_mutex_;
  std::map<Uuid, std::vector<Listener>, UuidLess> listeners_;
  std::vector<Sequence> handed_on_;  // By shard: the last record that was anybody's.
  std::atomic<std::uint64_t> sent_ = 0;

  std::mutex work_mutex_;
  std::condition_variable_any wake_;
  bool work_ = true;
  bool new_listener_ = false;
};

}  // namespace guildhall
