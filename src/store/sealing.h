// What becomes of records that rest in the clear, or under a key that is no longer the first: they are sealed anew at start.
#pragma once

#include <cstddef>

#include "store/database.h"

namespace lambent::store {

/// Seals such records with the keys of the database's vault, then scrubs the file, so that what was there before can no longer be
/// read from it; a crash in between is made up for at the next start. Returns how many it sealed. Blocks: at start, before
/// anything reads records. Throws std::runtime_error naming the record that no key opens. Without keys it does nothing.
std::size_t seal_records(Database& database);

}  // namespace lambent::store
