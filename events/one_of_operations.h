// What a list's explicit instantiation compiles, once: `template class OneOf<EventTypes>;` in one source file.
#pragma once

#include "events/one_of.h"

namespace guildhall {
namespace detail {

struct Operations {
  void* (*copy)(const void*);
  void (*destroy)(void*);
  bool (*equal)(const void*, const void*);
  std::string_view (*name)();
};

template <class T>
constexpr Operations operations_of{
    [](const void* value) -> void* { return new T(*static_cast<const T*>(value)); },
    [](void* value) { delete static_cast<T*>(value); },
    [](const void* a, const void* b) { return *static_cast<const T*>(a) == *static_cast<const T*>(b); },
    []() -> std::string_view { return T::TableType::GetFullyQualifiedName(); },
};

template <class List>
struct OperationsOf;
template <class... T>
struct OperationsOf<std::variant<T...>> {
  static constexpr Operations table[] = {operations_of<T>...};
};

}  // namespace detail

template <class Of>
void* OneOf<Of>::copy(std::size_t index, const void* value) {
  return detail::OperationsOf<Types>::table[index].copy(value);
}
template <class Of>
void OneOf<Of>::destroy(std::size_t index, void* value) noexcept {
  detail::OperationsOf<Types>::table[index].destroy(value);
}
template <class Of>
bool OneOf<Of>::equal(std::size_t index, const void* a, const void* b) {
  return detail::OperationsOf<Types>::table[index].equal(a, b);
}
template <class Of>
std::string_view OneOf<Of>::name(std::size_t index) {
  return detail::OperationsOf<Types>::table[index].name();
}

}  // namespace guildhall
