#include "base/lanes.h"

#include <pthread.h>

#include <cstdlib>

#include "base/log.h"

namespace lambent::base {

Lanes::Lanes(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    // The hint 1: a single thread runs the context, others only post to it.
    contexts_.emplace_back(1);
    guards_.push_back(asio::make_work_guard(contexts_.back()));
  }
}

Lanes::~Lanes() { stop(); }

void Lanes::start() {
  for (std::size_t i = 0; i < contexts_.size(); ++i) {
    threads_.emplace_back([this, i] {
      pthread_setname_np(pthread_self(), ("lane-" + std::to_string(i)).c_str());
      try {
        contexts_[i].run();
      } catch (const std::exception& error) {
        // A handler that lets an exception out has broken its invariant; going on would serve from a broken state.
        log::error("a lane died", {{"reason", error.what()}});
        std::abort();
      }
    });
  }
}

void Lanes::stop() {
  for (auto& context : contexts_) context.stop();
  for (auto& thread : threads_)
    if (thread.joinable()) thread.join();
  threads_.clear();
}

}  // namespace lambent::base
