#include "store/migrations.h"

#include "store/async_schema.h"
#include "store/code_signing_schema.h"
#include "store/control_schema.h"
#include "store/functions_schema.h"
#include "store/identities_schema.h"
#include "store/logging_schema.h"
#include "store/logs/log_groups_schema.h"
#include "store/outcomes_schema.h"
#include "store/sealing_schema.h"
#include "store/tenancy_schema.h"

namespace lambent::store {

const std::vector<Migration>& migrations() {
  static const std::vector<Migration> list = {
      {1, kIdentitiesSchema}, {2, kFunctionsSchema},      {3, kControlSchema},  {4, kAsyncSchema},
      {5, kLogGroupsSchema},  {6, kPolicyVersionsSchema}, {7, kSealingSchema},  {8, kCodeSigningSchema},
      {9, kLoggingSchema},    {10, kOutcomesSchema},      {11, kTenancySchema},
  };
  return list;
}

}  // namespace lambent::store
