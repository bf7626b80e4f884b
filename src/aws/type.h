// Described C++ types, erased: what the codecs know of a handler's input and output.
//
//     struct GetUserInput { std::optional<std::string> UserName; };
//     BOOST_DESCRIBE_STRUCT(GetUserInput, (), (UserName))
//
// type_of<T>() is built once per type from Boost.Describe; from then on the codecs are ordinary code over `Type`.
#pragma once

#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "aws/values.h"

namespace lambent::aws {

enum class Kind {
  boolean,
  integer,
  long_integer,
  floating,
  string,
  blob,
  timestamp,
  list,
  map,
  structure,
  event_stream
};

struct Type;

struct TypeMember {
  std::string_view name;
  std::size_t offset = 0;
  const Type* type = nullptr;
};

/// A type without its optional: `present` and `emplace` see through std::optional where there is one.
struct Type {
  Kind kind = Kind::structure;
  bool optional = false;
  /// The C++ name, for the messages of failed bindings.
  std::string_view name;
  std::vector<TypeMember> members;  // structure
  const Type* element = nullptr;    // list, map; of an event stream, the struct of its events

  // Construct on the heap and destroy: for a handler's whole input and output.
  void* (*create)() = nullptr;
  void (*destroy)(void*) = nullptr;

  // `object` points at the member itself (the optional, when optional).
  /// The value, or null when it is an empty optional.
  const void* (*get)(const void* object) = nullptr;
  /// The value, made first when it is an empty optional.
  void* (*emplace)(void* object) = nullptr;

  // Lists and maps, on what get/emplace return. `for_each` gives list elements an empty key.
  std::size_t (*size)(const void* value) = nullptr;
  void* (*append)(void* value, std::string_view key) = nullptr;
  void (*for_each)(const void* value, void* context,
                   void (*visit)(void* context, std::string_view key, const void* element)) = nullptr;
};

template <class T>
const Type& type_of();

namespace detail {

template <class T>
struct Unwrap {
  using Inner = T;
  static constexpr bool optional = false;
};
template <class T>
struct Unwrap<std::optional<T>> {
  using Inner = T;
  static constexpr bool optional = true;
};

template <class T>
struct Sequence : std::false_type {};
template <class T>
struct Sequence<std::vector<T>> : std::true_type {
  using Element = T;
};
template <class T>
struct Mapping : std::false_type {};
template <class T>
struct Mapping<std::map<std::string, T>> : std::true_type {
  using Element = T;
};

template <class T>
struct Streamed : std::false_type {};
template <class Events>
struct Streamed<EventStream<Events>> : std::true_type {
  using Element = Events;
};

template <class T>
constexpr Kind kind_of() {
  if constexpr (std::is_same_v<T, bool>)
    return Kind::boolean;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return Kind::integer;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return Kind::long_integer;
  else if constexpr (std::is_same_v<T, double>)
    return Kind::floating;
  else if constexpr (std::is_same_v<T, std::string>)
    return Kind::string;
  else if constexpr (std::is_same_v<T, Blob>)
    return Kind::blob;
  else if constexpr (std::is_same_v<T, Timestamp>)
    return Kind::timestamp;
  else if constexpr (Sequence<T>::value)
    return Kind::list;
  else if constexpr (Mapping<T>::value)
    return Kind::map;
  else if constexpr (Streamed<T>::value)
    return Kind::event_stream;
  else {
    static_assert(boost::describe::has_describe_members<T>::value, "describe the struct under its members");
    return Kind::structure;
  }
}

template <class T>
void describe_members(Type& type) {
  using Members = boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;
  static const T sample{};
  boost::mp11::mp_for_each<Members>([&](auto member) {
    const auto& field = sample.*member.pointer;
    const auto offset =
        static_cast<std::size_t>(reinterpret_cast<const char*>(&field) - reinterpret_cast<const char*>(&sample));
    type.members.push_back({member.name, offset, &type_of<std::remove_cvref_t<decltype(field)>>()});
  });
}

template <class T>
Type make_type() {
  using Inner = typename Unwrap<T>::Inner;
  Type type;
  type.kind = kind_of<Inner>();
  type.optional = Unwrap<T>::optional;
  type.name = __PRETTY_FUNCTION__;
  type.create = []() -> void* { return new T{}; };
  type.destroy = [](void* object) { delete static_cast<T*>(object); };
  type.get = [](const void* object) -> const void* {
    if constexpr (Unwrap<T>::optional) {
      const auto& held = *static_cast<const T*>(object);
      return held ? static_cast<const void*>(&*held) : nullptr;
    } else {
      return object;
    }
  };
  type.emplace = [](void* object) -> void* {
    if constexpr (Unwrap<T>::optional) {
      auto& held = *static_cast<T*>(object);
      if (!held) held.emplace();
      return &*held;
    } else {
      return object;
    }
  };
  if constexpr (Sequence<Inner>::value) {
    type.element = &type_of<typename Sequence<Inner>::Element>();
    type.size = [](const void* value) { return static_cast<const Inner*>(value)->size(); };
    type.append = [](void* value, std::string_view) -> void* { return &static_cast<Inner*>(value)->emplace_back(); };
    type.for_each = [](const void* value, void* context, void (*visit)(void*, std::string_view, const void*)) {
      for (const auto& element : *static_cast<const Inner*>(value)) visit(context, {}, &element);
    };
  } else if constexpr (Mapping<Inner>::value) {
    type.element = &type_of<typename Mapping<Inner>::Element>();
    type.size = [](const void* value) { return static_cast<const Inner*>(value)->size(); };
    type.append = [](void* value, std::string_view key) -> void* {
      return &(*static_cast<Inner*>(value))[std::string(key)];
    };
    type.for_each = [](const void* value, void* context, void (*visit)(void*, std::string_view, const void*)) {
      for (const auto& [key, element] : *static_cast<const Inner*>(value)) visit(context, key, &element);
    };
  } else if constexpr (Streamed<Inner>::value) {
    type.element = &type_of<typename Streamed<Inner>::Element>();
  } else if constexpr (kind_of<Inner>() == Kind::structure) {
    describe_members<Inner>(type);
  }
  return type;
}

}  // namespace detail

/// Built at first use, then shared. Recursive structs are not supported: AWS's inputs and outputs here have none.
template <class T>
const Type& type_of() {
  static const Type type = detail::make_type<T>();
  return type;
}

}  // namespace lambent::aws
