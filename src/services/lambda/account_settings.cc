#include "services/lambda/operations.h"
#include "store/code/code_store.h"

namespace lambent::lambda {

base::Task<GetAccountSettingsOutput> get_account_settings(Lambda& lambda, aws::Caller caller, GetAccountSettingsInput) {
  const auto& parts = lambda.parts();
  GetAccountSettingsOutput out;
  out.AccountLimit.TotalCodeSize = parts.code_storage_bytes;
  out.AccountLimit.CodeSizeUnzipped = store::kMaxUnzippedBytes;
  out.AccountLimit.CodeSizeZipped = store::kMaxZippedBytes;
  out.AccountLimit.ConcurrentExecutions = parts.concurrency;
  out.AccountLimit.UnreservedConcurrentExecutions =
      parts.concurrency - (parts.reserved_concurrency ? parts.reserved_concurrency(caller.account, caller.region) : 0);
  out.AccountUsage.TotalCodeSize = lambda.stored_code(caller.account, caller.region);
  out.AccountUsage.FunctionCount = lambda.functions().usage(caller.account, caller.region).functions;
  co_return out;
}

std::string get_account_settings_resource(const aws::Caller&, const GetAccountSettingsInput&) { return "*"; }

}  // namespace lambent::lambda
