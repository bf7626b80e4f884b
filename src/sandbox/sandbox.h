// The sandbox as the invocation engine sees it: ask for an environment, or have one ready before its function is known; watch
// it, freeze it, end it.
//
// The work is done by the launcher, a small single-threaded process started before any thread, which alone keeps root.
// This side holds one Sandbox object per environment, on the lane that asked for it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/task.h"

namespace lambent::sandbox {

/// How isolated environments are on this machine, printed at start. `full` needs root.
enum class Isolation { none, full };

struct IsolationReport {
  Isolation level = Isolation::none;
  /// Why it is not better, or what it stands on ("cgroup v1 memory,cpu,pids,cpuset; v2 freeze,kill; landlock 7; seccomp").
  std::string reason;
};

/// A shared file system in an environment.
struct FileSystemMount {
  /// One of LauncherOptions::file_systems. Empty: none is wanted.
  std::string arn;
  /// "/mnt/NAME"
  std::string path;
};

/// What one environment is made of. Paths name things that the launcher resolves itself, beneath directories fixed at
/// its start, so that a compromised server cannot have anything else mounted.
struct Spec {
  /// Hex SHA-256: the tree CODE_DIR/<hash> becomes /var/task, read-only.
  std::string code_hash;
  /// A root file system known to the launcher: "host", or the name of an installed one beneath LauncherOptions::roots_dir.
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
  /// Hex SHA-256 of layer trees, CODE_DIR/<hash> each, merged into /opt in order (a later one lies over an earlier one); at
  /// most kMaxLayers. Empty: /opt is an empty directory.
  std::vector<std::string> layers;
  /// Executables in /opt/extensions ("/opt/extensions/NAME"), started before the runtime, at most kMaxExtensions.
  std::vector<std::string> extensions;
  /// NAME=VALUE, the whole environment of each extension.
  std::vector<std::string> extension_environment;
  /// Readable and writable for the function; AWS has one at most.
  FileSystemMount file_system = {};
  /// Of LauncherOptions: what the function reaches instead of what all others do. None: as all others.
  std::vector<std::string> subnets = {};
  std::vector<std::string> security_groups = {};
};

/// "Lambda quotas": function layers.
constexpr std::size_t kMaxLayers = 5;
/// "Lambda quotas", of the Extensions API.
constexpr std::size_t kMaxExtensions = 10;

/// A sandbox that is ready before its function is known.
struct SpareSpec {
  std::string root = "host";
  std::string runtime_dir;
  /// What is started inside to wait for its function: it has descriptor 3, a stream socket. It writes one byte when it waits
  /// and then reads its assignment to the end of file: little-endian u32 length of what follows, u32 argc, u32 envc, and
  /// argc + envc strings that each end with NUL (Spec::argv, then Spec::environment). End of file without one: it exits. Empty:
  /// nothing is started, and assign() executes Spec::argv.
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  /// Fork what waits from a zygote instead of executing argv, which is then the zygote's command line. Python only.
  bool zygote = false;
  /// What argv was chosen for. The limit while it waits is the launcher's own.
  std::int32_t memory_mib = 128;
  std::int32_t ephemeral_mib = 512;
  std::int32_t max_processes = 1024;
};

/// How a process of the environment ended.
struct Exit {
  /// Exit status, or nothing when a signal ended it.
  std::optional<int> status;
  int signal = 0;
  /// The kernel killed it for want of memory.
  bool out_of_memory = false;
};

/// One execution environment. Destroying it kills everything inside and removes what was made for it.
class Sandbox {
 public:
  virtual ~Sandbox() = default;
  /// Of a prepared one, once: mounts code and layers, applies the limits of `spec`, starts the extensions, then hands the
  /// waiting process its assignment, or executes spec.argv when nothing waits. root, runtime_dir, ephemeral_mib and
  /// max_processes must be those that it was prepared with. Throws std::runtime_error with the step that failed: the sandbox
  /// is then of no use.
  virtual base::Task<void> assign(Spec spec) = 0;

  /// Listening on 127.0.0.1:9001 inside the sandbox: the Runtime API. Taken once.
  virtual base::Fd take_runtime_api_listener() = 0;
  /// Listening on 127.0.0.1:4566 inside the sandbox: the function's way to the API. Taken once.
  virtual base::Fd take_api_listener() = 0;
  /// The read ends of stdout and stderr of all that runs inside, non-blocking. They end with the sandbox, not with the
  /// runtime. Taken once.
  virtual base::Fd take_stdout() = 0;
  virtual base::Fd take_stderr() = 0;
  /// The read end, non-blocking, of the one pipe that is stdout and stderr of every extension; empty without extensions. Taken
  /// once, after assign().
  virtual base::Fd take_extensions_output() = 0;
  /// A new TCP socket (IPv4, non-blocking, not connected) in the sandbox's network namespace, to reach what listens there.
  /// Throws std::runtime_error.
  virtual base::Task<base::Fd> make_socket() = 0;

  /// Runs once, on the lane, when the runtime's process (or the one that waits for an assignment) has ended, by itself or by
  /// kill(). What it started and the extensions go on until kill(). Armed again by restart().
  virtual void on_exit(std::function<void(Exit)> observer) = 0;
  /// Runs on the lane for each extension's process that ended, with its index in Spec::extensions.
  virtual void on_extension_exit(std::function<void(std::size_t, Exit)> observer) = 0;

  /// SIGKILL to every process inside, at once, frozen or not. Idempotent; on_exit follows. /tmp stays until the sandbox is
  /// destroyed.
  virtual void kill() = 0;
  /// SIGTERM to the runtime and the processes of its group, not to the extensions.
  virtual void terminate() = 0;
  /// Kills what is inside, keeps /tmp, mounts, network, pipes and listeners; then starts the extensions and `argv` anew, with
  /// `environment` and Spec::extension_environment, thawed and without a CPU limit. For the reset after a failure. Throws
  /// std::runtime_error with the step that failed.
  virtual base::Task<void> restart(std::vector<std::string> argv, std::vector<std::string> environment) = 0;

  /// Stops every process inside until thaw(); both idempotent, synchronous, microseconds.
  virtual void freeze() = 0;
  virtual void thaw() = 0;
  /// From now on the CPU share is in proportion to MemorySize (1,769 MB is one vCPU). Init runs without it, as AWS boosts it.
  virtual void limit_cpu() = 0;
  /// The most memory that the environment has used so far, in MiB rounded up.
  virtual std::int32_t peak_memory_mib() const = 0;
};

/// The server's end of the launcher. Belongs to one lane; its calls may be made any number of times at once.
class Launcher {
 public:
  virtual ~Launcher() = default;
  /// Throws std::runtime_error with the step that failed.
  virtual base::Task<std::unique_ptr<Sandbox>> launch(Spec spec) = 0;
  /// A sandbox with everything but its function: done when it can be assigned without waiting for anything. Throws
  /// std::runtime_error with the step that failed.
  virtual base::Task<std::unique_ptr<Sandbox>> prepare(SpareSpec spec) = 0;
  virtual const IsolationReport& isolation() const = 0;
};

/// A file that root may execute, for it came with this program.
struct TrustedFile {
  /// "python/zygote.py": the runtime's directory and a name.
  std::string name;
  std::string_view content;
};

/// What functions can reach beside their Runtime API and their door to the API, which are always there. `egress`: the internet,
/// but no private, link-local or metadata address and nothing of the host. `host`: whatever the host can reach, its loopback as
/// 169.254.0.2. Each environment has a network namespace of its own in every mode.
enum class FunctionNetwork : std::uint32_t { none, egress, host };

struct NetworkReport {
  /// What it has become: none where the wanted one cannot be had.
  FunctionNetwork mode = FunctionNetwork::none;
  /// What it stands on ("through eth0"), or why it is not what was wanted; empty when none was wanted.
  std::string reason;
};

/// A directory of the host under the name by which functions have it mounted.
struct SharedDirectory {
  std::string arn;
  std::filesystem::path directory;
};

/// What functions in it reach.
struct Subnet {
  std::string id;
  /// Private IPv4 networks.
  std::vector<std::string> cidrs;
  /// The internet besides.
  bool internet = false;
};

/// Of what a subnet reaches, a function of this group does only these networks; all of it when there are none.
struct SecurityGroup {
  std::string id;
  std::vector<std::string> cidrs;
};

struct LauncherOptions {
  /// The code store's trees.
  std::filesystem::path code_dir;
  /// Bootstraps, as runtimes::write_bootstraps wrote them.
  std::filesystem::path runtimes_dir;
  /// Where the launcher may keep /tmp images; on the data directory's file system.
  std::filesystem::path scratch_dir;
  /// The first of 65,536 user ids that environments take their own from; where another launcher has it, a later one.
  std::uint32_t first_uid = 2'000'000'000;
  /// Installed root file systems, as `lambent runtimes install` made them. Empty: none but the host's.
  std::filesystem::path roots_dir = {};
  /// What zygotes see as /var/runtime: they are root's, so they do not execute what lies in runtimes_dir.
  std::vector<TrustedFile> zygote_files = {};
  /// How many forks of one zygote share their address space layout and hash seed before another takes its place.
  std::uint32_t zygote_forks = 1000;
  FunctionNetwork network = FunctionNetwork::none;
  /// "10.1.0.0/16": IPv4 networks that functions may reach in mode egress although they are private. At most kMaxAllowedCidrs.
  std::vector<std::string> allowed_cidrs = {};
  /// Directories that functions may have mounted; of users other than root. At most kMaxFileSystems.
  std::vector<SharedDirectory> file_systems = {};
  /// In mode egress. At most kMaxZoneParts of each.
  std::vector<Subnet> subnets = {};
  std::vector<SecurityGroup> security_groups = {};
};

constexpr std::size_t kMaxAllowedCidrs = 64;
constexpr std::size_t kMaxFileSystems = 64;
constexpr std::size_t kMaxZoneParts = 64;
/// Longest id of a subnet or a security group.
constexpr std::size_t kMaxZoneId = 48;
/// AWS quotas: subnets and security groups of a function.
constexpr std::size_t kMaxSubnets = 16, kMaxSecurityGroups = 5;

/// A launcher process that was started but is not yet attached to a lane.
struct LauncherProcess {
  base::Fd socket;
  int pid = -1;
  /// These two since await_launcher.
  IsolationReport isolation;
  NetworkReport network;
};

/// Starts the launcher: call it in main, as root, before any thread and before privileges are dropped. What it can do is not
/// known yet: see await_launcher. It ends at EOF of its socket, with every environment.
LauncherProcess spawn_launcher(const LauncherOptions& options);
/// Waits until the launcher has tried everything that an environment needs, tens of milliseconds, and says what came of it.
/// With too little privilege for any level, isolation.level is none and `reason` says what is missing.
void await_launcher(LauncherProcess& process);
/// Both.
LauncherProcess start_launcher(const LauncherOptions& options);

/// Attaches a started launcher to the lane that `context` runs.
std::unique_ptr<Launcher> attach_launcher(base::asio::io_context& context, LauncherProcess process);

}  // namespace lambent::sandbox
