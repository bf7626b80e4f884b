// The sandbox as the invocation engine sees it: ask for an environment, watch it, end it.
//
// The work is done by the launcher, a small single-threaded process started before any thread, which alone keeps root.
// This side holds one Sandbox object per environment, on the lane that launched it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/task.h"

namespace lambent::sandbox {

/// How isolated environments are on this machine, printed at start. `full` needs root.
enum class Isolation { none, full };

struct IsolationReport {
  Isolation level = Isolation::none;
  /// Why it is not better, or what it stands on ("cgroup v1 memory,cpu,pids; v2 freeze,kill; landlock 7; seccomp").
  std::string reason;
};

/// What one environment is made of. Paths name things that the launcher resolves itself, beneath directories fixed at
/// its start, so that a compromised server cannot have anything else mounted.
struct Spec {
  /// Hex SHA-256: the tree CODE_DIR/<hash> becomes /var/task, read-only.
  std::string code_hash;
  /// A root file system known to the launcher: "host" in this version.
  std::string root = "host";
  /// The bootstrap's directory under RUNTIMES_DIR ("python", "nodejs", "provided"): becomes /var/runtime, read-only.
  std::string runtime_dir;
  /// What to execute inside, argv[0] a path inside the sandbox.
  std::vector<std::string> argv;
  /// NAME=VALUE, the process's whole environment.
  std::vector<std::string> environment;
  std::int32_t memory_mib = 128;
  /// Size of /tmp.
  std::int32_t ephemeral_mib = 512;
  std::int32_t max_processes = 1024;
};

/// How the environment's first process ended.
struct Exit {
  /// Exit status, or nothing when a signal ended it.
  std::optional<int> status;
  int signal = 0;
  /// The kernel killed something in it for want of memory.
  bool out_of_memory = false;
};

/// One execution environment. Destroying it kills everything inside and removes what was made for it.
class Sandbox {
 public:
  virtual ~Sandbox() = default;
  /// Listening on 127.0.0.1:9001 inside the sandbox: the Runtime API. Taken once.
  virtual base::Fd take_runtime_api_listener() = 0;
  /// Listening on 127.0.0.1:4566 inside the sandbox: the function's way to the API. Taken once.
  virtual base::Fd take_api_listener() = 0;
  /// The read ends of the function's stdout and stderr, non-blocking. Taken once.
  virtual base::Fd take_stdout() = 0;
  virtual base::Fd take_stderr() = 0;
  /// Runs once, on the lane, when the first process has ended by itself or by kill().
  virtual void on_exit(std::function<void(Exit)> observer) = 0;
  /// SIGKILL to every process inside, at once, by the cgroup. Idempotent; on_exit follows.
  virtual void kill() = 0;
  /// From now on the CPU share is in proportion to MemorySize (1,769 MB is one vCPU). Init runs without it, as AWS boosts it.
  virtual void limit_cpu() = 0;
  /// The most memory that the environment has used so far, in MiB rounded up.
  virtual std::int32_t peak_memory_mib() const = 0;
};

/// The server's end of the launcher. Belongs to one lane; `launch` may be called any number of times at once.
class Launcher {
 public:
  virtual ~Launcher() = default;
  /// Throws std::runtime_error with the step that failed.
  virtual base::Task<std::unique_ptr<Sandbox>> launch(Spec spec) = 0;
  virtual const IsolationReport& isolation() const = 0;
};

struct LauncherOptions {
  /// The code store's trees.
  std::filesystem::path code_dir;
  /// Bootstraps, as runtimes::install_bootstraps wrote them.
  std::filesystem::path runtimes_dir;
  /// Where the launcher may keep /tmp images; on the data directory's file system.
  std::filesystem::path scratch_dir;
  /// The first of 65,536 user ids that environments take their own from.
  std::uint32_t first_uid = 2'000'000'000;
};

/// A launcher process that was started but is not yet attached to a lane.
struct LauncherProcess {
  base::Fd socket;
  int pid = -1;
  IsolationReport isolation;
};

/// Starts the launcher: call it in main, as root, before any thread and before privileges are dropped. With too little
/// privilege for any level, isolation.level is none and `reason` says what is missing. The launcher ends at EOF of its
/// socket, with every environment.
LauncherProcess start_launcher(const LauncherOptions& options);

/// Attaches a started launcher to the lane that `context` runs.
std::unique_ptr<Launcher> attach_launcher(base::asio::io_context& context, LauncherProcess process);

}  // namespace lambent::sandbox
