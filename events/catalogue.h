// Every event, command and resource of every aggregate: one line an aggregate.
#pragma once

#include <variant>

#include "events/account.h"
#include "events/booking.h"
#include "events/calendar.h"
#include "events/claim.h"
#include "events/payment.h"
#include "events/payout.h"
#include "events/schedule.h"
#include "events/session.h"
#include "events/subscription.h"
#include "events/wallet.h"

namespace guildhall {

namespace detail {
template <class...>
struct Join;
template <class... A>
struct Join<std::variant<A...>> {
  using type = std::variant<A...>;
};
template <class... A, class... B, class... Rest>
struct Join<std::variant<A...>, std::variant<B...>, Rest...> : Join<std::variant<A..., B...>, Rest...> {};
}  // namespace detail

using AnyEvent = detail::Join<account::Event, claim::Event, session::Event, schedule::Event, calendar::Event, booking::Event,
                              payment::Event, subscription::Event, wallet::Event, payout::Event>::type;
using AnyCommand =
    detail::Join<account::Command, claim::Command, session::Command, schedule::Command, calendar::Command, booking::Command,
                 payment::Command, subscription::Command, wallet::Command, payout::Command>::type;
using AnyResource =
    detail::Join<account::Resource, claim::Resource, session::Resource, schedule::Resource, calendar::Resource, booking::Resource,
                 payment::Resource, subscription::Resource, wallet::Resource, payout::Resource>::type;

// "booking.v1.BookingCreated": the name in the schema, and so in records and documents.
template <class T>
constexpr std::string_view type_name() {
  return T::TableType::GetFullyQualifiedName();
}
inline std::string_view type_name(const auto& variant) requires requires { variant.index(); }
{
  return std::visit([](const auto& value) { return type_name<std::decay_t<decltype(value)>>(); }, variant);
}

}  // namespace guildhall
