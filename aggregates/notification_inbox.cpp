#include "aggregates/notification_inbox.h"

#include "aggregates/account.h"

namespace guildhall {
namespace {

using namespace notification_inbox;

StreamId stream_of(const Uuid& user_id) { return {StreamKind::notification_inbox, user_id}; }

}  // namespace

// ---- decide

Decision decide(const MarkAllRead& c, const Context& at, const View& view) {
  if (!may_act_for(at.actor, c.user_id) || !is_registered(view.get<AccountState>(c.user_id)))
    return reject(Code::account_not_found);
  const auto& s = view.get<NotificationInboxState>(c.user_id);
  const std::int64_t read_up_to = c.read_up_to.value_or(s.last_sequence);
  Accepted out{.subject = {stream_of(c.user_id), c.user_id}};
  if (read_up_to <= s.read_up_to) return out;
  if (read_up_to > s.last_sequence) return reject(Code::notification_not_found);
  out.events.push_back(
      {stream_of(c.user_id), AllNotificationsRead{.user_id = c.user_id, .read_up_to = read_up_to, .read_at = at.now}});
  return out;
}

std::optional<StreamId> target(const MarkAllRead& c) { return stream_of(c.user_id); }

// ---- apply

void apply(NotificationInboxState& s, const AllNotificationsRead& e) { s.read_up_to = e.read_up_to; }

void count(NotificationInboxState& s, const notification::NotificationRaised& e) {
  s.user_id = e.user_id;
  s.last_sequence = e.sequence;
}

// ---- reply

AnyResource represent(const NotificationInboxState& s, std::uint64_t version, const Uuid& part) {
  return NotificationInboxView{.id = is_nil(part) ? s.user_id : part,  // Of an account that was told nothing there is no state.
                               .version = version,
                               .last_sequence = s.last_sequence,
                               .read_up_to = s.read_up_to};
}

bool shows_to(const NotificationInboxState& s, const Actor& actor) { return may_act_for(actor, s.user_id); }

}  // namespace guildhall
