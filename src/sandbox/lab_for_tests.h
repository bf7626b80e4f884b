// What the tests of this folder run their scripts in: a launcher over throwaway directories, and one call that launches,
// collects what was printed and waits for the end. Needs root.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/sandbox.h"

namespace lambent::sandbox::testing {

/// Runs `step` until it says true, at most `bound`; false when it never did.
bool eventually(std::chrono::milliseconds bound, const std::function<bool()>& step);

/// What the control group of a process, or the one above it, says in a file of the controller of processors; empty where the kernel
/// knows no such file.
std::string said_of_cpu(int pid, const std::string& name);

/// Trial 10: 100 ms; ten times that where the processor is emulated.
std::chrono::milliseconds kill_bound();

struct Outcome {
  Exit exit;
  std::string out;
  std::string err;
  std::int32_t peak_mib = 0;
};

/// An environment that is running, with what it has printed so far.
struct Running {
  std::unique_ptr<Sandbox> sandbox;
  base::Fd out_pipe, err_pipe, extensions_pipe;
  std::string out, err, extensions_out;
  std::optional<Exit> exit;
  std::vector<std::pair<std::size_t, Exit>> extension_exits;
};

/// How a Python script gets into its sandbox.
enum class Way { launched, prepared, spare, forked };
std::string name_of(Way way);

class Lab {
 public:
  explicit Lab(std::uint32_t zygote_forks = 1000, FunctionNetwork network = FunctionNetwork::none);
  ~Lab();
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;

  const IsolationReport& isolation() const { return launcher_->isolation(); }
  const NetworkReport& network() const { return network_; }
  base::asio::io_context& context() { return context_; }
  Launcher& launcher() { return *launcher_; }
  int launcher_pid() const { return pid_; }
  /// How many processes run as users of this lab's environments, inits among them once they have given root up.
  std::size_t processes() const { return process_ids().size(); }
  std::vector<int> process_ids() const;
  /// True when none is left on the machine: each lab has users of its own.
  bool no_process() const { return processes() == 0; }
  /// Lets the lane run until there is none, for some seconds at most.
  bool settle();
  const std::filesystem::path& directory() const { return directory_; }

  /// Puts a file into the tree that spec() names.
  void write_code(const std::string& name, const std::string& text, unsigned mode = 0644);
  Spec spec(std::vector<std::string> argv) const;
  static Spec with_memory(Spec spec, int memory_mib);

  /// Throws what launch throws.
  std::unique_ptr<Running> launch(const Spec& spec);
  /// What the lab has for a function in /var/task/script.py.
  SpareSpec spare_spec(Way way) const;
  std::unique_ptr<Running> prepare(const SpareSpec& spec);
  void assign(Running& running, const Spec& spec);
  void restart(Running& running, std::vector<std::string> argv);
  /// Lets the lane run until `work` has ended. Throws what it throws.
  void await(base::Task<void> work);
  /// A tree of code or of a layer beside that of spec(), from names to texts; its hash is 64 times `digit`.
  std::string write_tree(char digit, const std::map<std::string, std::string>& files);
  /// Lets the lane run and reads what was printed, until `done` or the bound.
  bool drive(Running& running, std::chrono::milliseconds bound, const std::function<bool()>& done);
  /// To the end; after `bound` it is killed.
  Outcome finish(Running& running, std::chrono::milliseconds bound = std::chrono::seconds(20));
  /// launch and finish.
  Outcome run(const Spec& spec, std::chrono::milliseconds bound = std::chrono::seconds(20));
  Outcome python(const std::string& script, int memory_mib = 256, Way way = Way::launched);
  Outcome node(const std::string& script);
  Outcome shell(const std::string& script);
  /// Ends the launcher and waits for it.
  void end_launcher() { launcher_.reset(); }

 private:
  std::filesystem::path directory_;
  std::string hash_;
  base::asio::io_context context_;
  int pid_ = -1;
  std::uint32_t first_uid_;
  NetworkReport network_;
  std::unique_ptr<Launcher> launcher_;
};

/// Skips, with the reason, where there is no root.
class SandboxTest : public ::testing::Test {
 protected:
  void SetUp() override;
  Lab& lab() { return *lab_; }

 private:
  std::unique_ptr<Lab> lab_;
};

}  // namespace lambent::sandbox::testing
