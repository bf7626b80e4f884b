// The catalog of runtimes: what an identifier of the Lambda API ("python3.13") means on this machine.
//
// Immutable after start; any thread. Identifiers come from AWS's model; interpreters are looked for at start in /usr/bin.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtimes/interpreters.h"

namespace lambent::runtimes {

enum class Family { python, nodejs, provided };

/// With this status the provided runtimes' bootstrap says that the package has no executable bootstrap file
/// (Runtime.InvalidEntrypoint).
constexpr int kMissingEntrypoint = 142;

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
  /// Directory of its bootstrap beneath the runtimes directory: "python", "nodejs", "provided".
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
  /// Looks at the interpreters beneath `root` ("/" in production).
  explicit Catalog(const std::filesystem::path& root = "/");

  /// Why an identifier cannot run here, or how it does. `strict` refuses substitutions.
  struct Lookup {
    std::optional<Runtime> runtime;
    std::string why_not;
  };
  Lookup find(std::string_view identifier, bool strict = false) const;
  /// Those that can run here, by identifier.
  const std::vector<Runtime>& available() const { return runtimes_; }
  /// The Pythons that were found, whose compiled bootstraps install_bootstraps makes.
  const std::vector<Interpreter>& pythons() const { return pythons_; }

 private:
  std::vector<Interpreter> pythons_;
  std::vector<Runtime> runtimes_;
};

/// runtime.argv as it is for a function of this MemorySize. Node.js sizes its heap by the machine's memory, which is not the
/// function's: without a limit below MemorySize it is killed where it could have collected garbage (AWS: 90 %).
std::vector<std::string> command_line(const Runtime& runtime, std::int32_t memory_mib);

/// Writes the bootstraps embedded in this binary beneath `directory` (python/, nodejs/, provided/), readable by everybody,
/// replacing what an older server left there.
void install_bootstraps(const std::filesystem::path& directory, const Catalog& catalog);

}  // namespace lambent::runtimes
