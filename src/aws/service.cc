#include "aws/service.h"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "aws/bound.h"
#include "aws/codec.h"
#include "aws/reading.h"

namespace lambent::aws {
namespace {

/// The operation of a matched request that has a handler: match() lets no other through.
const Row& row_of(const Match& match) { return *match.operation->row; }

const Operation& implemented(const Operation& operation) {
  if (operation.row) return operation;
  throw Error("NotImplementedException", fmt::format("Lambent does not implement {} yet", operation.modelled.name()),
              501);
}

Match match_query(const Service& service, const std::map<std::string_view, Operation*>& operations,
                  std::string_view api_version, const base::http::Request& request) {
  if (request.method != "POST" && request.method != "GET") {
    throw Error("UnsupportedHttpVerb", fmt::format("{} takes GET and POST requests only", service.name()), 405);
  }
  const auto parameters = query_parameters(request);
  const auto action = parameter(parameters, "Action"), version = parameter(parameters, "Version");
  if (action.empty()) throw Error("MissingAction", "Missing Action");
  const auto found = operations.find(action);
  if (found == operations.end() || version != api_version) {
    throw Error("InvalidAction", fmt::format("Could not find operation {} for version {}", echo(action),
                                             version.empty() ? "NO_VERSION_SPECIFIED" : echo(version)));
  }
  return {&implemented(*found->second), {}};
}

Match match_target(const std::map<std::string_view, Operation*>& operations, std::string_view target) {
  const auto found = operations.find(target);
  if (found == operations.end())
    throw Error("UnknownOperationException", "X-Amz-Target names no operation of the service");
  return {&implemented(*found->second), {}};
}

}  // namespace

Service::Service(std::unique_ptr<Bound> bound) : bound_(std::move(bound)) {}
Service::~Service() = default;
Service::Service(Service&&) noexcept = default;

Service bind_service(std::string_view name, void* instance, std::vector<Row> rows) {
  return bind_service_of(model::embedded(), name, instance, std::move(rows));
}

Service bind_service_of(const model::Table& table, std::string_view name, void* instance, std::vector<Row> rows) {
  const auto modelled = table.find_service(name);
  if (!modelled) throw std::logic_error(fmt::format("no service model {} in this build", name));
  auto bound = std::make_unique<Service::Bound>(*modelled);
  bound->instance = instance;
  bound->bind(std::move(rows));
  return Service(std::move(bound));
}

std::string_view Service::name() const { return bound_->modelled.endpoint_prefix(); }
std::string_view Service::signing_name() const { return bound_->modelled.signing_name(); }
Protocol Service::protocol() const { return bound_->protocol; }
bool Service::matches_after_body() const { return bound_->protocol == Protocol::query; }
std::size_t Service::max_body_before_match() const { return bound_->max_body_before_match; }

bool Service::is_target(const base::http::Request& request) const { return !bound_->target(request).empty(); }

Match Service::match(const base::http::Request& request) const {
  if (bound_->protocol == Protocol::json) return match_target(bound_->by_name, bound_->target(request));
  if (bound_->protocol == Protocol::query) {
    return match_query(*this, bound_->by_name, bound_->modelled.api_version(), request);
  }
  auto found = bound_->routes.find(request);
  if (!found) {
    throw Error("UnknownOperationException", "No operation of the service has this method and path", 404);
  }
  return {&implemented(bound_->operations[found->operation]), std::move(found->labels)};
}

std::string_view Service::operation_name(const Match& match) const { return match.operation->modelled.name(); }
const Row& Service::row(const Match& match) const { return row_of(match); }
std::string Service::action(const Match& match) const { return fmt::format("{}:{}", name(), row_of(match).action); }
std::size_t Service::max_body(const Match& match) const { return row_of(match).max_body; }

Error Service::too_large(const Match& match) const {
  const auto& operation = match.operation->modelled;
  std::string code = "RequestEntityTooLargeException";
  for (std::uint32_t i = 0; i < operation.error_count(); ++i) {
    if (operation.error(i).error_code() == "RequestTooLargeException") code = "RequestTooLargeException";
  }
  return Error(
      code,
      fmt::format("Request must be smaller than {} bytes for the {} operation", max_body(match), row_of(match).action),
      413);
}

Value Service::decode(const Match& match, const base::http::Request& request) const {
  const auto& operation = *match.operation;
  Value value(*row_of(match).input);
  if (operation.input == nullptr) return value;
  if (bound_->protocol == Protocol::query) {
    decode_query(operation, bound_->wording(), request, value.get());
  } else if (bound_->protocol == Protocol::json) {
    decode_json(operation, bound_->validation_code(), request, value.get());
  } else {
    const bool own = bound_->find_error("InvalidRequestContentException") != nullptr;
    try {
      decode_rest(bound_->protocol, own ? "InvalidRequestContentException" : "SerializationException", operation,
                  match.labels, request, value.get());
    } catch (const Error& error) {
      // A member that no handler knows is a value that cannot be taken, where the service has a word for that.
      constexpr std::string_view kInvalid = "InvalidParameterValueException";
      if (error.status() != 501 || bound_->find_error(kInvalid) == nullptr) throw;
      throw Error(std::string(kInvalid), error.message(), 400);
    }
  }
  return value;
}

base::http::Response Service::encode(const Match& match, const void* output, std::string_view request_id) const {
  const auto xml_namespace = bound_->modelled.xml_namespace();
  base::http::Response response;
  if (bound_->protocol == Protocol::query)
    response = encode_query(*match.operation, xml_namespace, output, request_id);
  else if (bound_->protocol == Protocol::json)
    response = encode_json(*match.operation, bound_->modelled.json_version(), output);
  else
    response = encode_rest(bound_->protocol, *match.operation, xml_namespace, output);
  response.headers.set("x-amzn-RequestId", std::string(request_id));
  return response;
}

std::unique_ptr<BodyStream> Service::body_stream(const Match& match, const void* output) const {
  const Binding* binding = match.operation->output;
  if (binding == nullptr || binding->payload < 0) return nullptr;
  const auto& member = binding->members[static_cast<std::size_t>(binding->payload)];
  if (member.field == nullptr || member.field->type->kind != Kind::event_stream) return nullptr;
  return encode_events(*member.binding->element, static_cast<const char*>(output) + member.field->offset);
}

base::http::Response Service::encode_error(const Error& error, std::string_view request_id) const {
  auto response = error_response(bound_->protocol, error, bound_->find_error(error.code()),
                                 bound_->modelled.xml_namespace(), request_id);
  if (bound_->protocol == Protocol::json)
    response.headers.set("Content-Type", json_content_type(bound_->modelled.json_version()));
  return response;
}

base::Task<Value> Service::call(const Match& match, const Caller& caller, Value input) const {
  const auto& row = row_of(match);
  Value output(*row.output);
  co_await row.call(bound_->instance, caller, input.get(), output.get());
  co_return output;
}

std::vector<std::pair<std::string, bool>> Service::coverage() const {
  std::vector<std::pair<std::string, bool>> operations;
  for (const auto& operation : bound_->operations) {
    operations.emplace_back(operation.modelled.name(), operation.row.has_value());
  }
  return operations;
}

}  // namespace lambent::aws
