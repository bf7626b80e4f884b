#include "aws/plain_json.h"

#include <boost/json.hpp>
#include <stdexcept>

namespace lambent::aws::detail {
namespace {

namespace json = boost::json;

json::value written(const Type& type, const void* value);

json::value written_list(const Type& type, const void* value) {
  struct Context {
    const Type& element;
    json::array array;
  } context{*type.element, {}};
  type.for_each(value, &context, [](void* to, std::string_view, const void* element) {
    auto& out = *static_cast<Context*>(to);
    const void* held = out.element.get(element);
    out.array.push_back(held ? written(out.element, held) : json::value());
  });
  return std::move(context.array);
}

json::value written_map(const Type& type, const void* value) {
  struct Context {
    const Type& element;
    json::object object;
  } context{*type.element, {}};
  type.for_each(value, &context, [](void* to, std::string_view key, const void* element) {
    auto& out = *static_cast<Context*>(to);
    if (const void* held = out.element.get(element)) out.object[key] = written(out.element, held);
  });
  return std::move(context.object);
}

json::value written(const Type& type, const void* value) {
  switch (type.kind) {
    case Kind::boolean:
      return *static_cast<const bool*>(value);
    case Kind::integer:
      return *static_cast<const std::int32_t*>(value);
    case Kind::long_integer:
      return *static_cast<const std::int64_t*>(value);
    case Kind::floating:
      return *static_cast<const double*>(value);
    case Kind::string:
      return json::string(*static_cast<const std::string*>(value));
    case Kind::timestamp:
      return static_cast<const Timestamp*>(value)->ms;
    case Kind::list:
      return written_list(type, value);
    case Kind::map:
      return written_map(type, value);
    case Kind::structure: {
      json::object object;
      for (const auto& member : type.members) {
        const void* held = member.type->get(static_cast<const char*>(value) + member.offset);
        if (held) object[member.name] = written(*member.type, held);
      }
      return object;
    }
    default:
      throw std::logic_error("this kind of member is not stored as JSON");
  }
}

void read(const json::value& from, const Type& type, void* object) {
  void* value = type.emplace(object);
  switch (type.kind) {
    case Kind::boolean:
      *static_cast<bool*>(value) = from.as_bool();
      return;
    case Kind::integer:
      *static_cast<std::int32_t*>(value) = from.to_number<std::int32_t>();
      return;
    case Kind::long_integer:
      *static_cast<std::int64_t*>(value) = from.to_number<std::int64_t>();
      return;
    case Kind::floating:
      *static_cast<double*>(value) = from.to_number<double>();
      return;
    case Kind::string:
      *static_cast<std::string*>(value) = std::string_view(from.as_string());
      return;
    case Kind::timestamp:
      static_cast<Timestamp*>(value)->ms = from.to_number<std::int64_t>();
      return;
    case Kind::list:
      for (const auto& item : from.as_array()) read(item, *type.element, type.append(value, {}));
      return;
    case Kind::map:
      for (const auto& [key, item] : from.as_object())
        read(item, *type.element, type.append(value, std::string_view(key.data(), key.size())));
      return;
    case Kind::structure:
      for (const auto& member : type.members)
        if (const auto* item = from.as_object().if_contains(member.name))
          read(*item, *member.type, static_cast<char*>(value) + member.offset);
      return;
    default:
      throw std::logic_error("this kind of member is not stored as JSON");
  }
}

}  // namespace

std::string plain_json(const Type& type, const void* object) {
  const void* held = type.get(object);
  return held ? json::serialize(written(type, held)) : "null";
}

void read_plain_json(std::string_view text, const Type& type, void* object) {
  read(json::parse({text.data(), text.size()}), type, object);
}

}  // namespace lambent::aws::detail
