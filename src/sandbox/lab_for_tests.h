// What the tests of this folder run their scripts in: a launcher over throwaway directories, and one call that launches,
// collects what was printed and waits for the end. Needs root.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/sandbox.h"

namespace lambent::sandbox::testing {

/// Runs `step` until it says true, at most `bound`; false when it never did.
bool eventually(std::chrono::milliseconds bound, const std::function<bool()>& step);

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
  base::Fd out_pipe, err_pipe;
  std::string out, err;
  std::optional<Exit> exit;
};

class Lab {
 public:
  Lab();
  ~Lab();
  Lab(const Lab&) = delete;
  Lab& operator=(const Lab&) = delete;

  const IsolationReport& isolation() const { return launcher_->isolation(); }
  base::asio::io_context& context() { return context_; }
  Launcher& launcher() { return *launcher_; }
  int launcher_pid() const { return pid_; }
  /// True when no process of an environment of this lab is left on the machine: each lab has users of its own.
  bool no_process() const;
  const std::filesystem::path& directory() const { return directory_; }

  /// Puts a file into the tree that spec() names.
  void write_code(const std::string& name, const std::string& text, unsigned mode = 0644);
  Spec spec(std::vector<std::string> argv) const;
  static Spec with_memory(Spec spec, int memory_mib);

  /// Throws what launch throws.
  std::unique_ptr<Running> launch(const Spec& spec);
  /// Lets the lane run and reads what was printed, until `done` or the bound.
  bool drive(Running& running, std::chrono::milliseconds bound, const std::function<bool()>& done);
  /// launch, to the end; after `bound` it is killed.
  Outcome run(const Spec& spec, std::chrono::milliseconds bound = std::chrono::seconds(20));
  Outcome python(const std::string& script, int memory_mib = 256);
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
