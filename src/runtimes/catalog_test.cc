#include "runtimes/catalog.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "runtimes/bootstraps.h"
#include "runtimes/command.h"

namespace lambent::runtimes {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (fs::temp_directory_path() / "lambent-runtimes-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string read(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write(const fs::path& path, std::string_view text, fs::perms mode = fs::perms(0644)) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
  fs::permissions(path, mode);
}

/// A root whose interpreters do nothing but tell their version.
class CatalogTest : public testing::Test {
 protected:
  void interpreter(const std::string& name, const std::string& says) {
    write(root_.path() / "usr/bin" / name, "#!/bin/sh\necho '" + says + "'\n", fs::perms(0755));
  }
  Catalog catalog() const { return Catalog(root_.path()); }

  TemporaryDirectory root_;
};

TEST_F(CatalogTest, AnInterpreterOfTheVersionAskedForIsUsedWithoutAWord) {
  interpreter("python3.11", "Python 3.11.2");
  interpreter("python3.13", "Python 3.13.1");
  const auto found = catalog().find("python3.13", true);
  ASSERT_TRUE(found.runtime) << found.why_not;
  EXPECT_EQ(found.runtime->family, Family::python);
  EXPECT_EQ(found.runtime->bootstrap_dir, "python");
  EXPECT_EQ(found.runtime->version, "3.13.1");
  EXPECT_EQ(found.runtime->substitution, "");
  EXPECT_EQ(found.runtime->runtime_version, "python:3.13.v1");
  EXPECT_THAT(found.runtime->argv, ElementsAre("/usr/bin/python3.13", "-S", "-u", "/var/runtime/bootstrap.py"));
  EXPECT_THAT(found.runtime->environment, Contains("AWS_EXECUTION_ENV=AWS_Lambda_python3.13"));
  EXPECT_THAT(found.runtime->environment, Contains("PYTHONPATH=/var/runtime"));
}

TEST_F(CatalogTest, TheNearestVersionStandsInAndIsNamed) {
  interpreter("python3.9", "Python 3.9.2");
  interpreter("python3.11", "Python 3.11.2+");
  const Catalog known = catalog();
  const auto found = known.find("python3.13");
  ASSERT_TRUE(found.runtime);
  EXPECT_EQ(found.runtime->substitution, "python3.13 is not installed: this function runs on Python 3.11.2");
  // What the function sees of itself is what was asked for.
  EXPECT_THAT(found.runtime->environment, Contains("AWS_EXECUTION_ENV=AWS_Lambda_python3.13"));
  EXPECT_EQ(found.runtime->runtime_version, "python:3.13.v1");
  EXPECT_EQ(known.find("python3.8").runtime->version, "3.9.2");
  EXPECT_EQ(known.find("python3.10").runtime->version, "3.11.2");
}

TEST_F(CatalogTest, StrictRefusesWhatStandsIn) {
  interpreter("python3.11", "Python 3.11.2");
  const auto found = catalog().find("python3.12", true);
  EXPECT_FALSE(found.runtime);
  EXPECT_EQ(found.why_not, "python3.12 is not installed, and another version (3.11.2) may not stand in for it here");
}

TEST_F(CatalogTest, ThePlainNameIsAskedWhatItIs) {
  interpreter("python3", "Python 3.12.4");
  interpreter("node", "v20.20.2");
  const Catalog known = catalog();
  EXPECT_EQ(known.find("python3.12", true).runtime->argv.front(), "/usr/bin/python3");
  const auto node = known.find("nodejs22.x");
  ASSERT_TRUE(node.runtime);
  EXPECT_EQ(node.runtime->substitution, "nodejs22.x is not installed: this function runs on Node.js 20.20.2");
  EXPECT_EQ(node.runtime->runtime_version, "nodejs:22.v1");
  EXPECT_THAT(node.runtime->argv, ElementsAre("/usr/bin/node", "/var/runtime/bootstrap.cjs"));
  EXPECT_THAT(node.runtime->environment,
              Contains("NODE_PATH=/opt/nodejs/node22/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:"
                       "/var/runtime:/var/task"));
  EXPECT_EQ(known.find("nodejs20.x", true).runtime->substitution, "");
}

TEST_F(CatalogTest, AProgramThatDoesNotTellAVersionIsNoInterpreter) {
  interpreter("python3.11", "what?");
  interpreter("node", "20");
  write(root_.path() / "usr/bin/python3.12", "not executable");
  const Catalog known = catalog();
  EXPECT_EQ(known.find("python3.11").why_not, "python3.11 needs Python, and /usr/bin has none");
  EXPECT_EQ(known.find("nodejs20.x").why_not, "nodejs20.x needs Node.js, and /usr/bin has none");
}

TEST_F(CatalogTest, AnInterpreterOlderThanTheBootstrapIsNotUsed) {
  interpreter("python3", "Python 3.7.3");
  interpreter("node", "v16.20.2");
  EXPECT_FALSE(catalog().find("python3.8").runtime);
  EXPECT_FALSE(catalog().find("nodejs18.x").runtime);
}

TEST_F(CatalogTest, OsOnlyRuntimesNeedNothing) {
  const Catalog known = catalog();
  for (const char* name : {"provided.al2023", "provided.al2", "provided"}) {
    const auto found = known.find(name, true);
    ASSERT_TRUE(found.runtime) << name;
    EXPECT_THAT(found.runtime->argv, ElementsAre("/var/runtime/bootstrap"));
    EXPECT_EQ(found.runtime->bootstrap_dir, "provided");
    EXPECT_TRUE(found.runtime->environment.empty()) << "AWS_EXECUTION_ENV is absent on provided";
  }
  EXPECT_EQ(known.find("provided.al2023").runtime->runtime_version, "provided:al2023.v1");
  EXPECT_EQ(known.available().size(), 3u);
}

TEST_F(CatalogTest, OtherLanguagesAreRefusedInWords) {
  const Catalog known = catalog();
  EXPECT_EQ(known.find("ruby3.4").why_not, "This version of Lambent does not run ruby3.4");
  EXPECT_EQ(known.find("java21").why_not, "This version of Lambent does not run java21");
  EXPECT_EQ(known.find("cobol85").why_not, "cobol85 is not a runtime identifier");
}

TEST_F(CatalogTest, NodeGetsAHeapBelowItsMemory) {
  interpreter("node", "v20.20.2");
  interpreter("python3", "Python 3.11.2");
  const Catalog known = catalog();
  EXPECT_THAT(command_line(*known.find("nodejs20.x").runtime, 128),
              ElementsAre("/usr/bin/node", "--max-old-space-size=115", "/var/runtime/bootstrap.cjs"));
  const Runtime python = *known.find("python3.11").runtime;
  EXPECT_EQ(command_line(python, 128), python.argv);
}

TEST(CommandTest, TellsWhatAProgramWrote) {
  EXPECT_EQ(run_command({"/bin/sh", "-c", "echo hello; echo not this >&2"}), "hello\n");
}

TEST(CommandTest, RunsWithoutTheServersEnvironment) {
  ::setenv("LAMBENT_CANARY", "seen", 1);
  EXPECT_EQ(run_command({"/bin/sh", "-c", "echo \"[$LAMBENT_CANARY]\""}), "[]\n");
}

TEST(CommandTest, FailureIsNoAnswer) {
  EXPECT_FALSE(run_command({"/bin/sh", "-c", "echo hello; exit 3"}));
  EXPECT_FALSE(run_command({"/nonexistent/program"}));
}

TEST(CommandTest, TimeAndSpaceAreBounded) {
  CommandBounds bounds;
  bounds.time = std::chrono::milliseconds(50);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(run_command({"/bin/sleep", "60"}, bounds));
  EXPECT_FALSE(run_command({"/bin/sh", "-c", "exec >&-; exec sleep 60"}, bounds));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(30));
  EXPECT_FALSE(run_command({"/bin/cat", "/dev/zero"}));
}

TEST(BootstrapsTest, AreWrittenReadableForEverybody) {
  const auto old_mask = ::umask(077);
  TemporaryDirectory directory;
  const fs::path runtimes = directory.path() / "runtimes";
  install_bootstraps(runtimes, Catalog());
  ::umask(old_mask);
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(runtimes)) {
    const auto mode = entry.status().permissions() & fs::perms::mask;
    const bool runs = entry.is_directory() || entry.path() == runtimes / "provided/bootstrap";
    EXPECT_EQ(mode, runs ? fs::perms(0755) : fs::perms(0644)) << entry.path();
    files += !entry.is_directory();
  }
  EXPECT_GE(files, embedded_files().size());
  for (const EmbeddedFile& file : embedded_files()) EXPECT_EQ(read(runtimes / file.name), file.content) << file.name;
}

TEST(BootstrapsTest, ReplaceWhatAnOlderServerLeft) {
  TemporaryDirectory directory;
  write(directory.path() / "python/bootstrap.py", "old");
  write(directory.path() / "python/gone.py", "old");
  write(directory.path() / "python/__pycache__/lambent_runtime.cpython-311.pyc", "old");
  write(directory.path() / "ruby/bootstrap.rb", "old");
  install_bootstraps(directory.path(), Catalog());
  EXPECT_THAT(read(directory.path() / "python/bootstrap.py"), HasSubstr("lambent_runtime"));
  EXPECT_FALSE(fs::exists(directory.path() / "python/gone.py"));
  EXPECT_FALSE(fs::exists(directory.path() / "ruby"));
  EXPECT_NE(read(directory.path() / "python/__pycache__/lambent_runtime.cpython-311.pyc"), "old");
}

TEST(BootstrapsTest, AFileThatIsRightIsLeftAlone) {
  TemporaryDirectory directory;
  install_bootstraps(directory.path(), Catalog());
  const auto inode = [&](const char* name) {
    struct stat about{};
    EXPECT_EQ(::stat((directory.path() / name).c_str(), &about), 0);
    return about.st_ino;
  };
  const auto before = inode("python/bootstrap.py");
  install_bootstraps(directory.path(), Catalog());
  EXPECT_EQ(inode("python/bootstrap.py"), before);
}

TEST(BootstrapsTest, ALinkInTheirPlaceIsReplacedNotFollowed) {
  TemporaryDirectory directory;
  const fs::path target = directory.path() / "target";
  write(target, "mine");
  fs::create_directories(directory.path() / "runtimes/python");
  fs::create_symlink(target, directory.path() / "runtimes/python/bootstrap.py");
  install_bootstraps(directory.path() / "runtimes", Catalog());
  EXPECT_EQ(read(target), "mine");
  EXPECT_FALSE(fs::is_symlink(fs::symlink_status(directory.path() / "runtimes/python/bootstrap.py")));
}

TEST(BootstrapsTest, PythonIsCompiledAheadForWhatIsInstalled) {
  const Catalog known;
  const auto python = known.find("python3.11", true);
  if (!python.runtime) GTEST_SKIP() << "no Python 3.11 in /usr/bin";
  TemporaryDirectory directory;
  install_bootstraps(directory.path(), Catalog());
  EXPECT_TRUE(fs::exists(directory.path() / "python/__pycache__/lambent_runtime.cpython-311.pyc"));
  EXPECT_TRUE(fs::exists(directory.path() / "python/__pycache__/lambent_json.cpython-311.pyc"));
}

TEST(BootstrapsTest, TheProvidedOneSaysWhenThereIsNothingToRun) {
  if (fs::exists("/var/task/bootstrap") || fs::exists("/opt/bootstrap")) GTEST_SKIP() << "there is a bootstrap here";
  TemporaryDirectory directory;
  install_bootstraps(directory.path(), Catalog());
  const std::string program = directory.path() / "provided/bootstrap";
  const pid_t pid = ::fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
    ::execl(program.c_str(), program.c_str(), nullptr);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), kMissingEntrypoint);
}

}  // namespace
}  // namespace lambent::runtimes
