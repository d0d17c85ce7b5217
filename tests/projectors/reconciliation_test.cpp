// What moved through the processors, by the log and by their exports (ledger.md: reconcile).
#include "projectors/reconciliation.h"

#include <gtest/gtest.h>

#include "tests/projectors/money_events.h"

namespace guildhall::test {
namespace {

const Uuid payment_1 = money_id(1), refund_1 = money_id(2), payout_1 = money_id(3);

std::string words(const Movement& m) {
  return m.processor + " " + m.type + " " + m.external_id + " " + std::to_string(m.amount_cents) + " " +
         std::to_string(m.fee_cents) + " " + m.currency;
}

struct Log {
  ProcessorMovements movements;
  std::string of(StreamKind kind, const Uuid& id, const AnyEvent& event) {
    std::string out;
    for (const Movement& m : movements.of({.stream = {kind, id}, .time = 5}, event)) out += words(m) + "\n";
    return out;
  }
};

TEST(ProcessorMovements, each_fact_of_the_table) {
  const struct {
    AnyEvent event;
    const char* moved;
  } cases[] = {
      {captured(payment_1, "ch_1"), "stripe charge ch_1 10000 320 USD\n"},
      {captured(payment_1, "PAY-1", Processor::paypal), "paypal charge PAY-1 10000 320 USD\n"},
      {came_late(payment_1, "ch_2"), "stripe charge ch_2 10000 320 USD\n"},
      {refund_requested(payment_1, refund_1), ""},
      {refunded(payment_1, refund_1, "re_1"), "stripe refund re_1 5000 0 USD\n"},
      {released(payment_1, 5'680), ""},
      {dispute_opened(payment_1, "dp_1"), "stripe dispute dp_1 10000 1500 USD\n"},
      {dispute_won(payment_1, "dp_1"), "stripe dispute_won dp_1 10000 0 USD\n"},
      {adjusted(buyer, 500), ""},
      {spent(payment_1, 500), ""},
      {payment::RefundFailed{.refund_id = refund_1,
                             .currency = "USD",
                             .transfers = moved({Ledger::processor}, {Ledger::refunds}, 7, Processor::stripe)},
       "stripe refund_failed 11111111-1111-8000-8000-000000000002 7 0 USD\n"},
      {payment::HoldReleased{.payment_id = payment_1,
                             .currency = "USD",
                             .transfers = moved({Ledger::commission}, {Ledger::processor}, 7, Processor::stripe)},
       "stripe other 11111111-1111-8000-8000-000000000001 7 0 USD\n"},
  };
  for (const auto& c : cases) EXPECT_EQ(Log().of(StreamKind::payment, payment_1, c.event), c.moved) << type_name(c.event);
}

TEST(ProcessorMovements, a_subscription_is_a_charge) {
  const AnyEvent paid =
      subscription::SubscriptionPaid{.account_id = buyer,
                                     .payment_id = payment_1,
                                     .currency = "USD",
                                     .external_id = "in_1",
                                     .transfers = moved({Ledger::processor}, {Ledger::subscriptions}, 940, Processor::stripe) +
                                                  moved({Ledger::processor}, {Ledger::fees}, 59, Processor::stripe)};
  EXPECT_EQ(Log().of(StreamKind::subscription, buyer, paid), "stripe charge in_1 999 59 USD\n");
}

TEST(ProcessorMovements, without_a_processors_id_our_own_stands_in) {
  EXPECT_EQ(Log().of(StreamKind::payment, payment_1, captured(payment_1, "")),
            "stripe charge 11111111-1111-8000-8000-000000000001 10000 320 USD\n");
  EXPECT_EQ(Log().of(StreamKind::payment, payment_1, refunded(payment_1, refund_1, "")),
            "stripe refund 11111111-1111-8000-8000-000000000002 5000 0 USD\n");
  EXPECT_EQ(Log().of(StreamKind::payout, payout_1, payout_completed(payout_1, "", 9)),
            "paypal payout 11111111-1111-8000-8000-000000000003 9 0 USD\n");
}

TEST(ProcessorMovements, a_refund_that_fails_later_has_the_id_that_it_was_made_with) {  // PY-9
  Log log;
  log.of(StreamKind::payment, payment_1, refunded(payment_1, refund_1, "re_1"));
  const AnyEvent failed =
      payment::RefundFailed{.payment_id = payment_1,
                            .refund_id = refund_1,
                            .currency = "USD",
                            .transfers = moved({Ledger::processor}, {Ledger::refunds}, 5'000, Processor::stripe) +
                                         moved({Ledger::refunds}, {Ledger::pending, seller}, 5'000, Processor::stripe)};
  EXPECT_EQ(log.of(StreamKind::payment, payment_1, failed), "stripe refund_failed re_1 5000 0 USD\n");
}

TEST(ProcessorMovements, a_returned_payout_has_the_id_that_it_was_made_with) {
  Log log;
  EXPECT_EQ(log.of(StreamKind::payout, payout_1, payout_completed(payout_1, "po_1", 9)), "paypal payout po_1 9 0 USD\n");
  EXPECT_EQ(log.of(StreamKind::payout, payout_1, payout_returned(payout_1, 9)), "paypal payout_return po_1 9 0 USD\n");
  EXPECT_EQ(log.of(StreamKind::payout, money_id(4), payout_returned(money_id(4), 9)),
            "paypal payout_return 11111111-1111-8000-8000-000000000004 9 0 USD\n");
}

// ---- the comparison

Movement movement(std::string id, Micros time = 100, std::int64_t amount = 1000) {
  return {.processor = "stripe",
          .type = "charge",
          .external_id = std::move(id),
          .amount_cents = amount,
          .fee_cents = 59,
          .currency = "USD",
          .time = time};
}

std::string words(const Reconciliation& result) {
  std::string out;
  for (const Mismatch& m : result.mismatches) {
    if (!m.in_log) out += "not in the log: ";
    else if (!m.in_file) out += "not in the file: ";
    else
      for (const std::string_view field : m.fields) out.append(field).append(" ");
    out += (m.in_log ? m.in_log : m.in_file)->external_id + "\n";
  }
  return out + std::to_string(result.agreeing);
}

TEST(Reconcile, what_agrees_is_counted_and_the_rest_told_by_time) {
  Movement euro = movement("d", 300), dear = movement("e", 400);
  euro.currency = "EUR";
  dear.fee_cents = 60;
  const std::vector<Movement> log{movement("a", 900), movement("b"), movement("c", 50), movement("d", 300), movement("e", 400)};
  const std::vector<Movement> file{movement("f", 200), movement("b", 101), movement("c", 51, 1001), euro, dear};
  EXPECT_EQ(words(reconcile(log, file, {})), "amount_cents c\nnot in the log: f\ncurrency d\nfee_cents e\nnot in the file: a\n1");
}

TEST(Reconcile, the_same_id_of_another_type_or_processor_is_another_movement) {
  Movement refund = movement("a"), paypal = movement("a");
  refund.type = "refund";
  paypal.processor = "paypal";
  EXPECT_EQ(words(reconcile({movement("a")}, {movement("a"), refund, paypal}, {})), "not in the log: a\nnot in the log: a\n1");
}

TEST(Reconcile, told_twice_is_once_too_often) {
  EXPECT_EQ(words(reconcile({movement("a")}, {movement("a"), movement("a")}, {})), "not in the log: a\n1");
  EXPECT_EQ(words(reconcile({movement("a"), movement("a")}, {movement("a")}, {})), "not in the file: a\n1");
  EXPECT_EQ(words(reconcile({movement("a")}, {movement("a", 100, 1001), movement("a")}, {})), "not in the log: a\n1")
      << "the one that agrees is its pair, whichever comes first";
}

TEST(Reconcile, judges_the_period_and_finds_counterparts_beyond_it) {
  const Period period{.since = 100, .until = 200};
  EXPECT_EQ(words(reconcile({movement("a", 99), movement("b", 199)}, {movement("a", 100), movement("b", 200)}, period)), "2");
  EXPECT_EQ(words(reconcile({movement("a", 99), movement("b", 200)}, {movement("c", 99), movement("d", 200)}, period)), "0");
  EXPECT_EQ(words(reconcile({movement("a", 100)}, {movement("b", 199)}, period)), "not in the file: a\nnot in the log: b\n0");
  EXPECT_EQ(words(reconcile({movement("a", 99)}, {movement("a", 100, 1001)}, period)), "amount_cents a\n0");
  EXPECT_EQ(words(reconcile({movement("a", 99)}, {movement("a", 98, 1001)}, period)), "0");
}

}  // namespace
}  // namespace guildhall::test
