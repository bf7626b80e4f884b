// The tags of what an ARN names, for conditions of policies (aws:ResourceTag/KEY). Any thread.
#pragma once

#include "auth/known_keys.h"
#include "store/code_signing_configs.h"
#include "store/event_source_mappings.h"
#include "store/functions.h"
#include "store/logs/log_groups.h"

namespace lambent::app {

/// Where what has tags is kept; IAM's own are known to auth::KnownKeys.
struct TaggedResources {
  const store::Functions& functions;
  const store::EventSourceMappings& mappings;
  const store::CodeSigningConfigs& code_signing;
  const store::LogGroups& log_groups;
};

/// A version or an alias has its function's tags, a log stream its group's. None for what is not there.
auth::Tags resource_tags(const TaggedResources& resources, std::string_view arn);

}  // namespace lambent::app
