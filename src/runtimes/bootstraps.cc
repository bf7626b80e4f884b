#include "runtimes/bootstraps.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/fd.h"
#include "base/log.h"
#include "runtimes/command.h"

namespace lambent::runtimes {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kDirectoryMode = 0755;
constexpr const char* kNodeSdkLink = "nodejs/node_modules";
constexpr const char* kNodeSdk = "/usr/local/lib/lambent/nodejs/node_modules";

bool holds(const fs::path& path, std::string_view content) {
  const base::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat about{};
  if (!file || ::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode) || about.st_size != std::ssize(content))
    return false;
  std::string there(content.size() + 1, '\0');
  return ::read(file.get(), there.data(), there.size()) == std::ssize(content) && there.starts_with(content);
}

/// chmod, because the umask of whoever starts the server may hide files from the functions' users.
void allow(const fs::path& path, mode_t mode) { base::check(::chmod(path.c_str(), mode), path.c_str()); }

/// Not synced: every start compares what is there, also after a crash.
void write_atomically(const fs::path& path, std::string_view content, mode_t mode) {
  const fs::path draft = path.string() + ".new";
  base::Fd file(
      base::check(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), draft.c_str()));
  while (!content.empty()) {
    const ssize_t written = base::check(::write(file.get(), content.data(), content.size()), draft.c_str());
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  base::check(::fchmod(file.get(), mode), draft.c_str());
  fs::rename(draft, path);
}

/// True when any file was not as it should be.
bool write_files(const fs::path& directory) {
  bool changed = false;
  fs::path language;
  for (const EmbeddedFile& file : embedded_files()) {
    const fs::path path = directory / file.name;
    // Those of one directory come together.
    if (path.parent_path() != language) {
      language = path.parent_path();
      fs::create_directories(language);
      allow(language, kDirectoryMode);
    }
    const mode_t mode = file.executable ? 0755 : 0644;
    if (holds(path, file.content)) {
      allow(path, mode);
      continue;
    }
    write_atomically(path, file.content, mode);
    changed = true;
  }
  return changed;
}

/// Where NODE_PATH looks for the SDK, and where ./setup puts it. Without that one a function must bring its own.
void link_node_sdk(const fs::path& directory) {
  const fs::path link = directory / kNodeSdkLink;
  std::error_code none;
  if (fs::read_symlink(link, none) == kNodeSdk) return;
  fs::remove_all(link);
  fs::create_symlink(kNodeSdk, link);
}

void remove_what_is_not_ours(const fs::path& directory) {
  std::set<fs::path> ours;
  for (const EmbeddedFile& file : embedded_files()) {
    const fs::path path = directory / file.name;
    ours.insert(path);
    ours.insert(path.parent_path());
    ours.insert(path.parent_path() / "__pycache__");
  }
  ours.insert(directory / kNodeSdkLink);
  std::vector<fs::path> strange;
  for (const auto& language : fs::directory_iterator(directory)) {
    if (!ours.contains(language.path())) {
      strange.push_back(language.path());
      continue;
    }
    for (const auto& entry : fs::directory_iterator(language.path()))
      if (!ours.contains(entry.path())) strange.push_back(entry.path());
  }
  for (const fs::path& path : strange) fs::remove_all(path);
}

/// Unchecked hash: the compiled file is taken as it is, without a look at its source's time.
constexpr const char* kCompile =
    "import sys, py_compile\n"
    "for path in sys.argv[1:]:\n"
    "  py_compile.compile(path, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)\n";

/// An installed root's interpreter without entering the root, which this process may not do: through that root's own loader.
std::vector<std::string> outside_of_its_root(const Interpreter& interpreter) {
  const fs::path program = interpreter.outside / interpreter.path.substr(1);
  if (interpreter.root == "host") return {program};
#if defined(__aarch64__)
  const fs::path triplet = "aarch64-linux-gnu", loader = "ld-linux-aarch64.so.1";
#else
  const fs::path triplet = "x86_64-linux-gnu", loader = "ld-linux-x86-64.so.2";
#endif
  // Where /lib is a link into /usr, and where it is not.
  const fs::path libraries = interpreter.outside / "lib" / triplet, more = interpreter.outside / "usr/lib" / triplet;
  return {libraries / loader, "--library-path", libraries.string() + ":" + more.string(), program};
}

/// What an interpreter compiles of a directory: bootstrap.py is executed, and what is executed is never looked for compiled.
std::vector<fs::path> modules(const fs::path& python_directory) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(python_directory))
    if (entry.path().extension() == ".py" && entry.path().filename() != "bootstrap.py") found.push_back(entry.path());
  return found;
}

void compile(const fs::path& python_directory, const Interpreter& interpreter) {
  std::vector<std::string> argv = outside_of_its_root(interpreter);
  argv.insert(argv.end(), {"-I", "-S", "-c", kCompile});
  for (const fs::path& module : modules(python_directory)) argv.push_back(module);
  if (!run_command(argv))
    base::log::warn("cannot compile the Python bootstrap ahead: cold starts will be slower",
                    {{"interpreter", interpreter.path}});
}

bool is_compiled(const fs::path& python_directory, const Interpreter& interpreter) {
  const std::string tag = ".cpython-3" + std::to_string(interpreter.generation) + ".pyc";
  return std::ranges::all_of(modules(python_directory), [&](const fs::path& module) {
    return fs::exists(python_directory / "__pycache__" / (module.stem().string() + tag));
  });
}

}  // namespace

void write_bootstraps(const fs::path& directory) {
  fs::create_directories(directory);
  allow(directory, kDirectoryMode);
  remove_what_is_not_ours(directory);
  if (write_files(directory)) fs::remove_all(directory / "python" / "__pycache__");
  link_node_sdk(directory);
}

void compile_bootstraps(const fs::path& directory, const std::vector<Interpreter>& pythons) {
  const fs::path python = directory / "python";
  const fs::path cache = python / "__pycache__";
  for (const Interpreter& interpreter : pythons)
    if (!is_compiled(python, interpreter)) compile(python, interpreter);
  if (!fs::exists(cache)) return;
  allow(cache, kDirectoryMode);
  for (const auto& entry : fs::directory_iterator(cache)) allow(entry.path(), 0644);
}

}  // namespace lambent::runtimes
