// What the operations on asynchronous invocation and on concurrency stand on. Made by the composition root, outlives the service.
#pragma once

#include "aws/targets.h"
#include "invoke/admission.h"
#include "invoke/allocations.h"
#include "invoke/async/async_queue.h"
#include "store/concurrency.h"
#include "store/event_invoke_configs.h"

namespace lambent::lambda {

struct Asynchronous {
  invoke::AsyncQueue& queue;
  invoke::Admission& admission;
  store::EventInvokeConfigs& configs;
  store::Concurrency& concurrency;
  aws::Targets& targets;
  invoke::Allocations& allocations;
};

}  // namespace lambent::lambda
