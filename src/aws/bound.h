// What stands behind Service and Match: a service model with its operations, bound to rows. Inside aws/ only.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "aws/binding.h"
#include "aws/model.h"
#include "aws/operation.h"
#include "aws/reading.h"
#include "aws/route.h"
#include "aws/service.h"

namespace lambent::aws {

class Operation {
 public:
  explicit Operation(const model::Operation& operation) : modelled(operation) {}

  model::Operation modelled;
  std::optional<Row> row;
  /// Null without a row, and for an operation whose model has no input or output.
  const Binding* input = nullptr;
  const Binding* output = nullptr;
};

struct Service::Bound {
  explicit Bound(const model::Service& service);

  model::Service modelled;
  Protocol protocol;
  void* instance = nullptr;
  Binder binder;
  /// All of the model's, in its order.
  std::vector<Operation> operations;
  /// Of a rest protocol.
  Routes routes;
  /// Of the query and json protocols; also for binding rows.
  std::map<std::string_view, Operation*> by_name;
  std::map<std::string_view, model::Shape> errors;
  std::size_t max_body_before_match = 1 << 20;

  void bind(std::vector<Row> rows);
  const model::Shape* find_error(std::string_view code) const;
  /// The name after the prefix in X-Amz-Target; empty when the header names another service, or nothing.
  std::string_view target(const base::http::Request& request) const;
  /// What a json service calls a broken constraint: CloudWatch Logs and its like have a code of their own.
  std::string_view validation_code() const;
  Wording wording() const;
};

}  // namespace lambent::aws
