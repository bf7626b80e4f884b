// What makes invocations asynchronous and counts them, put together: settings, admission, targets, the queue.
//
// Owned by the Composition, made after the engine and the store, destroyed before them.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/options.h"
#include "auth/authorizer.h"
#include "auth/session_tokens.h"
#include "base/clock.h"
#include "base/lanes.h"
#include "base/metrics.h"
#include "invoke/admission.h"
#include "invoke/allocations.h"
#include "invoke/async/async_queue.h"
#include "services/lambda/asynchronous.h"
#include "services/lambda/lambda.h"
#include "store/async_events.h"
#include "store/concurrency.h"
#include "store/event_invoke_configs.h"
#include "store/functions.h"
#include "store/identities.h"

namespace lambent::app {

/// All of it outlives the services.
struct AsyncServicesParts {
  const ServeOptions& options;
  base::Lanes& lanes;
  store::Database& database;
  store::Functions& functions;
  const store::Identities& identities;
  const auth::SessionTokens& tokens;
  const auth::Authorizer& authorizer;
  const base::Clock& clock;
  base::Metrics& metrics;
  invoke::Engine& engine;
};

class AsyncServices {
 public:
  /// Throws std::invalid_argument for a --target-endpoint that is none.
  explicit AsyncServices(AsyncServicesParts parts);
  AsyncServices(const AsyncServices&) = delete;

  /// The engine that everybody invokes with: it admits.
  invoke::Engine& engine() { return *engine_; }
  invoke::AsyncQueue& queue() { return *queue_; }
  store::Concurrency& concurrency() { return concurrency_; }
  lambda::Asynchronous* for_lambda() { return &for_lambda_; }

  /// Begins to run what was accepted; `lambda` says which version a qualifier means.
  void start(const lambda::Lambda& lambda);

 private:
  std::unique_ptr<aws::Targets> make_targets();
  std::unique_ptr<invoke::AsyncQueue> make_queue();
  store::FunctionSnapshot resolve(const store::FunctionKey& function, const std::string& qualifier) const;
  base::Task<void> invoke_function(const aws::Delivery& delivery);

  const AsyncServicesParts parts_;
  const lambda::Lambda* lambda_ = nullptr;
  store::AsyncEvents events_;
  store::EventInvokeConfigs configs_;
  store::Concurrency concurrency_;
  invoke::Admission admission_;
  std::unique_ptr<invoke::Engine> engine_;
  invoke::Allocations allocations_;
  std::unique_ptr<aws::Targets> targets_;
  std::unique_ptr<invoke::AsyncQueue> queue_;
  lambda::Asynchronous for_lambda_;
};

}  // namespace lambent::app
