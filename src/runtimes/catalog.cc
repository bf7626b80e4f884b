#include "runtimes/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <future>
#include <map>
#include <memory>

#include "runtimes/bootstraps.h"
#include "runtimes/interpreters.h"
#include "runtimes/recipes.h"

namespace lambent::runtimes {
namespace {

namespace fs = std::filesystem;

/// What a JVM holds beside its heap: code, metaspace, threads.
constexpr std::int32_t kJvmMib = 72;
/// .NET 5: the version before it looks for libraries up to a number of its time.
constexpr int kFirstDotnetWithAnyIcu = 5;

/// Older code runs on a newer .NET and never the other way round.
bool can_run(Family family, int wanted, const Interpreter& used) {
  return family != Family::dotnet || used.generation >= wanted;
}

/// Older code runs on a newer Java and hardly ever the other way round: what is old enough comes first, and of that the nearest.
bool is_nearer(Family family, int wanted, const Interpreter& a, const Interpreter& b) {
  if (family == Family::java && (a.generation >= wanted) != (b.generation >= wanted)) return a.generation >= wanted;
  const int to_a = std::abs(a.generation - wanted), to_b = std::abs(b.generation - wanted);
  return to_a != to_b ? to_a < to_b : a.generation > b.generation;
}

/// Of equally near ones the first: installed roots stand before the host's interpreters.
const Interpreter* nearest(Family family, const std::vector<Interpreter>& interpreters, int wanted) {
  const Interpreter* best = nullptr;
  for (const Interpreter& candidate : interpreters)
    if (can_run(family, wanted, candidate) && (best == nullptr || is_nearer(family, wanted, candidate, *best)))
      best = &candidate;
  return best;
}

std::string substitution(const Identifier& wanted, const Interpreter& used) {
  if (used.generation == wanted.generation) return "";
  return fmt::format("{} is not installed: this function runs on {} {}", wanted.name, language_of(wanted.family),
                     used.version);
}

Runtime make_python(const Identifier& wanted, const Interpreter& used) {
  Runtime runtime;
  runtime.bootstrap_dir = "python";
  // Without site (-S), which costs milliseconds; with every printed line delivered at once (-u).
  runtime.argv = {used.path, "-S", "-u", "/var/runtime/bootstrap.py"};
  runtime.environment = {"PYTHONPATH=/var/runtime", "LC_CTYPE=C.UTF-8"};
  runtime.runtime_version = "python:" + version_text(Family::python, wanted.generation) + ".v1";
  runtime.spare = Spare{.zygote = true, .per_memory = false, .held_mib = 3};
  return runtime;
}

Runtime make_node(const Identifier& wanted, const Interpreter& used) {
  Runtime runtime;
  const std::string major = std::to_string(wanted.generation);
  runtime.bootstrap_dir = "nodejs";
  runtime.argv = {used.path, "/var/runtime/bootstrap.cjs"};
  runtime.environment = {"NODE_PATH=/opt/nodejs/node" + major +
                         "/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task"};
  runtime.runtime_version = "nodejs:" + major + ".v1";
  runtime.spare = Spare{.zygote = false, .per_memory = true, .held_mib = 10};
  return runtime;
}

Runtime make_ruby(const Identifier& wanted, const Interpreter& used) {
  Runtime runtime;
  const std::string version = version_text(Family::ruby, wanted.generation);
  runtime.bootstrap_dir = "ruby";
  // RubyGems costs 40 ms: the bootstrap loads it when something needs it.
  runtime.argv = {used.path, "--disable-gems", "/var/runtime/bootstrap.rb"};
  runtime.environment = {"GEM_HOME=/var/runtime",
                         fmt::format("GEM_PATH=/var/task/vendor/bundle/ruby/{0}.0:/opt/ruby/gems/{0}.0:/var/runtime:"
                                     "/var/runtime/ruby/{0}.0",
                                     version),
                         "RUBYLIB=/var/task:/var/runtime/lib:/opt/ruby/lib"};
  runtime.runtime_version = "ruby:" + version + ".v1";
  runtime.spare = Spare{.zygote = false, .per_memory = false, .held_mib = 9};
  return runtime;
}

Runtime make_java(const Identifier& wanted, const Interpreter& used) {
  Runtime runtime;
  runtime.bootstrap_dir = "java";
  // One thread collects and one compiles, with the class data that comes with the JVM: the quickest start.
  runtime.argv = {used.path, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-XX:-UsePerfData",
                  // As with AWS's locale, which a root need not have.
                  "-Dfile.encoding=UTF-8", "-Dsun.jnu.encoding=UTF-8",
                  // What others are told by a variable: Java cannot take one out of its environment.
                  "-Dlambent.log.framed=true"};
  if (used.generation >= 9) {
    // A process that waited for its function gets its environment later.
    runtime.argv.push_back("--add-opens=java.base/java.util=ALL-UNNAMED");
    runtime.argv.push_back("--add-opens=java.base/java.lang=ALL-UNNAMED");
    runtime.argv.push_back("--add-opens=java.base/java.io=ALL-UNNAMED");
  }
  if (used.generation >= 22) runtime.argv.push_back("--enable-native-access=ALL-UNNAMED");
  // A Lambent built without a JDK has no jar: the installed root has the classes, compiled by its own Java.
  runtime.argv.insert(runtime.argv.end(),
                      {"-cp", "/var/runtime/lambent.jar:/usr/local/lib/lambent/java", "lambent.Main"});
  runtime.runtime_version = "java:" + std::to_string(wanted.generation) + ".v1";
  runtime.spare = Spare{.zygote = false, .per_memory = true, .held_mib = 20};
  return runtime;
}

Runtime make_dotnet(const Identifier& wanted, const Interpreter& used) {
  Runtime runtime;
  runtime.bootstrap_dir = "dotnet";
  runtime.argv = {"/bin/sh", "/var/runtime/bootstrap.sh", used.path};
  runtime.environment = {"DOTNET_ROOT=" + fs::path(used.path).parent_path().string(),
                         "LAMBDA_RUNTIME_NAME=" + std::string(wanted.name)};
  // A function names the version that it was built for.
  if (used.generation > wanted.generation) runtime.environment.push_back("DOTNET_ROLL_FORWARD=Major");
  // It knows no library of cultures that is younger than itself.
  if (used.generation < kFirstDotnetWithAnyIcu)
    runtime.environment.push_back("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1");
  runtime.runtime_version = "dotnet:" + std::to_string(wanted.generation) + ".v1";
  return runtime;
}

Runtime make_provided(const Identifier& wanted) {
  Runtime runtime;
  runtime.bootstrap_dir = "provided";
  if (wanted.family == Family::go) {
    // The Handler is the name of the program.
    runtime.argv = {"/var/runtime/bootstrap", "handler"};
    runtime.environment = {"AWS_EXECUTION_ENV=AWS_Lambda_go1.x"};
    runtime.runtime_version = "go:1.v1";
    return runtime;
  }
  runtime.argv = {"/var/runtime/bootstrap"};
  const std::string_view system = wanted.name == "provided" ? "al1" : wanted.name.substr(wanted.name.find('.') + 1);
  runtime.runtime_version = "provided:" + std::string(system) + ".v1";
  return runtime;
}

Runtime make_interpreted(const Identifier& wanted, const Interpreter& used) {
  Runtime runtime;
  if (wanted.family == Family::python) runtime = make_python(wanted, used);
  if (wanted.family == Family::nodejs) runtime = make_node(wanted, used);
  if (wanted.family == Family::ruby) runtime = make_ruby(wanted, used);
  if (wanted.family == Family::java) runtime = make_java(wanted, used);
  if (wanted.family == Family::dotnet) runtime = make_dotnet(wanted, used);
  runtime.root = used.root;
  runtime.version = used.version;
  runtime.substitution = substitution(wanted, used);
  runtime.environment.push_back("AWS_EXECUTION_ENV=AWS_Lambda_" + std::string(wanted.name));
  return runtime;
}

std::vector<Interpreter> joined(std::vector<Interpreter> first, std::vector<Interpreter> second) {
  first.insert(first.end(), std::make_move_iterator(second.begin()), std::make_move_iterator(second.end()));
  return first;
}

/// The host's, after what was installed. What starts class libraries runs on the host's .NET as that is now, and is nothing without it.
std::vector<Interpreter> all_dotnets(const fs::path& root, const fs::path& roots) {
  std::vector<Interpreter> host = find_dotnets(root);
  std::vector<Interpreter> installed = find_installed(roots, Family::dotnet);
  std::erase_if(installed, [&](Interpreter& each) {
    if (each.path.starts_with("/var/lang/")) return false;
    const auto now = std::ranges::find(host, each.generation, &Interpreter::generation);
    if (now == host.end()) return true;
    each.path = now->path;
    each.version = now->version;
    return false;
  });
  return joined(std::move(installed), std::move(host));
}

/// None when this program was built without a JDK: only installed roots have the runtime's classes then.
std::vector<Interpreter> java_of_host(const fs::path& root) {
  const auto is_jar = [](const EmbeddedFile& file) { return file.name == "java/lambent.jar"; };
  return std::ranges::any_of(embedded_files(), is_jar) ? find_javas(root) : std::vector<Interpreter>();
}

/// Python 2 and Node.js before version 4 are other languages than their successors.
bool nothing_stands_in(const Identifier& wanted) { return wanted.family == Family::python && wanted.generation == 0; }

std::string why_not(const Identifier& wanted) {
  const std::string language(language_of(wanted.family));
  if (nothing_stands_in(wanted))
    return fmt::format("{} cannot run here: no source has that {}, and a newer one is another language", wanted.name,
                       language);
  std::string text = fmt::format("{} needs {}, and this machine has none", wanted.name, language);
  if (wanted.family == Family::dotnet) text += " of that version or a newer one";
  const Recipe* const recipe = find_recipe(wanted.family, wanted.generation);
  if (recipe != nullptr && recipe->source == Source::sdk)
    text += fmt::format(
        ": install dotnet-runtime-{}.0, or for class libraries its SDK and then `lambent runtimes install {}`",
        wanted.generation, wanted.name);
  else if (recipe != nullptr)
    text += fmt::format(": `lambent runtimes install {}` brings it", wanted.name);
  return text;
}

}  // namespace

Catalog::Catalog(fs::path root, fs::path roots) : root_(std::move(root)), roots_(std::move(roots)) {}

Catalog::~Catalog() {
  if (looker_.joinable()) looker_.join();
}

const Catalog::Found& Catalog::found() const {
  std::call_once(looked_, [this] {
    // Also when that fails, as it then does for whoever asks.
    struct Release {
      const Catalog& catalog;
      ~Release() {
        catalog.is_looked_.store(true, std::memory_order_release);
        catalog.release_waiters();
      }
    } release{*this};
    found_ = look_at(root_, roots_);
  });
  return found_;
}

void Catalog::release_waiters() const {
  std::vector<std::function<void()>> waiters;
  {
    const std::lock_guard lock(mutex_);
    waiters.swap(waiters_);
  }
  for (const auto& waiter : waiters) waiter();
}

void Catalog::add_waiter(std::function<void()> waiter) const {
  {
    const std::lock_guard lock(mutex_);
    waiters_.push_back(std::move(waiter));
    if (!looker_.joinable())
      looker_ = std::thread([this] {
        try {
          look();
        } catch (const std::exception&) {
          // Those who wait look once more themselves, and fail as this did.
        }
      });
  }
  // It may have been looked since the caller asked.
  if (looked()) release_waiters();
}

base::Task<void> Catalog::await_look() const {
  if (looked()) co_return;
  namespace asio = base::asio;
  const auto executor = co_await asio::this_coro::executor;
  auto wait = [this, executor](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    add_waiter([shared, executor] { asio::post(executor, [shared] { (*shared)(); }); });
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(std::move(wait), asio::use_awaitable);
}

Catalog::Found Catalog::look_at(const fs::path& root, const fs::path& roots) {
  Found made;
  // Each program is asked for its version, which takes milliseconds: the languages side by side.
  auto nodes = std::async(std::launch::async, find_nodes, root);
  auto rubies = std::async(std::launch::async, find_rubies, root);
  made.pythons = joined(find_installed(roots, Family::python), find_pythons(root));
  std::map<Family, std::vector<Interpreter>> found{
      {Family::python, made.pythons},
      {Family::nodejs, joined(find_installed(roots, Family::nodejs), nodes.get())},
      {Family::ruby, joined(find_installed(roots, Family::ruby), rubies.get())},
      {Family::java, joined(find_installed(roots, Family::java), java_of_host(root))},
      {Family::dotnet, all_dotnets(root, roots)}};
  for (const Identifier& wanted : identifiers()) {
    Runtime runtime;
    if (wanted.family == Family::provided || wanted.family == Family::go) {
      runtime = make_provided(wanted);
    } else {
      if (nothing_stands_in(wanted)) continue;
      const Interpreter* used = nearest(wanted.family, found[wanted.family], wanted.generation);
      if (used == nullptr) continue;
      runtime = make_interpreted(wanted, *used);
    }
    runtime.identifier = wanted.name;
    runtime.family = wanted.family;
    made.runtimes.push_back(std::move(runtime));
  }
  std::ranges::sort(made.runtimes, {}, &Runtime::identifier);
  return made;
}

Catalog::Lookup Catalog::find(std::string_view identifier, bool strict) const {
  Lookup lookup;
  const std::vector<Runtime>& runtimes = available();
  const auto known = std::ranges::find(runtimes, identifier, &Runtime::identifier);
  if (known != runtimes.end()) {
    if (!strict || known->substitution.empty())
      lookup.runtime = *known;
    else
      lookup.why_not = std::string(identifier) + " is not installed, and another version (" + known->version +
                       ") may not stand in for it here";
    return lookup;
  }
  if (const Identifier* missing = find_identifier(identifier))
    lookup.why_not = why_not(*missing);
  else
    lookup.why_not = std::string(identifier) + " is not a runtime identifier";
  return lookup;
}

std::string_view machine_architecture() {
#if defined(__aarch64__)
  return "arm64";
#else
  return "x86_64";
#endif
}

std::vector<std::string> remarks(const Runtime& runtime, std::string_view architecture, std::string_view today) {
  std::vector<std::string> said;
  if (!runtime.substitution.empty()) said.push_back(runtime.substitution);
  const Identifier* known = find_identifier(runtime.identifier);
  if (known != nullptr && !known->deprecated.empty() && known->deprecated <= today)
    said.push_back(
        fmt::format("AWS has deprecated {} on {}: it gets no more patches there", known->name, known->deprecated));
  if (architecture != machine_architecture())
    said.push_back(fmt::format("this function is made for {} and runs on {}, which this machine is", architecture,
                               machine_architecture()));
  return said;
}

std::vector<std::string> command_line(const Runtime& runtime, std::int32_t memory_mib) {
  std::vector<std::string> argv = runtime.argv;
  // AWS: 90 % of MemorySize.
  if (runtime.family == Family::nodejs)
    argv.insert(argv.begin() + 1, "--max-old-space-size=" + std::to_string(memory_mib * 9 / 10));
  // AWS: 85 %. What the JVM itself takes counts here as it does there, and leaves a small function less.
  if (runtime.family == Family::java)
    argv.insert(
        argv.begin() + 1,
        fmt::format("-Xmx{}m", std::max(memory_mib / 2, std::min(memory_mib * 85 / 100, memory_mib - kJvmMib))));
  // Three quarters, as .NET takes of a container's memory.
  if (runtime.family == Family::dotnet) argv.push_back(fmt::format("{:x}", (std::int64_t{memory_mib} << 20) / 4 * 3));
  return argv;
}

}  // namespace lambent::runtimes
