// The shard: one thread that owns whole entity groups (design: the shard). For each command: dedup → decide over overlay and
// state → events and a decision record into the open batch; the next command goes on while the log has the batch before. When a
// batch is durable: one atomic write of its state, then its replies.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <set>
#include <stop_token>

#include "aggregates/shard/process_directory.h"
#include "aggregates/shard/fold.h"
#include "aggregates/shard/inbox_entry.h"
#include "aggregates/shard/reply.h"
#include "aggregates/shard/state_cache.h"
#include "aggregates/shard/state_store.h"
#include "events/event_log.h"

namespace guildhall {

struct CommandRequest {
  Uuid command_id{};  // Its bucket lies in this shard.
  std::string type;
  std::string payload;  // FlatBuffer of `type`, validated against the schema.
  Hash fingerprint{};   // Over what the client supplied.
  ActorKind actor_kind = ActorKind::anonymous;
  Uuid actor_id{};
  std::optional<std::uint64_t> expected_version;  // If-Match.
  Uuid correlation_id{};                          // Nil: the command's own id.
};

struct CommandResult {
  enum class Kind : std::uint8_t {
    replied,
    unknown,    // The log has not said in time, or failed: the reply can be fetched by command id later.
    not_found,  // Of a question: there is no such thing, or none that the asker may see.
    moved,      // Of a question: the shard has ended here; whoever has it now can be asked.
    behind,     // The directory could not say in time whether something exists. Nothing was recorded: send it again.
  };
  Kind kind = Kind::unknown;
  Reply reply;
  bool replayed = false;  // The stored reply of an earlier send.
  ShardNo shard = 0;
  Sequence sequence = 0;  // Of the decision: what a Consistency-Token says.
};
using CommandDone = std::move_only_function<void(CommandResult)>;

// What an ended shard has not answered: the same command may be submitted to whoever has the shard now, once and with its own
// answer.
struct PendingCommand {
  CommandRequest request;
  CommandDone done;
};

enum class ShardEnd : std::uint8_t {
  fenced,   // Another writer took the shard over; what was not answered is not in the log.
  unknown,  // The log did not confirm a batch: the next open tells whether it is there.
  failed,   // The log or the store failed in another way.
};

struct Asker {
  ActorKind kind = ActorKind::anonymous;
  Uuid account{};  // Of a user.
};

struct ShardLimits {
  std::size_t queue_commands = 4096;        // Waiting for the shard; one more is refused. Likewise questions.
  std::size_t batch_commands = 1024;        // Decided into one batch.
  std::size_t batch_bytes = 4 << 20;        // Payload bytes of one batch, before it is closed.
  std::size_t cached_states = 32'768;       // Decoded states kept in memory.
  std::size_t parked_commands = 1024;       // Waiting for the directory, repeats among them; one more is told `behind`.
  Micros unknown_after_us = 5 * second_us;  // After which a command's outcome is told as unknown.
  Micros checkpoint_every_us = minute_us;
  // A batch waits this long at most, and no longer than a third of what the last commit took, for the clients who were just
  // answered: they come again at once, and where a commit costs milliseconds two half batches in turn cost each of them two
  // commits. A single client never waits, having nobody to wait for. 0: never.
  Micros gather_us = 0;
};

struct ShardEnvironment {
  EventLog& log;
  StateStore& store;
  const Clock& clock;
  const ReplyFormat& format;
  const PlatformPolicy& policy;
  const TimeZones& zones;
  ProcessDirectory& directory;
  std::string software;  // Into the epoch record.
  // A reaction for another shard of the log, after it is durable. Must not block.
  std::function<void(ShardNo target, InboxEntry)> deliver;
  // How far a shard's reactions were delivered.
  std::function<Sequence(ShardNo source)> delivered_by;
  // An effect became wanted, or no longer is; at open also those that were wanted before. Must not block.
  std::function<void(const Effect&, bool wanted)> on_effect;
  // The shard has ended and decides nothing more. Called once, from the shard's thread, before run() returns.
  std::function<void(ShardEnd end, const std::string& why)> on_failure;
  // The state was sent to the disk, as it is every minute and at the end: a moment to anchor the log. May throw LogError; empty:
  // nothing to do.
  std::function<void()> on_checkpoint = {};
  // The operator's word that the log may have lost its end: state that knows more of it is made anew.
  bool accept_loss = false;
  // When the shard is fenced, or its log does not say, what it has not answered is left for surrender(), not answered unknown.
  bool surrenders = false;
  // Undelivered reactions are found in the sources' logs at open. False where a feed calls deliver() from inbox_position() on:
  // then `delivered_by` is not asked. Shards that search are all opened before one of them runs, or what is delivered meanwhile
  // is missed.
  bool searches_inboxes = true;
  // Asked when a client's command is refused and looked up a stream of another shard that the directory lacks: brings it to its
  // source's end as of now, then calls `done`, once and within a second, from any thread; false: it could not. The command is
  // decided again then. Must not block. Empty: the directory has all facts, and absence is an answer.
  std::function<void(const StreamId& absent, std::move_only_function<void(bool caught_up)> done)> directory_catch_up = {};
};

struct ShardCounters {
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> nothing_new{0};
  std::atomic<std::uint64_t> rejected{0};
  std::atomic<std::uint64_t> replayed{0};
  std::atomic<std::uint64_t> batches{0};
  std::atomic<std::uint64_t> records{0};
};

class Shard {
 public:
  using Progress = std::function<void(Sequence done, Sequence total)>;

  // Takes the shard over: fences older writers, brings the state up to the log's end, finds undone inbox entries (unless it is
  // opened for its state only: `serves` is false). Throws LogError, CorruptLog, StateStoreError.
  Shard(ShardNo number, ShardEnvironment environment, ShardLimits limits = {}, bool serves = true, const Progress& progress = {});
  ~Shard();

  // Any thread. False: the queue is full or the shard has ended; neither `request` nor `done` was taken.
  bool submit(CommandRequest& request, CommandDone& done);
  // Any thread. False: too many questions wait, `done` was not taken. An ended shard answers `moved`.
  // What became of a command, for who sent it and for services; waits for the batch that it is in.
  bool look_up(const Uuid& command_id, const Asker& asker, CommandDone& done);
  // The resource of a stream as it stands durably, for those who may see it.
  bool show(const StreamId& stream, const Asker& asker, CommandDone& done);
  // Any thread. Entries of one source come in its order, those with a position in the order of that, too; one that was executed
  // before is skipped. A failed shard takes none.
  void deliver(InboxEntry entry);
  // An effect's outcome, or a timer-less system command. Any thread; never refused. A failed shard answers `moved`.
  void submit_system(CommandRequest request, ::decision::v1::Source source, const Uuid& effect_id, CommandDone done);

  // The thread's body: returns when stop is requested and everything taken is answered, or after a failure.
  void run(std::stop_token stop);
  // One round without waiting, for tests: true when it did something.
  bool pump();
  // Of an ended shard whose run() has returned: what clients sent and were not answered, repeats included, in the order in which
  // it was decided or was going to be. What the log's state brings back at the next open is not among it: timers, inbox entries,
  // effects' outcomes.
  std::vector<PendingCommand> surrender();

  ShardNo number() const { return number_; }
  Epoch epoch() const { return writer_->epoch(); }
  const ShardCounters& counters() const { return counters_; }
  std::size_t queue_length() const;
  Sequence delivered() const { return delivered_.load(std::memory_order_acquire); }
  // Behind the last entry that durable batches have consumed, and with them all before it: 0 at the beginning of the transport.
  std::uint64_t inbox_position() const { return inbox_position_.load(std::memory_order_acquire); }
  bool failed() const { return failed_.load(std::memory_order_acquire); }
  // Takes no more commands: failed, or its run() was stopped.
  bool ended() const;

 private:
  struct Waiting;
  struct OpenBatch;
  struct Question;
  struct Mailbox;
  class DecisionView;
  struct Verdict;
  // Commands of one id that wait for the directory: the first to come, then its repeats.
  struct Parked {
    std::uint64_t nth = 0;
    std::vector<Waiting> commands;
  };

  void replay(const Progress& progress);
  void load_marks();
  void search_inboxes();
  void load_effects_and_facts();
  StatePtr load(const StreamId& stream);  // With what the batch in flight makes of it.
  void enqueue_system(Waiting waiting);
  bool ask(Question question, CommandDone& done);
  void answer(Question question);
  void answer_look_up(Question question);
  void answer_show(Question question);
  static Actor actor_of(ActorKind kind, const Uuid& account, const Directory& directory);
  void take(Waiting& waiting);
  void decide_into_batch(Waiting& waiting);
  Verdict judge(const Waiting& waiting);
  void run_command(const Waiting& waiting, Verdict verdict, int depth, CommandResult& result, std::size_t& decision_record);
  void park(Waiting& waiting, const StreamId& absent);
  void join_parked(std::vector<Waiting>& parked, Waiting& waiting);
  void unpark(const Uuid& command_id, bool caught_up);
  // The header as it will be, but for its number and its place in the batch.
  RecordHeader add_record(const StreamId& stream, std::uint64_t version, std::string_view type, const Hash& digest,
                          std::string_view payload, const Waiting& waiting, const Uuid& event_id, const Uuid& causation,
                          std::string_view command_type);
  void open_batch();
  void add_epoch_record();
  bool overdue(Micros at) const;
  bool gathers(Micros at) const;
  void submit_batch();
  void finish_batch(AppendOutcome outcome);
  void requeue(OpenBatch& batch);
  void tell(CommandDone& done, CommandResult::Kind kind) const;
  void answer_unknown(OpenBatch& batch);
  void fire_timers();
  void checkpoint(bool wait);
  void fail(ShardEnd end, const std::string& why);
  Micros now();
  bool idle() const;
  bool is_idle_within_lock() const;
  bool end_if_idle();

  const ShardNo number_;
  ShardEnvironment env_;
  const ShardLimits limits_;
  std::unique_ptr<LogWriter> writer_;
  std::string platform_;

  // Of the shard's thread.
  LogEnd end_;        // After the last closed batch.
  Micros clock_ = 0;  // The logical clock.
  Micros next_timer_ = 0;
  Micros next_checkpoint_ = 0;
  std::size_t gather_commands_ = 0;  // The batch that is being built is closed when it has so many,
  Micros gather_until_ = 0;          // or at this time.
  std::map<ShardNo, InboxMark> marks_;
  std::set<std::string> firing_;  // Timer keys whose command is in a batch that is not yet committed.
  std::unique_ptr<OpenBatch> building_;
  std::unique_ptr<OpenBatch> in_flight_;
  std::deque<Waiting> backlog_;  // Taken from the queue, to be decided first (again).
  std::unordered_map<Uuid, Parked, UuidHash> parked_;
  std::size_t parked_commands_ = 0;
  std::uint64_t times_parked_ = 0;
  StateCache cache_;
  std::vector<DirectoryFact> untold_;  // Facts of this shard's accounts that the other processes lack.

  // Shared.
  const std::shared_ptr<Mailbox> mailbox_;
  std::atomic<bool> failed_{false};
  std::atomic<Sequence> delivered_{0};
  std::atomic<std::uint64_t> inbox_position_{0};
  ShardCounters counters_;
};

}  // namespace guildhall
