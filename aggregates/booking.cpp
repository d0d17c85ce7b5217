#include "aggregates/booking.h"

#include <algorithm>

#include "aggregates/calendar.h"

namespace guildhall {
namespace {

using namespace booking;
using ::booking::v1::CancelledBy;
using ::booking::v1::Status;

StreamId stream_of(const Uuid& booking_id) { return {StreamKind::booking, booking_id}; }

// As whom the actor stands to a booking: an admin or service acts as the system (A-TU-13), nullopt is a stranger.
std::optional<CancelledBy> side_of(const Actor& actor, const BookingState& s) {
  if (actor.is(s.learner_id)) return CancelledBy::learner;
  if (actor.is(s.expert_id)) return CancelledBy::expert;
  if (actor.trusted()) return CancelledBy::system;
  return std::nullopt;
}

// Strangers learn nothing of a booking (TU-48), its learner may not do the expert's part.
std::optional<Code> expert_refusal(const Actor& actor, const Uuid& booking_id, const View& view) {
  const auto& s = view.get<BookingState>(booking_id);
  if (!view.exists<BookingState>(booking_id) || !side_of(actor, s)) return Code::booking_not_found;
  if (!actor.trusted() && !actor.is(s.expert_id)) return Code::expert_only;
  return std::nullopt;
}

Accepted nothing_new(const Uuid& booking_id) { return {.subject = {stream_of(booking_id)}}; }

void append(std::vector<NewEvent>& events, std::vector<NewEvent>&& more) { std::ranges::move(more, std::back_inserter(events)); }

// Whether this learner may take a seat of this slot now: the rules of CreateBooking, which late money has to pass again (M-2).
std::optional<Code> refusal(const FoundSlot& found, const Uuid& learner, const Context& at, const View& view) {
  const auto fact = view.directory().account(learner);
  if (!fact || !fact->is_learner) return Code::learner_not_found;
  if (fact->status != ::account::v1::Status::active) return Code::account_banned;
  const Uuid& expert = found.day->expert_id;
  const auto& offering = view.get<AccountState>(expert);
  const bool accepting = offering.is_expert && offering.status == ::account::v1::Status::active && offering.accepting;
  if (!accepting) return Code::expert_not_accepting;
  if (learner == expert) return Code::own_session;
  if (!view.get<SessionState>(found.slot->session_id()).is_active) return Code::session_inactive;
  return seat_refusal(found, learner, at.now);
}

// The end of a live booking: what happened, the seat, and the money.
std::vector<NewEvent> end_booking(const BookingState& s, AnyEvent what, std::string_view reason, const Context& at,
                                  const View& view) {
  std::vector<NewEvent> events{{stream_of(s.booking_id), std::move(what)}};
  append(events, release_seat(view, s.slot_id, s.booking_id));
  if (!is_nil(s.payment_id)) append(events, return_money(s.payment_id, reason, FeeBearer::seller, at, view));
  return events;
}

}  // namespace

// ---- decide

Decision decide(const CreateBooking& c, const Context& at, const View& view) {
  const FoundSlot found = find_slot(view, c.slot_id);
  if (!found) return reject(Code::slot_not_found);
  if (!at.actor.trusted() && !at.actor.is(c.learner_id)) return reject(Code::learner_not_found);
  if (const auto code = refusal(found, c.learner_id, at, view)) return reject(*code);

  const auto& slot = *found.slot;
  const auto& session = view.get<SessionState>(slot.session_id());
  const bool free = session.price_cents == 0;
  BookingCreated created{.booking_id = at.mint("booking"),
                         .learner_id = c.learner_id,
                         .expert_id = found.day->expert_id,
                         .session_id = slot.session_id(),
                         .slot_id = c.slot_id,
                         .payment_id = free ? Uuid{} : at.mint("payment"),
                         .start_at = slot.start_at(),
                         .end_at = slot.end_at(),
                         .amount_cents = session.price_cents,
                         .currency = session.currency,
                         .notes = c.notes,
                         .expires_at = std::min(at.now + (free ? at.policy.answer_us : at.policy.hold_us), slot.start_at())};
  Accepted accepted{.subject = {stream_of(created.booking_id)}, .created = true};
  auto& events = accepted.events;
  events.push_back({stream_of(created.booking_id), created});
  if (!session.booked_before)
    events.push_back({{StreamKind::session, created.session_id}, session::SessionFirstBooked{.session_id = created.session_id}});
  append(events, hold_seat(view, found, created.booking_id, created.learner_id));
  if (!free) {
    payment::PaymentInitiated initiated{.payment_id = created.payment_id,
                                        .subject_id = created.booking_id,
                                        .related_id = created.booking_id,
                                        .payer_id = created.learner_id,
                                        .payee_id = created.expert_id,
                                        .purpose = ::payment::v1::Purpose::booking,
                                        .amount_cents = created.amount_cents,
                                        .currency = created.currency,
                                        .processor = at.policy.processor,
                                        .auto_authorize = at.policy.auto_authorize};
    events.push_back({{StreamKind::payment, created.payment_id}, std::move(initiated)});
  }
  return accepted;
}

Decision decide(const ConfirmBooking& c, const Context& at, const View& view) {
  if (const auto code = expert_refusal(at.actor, c.booking_id, view)) return reject(*code);
  const auto& s = view.get<BookingState>(c.booking_id);
  if (s.status == Status::confirmed) return nothing_new(c.booking_id);
  if (s.status != Status::pending) return reject(Code::booking_not_pending);
  if (!s.secured) return reject(Code::payment_not_authorized);
  if (at.now >= s.start_at) return reject(Code::booking_started);
  Accepted accepted = nothing_new(c.booking_id);
  accepted.events.push_back({stream_of(c.booking_id), BookingConfirmed{.booking_id = c.booking_id}});
  if (!is_nil(s.payment_id)) append(accepted.events, capture_money(s.payment_id, view));
  return accepted;
}

Decision decide(const DeclineBooking& c, const Context& at, const View& view) {
  if (const auto code = expert_refusal(at.actor, c.booking_id, view)) return reject(*code);
  const auto& s = view.get<BookingState>(c.booking_id);
  if (s.status == Status::declined) return nothing_new(c.booking_id);
  if (s.status != Status::pending) return reject(Code::booking_not_pending);
  Accepted accepted = nothing_new(c.booking_id);
  accepted.events = end_booking(s, BookingDeclined{.booking_id = c.booking_id, .reason = c.reason}, "booking declined", at, view);
  return accepted;
}

Decision decide(const CancelBooking& c, const Context& at, const View& view) {
  const auto& s = view.get<BookingState>(c.booking_id);
  const auto side = side_of(at.actor, s);
  if (!view.exists<BookingState>(c.booking_id) || !side) return reject(Code::booking_not_found);
  if (s.status == Status::cancelled && s.cancelled_by == *side) return nothing_new(c.booking_id);
  if (s.status != Status::pending && s.status != Status::confirmed) return reject(Code::booking_not_cancellable);
  if (at.now >= s.start_at) return reject(Code::booking_started);
  Accepted accepted = nothing_new(c.booking_id);
  accepted.events = end_booking(s, BookingCancelled{.booking_id = c.booking_id, .cancelled_by = *side, .reason = c.reason},
                                "booking cancelled", at, view);
  return accepted;
}

Decision decide(const SetExpertNotes& c, const Context& at, const View& view) {
  if (const auto code = expert_refusal(at.actor, c.booking_id, view)) return reject(*code);
  Accepted accepted = nothing_new(c.booking_id);
  accepted.events.push_back({stream_of(c.booking_id), ExpertNotesSet{.booking_id = c.booking_id, .notes = c.notes}});
  return accepted;
}

Decision decide(const MarkNoShow& c, const Context& at, const View& view) {
  const auto& s = view.get<BookingState>(c.booking_id);
  const auto side = side_of(at.actor, s);
  if (!view.exists<BookingState>(c.booking_id) || !side) return reject(Code::booking_not_found);
  if (s.status == Status::no_show) return nothing_new(c.booking_id);
  if (s.status != Status::confirmed) return reject(Code::booking_not_confirmed);
  if (at.now < s.start_at) return reject(Code::booking_not_over, "A booking that has not started has no no-show.");
  Accepted accepted = nothing_new(c.booking_id);
  accepted.events.push_back({stream_of(c.booking_id), BookingNoShow{.booking_id = c.booking_id, .reported_by = *side}});
  return accepted;
}

Decision decide(const CompleteBooking& c, const Context& at, const View& view) {
  if (const auto code = expert_refusal(at.actor, c.booking_id, view)) return reject(*code);
  const auto& s = view.get<BookingState>(c.booking_id);
  const bool timer = at.actor.kind == ActorKind::system;
  // People correct a no-show; the timer that crossed its report does not.
  const bool corrects = s.status == Status::no_show && at.actor.trusted() && !timer;
  if (s.status == Status::completed) return nothing_new(c.booking_id);
  if (s.status != Status::confirmed && !corrects) {
    if (timer) return nothing_new(c.booking_id);
    return reject(Code::booking_not_confirmed);
  }
  if (at.now < s.end_at) return reject(Code::booking_not_over);
  Accepted accepted = nothing_new(c.booking_id);
  accepted.events.push_back({stream_of(c.booking_id), BookingCompleted{.booking_id = c.booking_id}});
  return accepted;
}

Decision decide(const ExpireBooking& c, const Context& at, const View& view) {
  if (!at.actor.trusted() || !view.exists<BookingState>(c.booking_id)) return reject(Code::booking_not_found);
  const auto& s = view.get<BookingState>(c.booking_id);
  // The booking was answered, or got more time, while its timer was on its way.
  if (s.status != Status::pending || at.now < s.expires_at) return nothing_new(c.booking_id);
  Accepted accepted = nothing_new(c.booking_id);
  accepted.events = end_booking(s, BookingExpired{.booking_id = c.booking_id}, "booking expired", at, view);
  return accepted;
}

MoneyTaken take_booking_money(const PaymentState& payment, bool, const Context& at, const View& view) {
  const Uuid& booking_id = payment.subject_id;
  const auto& s = view.get<BookingState>(booking_id);
  const Micros expires_at = std::min(at.now + at.policy.answer_us, s.start_at);
  MoneyTaken taken;
  switch (s.status) {
    case Status::pending:
      taken.wanted = true;
      if (!s.secured)
        taken.events.push_back({stream_of(booking_id), BookingSecured{.booking_id = booking_id, .expires_at = expires_at}});
      break;
    case Status::confirmed:
    case Status::completed:
    case Status::no_show: taken.wanted = true; break;
    case Status::expired: {
      if (s.secured) break;  // It expired for want of an answer, not of money.
      const FoundSlot found = find_slot(view, s.slot_id);
      if (!found || refusal(found, s.learner_id, at, view)) break;
      taken.wanted = true;
      taken.events.push_back({stream_of(booking_id), BookingReinstated{.booking_id = booking_id, .expires_at = expires_at}});
      append(taken.events, hold_seat(view, found, booking_id, s.learner_id));
      break;
    }
    case Status::cancelled:
    case Status::declined: break;
  }
  return taken;
}

std::vector<NewEvent> lose_booking_money(const PaymentState& payment, std::string_view reason, const Context&, const View& view) {
  const Uuid& booking_id = payment.subject_id;
  const auto& s = view.get<BookingState>(booking_id);
  if (s.status != Status::pending && s.status != Status::confirmed) return {};
  std::vector<NewEvent> events{
      {stream_of(booking_id),
       BookingCancelled{.booking_id = booking_id, .cancelled_by = CancelledBy::system, .reason = std::string(reason)}}};
  append(events, release_seat(view, s.slot_id, booking_id));
  return events;
}

std::optional<StreamId> target(const CreateBooking&) { return std::nullopt; }
std::optional<StreamId> target(const ConfirmBooking& c) { return stream_of(c.booking_id); }
std::optional<StreamId> target(const DeclineBooking& c) { return stream_of(c.booking_id); }
std::optional<StreamId> target(const CancelBooking& c) { return stream_of(c.booking_id); }
std::optional<StreamId> target(const SetExpertNotes& c) { return stream_of(c.booking_id); }
std::optional<StreamId> target(const MarkNoShow& c) { return stream_of(c.booking_id); }
std::optional<StreamId> target(const CompleteBooking& c) { return stream_of(c.booking_id); }
std::optional<StreamId> target(const ExpireBooking& c) { return stream_of(c.booking_id); }

// ---- apply

void apply(BookingState& s, const BookingCreated& e) {
  s.booking_id = e.booking_id;
  s.learner_id = e.learner_id;
  s.expert_id = e.expert_id;
  s.session_id = e.session_id;
  s.slot_id = e.slot_id;
  s.payment_id = e.payment_id;
  s.start_at = e.start_at;
  s.end_at = e.end_at;
  s.amount_cents = e.amount_cents;
  s.currency = e.currency;
  s.status = Status::pending;
  s.secured = is_nil(e.payment_id);
  s.expires_at = e.expires_at;
}

void apply(BookingState& s, const BookingSecured& e) {
  s.secured = true;
  s.expires_at = e.expires_at;
}

void apply(BookingState& s, const BookingConfirmed&) { s.status = Status::confirmed; }
void apply(BookingState& s, const BookingDeclined&) { s.status = Status::declined; }

void apply(BookingState& s, const BookingCancelled& e) {
  s.status = Status::cancelled;
  s.cancelled_by = e.cancelled_by;
}

void apply(BookingState& s, const BookingExpired&) { s.status = Status::expired; }

void apply(BookingState& s, const BookingReinstated& e) {
  s.status = Status::pending;
  s.secured = true;
  s.expires_at = e.expires_at;
}

void apply(BookingState& s, const BookingCompleted&) { s.status = Status::completed; }
void apply(BookingState& s, const BookingNoShow&) { s.status = Status::no_show; }
void apply(BookingState&, const ExpertNotesSet&) {}  // No decision reads them: they live in the read model.

// ---- reply, timers

AnyResource represent(const BookingState& s, std::uint64_t version, const Uuid&) {
  BookingView view{.id = s.booking_id,
                   .version = version,
                   .status = s.status,
                   .learner_id = s.learner_id,
                   .expert_id = s.expert_id,
                   .session_id = s.session_id,
                   .slot_id = s.slot_id,
                   .payment_id = s.payment_id,
                   .start_at = s.start_at,
                   .end_at = s.end_at,
                   .amount_cents = s.amount_cents,
                   .currency = s.currency};
  if (s.status == Status::pending) view.expires_at = s.expires_at;
  return view;
}

// The two parties, as the row policies of the read models say it.
bool shows_to(const BookingState& s, const Actor& actor) {
  return actor.trusted() || actor.is(s.learner_id) || actor.is(s.expert_id);
}

std::vector<Timer> timers(const BookingState& s) {
  if (s.status == Status::pending) return {{"expire", s.expires_at, ExpireBooking{.booking_id = s.booking_id}}};
  if (s.status == Status::confirmed) return {{"complete", s.end_at, CompleteBooking{.booking_id = s.booking_id}}};
  return {};
}

}  // namespace guildhall
