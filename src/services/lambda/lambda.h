// The Lambda service: what its operations stand on, and the changes of state that go on after an answer.
//
// One for the process, owned by the composition root, used on any lane. Before the first request, start(); after the last,
// stop(), while the lanes and the store still run. Operations are the functions of operations.h; service.cc lists them.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "aws/condition_keys.h"
#include "aws/objects.h"
#include "base/clock.h"
#include "base/cpu_pool.h"
#include "base/task.h"
#include "invoke/engine.h"
#include "runtimes/catalog.h"
#include "services/lambda/code_url.h"
#include "services/lambda/function_name.h"
#include "services/lambda/shapes.h"
#include "services/lambda/surroundings.h"
#include "store/code/code_store.h"
#include "store/event_source_mappings.h"
#include "store/function_urls.h"
#include "store/functions.h"
#include "store/layers.h"

namespace lambent::lambda {

struct Asynchronous;  // asynchronous.h
struct Signing;       // code_signing.h

/// All of it outlives the service.
struct LambdaParts {
  store::Functions& functions;
  store::CodeStore& code;
  invoke::Engine& engine;
  const runtimes::Catalog& catalog;
  const base::Clock& clock;
  /// Where blocking work goes: unpacking, hashing, checking large events.
  base::CpuPool& cpu;
  const CodeUrl& code_url;
  store::Layers& layers;
  store::FunctionUrls& urls;
  store::EventSourceMappings& mappings;
  /// Is there a role of that ARN, and does its trust policy let lambda.amazonaws.com assume it for this function? The auth folder
  /// knows.
  std::function<bool(std::string_view role_arn, std::string_view function_arn)> lambda_may_assume;
  /// Does a resource's policy let the caller do it, weighed with the caller's own? The auth folder knows.
  std::function<bool(const aws::Caller& caller, std::string_view action, std::string_view resource,
                     std::string_view policy)>
      allowed;
  /// The same for what comes through a function URL, with conditions' keys; null for a caller who is nobody.
  std::function<bool(const aws::Caller* caller, std::string_view action, std::string_view resource,
                     std::string_view policy, const aws::ConditionKeys& context)>
      allowed_by_url;
  /// Throws aws::Error when the caller may not hand the role over to Lambda (iam:PassRole). Null: nobody asks.
  std::function<void(const aws::Caller& caller, std::string_view role_arn)> require_pass_role = {};
  /// Throws AccessDeniedException when the caller may not do it with these keys, beside what the pipeline has asked. Null: nobody asks.
  std::function<void(const aws::Caller& caller, std::string_view action, std::string_view resource,
                     const aws::ConditionKeys& context)>
      require = {};
  /// Throws aws::Error for a resource policy that cannot be stored.
  std::function<void(std::string_view policy)> check_resource_policy;
  /// Concurrent executions that functions of an account and region reserve together, with what is provisioned for others.
  std::function<std::int32_t(std::string_view account, std::string_view region)> reserved_concurrency;
  /// Concurrent executions of an account and region.
  std::int32_t concurrency = 1000;
  /// Refuse a nearby version of a language in place of the one asked for.
  bool strict_runtimes = false;
  /// Refuse runtimes that AWS has blocked, as AWS does.
  bool refuse_retired = false;
  /// AWS quota "Function and layer storage" of an account in a region, in bytes: 75 GB.
  std::int64_t code_storage_bytes = 75LL << 30;
  /// Refuse resource policies that let everybody in.
  bool block_public_policies = false;
  /// Asynchronous invocation and concurrency.
  Asynchronous* asynchronous = nullptr;
  /// Keys, networks and file systems that functions may name.
  Surroundings surroundings = {};
  /// Where code in S3 is; null when no endpoint is configured.
  aws::Objects* objects = nullptr;
  /// Code signing configurations and profiles.
  const Signing* signing = nullptr;
};

class Lambda {
 public:
  explicit Lambda(LambdaParts parts) : parts_(std::move(parts)) {}
  Lambda(const Lambda&) = delete;
  ~Lambda() { parts_.code.stop_reclaiming(); }

  store::Functions& functions() { return parts_.functions; }
  store::CodeStore& code() { return parts_.code; }
  store::Layers& layers() { return parts_.layers; }
  store::FunctionUrls& urls() { return parts_.urls; }
  store::EventSourceMappings& mappings() { return parts_.mappings; }
  invoke::Engine& engine() { return parts_.engine; }
  Asynchronous& asynchronous() const { return *parts_.asynchronous; }
  const LambdaParts& parts() const { return parts_; }

  /// The function, version or alias's own version, or "Function not found" with the qualifier in its ARN.
  store::FunctionSnapshot existing(const FunctionName& name) const;
  /// The same for an invocation: an alias with weights is routed by them, anew at each call.
  store::FunctionSnapshot target(const FunctionName& name) const;

  /// Throws what AWS answers to a change of a function that is being created or updated.
  static void require_settled(const store::FunctionVersion& function);
  /// Throws PreconditionFailedException when a revision was given and is not this one.
  static void require_revision(const OptionalText& given, const std::string& revision);
  /// Bytes of all zips of functions, versions and layers.
  std::int64_t stored_code(std::string_view account, std::string_view region) const;
  /// Throws CodeStorageExceededException when the account cannot store `size` bytes more.
  void require_storage(std::string_view account, std::string_view region, std::int64_t size) const;

  /// The role must be of the function's account, exist and trust Lambda with this function.
  void require_role(const std::string& role_arn, const store::FunctionKey& function) const;

  /// Stamps a new revision with the time of a change by its owner.
  void touch(store::FunctionVersion& function) const;
  /// Puts an archive that was added into the function.
  static void set_code(store::FunctionVersion& function, const store::StoredCode& code);

  /// Changes what goes with the function or version as it is (tags, a policy) and stamps a new revision. `edit` is called anew when
  /// somebody else was faster; it may throw a refusal. Throws "Function not found".
  base::Task<store::FunctionSnapshot> amend(FunctionName name, std::function<void(store::FunctionVersion&)> edit);

  /// Ends Pending and InProgress: in this version everything that a function needs is there before its creation or update is
  /// answered, so this is a step in the books, made after the answer so that clients see AWS's states.
  base::Task<void> settle(store::FunctionKey key, std::string version = std::string(store::kLatest));
  /// The same in the background.
  void settle_later(base::asio::any_io_executor executor, store::FunctionKey key,
                    std::string version = std::string(store::kLatest));

  /// Ends what a crash left Pending or InProgress, and removes archives that nobody refers to; from then on they are removed when
  /// the last version, layer and environment that needs them is gone.
  base::Task<void> start();
  /// Ends when no background change is under way; none begins afterwards, and no archive is removed any more.
  base::Task<void> stop();

 private:
  LambdaParts parts_;
  std::atomic<int> settling_{0};
  std::atomic<bool> stopping_{false};
};

}  // namespace lambent::lambda
