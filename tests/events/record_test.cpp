#include "events/record.h"

#include <gtest/gtest.h>

#include "events/codec.h"
#include "events/schemas.h"

namespace guildhall {
namespace {

RecordHeader header(std::uint64_t n) {
  RecordHeader h;
  h.platform = "tutoring";
  h.log_id = Uuid(0x0123456789ab8cdeULL, 0x8011223344556677ULL);
  h.shard = 2;
  h.epoch = 7;
  h.stream = {StreamKind::booking, Uuid(0xaaaaaaaaaaaa8bbbULL, 0x8000000000000000ULL + n)};
  h.stream_version = n;
  h.event_id = Uuid(n, n + 1);
  h.type = "booking.v1.BookingConfirmed";
  h.schema_digest.fill(static_cast<char>(0x5a));
  h.time = 1'700'000'000'000'000 + static_cast<Micros>(n);
  h.actor_kind = ActorKind::user;
  h.actor_id = Uuid(1, 2);
  h.command_id = Uuid(3, 4);
  h.command_type = "booking.v1.ConfirmBooking";
  h.fingerprint.fill(0x11);
  h.correlation_id = Uuid(5, 6);
  h.causation_id = Uuid(7, 8);
  return h;
}

Batch three_records() {
  BatchBuilder builder;
  builder.add(header(1), "one");
  builder.add(header(2), "");
  builder.add(header(3), std::string(4096, 'x'));
  return builder.close(0, Hash{});
}

// Vectors: the chain after each of three records (an empty payload, one that spans pages). Computed apart from this code
// (a few lines of Python over the layout in record.h); a log in the field is read by them for ever.
TEST(Record, chain_vectors) {
  const Batch batch = three_records();
  alignas(8) char aligned[16384];
  std::copy(batch.bytes.begin(), batch.bytes.end(), aligned);
  BatchCursor cursor({aligned, batch.bytes.size()});
  const char* expected[] = {"98604f64a6bbdb40a81dc56dd840c16ee2536543d7bdcc696e6c9c2d3e669986",
                            "920a266386bfadbdf7c16d7af9d5298441b831661b600da2fddc233506aa6288",
                            "975e0e5d084c4d47d6115aee513e37623cd05128d42463b326c647575071d7dc"};
  Record record;
  for (const char* hex : expected) {
    ASSERT_TRUE(cursor.next(record));
    EXPECT_EQ(to_hex(view(record.chain)), hex);
  }
  EXPECT_FALSE(cursor.next(record));
}

TEST(Record, header_round_trip) {
  const RecordHeader h = header(9);
  std::string bytes;
  encode_header(h, bytes);
  const RecordHeader back = decode_header(bytes);
  std::string again;
  encode_header(back, again);
  EXPECT_EQ(bytes, again);
  EXPECT_EQ(back.type, "booking.v1.BookingConfirmed");
  EXPECT_EQ(to_string(back.stream), "booking/aaaaaaaa-aaaa-8bbb-8000-000000000009");
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) EXPECT_THROW(decode_header(bytes.substr(0, cut)), CorruptLog);
  EXPECT_THROW(decode_header(bytes + "x"), CorruptLog);
}

void verify(std::string_view bytes, ShardNo shard = 2) {
  std::string copy(bytes);
  RecordVerifier verifier("tutoring", header(1).log_id, shard);
  BatchCursor cursor(copy);
  Record record;
  while (cursor.next(record)) verifier.check(record);
  verifier.end_of_batch();
}

TEST(RecordVerifier, accepts_what_was_written) { EXPECT_NO_THROW(verify(three_records().bytes)); }

// I10: any changed byte of header, payload or hash is found.
TEST(RecordVerifier, finds_each_flipped_byte) {
  const std::string good = three_records().bytes;
  int padding = 0;
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x40);
    try {
      verify(bad);
      ++padding;  // Only the zeros between records are not covered.
      EXPECT_EQ(good[i], 0);
    } catch (const CorruptLog&) {
    }
  }
  EXPECT_LT(padding, 3 * 14 + 1);
}

TEST(RecordVerifier, finds_a_torn_batch_a_gap_and_a_foreign_record) {
  BatchBuilder builder;
  builder.add(header(1), "a");
  builder.add(header(2), "b");
  const Batch first = builder.close(0, Hash{});
  builder.add(header(3), "c");
  const Batch second = builder.close(first.last(), first.head);
  EXPECT_NO_THROW(verify(first.bytes + second.bytes));
  EXPECT_THROW(verify(second.bytes), CorruptLog);
  EXPECT_THROW(verify(first.bytes, 3), CorruptLog);
  std::string only_first_record;
  {
    std::string copy = first.bytes;
    BatchCursor cursor(copy);
    Record r;
    ASSERT_TRUE(cursor.next(r));
    only_first_record = copy.substr(0, static_cast<std::size_t>(r.payload.data() - copy.data()) + 8);
  }
  EXPECT_THROW(verify(only_first_record), CorruptLog);
}

TEST(Ids, text_form_and_bucket) {
  const auto id = parse_uuid("0190A5F0-1111-7abc-8def-0123456789ab");
  ASSERT_TRUE(id);
  EXPECT_EQ(to_string(*id), "0190a5f0-1111-7abc-8def-0123456789ab");
  EXPECT_EQ(bucket_of(*id), 0xabc);
  EXPECT_EQ(shard_of(*id, 4), 2u);
  for (const char* bad : {"", "0190a5f0-1111-7abc-8def-0123456789a", "0190a5f0-1111-7abc-8def-0123456789ag",
                          "0190a5f0x1111-7abc-8def-0123456789ab", "00000000-0000-0000-0000-000000000000"})
    EXPECT_FALSE(parse_uuid(bad)) << bad;
}

TEST(Ids, derived_ids_are_v8_and_keep_the_bucket) {
  const Uuid parent = *parse_uuid("0190a5f0-1111-7abc-8def-0123456789ab");
  const Uuid child = derive_in_group("booking", parent, 1, bucket_of(parent));
  EXPECT_EQ(bucket_of(child), 0xabc);
  EXPECT_EQ(child.hi() >> 12 & 15, 8u);
  EXPECT_EQ(child.lo() >> 62, 2u);
  EXPECT_EQ(child, derive_in_group("booking", parent, 1, bucket_of(parent)));
  EXPECT_FALSE(child == derive_in_group("booking", parent, 2, bucket_of(parent)));
  EXPECT_FALSE(child == derive_in_group("payment", parent, 1, bucket_of(parent)));
}

TEST(Codec, every_event_type_round_trips_and_rejects_garbage) {
  std::size_t types = 0;
  [&]<class... E>(std::variant<E...>*) {
    (
        [&] {
          const AnyEvent event{E{}};
          const auto back = decode_event(type_name<E>(), encode(event));
          ASSERT_TRUE(back) << type_name<E>();
          EXPECT_TRUE(*back == event);
          EXPECT_FALSE(decode_event(type_name<E>(), "garbage!garbage!"));
          EXPECT_NE(schema_of_type(type_name<E>()), nullptr);
          ++types;
        }(),
        ...);
  }(static_cast<AnyEvent::Types*>(nullptr));
  EXPECT_EQ(types, std::variant_size_v<AnyEvent::Types>);
  EXPECT_FALSE(decode_event("booking.v1.NoSuchEvent", ""));
}

// Two batches copied as one unit: the bytes are those of the two, so nothing that was proved of them changes.
TEST(Record, a_copy_is_the_batches_byte_for_byte) {
  const Batch first = three_records();
  BatchBuilder builder;
  builder.add(header(4), "four");
  builder.add(header(5), "five");
  const Batch second = builder.close(first.last(), first.head);

  BatchCopy copy(0, Hash{});
  EXPECT_TRUE(copy.whole());
  const std::string bytes = first.bytes + second.bytes;
  BatchCursor cursor(bytes);
  Record record;
  for (const bool whole : {false, false, true, false, true}) {
    ASSERT_TRUE(cursor.next(record));
    copy.add(record);
    EXPECT_EQ(copy.whole(), whole) << record.header.sequence;
  }
  const Batch unit = copy.take();
  EXPECT_EQ(unit.bytes, bytes);
  EXPECT_EQ(unit.first, 1u);
  EXPECT_EQ(unit.count, 5u);
  EXPECT_EQ(unit.head_before, Hash{});
  EXPECT_EQ(unit.head, second.head);
  verify(unit.bytes);
  EXPECT_EQ(copy.records(), 0u);
}

TEST(Record, a_copy_refuses_what_does_not_come_next) {
  const Batch batch = three_records();
  const auto nth = [&](int n) {
    BatchCursor cursor(batch.bytes);
    Record record;
    while (n-- > 0) EXPECT_TRUE(cursor.next(record));
    return record;
  };
  BatchCopy gap(0, Hash{});
  EXPECT_THROW(gap.add(nth(2)), CorruptLog);
  BatchCopy other_head(0, batch.head);
  EXPECT_THROW(other_head.add(nth(1)), CorruptLog);
  BatchCopy twice(0, Hash{});
  twice.add(nth(1));
  EXPECT_THROW(twice.add(nth(1)), CorruptLog);
}

}  // namespace
}  // namespace guildhall
