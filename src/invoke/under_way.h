// The invocations of a lane that are under way, from their beginning until their environment has come back: what tells those that
// began before a version was retired from those that began after, and forgets each with its end.
//
// Belongs to one lane and its engine. A place may outlive it, as coroutines that a stop did not wait for do.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "store/functions.h"

namespace lambent::invoke {

class UnderWay {
  struct Entry {
    store::FunctionSnapshot function;
    bool retired = false;
  };

 public:
  /// One of them; it is over when this ends.
  class Place {
   public:
    Place(Place&& other) noexcept : all_(std::move(other.all_)), at_(other.at_) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (all_ != nullptr) all_->erase(at_);
    }
    /// The version, or the whole function, was retired since it began.
    bool retired() const { return at_->retired; }

   private:
    friend class UnderWay;
    Place(std::shared_ptr<std::list<Entry>> all, store::FunctionSnapshot function)
        : all_(std::move(all)), at_(all_->insert(all_->end(), Entry{std::move(function)})) {}

    std::shared_ptr<std::list<Entry>> all_;
    std::list<Entry>::iterator at_;
  };

  UnderWay() = default;
  UnderWay(const UnderWay&) = delete;

  Place begin(store::FunctionSnapshot function) { return {all_, std::move(function)}; }

  /// See Engine::retire.
  void retire(const store::FunctionKey& key, const std::string& version) {
    for (Entry& one : *all_)
      if (one.function->key == key && (version.empty() || one.function->version == version)) one.retired = true;
  }

  std::size_t count() const { return all_->size(); }

 private:
  const std::shared_ptr<std::list<Entry>> all_ = std::make_shared<std::list<Entry>>();
};

}  // namespace lambent::invoke
