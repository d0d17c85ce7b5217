#include "gateway/rpc_functions.h"

#include <array>

namespace guildhall {
namespace {

// TU-38.
constexpr std::array<RpcArgument, 6> create_session_arguments{{
    {"p_expert_user_id", "expert_id", true},
    {"p_title", "title", true},
    {"p_description", "description", true},
    {"p_duration_minutes", "duration_minutes", true},
    {"p_price_cents", "price_cents", true},
    {"p_currency", "currency", false},
}};
constexpr std::array<RpcResult, 1> create_session_results{{{"", "id"}}};

// TU-39.
constexpr std::array<RpcArgument, 3> create_booking_arguments{{
    {"p_learner_user_id", "learner_id", true},
    {"p_slot_id", "slot_id", true},
    {"p_notes", "notes", false},
}};
constexpr std::array<RpcResult, 5> create_booking_results{{
    {"booking_id", "id"},
    {"amount_cents", "amount_cents"},
    {"currency", "currency"},
    {"expert_id", "expert_id"},
    {"session_id", "session_id"},
}};

constexpr std::array<RpcFunction, 2> functions{{
    {"create_session", "session.v1.CreateSession", "Offer a session and return its id", create_session_arguments,
     create_session_results},
    {"create_booking_with_payment", "booking.v1.CreateBooking", "Book a seat and return what the payment needs",
     create_booking_arguments, create_booking_results},
}};

}  // namespace

std::span<const RpcFunction> rpc_functions() { return functions; }

}  // namespace guildhall
