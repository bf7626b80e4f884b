// What keeps an archive of the code store from being removed: held by stored functions and layers through their snapshots,
// and by every environment through the snapshot that it runs. Any thread; may outlive the store.
#pragma once

#include <memory>

namespace lambent::store {

/// Null where nothing is kept.
using CodePin = std::shared_ptr<const void>;

}  // namespace lambent::store
