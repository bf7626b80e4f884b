// A bound service: the operations of one AWS service model, some of them with handlers.
//
// The gateway works with this alone and knows no service by name. Made once at start by aws::service(), immutable then;
// any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/error.h"
#include "aws/event_stream.h"
#include "aws/operation.h"
#include "base/http.h"

namespace lambent::aws {

namespace model {
class Table;
}

enum class Protocol { rest_json, query, rest_xml, json };

/// An operation of the model, bound to its row; without a row it is known but not implemented (`row` is null).
class Operation;

/// The operation that a request names, with the values of its path's labels (decoded).
struct Match {
  const Operation* operation = nullptr;
  std::vector<std::pair<std::string, std::string>> labels;
};

/// A handler's input or output, owned.
class Value {
 public:
  Value() = default;
  explicit Value(const Type& type) : type_(&type), object_(type.create()) {}
  Value(Value&& other) noexcept : type_(other.type_), object_(std::exchange(other.object_, nullptr)) {}
  Value& operator=(Value&& other) noexcept {
    std::swap(type_, other.type_);
    std::swap(object_, other.object_);
    return *this;
  }
  ~Value() {
    if (object_) type_->destroy(object_);
  }
  void* get() const { return object_; }

 private:
  const Type* type_ = nullptr;
  void* object_ = nullptr;
};

class Service {
 public:
  ~Service();
  Service(Service&&) noexcept;

  /// The model's endpoint prefix, which is also the prefix of IAM actions: "lambda", "iam", "sts".
  std::string_view name() const;
  /// The service in the credential scope of its callers.
  std::string_view signing_name() const;
  Protocol protocol() const;
  /// The query protocol names the operation in the body: match() needs the whole request then.
  bool matches_after_body() const;
  /// The largest body that any request may have before its operation is known (query), in bytes.
  std::size_t max_body_before_match() const;

  /// Of the json protocol: whether the header X-Amz-Target names this service, for requests that are not signed.
  bool is_target(const base::http::Request& request) const;

  /// Throws Error: UnknownOperationException 404 (rest) or 400 (json), InvalidAction 400 (query); NotImplemented 501 for an
  /// operation of the model that has no handler. For rest protocols and json only the head is looked at. Any API version date is accepted as the
  /// first segment of a path.
  Match match(const base::http::Request& request) const;

  std::string_view operation_name(const Match& match) const;
  const Row& row(const Match& match) const;
  /// "lambda:InvokeFunction"
  std::string action(const Match& match) const;
  /// The largest body in bytes (Row::max_body).
  std::size_t max_body(const Match& match) const;
  /// What to throw when a body is larger: RequestEntityTooLargeException or the operation's own, 413, in AWS's words.
  Error too_large(const Match& match) const;

  /// Reads, validates (every violation of the model's constraints in one message) and fills the handler's input. Throws Error.
  Value decode(const Match& match, const base::http::Request& request) const;
  base::http::Response encode(const Match& match, const void* output, std::string_view request_id) const;
  /// What follows the head that encode() made, for an output that streams; null for any other. Outlives `output`.
  std::unique_ptr<BodyStream> body_stream(const Match& match, const void* output) const;
  /// `match` may be null when the request did not get that far.
  base::http::Response encode_error(const Error& error, std::string_view request_id) const;

  /// Runs the handler.
  base::Task<Value> call(const Match& match, const Caller& caller, Value input) const;

  /// For the coverage page: every operation of the model, true when it has a handler.
  std::vector<std::pair<std::string, bool>> coverage() const;

 private:
  struct Bound;
  explicit Service(std::unique_ptr<Bound> bound);
  std::unique_ptr<Bound> bound_;
  friend Service bind_service_of(const model::Table& table, std::string_view name, void* instance,
                                 std::vector<Row> rows);
};

/// Binds rows to the embedded model of `name`. Throws std::logic_error for rows or members that the model does not know.
Service bind_service(std::string_view name, void* instance, std::vector<Row> rows);

/// The same from another table than the embedded one: for tests of models that no release carries.
Service bind_service_of(const model::Table& table, std::string_view name, void* instance, std::vector<Row> rows);

template <class S>
Service service(std::string_view name, S& instance, std::vector<Row> rows) {
  return bind_service(name, &instance, std::move(rows));
}

/// An error in the words of a protocol, for requests that reached no service (host, scope or signature unusable).
base::http::Response encode_error(Protocol protocol, const Error& error, std::string_view request_id);

}  // namespace lambent::aws
