#include "runtimes/install.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <vector>

#include "base/fd.h"
#include "base/ids.h"
#include "runtimes/bootstraps.h"
#include "runtimes/command.h"
#include "runtimes/installed.h"
#include "runtimes/interpreters.h"

namespace lambent::runtimes {
namespace {

namespace fs = std::filesystem;

/// A directory that is not finished; what follows is the version's name and something random.
constexpr std::string_view kUnfinished = ".unfinished-";

std::string_view script(std::string_view name) {
  for (const EmbeddedFile& file : embedded_installers())
    if (file.name == name) return file.content;
  throw std::logic_error("no installer " + std::string(name));
}

/// sh -c SCRIPT NAME ARGUMENTS, with this terminal, in a process namespace: all that it starts dies with this process.
void run_script(std::string_view name, std::vector<std::string> arguments) {
  std::vector<std::string> argv{"/usr/bin/unshare", "--pid",   "--fork", "--kill-child",
                                "--mount-proc",     "/bin/sh", "-c",     std::string(script(name)),
                                std::string(name)};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& argument : argv) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = base::check(::fork(), "fork");
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  int status = 0;
  base::check(::waitpid(pid, &status, 0), "waitpid");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw std::runtime_error("the source could not be installed; what it said is above");
}

std::string codename() {
  const auto said = run_command({"/bin/sh", "-c", ". /etc/os-release && printf %s \"$VERSION_CODENAME\""});
  return said.value_or("");
}

void need(const char* program, const char* package) {
  if (::access(program, X_OK) == 0) return;
  throw std::runtime_error(fmt::format("{} is needed and not here: apt-get install {}", program, package));
}

/// Beside the root that is being made, for its compiler: the sources of "java/" or "dotnet/".
void write_sources(const fs::path& directory, std::string_view language) {
  for (const EmbeddedFile& file : embedded_installers()) {
    if (!file.name.starts_with(language)) continue;
    const fs::path path = directory / file.name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << file.content;
  }
}

void build_debian(const fs::path& directory, const InstallOptions& options, const Recipe& recipe) {
  need("/usr/bin/mmdebstrap", "mmdebstrap");
  DebianArchive archive = find_debian_archive("/etc/apt", codename());
  if (!options.mirror.empty()) archive.mirror = options.mirror;
  if (archive.mirror.empty())
    throw std::runtime_error("apt's sources name no Debian archive for this machine: give one with --mirror");
  if (recipe.family == Family::java) write_sources(directory, "java/");
  run_script("debian.sh", {directory / "root", std::string(recipe.suite), archive.mirror, archive.keyring,
                           std::string(recipe.packages), std::string(recipe.interpreter)});
  fs::remove_all(directory / "java");
}

void build_npm(const fs::path& directory, const Recipe& recipe) {
  run_script("npm.sh", {directory / "lang", std::string(node_package()), std::to_string(recipe.generation)});
}

void build_pypi(const fs::path& directory, const Recipe& recipe) {
  need("/usr/bin/python3", "python3-venv");
  run_script("pypi.sh", {directory / "lang", std::string(recipe.packages), std::to_string(recipe.generation)});
}

/// The machine's own .NET of that version.
Interpreter host_dotnet(const InstallOptions& options, int generation) {
  for (Interpreter& found : find_dotnets(options.host))
    if (found.generation == generation) return std::move(found);
  throw std::runtime_error(fmt::format(
      "this machine has no .NET {0}: install its SDK (dotnet-sdk-{0}.0), which brings the runtime", generation));
}

void build_sdk(const fs::path& directory, const Interpreter& dotnet, const Recipe& recipe) {
  const fs::path program = dotnet.outside / dotnet.path.substr(1);
  write_sources(directory, "dotnet/");
  run_script("dotnet.sh", {directory / "lang", program, std::to_string(recipe.generation), directory / "dotnet"});
  fs::remove_all(directory / "dotnet");
}

/// What the interpreter says that it is, asked inside its root.
std::string version_of(const fs::path& directory, const Recipe& recipe) {
  const fs::path root = directory / "root";
  if (recipe.family == Family::java)
    return run_command({"/bin/sh", "-c",
                        "cat \"$0\"/usr/lib/jvm/*/release \"$0\"/usr/lib/jvm/*/jre/release 2>/dev/null | "
                        "sed -n 's/^JAVA_VERSION=\"\\([0-9.]*\\).*/\\1/p' | head -n 1 | tr -d '\\n'",
                        root})
        .value_or("");
  if (recipe.source == Source::pypi)
    return run_command(
               {"/bin/sh", "-c", "ls \"$0\" | tr -d '\\n'", directory / "lang/dotnet/shared/Microsoft.NETCore.App"})
        .value_or("");
  std::vector<std::string> argv;
  if (recipe.source == Source::npm)
    argv = {directory / "lang/bin/node", "--version"};
  else
    argv = {"/usr/sbin/chroot", root, std::string(recipe.interpreter), "--version"};
  const std::string said = run_command(argv).value_or("");
  const auto begin = said.find_first_of("0123456789");
  if (begin == std::string::npos) return "";
  return said.substr(begin, said.find_first_not_of("0123456789.", begin) - begin);
}

struct Built {
  std::string version, interpreter;
};

Built build(const fs::path& directory, const InstallOptions& options, const Recipe& recipe) {
  switch (recipe.source) {
    case Source::sdk: {
      const Interpreter dotnet = host_dotnet(options, recipe.generation);
      build_sdk(directory, dotnet, recipe);
      return {dotnet.version, dotnet.path};
    }
    case Source::npm:
      build_npm(directory, recipe);
      break;
    case Source::pypi:
      build_pypi(directory, recipe);
      break;
    case Source::debian:
      build_debian(directory, options, recipe);
      break;
  }
  return {version_of(directory, recipe), std::string(recipe.interpreter)};
}

void remove_unfinished(const fs::path& roots) {
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(roots))
    if (entry.path().filename().string().starts_with(kUnfinished)) left.push_back(entry.path());
  for (const fs::path& path : left) fs::remove_all(path);
}

base::Fd lock_for_change(const fs::path& roots) {
  if (::geteuid() != 0) throw std::runtime_error("installing and removing runtimes needs root");
  base::Fd lock = lock_roots(roots, kInstalling, true);
  if (!lock) throw std::runtime_error("another `lambent runtimes` is at work in " + roots.string());
  remove_unfinished(roots);
  return lock;
}

void sync_directory(const fs::path& path) {
  const base::Fd directory(base::check(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), path.c_str()));
  base::check(::fsync(directory.get()), path.c_str());
}

bool is_installed(const fs::path& roots, const std::string& name) {
  for (const InstalledRoot& root : installed_roots(roots))
    if (root.name == name) return true;
  return false;
}

}  // namespace

Installed install(const InstallOptions& options, const Recipe& recipe) {
  const std::string name = root_name(recipe.family, recipe.generation);
  if (is_installed(options.roots, name)) return Installed::already;
  const base::Fd lock = lock_for_change(options.roots);
  if (is_installed(options.roots, name)) return Installed::already;
  need("/usr/bin/unshare", "util-linux");
  const fs::path place = options.roots / name;
  const fs::path unfinished = options.roots / (std::string(kUnfinished) + name + "-" + base::random_hex(8));
  base::check(::mkdir(unfinished.c_str(), 0755), unfinished.c_str());
  // Whatever the umask of whoever installs: the server reads it as its own user, and functions as theirs.
  base::check(::chmod(unfinished.c_str(), 0755), unfinished.c_str());
  try {
    const auto [version, interpreter] = build(unfinished, options, recipe);
    if (generation_of(recipe.family, version) != recipe.generation)
      throw std::runtime_error(
          fmt::format("{} brought version '{}' where {} was wanted", source_text(recipe), version, name));
    write_description(unfinished, {name, recipe.family, recipe.generation, version, interpreter, source_text(recipe)});
  } catch (const std::exception&) {
    fs::remove_all(unfinished);
    throw;
  }
  // Without a description it is no installed root: nobody uses it.
  fs::remove_all(place);
  fs::rename(unfinished, place);
  sync_directory(options.roots);
  return Installed::now;
}

bool remove_installed(const fs::path& roots, const std::string& name) {
  if (!is_installed(roots, name)) return false;
  const base::Fd lock = lock_for_change(roots);
  const base::Fd unused = lock_roots(roots, kInUse, true);
  if (!unused) throw std::runtime_error("a server uses the runtimes in " + roots.string() + ": stop it first");
  const fs::path unfinished = roots / (std::string(kUnfinished) + name + "-" + base::random_hex(8));
  fs::rename(roots / name, unfinished);
  sync_directory(roots);
  fs::remove_all(unfinished);
  return true;
}

}  // namespace lambent::runtimes
