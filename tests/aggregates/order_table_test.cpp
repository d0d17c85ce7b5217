// Who may do what to an order, and when: every state, actor and command asked of the real `decide`, and compared with
// docs/orders.md, so that the page can't be wrong. GUILDHALL_WRITE_GOLDEN=1 writes its tables anew.
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "tests/aggregates/ordering.h"

namespace guildhall::testing {
namespace {

using namespace order;

constexpr std::string_view page_path = GUILDHALL_SOURCE_DIR "/docs/orders.md";
constexpr std::string_view begin_mark = "<!-- tables: begin -->\n", end_mark = "<!-- tables: end -->\n";

// "OrderStarted" of "order.v1.OrderStarted".
std::string short_name(std::string_view type) { return std::string(type.substr(type.rfind('.') + 1)); }

class OrderTable : public Ordering {
 public:
  struct Column {
    std::string name;
    Actor actor;
  };
  const std::vector<Column> columns{{"buyer", user(bea)},   {"seller", user(sid)},    {"admin", admin(boss)},
                                    {"service", service()}, {"system", the_system()}, {"stranger", user(eve)}};

  // A way an order can stand; `make` leaves the world at an instant when it does.
  struct Standing {
    std::string name;
    std::function<Uuid()> make;
  };
  Uuid with_complaint(const Uuid& id) {
    complain(id).then_accepted();
    return id;
  }
  Uuid with_revision(const Uuid& id) {
    revise(id).then_accepted();
    return id;
  }
  Uuid with_chargeback(const Uuid& id) {
    charge_back(id);
    return id;
  }
  Uuid with_answer(const Uuid& id) {
    reply(id).then_accepted();
    return id;
  }
  Uuid after_cancel(const Uuid& id, const Actor& who) {
    cancel(id, who).then_accepted();
    return id;
  }
  Uuid with_last_revision() {
    const Uuid id = with_revision(delivered_order());
    deliver(id, "Version 2").then_accepted();
    return with_revision(id);
  }
  std::vector<Standing> standings() {
    return {
        {"pending (unpaid)", [&] { return unpaid_order(); }},
        {"pending (paid, nothing told)",
         [&] {
           auto c = place();
           c.requirements.clear();
           const Uuid id = placed(c);
           settle();
           return id;
         }},
        {"pending (paid)", [&] { return paid_order(); }},
        {"pending (paid, charged back)", [&] { return with_chargeback(paid_order()); }},
        {"in_progress", [&] { return started_order(); }},
        {"in_progress (overdue)", [&] { return overdue_order(); }},
        {"in_progress (charged back)", [&] { return with_chargeback(started_order()); }},
        {"in_progress (disputed)", [&] { return with_complaint(started_order()); }},
        {"in_progress (overdue, disputed)", [&] { return with_complaint(overdue_order()); }},
        {"delivered", [&] { return delivered_order(); }},
        {"delivered (no revision left)", [&] { return delivered_order("plain"); }},
        {"delivered (charged back)", [&] { return with_chargeback(delivered_order()); }},
        {"delivered (disputed)", [&] { return with_complaint(delivered_order()); }},
        {"delivered (disputed, answered)", [&] { return with_answer(with_complaint(delivered_order())); }},
        {"delivered (disputed, charged back)", [&] { return with_chargeback(with_complaint(delivered_order())); }},
        {"revision_requested", [&] { return with_revision(delivered_order()); }},
        {"revision_requested (none left)", [&] { return with_last_revision(); }},
        {"revision_requested (overdue)",
         [&] {
           const Uuid id = with_revision(delivered_order());
           pass(3 * day_us);
           return id;
         }},
        {"revision_requested (disputed)", [&] { return with_complaint(with_revision(delivered_order())); }},
        {"completed (within the hold)", [&] { return completed_order(); }},
        {"completed by its timer",
         [&] {
           const Uuid id = delivered_order();
           pass(72 * hour_us);
           return id;
         }},
        {"completed (charged back)", [&] { return with_chargeback(completed_order()); }},
        {"completed (disputed)", [&] { return with_complaint(completed_order()); }},
        {"completed (disputed, answered)", [&] { return with_answer(with_complaint(completed_order())); }},
        {"completed (after the hold)",
         [&] {
           const Uuid id = completed_order();
           pass(7 * day_us);
           return id;
         }},
        {"cancelled by its buyer", [&] { return after_cancel(paid_order(), user(bea)); }},
        {"cancelled by its seller", [&] { return after_cancel(started_order(), user(sid)); }},
        {"cancelled by an admin", [&] { return after_cancel(delivered_order(), admin(boss)); }},
        {"cancelled by its timer",
         [&] {
           const Uuid id = unpaid_order();
           pass(15 * minute_us);
           return id;
         }},
        {"refunded",
         [&] {
           const Uuid id = completed_order();
           refund(id, user(sid)).then_accepted();
           return id;
         }},
        {"refunded by a complaint",
         [&] {
           const Uuid id = with_complaint(delivered_order());
           resolve(id, DisputeOutcome::buyer).then_accepted();
           return id;
         }},
    };
  }

  struct Row {
    std::string name;
    std::function<AnyCommand(const Uuid&)> command;
  };
  static const std::vector<Row>& rows() {
    static const std::vector<Row> rows{
        {"SubmitRequirements", [](const Uuid& id) { return SubmitRequirements{.order_id = id, .requirements = "In C minor."}; }},
        {"SubmitRequirements, the same again",
         [](const Uuid& id) { return SubmitRequirements{.order_id = id, .requirements = "120 bpm"}; }},
        {"StartOrder", [](const Uuid& id) { return StartOrder{.order_id = id}; }},
        {"DeliverOrder", [](const Uuid& id) { return DeliverOrder{.order_id = id, .delivery_notes = "The final version."}; }},
        {"DeliverOrder, the same again",
         [](const Uuid& id) { return DeliverOrder{.order_id = id, .delivery_notes = "Here it is."}; }},
        {"RequestRevision", [](const Uuid& id) { return RequestRevision{.order_id = id, .reason = "Louder."}; }},
        {"ApproveDelivery", [](const Uuid& id) { return ApproveDelivery{.order_id = id}; }},
        {"CancelOrder", [](const Uuid& id) { return CancelOrder{.order_id = id}; }},
        {"RefundOrder", [](const Uuid& id) { return RefundOrder{.order_id = id}; }},
        {"OpenDispute", [](const Uuid& id) { return OpenDispute{.order_id = id, .reason = "It hums."}; }},
        {"AnswerDispute", [](const Uuid& id) { return AnswerDispute{.order_id = id, .answer = "It does not."}; }},
        {"AnswerDispute, the same again", [](const Uuid& id) { return AnswerDispute{.order_id = id, .answer = "It is."}; }},
        {"ResolveDispute, for the buyer",
         [](const Uuid& id) { return ResolveDispute{.order_id = id, .outcome = DisputeOutcome::buyer}; }},
        {"ResolveDispute, for the seller",
         [](const Uuid& id) { return ResolveDispute{.order_id = id, .outcome = DisputeOutcome::seller}; }},
        {"ExpireOrder", [](const Uuid& id) { return ExpireOrder{.order_id = id}; }},
        {"MarkOverdue", [](const Uuid& id) { return MarkOverdue{.order_id = id}; }},
        {"AutoCompleteOrder", [](const Uuid& id) { return AutoCompleteOrder{.order_id = id}; }},
        {"SettleDispute", [](const Uuid& id) { return SettleDispute{.order_id = id}; }},
    };
    return rows;
  }

  // A timer's command at the instant it is due, every other one now.
  Micros instant_of(const AnyCommand& command, const Uuid& id) const {
    for (const Timer& t : timers(the_order(id)))
      if (t.command == command) return std::max(now, t.due);
    return now;
  }

  struct Cell {
    std::string text;
    OrderStatus after{};
    bool is_accepted = false;
  };
  // Decided only: the order stays as it is for the next cell.
  Cell ask(const Uuid& id, const AnyCommand& command, const Actor& who) {
    const Micros at = instant_of(command, id);
    const Decision decision = decide(command, Context{at, who, next_command_id(), test_bucket, policy, zones()}, world);
    if (!decision) return {"`" + std::string(name_of(decision.error().code)) + "`"};
    if (decision->events.empty()) return {"no change"};
    const auto& before = the_order(id);
    AnyState state = before;
    std::string events;
    for (const NewEvent& e : decision->events) {
      if (e.stream.kind == StreamKind::order) apply(state, e.event);
      events += (events.empty() ? "" : ", ") + short_name(type_name(e.event));
    }
    const auto& after = get<OrderState>(state);
    std::string text =
        std::string("**") + ::order::v1::EnumNameStatus(after.status) + (after.is_disputed ? ", disputed" : "") + "**";
    return {text + ": " + events, after.status, true};
  }

  struct Answer {
    std::string standing, command, actor;
    OrderStatus before{};
    Cell cell;
  };
  const std::vector<Answer>& answers() {
    if (!answers_.empty()) return answers_;
    for (const Standing& standing : standings()) {
      const Uuid id = standing.make();
      for (const Row& row : rows())
        for (const Column& column : columns)
          answers_.push_back({standing.name, row.name, column.name, status(id), ask(id, row.command(id), column.actor)});
    }
    return answers_;
  }

  // A table for each command; what is answered alike stands in one row.
  std::string tables() {
    std::string out;
    for (const Row& row : rows()) {
      std::vector<std::pair<std::string, std::string>> lines;  // Of cells, with the names of who answers so.
      std::map<std::string, std::string> cells;                // Of each standing.
      for (const Answer& a : answers())
        if (a.command == row.name) cells[a.standing] += " " + a.cell.text + " |";
      for (const Standing& standing : standings()) {
        const std::string& of = cells[standing.name];
        const auto alike = std::ranges::find(lines, of, [](const auto& line) { return line.first; });
        if (alike == lines.end()) lines.emplace_back(of, standing.name);
        else alike->second += "; " + standing.name;
      }
      out += "\n### " + row.name + "\n\n| the order is |";
      for (const Column& column : columns) out += " " + column.name + " |";
      out += "\n|---|";
      for (std::size_t i = 0; i < columns.size(); ++i) out += "---|";
      out += "\n";
      for (const auto& [of, names] : lines) out += "| " + names + " |" + of + "\n";
    }
    return out + "\n";
  }

 private:
  std::vector<Answer> answers_;
};

std::string text_of(std::string_view path) {
  std::ifstream file{std::string(path), std::ios::binary};
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

TEST_F(OrderTable, docs_say_what_decide_answers) {  // §9, A-PA-55
  const std::string page = text_of(page_path);
  const auto begin = page.find(begin_mark), end = page.find(end_mark);
  ASSERT_TRUE(begin != page.npos && end != page.npos && begin < end) << page_path << " lacks its marks";
  const std::string head = page.substr(0, begin + begin_mark.size()), tail = page.substr(end);
  const std::string wanted = head + tables() + tail;
  if (std::getenv("GUILDHALL_WRITE_GOLDEN") != nullptr) std::ofstream(std::string(page_path), std::ios::binary) << wanted;
  EXPECT_TRUE(text_of(page_path) == wanted) << page_path << " is out of date; GUILDHALL_WRITE_GOLDEN=1 writes its tables";
}

TEST_F(OrderTable, asks_every_command_but_the_one_that_makes_an_order) {
  std::set<std::string_view> asked;
  for (const Row& row : rows()) asked.insert(row.command(id_of("any")).name());
  EXPECT_EQ(asked.size(), std::variant_size_v<order::Command> - 1);
  EXPECT_FALSE(asked.contains(type_name<PlaceOrder>()));
}

// The page's tables once more, as §9 has them: who moves an order from where to where. Staying where it is, is no move.
TEST_F(OrderTable, an_order_moves_as_section_9_says) {  // §9, PA-72
  using enum OrderStatus;
  using Move = std::tuple<std::string, std::string, OrderStatus, OrderStatus>;
  std::set<Move> expected{
      {"StartOrder", "seller", pending, in_progress},
      {"StartOrder", "service", pending, in_progress},
      {"DeliverOrder", "seller", in_progress, delivered},
      {"DeliverOrder", "service", in_progress, delivered},
      {"DeliverOrder", "seller", revision_requested, delivered},
      {"DeliverOrder", "service", revision_requested, delivered},
      {"RequestRevision", "buyer", delivered, revision_requested},
      {"RequestRevision", "service", delivered, revision_requested},
      {"ApproveDelivery", "buyer", delivered, completed},
      {"ApproveDelivery", "service", delivered, completed},
      {"AutoCompleteOrder", "system", delivered, completed},
      {"CancelOrder", "buyer", pending, cancelled},
      {"CancelOrder", "buyer", in_progress, cancelled},         // Overdue (ledger.md).
      {"CancelOrder", "buyer", revision_requested, cancelled},  // Overdue (ledger.md).
      {"CancelOrder", "seller", pending, cancelled},
      {"CancelOrder", "seller", in_progress, cancelled},
      {"ExpireOrder", "system", pending, cancelled},
      {"RefundOrder", "seller", completed, refunded},
      {"SettleDispute", "system", in_progress, refunded},
      {"SettleDispute", "system", delivered, refunded},
      {"SettleDispute", "system", revision_requested, refunded},
      {"SettleDispute", "system", completed, refunded},
  };
  for (const std::string who : {"admin", "service", "system"})
    for (const OrderStatus from : {pending, in_progress, delivered, revision_requested})
      expected.insert({"CancelOrder", who, from, cancelled});
  for (const std::string who : {"admin", "service", "system"})
    for (const OrderStatus from : {pending, in_progress, delivered, revision_requested, completed})
      expected.insert({"RefundOrder", who, from, refunded});
  for (const std::string who : {"admin", "service"})
    for (const OrderStatus from : {in_progress, delivered, revision_requested, completed})
      expected.insert({"ResolveDispute, for the buyer", who, from, refunded});

  std::set<Move> moves;
  for (const Answer& a : answers())
    if (a.cell.is_accepted && a.cell.after != a.before)
      moves.insert({a.command.substr(0, a.command.find(", the same")), a.actor, a.before, a.cell.after});
  for (const auto& [command, who, from, to] : expected)
    EXPECT_TRUE(moves.contains({command, who, from, to}))
        << "missing: " << command << " by " << who << " from " << ::order::v1::EnumNameStatus(from);
  for (const auto& [command, who, from, to] : moves)
    EXPECT_TRUE(expected.contains({command, who, from, to}))
        << "unexpected: " << command << " by " << who << " from " << ::order::v1::EnumNameStatus(from) << " to "
        << ::order::v1::EnumNameStatus(to);
}

TEST_F(OrderTable, strangers_and_those_who_are_no_timer_learn_nothing) {  // PA-76, A-PA-55
  const std::set<std::string> timers{"ExpireOrder", "MarkOverdue", "AutoCompleteOrder", "SettleDispute"};
  for (const Answer& a : answers()) {
    const bool of_others = a.actor == "stranger" || (timers.contains(a.command) && a.actor != "system");
    if (!of_others) continue;
    EXPECT_EQ(a.cell.text, "`order_not_found`") << a.standing << ", " << a.command << ", " << a.actor;
  }
}

}  // namespace
}  // namespace guildhall::testing
