#include "aws/bound.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace lambent::aws {
namespace {

Protocol protocol_of(model::ModelProtocol protocol) {
  switch (protocol) {
    case model::ModelProtocol::rest_json:
      return Protocol::rest_json;
    case model::ModelProtocol::query:
      return Protocol::query;
    case model::ModelProtocol::rest_xml:
      return Protocol::rest_xml;
    case model::ModelProtocol::json:
      return Protocol::json;
  }
  throw std::logic_error("a service model has a protocol that no codec speaks");
}

/// Null when the model has no such shape; then the struct must be empty.
const Binding* bind_side(Binder& binder, const Type* type, const std::optional<model::Shape>& shape,
                         const std::string& where) {
  if (shape) return &binder.bind(*type, *shape, where);
  if (!type->members.empty()) {
    throw std::logic_error(fmt::format("{}: the model has none, but {} has members", where, type->name));
  }
  return nullptr;
}

Routes::Needs needs_of(const model::Operation& operation) {
  Routes::Needs needs;
  const auto input = operation.input();
  if (!input) return needs;
  for (const auto member : input->members()) {
    if (!member.required()) continue;
    if (member.location() == model::Location::query) needs.query.emplace_back(member.wire_name());
    if (member.location() == model::Location::header) needs.headers.emplace_back(member.wire_name());
  }
  return needs;
}

}  // namespace

Service::Bound::Bound(const model::Service& service) : modelled(service), protocol(protocol_of(service.protocol())) {
  operations.reserve(service.operation_count());
  for (std::uint32_t i = 0; i < service.operation_count(); ++i) {
    auto& operation = operations.emplace_back(service.operation(i));
    by_name.emplace(operation.modelled.name(), &operation);
    if (protocol == Protocol::query || protocol == Protocol::json) continue;
    routes.add(operation.modelled.method(), operation.modelled.uri(), i, needs_of(operation.modelled));
  }
  for (std::uint32_t i = 0; i < service.shape_count(); ++i) {
    const auto shape = service.shape(i);
    if (!shape.exception()) continue;
    errors.try_emplace(shape.error_code(), shape);
  }
}

void Service::Bound::bind(std::vector<Row> rows) {
  for (auto& row : rows) {
    const auto found = by_name.find(row.name);
    const auto where = fmt::format("{}.{}", modelled.endpoint_prefix(), row.name);
    if (found == by_name.end()) throw std::logic_error(where + ": the model has no such operation");
    auto& operation = *found->second;
    if (operation.row) throw std::logic_error(where + ": two rows");
    operation.input = bind_side(binder, row.input, operation.modelled.input(), where + " input");
    operation.output = bind_side(binder, row.output, operation.modelled.output(), where + " output");
    if (row.keys_of_service) {
      row.keys = [keys = row.keys_of_service, service = instance](const Caller& caller, const void* in) {
        return keys(service, caller, in);
      };
    }
    if (row.policy_of_service) {
      row.policy = [policy = row.policy_of_service, service = instance](const Caller& caller, const void* in) {
        return policy(service, caller, in);
      };
    }
    if (row.resource_of_service) {
      row.resource = [resource = row.resource_of_service, service = instance](const Caller& caller, const void* in) {
        return resource(service, caller, in);
      };
    }
    max_body_before_match = std::max(max_body_before_match, row.max_body);
    operation.row = std::move(row);
  }
}

const model::Shape* Service::Bound::find_error(std::string_view code) const {
  const auto found = errors.find(code);
  return found == errors.end() ? nullptr : &found->second;
}

std::string_view Service::Bound::target(const base::http::Request& request) const {
  std::string_view target = request.headers.get("X-Amz-Target");
  const auto prefix = modelled.target_prefix();
  if (prefix.empty() || !target.starts_with(prefix) || target.size() <= prefix.size() || target[prefix.size()] != '.')
    return {};
  return target.substr(prefix.size() + 1);
}

std::string_view Service::Bound::validation_code() const {
  return find_error("InvalidParameterException") != nullptr ? "InvalidParameterException" : "ValidationException";
}

Wording Service::Bound::wording() const {
  return modelled.endpoint_prefix() == "iam" ? Wording::iam : Wording::with_values;
}

}  // namespace lambent::aws
