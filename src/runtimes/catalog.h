// The catalog of runtimes: what an identifier of the Lambda API ("python3.13") means on this machine.
//
// Any thread. Interpreters are looked for once, the host's and the installed roots: each is asked for its version, which takes tens
// of milliseconds that the server's start need not wait for. What was found stays. Until then whoever asks waits: a thread, or on a
// lane, which goes on with its other work, a coroutine in await_look().
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/task.h"
#include "runtimes/identifiers.h"
#include "runtimes/interpreters.h"

namespace lambent::runtimes {

/// With this status the provided runtimes' bootstrap says that the package has no executable bootstrap file
/// (Runtime.InvalidEntrypoint).
constexpr int kMissingEntrypoint = 142;
/// And with this one that the kernel cannot execute it, for example because it is another architecture's.
constexpr int kForeignEntrypoint = 143;

/// How a process of a runtime waits for its function (`Runtime::argv` and a last argument "--spare" or "--zygote").
struct Spare {
  /// What waits is forked from a zygote, which has loaded more than each of them could hold.
  bool zygote = false;
  /// The command line depends on MemorySize.
  bool per_memory = false;
  /// What one costs while it waits, measured, in MiB that it shares with nobody.
  std::int32_t held_mib = 1;
};

/// How a function of some runtime is started.
struct Runtime {
  /// "python3.13"
  std::string identifier;
  Family family = Family::provided;
  /// sandbox::Spec::root: "host", or the installed root that it runs on.
  std::string root = "host";
  /// Directory of its bootstrap beneath the runtimes directory: "python", "nodejs", "ruby", "java", "dotnet", "provided".
  std::string bootstrap_dir;
  /// The command inside the sandbox; the handler is passed by _HANDLER.
  std::vector<std::string> argv;
  /// What runs: "3.11.2" for a host's interpreter.
  std::string version;
  /// Not empty when a nearby version of the language stands in for the one asked for; said in the function's log.
  std::string substitution;
  /// NAME=VALUE pairs that this family has beyond the common ones (PYTHONPATH, NODE_PATH, AWS_EXECUTION_ENV, ...).
  std::vector<std::string> environment;
  /// As in INIT_START: "python:3.13.v1"
  std::string runtime_version;
  /// Nothing when only an empty sandbox can wait for it.
  std::optional<Spare> spare;
};

class Catalog {
 public:
  /// Of the interpreters beneath `root` ("/" in production) and of the installed `roots`, which go first.
  explicit Catalog(std::filesystem::path root = "/", std::filesystem::path roots = {});
  ~Catalog();
  Catalog(const Catalog&) = delete;

  /// Looks now, so that nobody who asks later has to wait; waits for somebody else who looks. Not on a lane.
  void look() const { found(); }
  /// It has been looked, with success or not: what follows does not wait.
  bool looked() const { return is_looked_.load(std::memory_order_acquire); }
  /// Ends when it has been looked, on a thread that is begun for it when nobody has yet. Before anything below is asked on a lane. The
  /// caller's io_context outlives the catalog.
  base::Task<void> await_look() const;

  /// Why an identifier cannot run here, or how it does. `strict` refuses substitutions.
  struct Lookup {
    std::optional<Runtime> runtime;
    std::string why_not;
  };
  Lookup find(std::string_view identifier, bool strict = false) const;
  /// Those that can run here, by identifier.
  const std::vector<Runtime>& available() const { return found().runtimes; }
  /// The Pythons that were found, whose compiled bootstraps compile_bootstraps makes.
  const std::vector<Interpreter>& pythons() const { return found().pythons; }

 private:
  struct Found {
    std::vector<Interpreter> pythons;
    std::vector<Runtime> runtimes;
  };
  const Found& found() const;
  static Found look_at(const std::filesystem::path& root, const std::filesystem::path& roots);
  void add_waiter(std::function<void()> waiter) const;
  void release_waiters() const;

  const std::filesystem::path root_, roots_;
  mutable std::once_flag looked_;
  mutable std::atomic<bool> is_looked_{false};
  mutable Found found_;
  mutable std::mutex mutex_;
  mutable std::vector<std::function<void()>> waiters_;
  /// Looks for those who wait when nobody else does.
  mutable std::thread looker_;
};

/// What a function's log says of it at INIT_START beyond AWS's own lines, in plain sentences: that another version stands in,
/// that AWS has deprecated the runtime by `today` ("2026-11-22"), that `architecture` ("arm64") is not this machine's.
std::vector<std::string> remarks(const Runtime& runtime, std::string_view architecture, std::string_view today);
/// "x86_64" or "arm64", as Architectures has it.
std::string_view machine_architecture();

/// runtime.argv as it is for a function of this MemorySize. Node.js, Java and .NET size their heap by the machine's memory, which is
/// not the function's: without a limit below MemorySize they are killed where they could have collected garbage.
std::vector<std::string> command_line(const Runtime& runtime, std::int32_t memory_mib);

}  // namespace lambent::runtimes
