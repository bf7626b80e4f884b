// The tags of what an ARN of Lambda names, for conditions of policies (aws:ResourceTag/KEY). Any thread.
#pragma once

#include "auth/known_keys.h"
#include "store/event_source_mappings.h"
#include "store/functions.h"

namespace lambent::app {

/// A version or an alias has its function's tags. Both must outlive what is returned.
auth::TagsOf resource_tags(const store::Functions& functions, const store::EventSourceMappings& mappings);

}  // namespace lambent::app
