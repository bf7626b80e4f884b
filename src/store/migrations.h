// The schema's history: the one ordered list of its steps. A step that was released is never edited; add the next.
#pragma once

#include <vector>

#include "store/database.h"

namespace lambent::store {

const std::vector<Migration>& migrations();

}  // namespace lambent::store
