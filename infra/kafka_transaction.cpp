#include "infra/kafka_transaction.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>

#include "events/check.h"

namespace guildhall {
namespace {

constexpr std::chrono::milliseconds abort_flush{3'000};  // For what is on its way before an abort (librdkafka #4849).
constexpr std::size_t error_text_bytes = 512;
constexpr std::int16_t end_txn_api = 26;

using Error = std::unique_ptr<rd_kafka_error_t, decltype(&rd_kafka_error_destroy)>;
Error own(rd_kafka_error_t* error) { return {error, rd_kafka_error_destroy}; }

std::string text_of(const rd_kafka_error_t* error) {
  return std::string(rd_kafka_error_name(error)) + ": " + rd_kafka_error_string(error);
}

bool is_fence(int code) {
  return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
         code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

int ms(std::chrono::milliseconds time) { return static_cast<int>(time.count()); }

}  // namespace

TransactionalProducer::TransactionalProducer(const KafkaOptions& options, const TransactionTimes& times,
                                             std::string transactional_id, const std::vector<std::string>& topics)
    : times_(times), id_(std::move(transactional_id)) {
  // Not error_cb: librdkafka tells the application neither of a broken connection (log.connection.close=false) nor of an error
  // that it told within 30 s, and what it tells waits for the next poll.
  deliveries_.request_sent = [this](std::int16_t api) {
    if (api != end_txn_api) return;
    ++deliveries_.ends_sent;
    deliveries_.end_waits = true;
  };
  deliveries_.request_ended = [this](std::int16_t api, bool answered) {
    if (api == end_txn_api && deliveries_.end_waits.exchange(false) && !answered) deliveries_.end_lost = true;
  };
  const std::string wait = std::to_string(times.socket.count());
  client_ = make_kafka_producer(options,
                                {{"transactional.id", id_},
                                 {"transaction.timeout.ms", std::to_string(times.transaction.count())},
                                 {"socket.timeout.ms", wait},
                                 {"message.timeout.ms", wait},
                                 {"compression.codec", options.compression}},
                                deliveries_, delivered);
  const auto deadline = std::chrono::steady_clock::now() + times.commit;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const auto error = own(rd_kafka_init_transactions(client_.get(), std::max(1, ms(left))));
    if (!error) break;
    const bool retriable = rd_kafka_error_is_retriable(error.get()) != 0;
    if (!retriable || std::chrono::steady_clock::now() >= deadline)
      throw LogError("kafka: the writer " + id_ + " can't be taken over: " + text_of(error.get()),
                     retriable ? "the brokers: whether the transaction coordinator is there"
                               : "the rights of this client on the transactional id",
                     retriable);
  }
  // The first message by name costs a second; a handle and metadata make it quick.
  for (const std::string& name : topics) {
    topics_.emplace_back(rd_kafka_topic_new(client_.get(), name.c_str(), nullptr));
    const rd_kafka_metadata_t* metadata = nullptr;
    if (rd_kafka_metadata(client_.get(), 0, topics_.back().get(), &metadata, ms(times.commit)) == RD_KAFKA_RESP_ERR_NO_ERROR)
      rd_kafka_metadata_destroy(metadata);
  }
  deliveries_.first_topic = topics_.front().get();
}

TransactionalProducer::~TransactionalProducer() {
  if (client_) rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
}

void TransactionalProducer::delivered(rd_kafka_s*, const rd_kafka_message_s* message, void* events) {
  auto& d = static_cast<Deliveries&>(*static_cast<KafkaClientEvents*>(events));
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (d.failed++ == 0) d.error = rd_kafka_err2str(message->err);
  } else if (!d.any && message->rkt != nullptr &&
             std::string_view(rd_kafka_topic_name(message->rkt)) == rd_kafka_topic_name(d.first_topic)) {
    d.any = true;
    d.first_offset = std::max<std::int64_t>(message->offset, -1);  // Unknown when an old record was sent twice.
  }
}

AppendOutcome TransactionalProducer::begin() {
  deliveries_.any = false;
  deliveries_.first_offset = -1;
  deliveries_.ends_sent = 0;
  deliveries_.end_waits = false;
  deliveries_.end_lost = false;
  deliveries_.failed = 0;
  deliveries_.error.clear();
  produced_ = false;
  produce_error_.clear();
  const auto error = own(rd_kafka_begin_transaction(client_.get()));
  if (!error) return AppendOutcome::committed;
  // Nothing of this transaction was sent.
  last_error_ = text_of(error.get());
  return AppendOutcome::fenced;
}

void TransactionalProducer::produce(const Message& m) {
  const auto drop_headers = [&] {
    if (m.headers != nullptr) rd_kafka_headers_destroy(m.headers);
  };
  if (!produce_error_.empty()) return drop_headers();
  std::array<rd_kafka_vu_t, 7> parts{};
  std::size_t count = 0;
  const auto part = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
    parts[count].vtype = type;
    return parts[count++];
  };
  part(RD_KAFKA_VTYPE_RKT).u.rkt = topics_.at(m.topic).get();
  part(RD_KAFKA_VTYPE_PARTITION).u.i32 = m.partition;
  part(RD_KAFKA_VTYPE_MSGFLAGS).u.i = RD_KAFKA_MSG_F_COPY;
  auto& key = part(RD_KAFKA_VTYPE_KEY).u.mem;
  key.ptr = const_cast<char*>(m.key.data());
  key.size = m.key.size();
  if (!m.value.empty()) {
    auto& value = part(RD_KAFKA_VTYPE_VALUE).u.mem;
    value.ptr = const_cast<char*>(m.value.data());
    value.size = m.value.size();
  }
  part(RD_KAFKA_VTYPE_TIMESTAMP).u.i64 = m.time / 1000;
  if (m.headers != nullptr) part(RD_KAFKA_VTYPE_HEADERS).u.headers = m.headers;
  const auto error = own(rd_kafka_produceva(client_.get(), parts.data(), count));
  if (error) {
    produce_error_ = text_of(error.get());
    drop_headers();
    return;
  }
  produced_ = true;
}

AppendOutcome TransactionalProducer::commit() {
  if (!produce_error_.empty()) return abort(produce_error_);
  const auto deadline = std::chrono::steady_clock::now() + times_.commit;
  if (rd_kafka_flush(client_.get(), ms(times_.commit)) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return abort("the brokers did not take the batch in time");  // EndTxn was not sent.
  if (deliveries_.failed > 0) return abort("a record was not delivered: " + deliveries_.error);
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  const auto error = own(rd_kafka_commit_transaction(client_.get(), std::max(1, ms(left))));
  if (!error) {
    tainted_ |= deliveries_.end_lost;
    return AppendOutcome::committed;
  }
  // The first of several requests may have committed, whatever the last was told: even that another writer took over.
  if (deliveries_.ends_sent > 1 || deliveries_.end_waits || deliveries_.end_lost) {
    last_error_ = text_of(error.get());
    return AppendOutcome::unknown;
  }
  if (rd_kafka_error_txn_requires_abort(error.get())) return abort(text_of(error.get()));
  if (rd_kafka_error_is_retriable(error.get())) {
    last_error_ = text_of(error.get());
    return AppendOutcome::unknown;  // EndTxn may go out yet. Never resumed.
  }
  return ended(text_of(error.get()), rd_kafka_error_code(error.get()));
}

AppendOutcome TransactionalProducer::abort(const std::string& why) {
  last_error_ = why;
  // An empty transaction is never aborted, nor one whose partitions are not registered: both end the producer (librdkafka #4849).
  if (!produced_) return AppendOutcome::fenced;
  rd_kafka_flush(client_.get(), ms(abort_flush));
  const auto error = own(rd_kafka_abort_transaction(client_.get(), ms(times_.commit)));
  if (!error) {
    tainted_ |= deliveries_.end_lost;
    return AppendOutcome::aborted;
  }
  return ended(why + "; then the abort: " + text_of(error.get()), rd_kafka_error_code(error.get()));
}

AppendOutcome TransactionalProducer::ended(const std::string& why, int code) {
  last_error_ = why;
  std::array<char, error_text_bytes> text{};
  const auto fatal = rd_kafka_fatal_error(client_.get(), text.data(), text.size());
  return is_fence(code) || is_fence(fatal) ? AppendOutcome::fenced : AppendOutcome::unknown;
}

}  // namespace guildhall
