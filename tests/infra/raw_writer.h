// Writes to Kafka what no writer of ours would.
#pragma once

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "infra/kafka_client.h"
#include "infra/kafka_record.h"

namespace guildhall::test {

// Transactional, with an id of its choice; one id fences the other users of it.
class RawWriter {
 public:
  RawWriter(const KafkaOptions& options, const std::string& topic, const std::string& id)
      : client_(make_kafka_producer(options, {{"transactional.id", id}, {"transaction.timeout.ms", "60000"}}, events_,
                                    [](rd_kafka_s*, const rd_kafka_message_s*, void*) {})),
        topic_(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr)) {
    expect(rd_kafka_init_transactions(client_.get(), 30'000));
  }

  void begin() { expect(rd_kafka_begin_transaction(client_.get())); }
  void commit() { expect(rd_kafka_commit_transaction(client_.get(), 30'000)); }
  void abort() {
    flush();
    expect(rd_kafka_abort_transaction(client_.get(), 30'000));
  }
  void flush() { EXPECT_EQ(rd_kafka_flush(client_.get(), 30'000), RD_KAFKA_RESP_ERR_NO_ERROR); }

  struct Forgery {
    std::optional<std::string> key;
    std::optional<std::string> payload;
    std::optional<std::int32_t> partition;
    bool headers = true;
    std::string header;  // Has `value` instead of its own.
    std::string value;
  };
  void send(const Record& record, const Forgery& forgery) {
    rd_kafka_headers_t* headers = nullptr;
    if (forgery.headers) {
      rd_kafka_headers_t* honest = kafka_headers_of(record, 1, 1'000'000);
      headers = rd_kafka_headers_new(rd_kafka_header_cnt(honest));
      const char* name = nullptr;
      const void* value = nullptr;
      std::size_t length = 0;
      for (std::size_t i = 0; rd_kafka_header_get_all(honest, i, &name, &value, &length) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
        const bool forged = name == forgery.header;
        rd_kafka_header_add(headers, name, -1, forged ? forgery.value.data() : value,
                            static_cast<ssize_t>(forged ? forgery.value.size() : length));
      }
      rd_kafka_headers_destroy(honest);
    }
    send(forgery.partition.value_or(static_cast<std::int32_t>(record.header.shard)),
         forgery.key.value_or(to_string(record.header.stream)), forgery.payload.value_or(std::string(record.payload)), headers);
  }
  void send(const Record& record) { send(record, {}); }
  void send(std::int32_t partition, const std::string& key, const std::string& payload, rd_kafka_headers_t* headers = nullptr) {
    const auto error = rd_kafka_producev(client_.get(), RD_KAFKA_V_RKT(topic_.get()), RD_KAFKA_V_PARTITION(partition),
                                         RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.data(), key.size()),
                                         RD_KAFKA_V_VALUE(const_cast<char*>(payload.data()), payload.size()),
                                         RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    EXPECT_EQ(error, RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  // Some records of a batch.
  void send(const Batch& batch, std::size_t from = 0, std::size_t to = SIZE_MAX) {
    BatchCursor cursor(batch.bytes);
    Record record;
    for (std::size_t i = 0; cursor.next(record); ++i)
      if (i >= from && i < to) send(record);
  }
  void commit(const Batch& batch, std::size_t from = 0, std::size_t to = SIZE_MAX) {
    begin();
    send(batch, from, to);
    commit();
  }

 private:
  static void expect(rd_kafka_error_t* error) {
    EXPECT_EQ(error, nullptr) << rd_kafka_error_string(error);
    if (error != nullptr) rd_kafka_error_destroy(error);
  }

  KafkaClientEvents events_;
  KafkaClient client_;
  KafkaTopic topic_;
};

}  // namespace guildhall::test
