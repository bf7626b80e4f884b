// Network namespaces: made, held by a descriptor, stepped into. The launcher is single-threaded, so it may.
#pragma once

#include "base/fd.h"

namespace lambent::sandbox::launcher {

/// The calling thread's own. Throws std::system_error.
base::Fd open_space();

/// The calling thread is in another namespace until this is destroyed. A launcher that could not leave it would abort.
class Visit {
 public:
  /// Of a new namespace. Throws std::system_error.
  explicit Visit(const base::Fd& home);
  Visit(const base::Fd& home, const base::Fd& there);
  ~Visit();
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

 private:
  int home_;
};

}  // namespace lambent::sandbox::launcher
