// What the settings for provisioned concurrency have come to: which versions the engine keeps environments for, and how far that is.
//
// A setting names a version or an alias. An alias that moves to another version takes its allocation along: its invocations stay
// with the old version, and what is kept for it, until the new one is ready ("Configuring provisioned concurrency for a
// function", AWS Lambda Developer Guide); with weights, each of its versions gets its share. What is kept is in memory only: a
// new start allocates anew. Owned by the composition root, which ends it after the engine has stopped; any thread.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "invoke/admission.h"
#include "invoke/engine.h"
#include "store/concurrency.h"
#include "store/functions.h"

namespace lambent::invoke {

class Allocations {
 public:
  /// All of it outlives this; `engine` calls back until it has stopped.
  Allocations(Engine& engine, Admission& admission, const store::Concurrency& settings,
              const store::Functions& functions)
      : engine_(engine), admission_(admission), settings_(settings), functions_(functions) {}
  Allocations(const Allocations&) = delete;

  /// Keeps what the settings of all functions ask for. Once, before the first request.
  void start();
  /// Keeps what those of this function ask for now: after each change of its settings, aliases or versions.
  void follow(const store::FunctionKey& function);
  /// The same, where what is kept already is not to be taken for an answer: what has failed is tried anew.
  void allocate(const store::FunctionKey& function, std::string_view qualifier);

  /// How far it is with one setting.
  ProvisionStatus status(const store::ProvisionedConcurrency& setting) const;
  /// The version that takes the alias's invocations while another one is made ready for it; nothing when it is the alias's own.
  std::optional<std::string> holding(const store::FunctionKey& function, std::string_view alias) const;

 private:
  struct Version {
    /// As the engine was asked.
    std::int32_t count = 0;
    ProvisionStatus status;
  };
  struct Function {
    std::map<std::string, Version> versions;
    /// Of each alias with a setting and without weights: the version that serves it.
    std::map<std::string, std::string, std::less<>> serving;
  };
  /// By version.
  using Shares = std::map<std::string, std::int32_t>;
  /// What each version is to have, and what admission counts for it: places move when the invocations do.
  struct Wanted {
    Shares kept, admitted;
  };

  Version* find(const store::FunctionKey& key, const std::string& version);
  static Shares shares_of(const store::Alias& alias, std::int32_t requested);
  Wanted wanted(const store::FunctionKey& key, Function& function);
  void want_alias(const store::Alias& alias, std::int32_t requested, Function& function, Wanted& wanted);
  void ask(const store::FunctionKey& key, const std::string& version, std::int32_t count, Version& kept);
  void follow_locked(const store::FunctionKey& key);
  void heard(const store::FunctionKey& key, const std::string& version, ProvisionStatus status);
  void count_moves();

  Engine& engine_;
  Admission& admission_;
  const store::Concurrency& settings_;
  const store::Functions& functions_;
  mutable std::mutex mutex_;
  std::map<store::FunctionKey, Function> kept_;
  /// Aliases that a version other than their own serves: invocations ask for them only when there are any.
  std::atomic<std::size_t> moves_{0};
};

}  // namespace lambent::invoke
