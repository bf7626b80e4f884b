#include "sandbox/lab_for_tests.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <fstream>

namespace lambent::sandbox::testing {
namespace {

/// Tests run side by side; the largest process id times this still is a user id.
constexpr std::uint32_t kUsersOfALab = 256;

void drain(const base::Fd& pipe, std::string& into) {
  char buffer[16384];
  for (ssize_t got; pipe && (got = ::read(pipe.get(), buffer, sizeof buffer)) > 0;)
    if (into.size() < 4U << 20) into.append(buffer, static_cast<std::size_t>(got));
}

/// What waits for an assignment and then becomes the script that it names, as the runtimes' own do.
constexpr std::string_view kSpareScript = R"(
import ctypes, json, logging, os, sys
def wait():
    os.write(3, b'.')
    data = b''
    while True:
        more = os.read(3, 65536)
        if not more: break
        data += more
    os.close(3)
    if not data: os._exit(0)
    number = lambda at: int.from_bytes(data[at:at + 4], 'little')
    assert number(0) == len(data) - 4, (number(0), len(data))
    strings = [text.decode() for text in data[12:].split(b'\0')]
    argv, variables = strings[:number(4)], strings[number(4):number(4) + number(8)]
    os.environ.clear()
    os.environ.update(text.split('=', 1) for text in variables)
    os.chdir('/var/task')
    sys.argv = argv[2:]
    exec(compile(open(sys.argv[0]).read(), sys.argv[0], 'exec'), {'__name__': '__main__'})
if __name__ == '__main__': wait()
)";

constexpr std::string_view kZygoteScript = R"(
import ctypes, gc, os, sys
sys.path.insert(0, '/var/runtime')
import spare
jail = ctypes.CDLL('/var/runtime/liblambent_jail.so')
fork = ctypes.PyDLL('/var/runtime/liblambent_jail.so').zygote_fork
fork.argtypes = [ctypes.c_void_p] * 3
around = [ctypes.cast(getattr(ctypes.pythonapi, 'PyOS_' + step), ctypes.c_void_p)
          for step in ('BeforeFork', 'AfterFork_Parent', 'AfterFork_Child')]
gc.freeze()
while jail.zygote_next() == 0:
    pid = fork(*around)
    if pid < 0: pid = os.fork()
    if pid == 0:
        jail.zygote_child()
        spare.wait()
        sys.stdout.flush()
        sys.exit(0)
    jail.zygote_forked(pid)
)";

std::string file_text(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

bool eventually(std::chrono::milliseconds bound, const std::function<bool()>& step) {
  const auto end = std::chrono::steady_clock::now() + bound;
  while (!step()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

std::string said_of_cpu(int pid, const std::string& name) {
  namespace fs = std::filesystem;
  std::ifstream groups("/proc/" + std::to_string(pid) + "/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::string path = line.substr(line.rfind(':') + 1);
    for (const char* root :
         {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"})
      for (const fs::path& group : {fs::path(root + path), fs::path(root + path).parent_path()}) {
        std::ifstream file(group / name);
        std::string value;
        if (path.find("lambent") != std::string::npos && file >> value) return value;
      }
  }
  return "";
}

std::chrono::milliseconds kill_bound() {
  std::ifstream file("/proc/cpuinfo");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return std::chrono::milliseconds(text.find("QEMU TCG") == std::string::npos ? 100 : 1000);
}

Lab::Lab(std::uint32_t zygote_forks, FunctionNetwork network)
    : hash_(64, 'a'), first_uid_(2'000'000'000 + kUsersOfALab * static_cast<std::uint32_t>(::getpid())) {
  std::string name = "/tmp/lambent-sandbox-test-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::system_category(), "mkdtemp");
  directory_ = name;
  for (const char* sub : {"code", "runtimes/python", "scratch"}) std::filesystem::create_directories(directory_ / sub);
  std::filesystem::create_directories(directory_ / "code" / hash_);
  std::ofstream(directory_ / "runtimes/python/bootstrap.txt") << "a bootstrap\n";
  std::ofstream(directory_ / "runtimes/python/spare.py") << kSpareScript;
  LauncherOptions options{directory_ / "code", directory_ / "runtimes", directory_ / "scratch", first_uid_};
  const std::string library = file_text(LAMBENT_JAIL_LIBRARY);
  options.zygote_forks = zygote_forks;
  options.network = network;
  options.zygote_files = {
      {"python/spare.py", kSpareScript}, {"python/zygote.py", kZygoteScript}, {"python/liblambent_jail.so", library}};
  LauncherProcess process = start_launcher(options);
  pid_ = process.pid;
  network_ = process.network;
  launcher_ = attach_launcher(context_, std::move(process));
}

Lab::~Lab() {
  launcher_.reset();
  context_.restart();
  context_.poll();
  std::filesystem::remove_all(directory_);
}

std::vector<int> Lab::process_ids() const {
  std::vector<int> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "status");
    std::uint32_t uid = 0;
    std::string word;
    while (file >> word && word != "Uid:") continue;
    if (file >> uid && uid - first_uid_ < kUsersOfALab) found.push_back(std::stoi(name));
  }
  return found;
}

bool Lab::settle() {
  return eventually(std::chrono::seconds(5), [this] {
    context_.restart();
    context_.poll();
    return no_process();
  });
}

void Lab::write_code(const std::string& name, const std::string& text, unsigned mode) {
  const std::filesystem::path path = directory_ / "code" / hash_ / name;
  std::ofstream(path) << text;
  std::filesystem::permissions(path, std::filesystem::perms(mode));
}

Spec Lab::spec(std::vector<std::string> argv) const {
  Spec spec;
  spec.code_hash = hash_;
  spec.runtime_dir = "python";
  spec.argv = std::move(argv);
  spec.environment = {"PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"};
  spec.memory_mib = 256;
  spec.ephemeral_mib = 512;
  return spec;
}

void Lab::await(base::Task<void> work) {
  std::exception_ptr failure;
  bool done = false;
  base::asio::co_spawn(context_, std::move(work), [&](std::exception_ptr error) {
    failure = error;
    done = true;
  });
  context_.restart();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done && std::chrono::steady_clock::now() < end) context_.run_one_for(std::chrono::milliseconds(100));
  if (!done) throw std::runtime_error("the launcher did not answer");
  if (failure) std::rethrow_exception(failure);
}

namespace {

void watch(Running& running) {
  running.out_pipe = running.sandbox->take_stdout();
  running.err_pipe = running.sandbox->take_stderr();
  running.extensions_pipe = running.sandbox->take_extensions_output();
  running.sandbox->on_exit([state = &running](Exit exit) { state->exit = exit; });
  running.sandbox->on_extension_exit(
      [state = &running](std::size_t index, Exit exit) { state->extension_exits.emplace_back(index, exit); });
}

}  // namespace

std::unique_ptr<Running> Lab::launch(const Spec& spec) {
  auto running = std::make_unique<Running>();
  const auto start = [&]() -> base::Task<void> { running->sandbox = co_await launcher_->launch(spec); };
  await(start());
  watch(*running);
  return running;
}

SpareSpec Lab::spare_spec(Way way) const {
  SpareSpec spec;
  spec.runtime_dir = "python";
  spec.zygote = way == Way::forked;
  if (way == Way::spare) spec.argv = {"/usr/bin/python3", "-I", "/var/runtime/spare.py"};
  if (way == Way::forked) spec.argv = {"/usr/bin/python3", "-I", "-S", "/var/runtime/zygote.py"};
  return spec;
}

std::unique_ptr<Running> Lab::prepare(const SpareSpec& spec) {
  auto running = std::make_unique<Running>();
  const auto start = [&]() -> base::Task<void> { running->sandbox = co_await launcher_->prepare(spec); };
  await(start());
  watch(*running);
  return running;
}

void Lab::assign(Running& running, const Spec& spec) {
  await(running.sandbox->assign(spec));
  running.extensions_pipe = running.sandbox->take_extensions_output();
}

void Lab::restart(Running& running, std::vector<std::string> argv) {
  running.exit.reset();
  await(running.sandbox->restart(std::move(argv), {"PATH=/usr/bin:/bin", "AGAIN=1"}));
}

std::string Lab::write_tree(char digit, const std::map<std::string, std::string>& files) {
  const std::string hash(64, digit);
  for (const auto& [name, text] : files) {
    const std::filesystem::path path = directory_ / "code" / hash / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    std::filesystem::permissions(path, std::filesystem::perms(0755));
  }
  return hash;
}

bool Lab::drive(Running& running, std::chrono::milliseconds bound, const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + bound;
  for (;;) {
    context_.restart();
    context_.run_one_for(std::chrono::milliseconds(1));
    drain(running.out_pipe, running.out);
    drain(running.err_pipe, running.err);
    drain(running.extensions_pipe, running.extensions_out);
    if (done()) return true;
    if (std::chrono::steady_clock::now() > end) return false;
  }
}

Outcome Lab::finish(Running& running, std::chrono::milliseconds bound) {
  const auto ended = [&] { return running.exit.has_value(); };
  if (!drive(running, bound, ended)) {
    running.sandbox->kill();
    EXPECT_TRUE(drive(running, std::chrono::seconds(5), ended));
    ADD_FAILURE() << "the script did not end: " << running.out << running.err;
  }
  drive(running, std::chrono::milliseconds(0), ended);
  return {running.exit.value_or(Exit{}), running.out, running.err, running.sandbox->peak_memory_mib()};
}

Outcome Lab::run(const Spec& spec, std::chrono::milliseconds bound) { return finish(*launch(spec), bound); }

Spec Lab::with_memory(Spec spec, int memory_mib) {
  spec.memory_mib = memory_mib;
  return spec;
}

Outcome Lab::python(const std::string& script, int memory_mib, Way way) {
  write_code("script.py", script);
  const Spec code = with_memory(spec({"/usr/bin/python3", "-I", "/var/task/script.py"}), memory_mib);
  if (way == Way::launched) return run(code);
  const auto running = prepare(spare_spec(way));
  assign(*running, code);
  return finish(*running);
}

Outcome Lab::node(const std::string& script) {
  write_code("script.js", script);
  return run(spec({"/usr/bin/node", "/var/task/script.js"}));
}

Outcome Lab::shell(const std::string& script) { return run(spec({"/bin/sh", "-c", script})); }

std::string name_of(Way way) {
  constexpr const char* kNames[] = {"launched", "prepared", "spare", "forked"};
  return kNames[static_cast<int>(way)];
}

void SandboxTest::SetUp() {
  if (::geteuid() != 0) GTEST_SKIP() << "the sandbox needs root, and this is user " << ::geteuid();
  lab_ = std::make_unique<Lab>();
  ASSERT_EQ(lab_->isolation().level, Isolation::full) << lab_->isolation().reason;
}

}  // namespace lambent::sandbox::testing
