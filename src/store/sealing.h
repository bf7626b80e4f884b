// What becomes of records that rest in the clear, or under a key that is no longer the first: they are sealed anew at start, and the
// store is marked as one in which everything is sealed. From then on what lies in it in the clear was put there by somebody who can
// write the file, and is refused. The mark is sealed itself, and is written in the transaction that seals.
#pragma once

#include <cstddef>

#include "store/database.h"

namespace lambent::store {

/// Seals such records with the keys of the database's vault, then scrubs the file, so that what was there before can no longer be
/// read from it; a crash in between is made up for at the next start. Returns how many it sealed. Blocks: at start, before
/// anything reads records. Throws std::runtime_error naming the record that no key opens, or the table that holds something in the
/// clear although the store is marked, or was: `once_marked` is what the caller knows of that from elsewhere, as whoever writes the
/// file may take the mark away. Without keys it does nothing.
std::size_t seal_records(Database& database, bool once_marked = false);

}  // namespace lambent::store
