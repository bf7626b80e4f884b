#include "aws/binding.h"

#include <fmt/format.h>

#include <stdexcept>

namespace lambent::aws {
namespace {

bool fits(Kind kind, model::ShapeKind shape) {
  using model::ShapeKind;
  switch (kind) {
    case Kind::boolean:
      return shape == ShapeKind::boolean;
    case Kind::integer:
      return shape == ShapeKind::integer;
    // A wider integer holds every value of the model's.
    case Kind::long_integer:
      return shape == ShapeKind::long_integer || shape == ShapeKind::integer;
    case Kind::floating:
      return shape == ShapeKind::real;
    case Kind::string:
      return shape == ShapeKind::string;
    case Kind::blob:
      return shape == ShapeKind::blob;
    case Kind::timestamp:
      return shape == ShapeKind::timestamp;
    case Kind::list:
      return shape == ShapeKind::list;
    case Kind::map:
      return shape == ShapeKind::map;
    case Kind::structure:
    case Kind::event_stream:
      return shape == ShapeKind::structure;
  }
  return false;
}

std::string with_small_first(std::string_view name) {
  std::string path(name);
  if (!path.empty() && path[0] >= 'A' && path[0] <= 'Z') path[0] = static_cast<char>(path[0] - 'A' + 'a');
  return path;
}

const TypeMember* find_field(const Type& type, std::string_view name) {
  for (const auto& field : type.members) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

}  // namespace

Constraints Binder::constraints_of(const model::Shape& shape) {
  const auto source = shape.re2();
  if (source.empty()) return {shape, nullptr};
  return {shape, &patterns_.try_emplace(source, source).first->second};
}

Binding& Binder::make(const Type& type, const model::Shape& shape, const std::string& where) {
  if (!fits(type.kind, shape.kind()) || shape.event_stream() != (type.kind == Kind::event_stream)) {
    throw std::logic_error(
        fmt::format("{}: the model's shape {} does not fit the C++ type {}", where, shape.name(), type.name));
  }
  auto& binding = bindings_.emplace_back(Binding{&type, constraints_of(shape), constraints_of(shape)});
  binding.timestamp = shape.timestamp_format();
  if (type.kind == Kind::structure) {
    bind_members(binding, where);
  } else if (type.kind == Kind::event_stream) {
    auto& events = bindings_.emplace_back(Binding{type.element, constraints_of(shape), constraints_of(shape)});
    bind_members(events, where);
    binding.element = &events;
  } else if (type.kind == Kind::list || type.kind == Kind::map) {
    if (type.kind == Kind::map) binding.key_constraints = constraints_of(shape.key().shape());
    binding.element = &make(*type.element, shape.element().shape(), where + "[]");
  }
  return binding;
}

void Binder::bind_members(Binding& binding, const std::string& where) {
  const auto& type = *binding.type;
  for (const auto& field : type.members) {
    if (!binding.shape().find_member(field.name)) {
      throw std::logic_error(
          fmt::format("{}: the model's shape {} has no member {}", where, binding.shape().name(), field.name));
    }
  }
  const auto payload = binding.shape().payload();
  for (const auto member : binding.shape().members()) {
    MemberBinding bound{member, with_small_first(member.name()), member.wire_name(), member.location(),
                        member.required()};
    if (payload && payload->name() == member.name()) binding.payload = static_cast<int>(binding.members.size());
    if (const auto* field = find_field(type, member.name())) {
      bound.field = field;
      if (field->type->kind == Kind::event_stream && binding.payload != static_cast<int>(binding.members.size()))
        throw std::logic_error(fmt::format("{}.{}: events stream as a whole body only", where, member.name()));
      auto& made = make(*field->type, member.shape(), fmt::format("{}.{}", where, member.name()));
      made.timestamp = member.timestamp_format();
      bound.binding = &made;
    }
    binding.members.push_back(std::move(bound));
  }
}

}  // namespace lambent::aws
