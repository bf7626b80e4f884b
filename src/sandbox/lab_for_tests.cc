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

}  // namespace

bool eventually(std::chrono::milliseconds bound, const std::function<bool()>& step) {
  const auto end = std::chrono::steady_clock::now() + bound;
  while (!step()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

std::chrono::milliseconds kill_bound() {
  std::ifstream file("/proc/cpuinfo");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return std::chrono::milliseconds(text.find("QEMU TCG") == std::string::npos ? 100 : 1000);
}

Lab::Lab() : hash_(64, 'a'), first_uid_(2'000'000'000 + kUsersOfALab * static_cast<std::uint32_t>(::getpid())) {
  std::string name = "/tmp/lambent-sandbox-test-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::system_category(), "mkdtemp");
  directory_ = name;
  for (const char* sub : {"code", "runtimes/python", "scratch"}) std::filesystem::create_directories(directory_ / sub);
  std::filesystem::create_directories(directory_ / "code" / hash_);
  std::ofstream(directory_ / "runtimes/python/bootstrap.txt") << "a bootstrap\n";
  LauncherProcess process =
      start_launcher({directory_ / "code", directory_ / "runtimes", directory_ / "scratch", first_uid_});
  pid_ = process.pid;
  launcher_ = attach_launcher(context_, std::move(process));
}

Lab::~Lab() {
  launcher_.reset();
  context_.restart();
  context_.poll();
  std::filesystem::remove_all(directory_);
}

bool Lab::no_process() const {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    if (entry.path().filename().string().find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "status");
    std::uint32_t uid = 0;
    for (std::string word; file >> word;)
      if (word == "Uid:" && file >> uid && uid - first_uid_ < kUsersOfALab) return false;
  }
  return true;
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

std::unique_ptr<Running> Lab::launch(const Spec& spec) {
  auto running = std::make_unique<Running>();
  std::exception_ptr failure;
  bool done = false;
  const auto start = [&]() -> base::Task<void> { running->sandbox = co_await launcher_->launch(spec); };
  base::asio::co_spawn(context_, start, [&](std::exception_ptr error) {
    failure = error;
    done = true;
  });
  context_.restart();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done && std::chrono::steady_clock::now() < end) context_.run_one_for(std::chrono::milliseconds(100));
  if (!done) throw std::runtime_error("launch did not answer");
  if (failure) std::rethrow_exception(failure);
  running->out_pipe = running->sandbox->take_stdout();
  running->err_pipe = running->sandbox->take_stderr();
  running->sandbox->on_exit([state = running.get()](Exit exit) { state->exit = exit; });
  return running;
}

bool Lab::drive(Running& running, std::chrono::milliseconds bound, const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + bound;
  for (;;) {
    context_.restart();
    context_.run_one_for(std::chrono::milliseconds(1));
    drain(running.out_pipe, running.out);
    drain(running.err_pipe, running.err);
    if (done()) return true;
    if (std::chrono::steady_clock::now() > end) return false;
  }
}

Outcome Lab::run(const Spec& spec, std::chrono::milliseconds bound) {
  const auto running = launch(spec);
  const auto ended = [&] { return running->exit.has_value(); };
  if (!drive(*running, bound, ended)) {
    running->sandbox->kill();
    EXPECT_TRUE(drive(*running, std::chrono::seconds(5), ended));
    ADD_FAILURE() << "the script did not end: " << running->out << running->err;
  }
  drive(*running, std::chrono::milliseconds(0), ended);
  return {running->exit.value_or(Exit{}), running->out, running->err, running->sandbox->peak_memory_mib()};
}

Spec Lab::with_memory(Spec spec, int memory_mib) {
  spec.memory_mib = memory_mib;
  return spec;
}

Outcome Lab::python(const std::string& script, int memory_mib) {
  write_code("script.py", script);
  return run(with_memory(spec({"/usr/bin/python3", "-I", "/var/task/script.py"}), memory_mib));
}

Outcome Lab::node(const std::string& script) {
  write_code("script.js", script);
  return run(spec({"/usr/bin/node", "/var/task/script.js"}));
}

Outcome Lab::shell(const std::string& script) { return run(spec({"/bin/sh", "-c", script})); }

void SandboxTest::SetUp() {
  if (::geteuid() != 0) GTEST_SKIP() << "the sandbox needs root, and this is user " << ::geteuid();
  lab_ = std::make_unique<Lab>();
  ASSERT_EQ(lab_->isolation().level, Isolation::full) << lab_->isolation().reason;
}

}  // namespace lambent::sandbox::testing
