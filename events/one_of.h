// A value of one of many types, such as any event of any aggregate.
//
// What std::variant of a hundred types costs is paid by every file that copies one: each would compile the copy, the move, the
// destruction and the comparison of them all, a minute of it. Here these are a table, compiled once where the list is
// instantiated (events/catalogue.cpp), and a file pays for the types that it names. A value lives on the heap: an event moves
// as a pointer, whatever the largest of its siblings is.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "events/check.h"

namespace guildhall {

// Whether a type is one of a list, such as booking::Event. Lists are spelled as variants.
template <class T, class List>
inline constexpr bool is_one_of = false;
template <class T, class... Ts>
inline constexpr bool is_one_of<T, std::variant<Ts...>> = (__is_same(T, Ts) || ...);

namespace detail {
template <class...>
struct Join;
template <class... A>
struct Join<std::variant<A...>> {
  using type = std::variant<A...>;
};
template <class... A, class... B, class... Rest>
struct Join<std::variant<A...>, std::variant<B...>, Rest...> : Join<std::variant<A..., B...>, Rest...> {};

template <class T, class List>
struct IndexOf;
template <class T, class... Ts>
struct IndexOf<T, std::variant<Ts...>> {
  static constexpr std::uint16_t value = [] {
    constexpr bool same[] = {__is_same(T, Ts)...};
    std::uint16_t at = 0;
    while (!same[at]) ++at;
    return at;
  }();
};
}  // namespace detail

// `Of` names the list: it has a member `Types`. Empty when default-made or moved from; nothing but assignment and destruction may
// be done with an empty one.
template <class Of>
class OneOf {
 public:
  using Types = typename Of::Types;

  OneOf() = default;
  template <class T>
  requires is_one_of<T, Types> OneOf(T value) : value_(new T(std::move(value))), index_(detail::IndexOf<T, Types>::value) {}
  OneOf(const OneOf& other)
      : value_(other.value_ == nullptr ? nullptr : copy(other.index_, other.value_)), index_(other.index_) {}
  OneOf(OneOf&& other) noexcept : value_(std::exchange(other.value_, nullptr)), index_(other.index_) {}
  OneOf& operator=(OneOf other) noexcept {
    std::swap(value_, other.value_);
    std::swap(index_, other.index_);
    return *this;
  }
  ~OneOf() {
    if (value_ != nullptr) destroy(index_, value_);
  }

  std::size_t index() const { return index_; }
  const void* data() const {
    CHECK(value_ != nullptr);
    return value_;
  }
  void* data() {
    CHECK(value_ != nullptr);
    return value_;
  }
  // The name of its type in the schema, "booking.v1.BookingCreated"; for types that have one.
  std::string_view name() const { return name(index_); }

  friend bool operator==(const OneOf& a, const OneOf& b) { return a.index_ == b.index_ && equal(a.index_, a.data(), b.data()); }

 private:
  static void* copy(std::size_t index, const void* value);
  static void destroy(std::size_t index, void* value) noexcept;
  static bool equal(std::size_t index, const void* a, const void* b);
  static std::string_view name(std::size_t index);

  void* value_ = nullptr;
  std::uint16_t index_ = 0;
};

template <class T, class Of>
const T* get_if(const OneOf<Of>* any) {
  return any->index() == detail::IndexOf<T, typename Of::Types>::value ? static_cast<const T*>(any->data()) : nullptr;
}
template <class T, class Of>
T* get_if(OneOf<Of>* any) {
  return any->index() == detail::IndexOf<T, typename Of::Types>::value ? static_cast<T*>(any->data()) : nullptr;
}
// CHECKs that it is one.
template <class T, class Of>
const T& get(const OneOf<Of>& any) {
  const T* found = get_if<T>(&any);
  CHECK(found != nullptr);
  return *found;
}
template <class T, class Of>
T& get(OneOf<Of>& any) {
  T* found = get_if<T>(&any);
  CHECK(found != nullptr);
  return *found;
}

template <class T, class Of>
bool holds_alternative(const OneOf<Of>& any) {
  return get_if<T>(&any) != nullptr;
}

namespace detail {
template <class F, class Value, class... Ts>
decltype(auto) visit_any(F& f, std::size_t index, Value* value, const std::variant<Ts...>*) {
  using First = std::variant_alternative_t<0, std::variant<Ts...>>;
  constexpr bool read_only = std::is_const_v<Value>;
  using Result = decltype(f(std::declval<std::conditional_t<read_only, const First&, First&>>()));
  using Call = Result (*)(F&, Value*);
  static constexpr Call calls[] = {
      [](F& g, Value* v) -> Result { return g(*static_cast<std::conditional_t<read_only, const Ts*, Ts*>>(v)); }...};
  return calls[index](f, value);
}
}  // namespace detail

// Calls f with the value; f takes each of the types, and gives the same for all.
template <class F, class Of>
decltype(auto) visit(F&& f, const OneOf<Of>& any) {
  return detail::visit_any(f, any.index(), any.data(), static_cast<const typename Of::Types*>(nullptr));
}
template <class F, class Of>
decltype(auto) visit(F&& f, OneOf<Of>& any) {
  return detail::visit_any(f, any.index(), any.data(), static_cast<const typename Of::Types*>(nullptr));
}

}  // namespace guildhall
