// The floor of a warm invocation: the Runtime API and our Python bootstrap alone, with no gateway and no signature.
// Usage: runtime_loop BOOTSTRAP_DIR SECONDS [--sandbox | --rest | --freeze]; prints JSON. Without a flag the runtime is a plain
// process; --sandbox puts it in a sandbox, --rest waits a millisecond between events and --freeze freezes it in that time. They need
// root.
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <fstream>
#include <iostream>

#include "base/http_server.h"
#include "base/ids.h"
#include "runtime_api/runtime_api.h"
#include "sandbox/launcher/launcher.h"
#include "sandbox/sandbox.h"

namespace {

using namespace lambent;
using Clock = std::chrono::steady_clock;

const std::string kCodeHash(64, 'a');

/// Directories as a launcher wants them: the bootstraps and the code of a function that answers its event.
struct Files {
  std::filesystem::path root;

  explicit Files(const std::filesystem::path& bootstrap_dir) {
    std::string name = "/tmp/lambent-loop-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    root = name;
    std::filesystem::permissions(root, std::filesystem::perms(0755));
    for (const char* sub : {"code", "runtimes", "scratch"}) std::filesystem::create_directories(root / sub);
    std::filesystem::create_directories(task());
    std::filesystem::copy(bootstrap_dir, bootstraps(), std::filesystem::copy_options::recursive);
    std::ofstream(task() / "nop.py") << "def handler(event, context):\n    return event\n";
  }
  ~Files() { std::filesystem::remove_all(root); }

  std::filesystem::path task() const { return root / "code" / kCodeHash; }
  std::filesystem::path bootstraps() const { return root / "runtimes" / "python"; }
};

std::vector<std::string> command(const std::string& bootstraps) {
  return {"/usr/bin/python3", "-S", "-u", bootstraps + "/bootstrap.py"};
}

std::vector<std::string> variables(const std::string& bootstraps, const std::string& task, std::uint16_t port) {
  return {fmt::format("AWS_LAMBDA_RUNTIME_API=127.0.0.1:{}", port),
          "LAMBDA_TASK_ROOT=" + task,
          "PYTHONPATH=" + bootstraps,
          "_HANDLER=nop.handler",
          "LC_CTYPE=C.UTF-8",
          "LAMBDA_RUNTIME_DIR=" + bootstraps,
          "AWS_LAMBDA_FUNCTION_NAME=nop",
          "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
          "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1769"};
}

pid_t start_plain(const Files& files, std::uint16_t port) {
  std::vector<std::string> arguments = command(files.bootstraps());
  std::vector<std::string> pairs = variables(files.bootstraps(), files.task(), port);
  std::vector<char*> argv, environment;
  for (auto& argument : arguments) argv.push_back(argument.data());
  for (auto& pair : pairs) environment.push_back(pair.data());
  argv.push_back(nullptr);
  environment.push_back(nullptr);
  pid_t pid = -1;
  if (posix_spawn(&pid, argv[0], nullptr, nullptr, argv.data(), environment.data()) != 0) std::exit(1);
  return pid;
}

/// Between two events, for nobody's account: whoever is frozen has stopped by then.
base::Task<void> rest() {
  boost::asio::steady_timer pause(co_await boost::asio::this_coro::executor, std::chrono::milliseconds(1));
  co_await pause.async_wait(boost::asio::use_awaitable);
}

base::Task<void> loop(runtime_api::RuntimeApi& api, std::chrono::seconds how_long, sandbox::Sandbox* frozen,
                      bool rests) {
  if (co_await api.initialized()) throw std::runtime_error("the bootstrap did not start");
  std::vector<double> latencies_us;
  const auto begin = Clock::now();
  while (Clock::now() - begin < how_long) {
    runtime_api::Event event;
    event.request_id = base::uuid();
    event.deadline_ms = 4'000'000'000'000;
    event.invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:nop";
    event.payload = "{}";
    const auto sent = Clock::now();
    if (frozen != nullptr) frozen->thaw();
    const runtime_api::Answer answer = co_await api.invoke(std::move(event));
    if (answer.kind != runtime_api::Answer::Kind::response)
      throw std::runtime_error("the loop broke: " + answer.payload);
    if (frozen != nullptr) frozen->freeze();
    latencies_us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - sent).count());
    if (rests) co_await rest();
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::ranges::sort(latencies_us);
  std::cout << fmt::format("{{\"p50_us\": {:.2f}, \"p99_us\": {:.2f}, \"per_s\": {:.0f}}}\n",
                           latencies_us[latencies_us.size() / 2], latencies_us[latencies_us.size() * 99 / 100],
                           static_cast<double>(latencies_us.size()) / seconds);
}

base::Task<void> loop_plain(boost::asio::io_context& context, const Files& files, std::chrono::seconds how_long) {
  std::uint16_t port = 0;
  auto api = runtime_api::serve_runtime_api(context.get_executor(), base::http::listen_tcp("127.0.0.1", 0, &port));
  const pid_t python = start_plain(files, port);
  std::exception_ptr failure;
  try {
    co_await loop(*api, how_long, nullptr, false);
  } catch (const std::exception&) {
    failure = std::current_exception();
  }
  kill(python, SIGKILL);
  waitpid(python, nullptr, 0);
  if (failure) std::rethrow_exception(failure);
}

base::Task<void> loop_sandboxed(boost::asio::io_context& context, sandbox::Launcher& launcher,
                                std::chrono::seconds how_long, const std::string& flag) {
  sandbox::Spec spec;
  spec.code_hash = kCodeHash;
  spec.runtime_dir = "python";
  spec.argv = command("/var/runtime");
  spec.environment = variables("/var/runtime", "/var/task", 9001);
  spec.memory_mib = 1769;
  auto sandbox = co_await launcher.launch(std::move(spec));
  auto api = runtime_api::serve_runtime_api(context.get_executor(), sandbox->take_runtime_api_listener());
  co_await loop(*api, how_long, flag == "--freeze" ? sandbox.get() : nullptr, flag != "--sandbox");
}

int run(int argc, char** argv) {
  const std::string flag = argc == 4 ? argv[3] : "";
  const std::chrono::seconds how_long(std::atoi(argv[2]));
  const Files files(argv[1]);
  sandbox::LauncherProcess process;
  if (!flag.empty()) {
    sandbox::LauncherOptions options;
    options.code_dir = files.root / "code";
    options.runtimes_dir = files.root / "runtimes";
    options.scratch_dir = files.root / "scratch";
    process = sandbox::start_launcher(options);
    if (process.isolation.level != sandbox::Isolation::full) throw std::runtime_error(process.isolation.reason);
  }
  boost::asio::io_context context(1);
  std::unique_ptr<sandbox::Launcher> launcher;
  if (!flag.empty()) launcher = sandbox::attach_launcher(context, std::move(process));
  std::exception_ptr failure;
  const auto work = [&]() -> base::Task<void> {
    if (launcher)
      co_await loop_sandboxed(context, *launcher, how_long, flag);
    else
      co_await loop_plain(context, files, how_long);
  };
  boost::asio::co_spawn(context, work, [&](std::exception_ptr error) {
    failure = error;
    context.stop();
  });
  context.run();
  launcher.reset();
  if (failure) std::rethrow_exception(failure);
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  // The launcher is this program once more.
  if (const auto status = sandbox::launcher_main(argc, argv)) return *status;
  const std::string flag = argc == 4 ? argv[3] : "";
  if (argc < 3 || argc > 4 || (!flag.empty() && flag != "--sandbox" && flag != "--rest" && flag != "--freeze"))
    return 64;
  return run(argc, argv);
} catch (const std::exception& failure) {
  std::cerr << "runtime_loop: " << failure.what() << "\n";
  return 1;
}
