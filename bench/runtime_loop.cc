// The floor of a warm invocation: the Runtime API and our Python bootstrap alone, with no gateway, signature or sandbox.
// Usage: runtime_loop BOOTSTRAP_DIR SECONDS; prints JSON.
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <fstream>
#include <iostream>

#include "base/http_server.h"
#include "base/ids.h"
#include "runtime_api/runtime_api.h"

namespace {

using namespace lambent;
using Clock = std::chrono::steady_clock;

pid_t start_python(const std::string& bootstrap_dir, const std::string& task_dir, std::uint16_t port) {
  const std::string script = bootstrap_dir + "/bootstrap.py",
                    api = fmt::format("AWS_LAMBDA_RUNTIME_API=127.0.0.1:{}", port),
                    root = "LAMBDA_TASK_ROOT=" + task_dir, path = "PYTHONPATH=" + bootstrap_dir;
  std::vector<std::string> variables{api,
                                     root,
                                     path,
                                     "_HANDLER=nop.handler",
                                     "LAMBDA_RUNTIME_DIR=" + bootstrap_dir,
                                     "AWS_LAMBDA_FUNCTION_NAME=nop",
                                     "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
                                     "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128"};
  std::vector<char*> environment;
  for (auto& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  std::string program = "/usr/bin/python3", argument = script;
  char* argv[] = {program.data(), argument.data(), nullptr};
  pid_t pid = -1;
  if (posix_spawn(&pid, program.c_str(), nullptr, nullptr, argv, environment.data()) != 0) std::exit(1);
  return pid;
}

base::Task<void> loop(runtime_api::RuntimeApi& api, std::chrono::seconds how_long) {
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
    const runtime_api::Answer answer = co_await api.invoke(std::move(event));
    if (answer.kind != runtime_api::Answer::Kind::response)
      throw std::runtime_error("the loop broke: " + answer.payload);
    latencies_us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - sent).count());
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::ranges::sort(latencies_us);
  std::cout << fmt::format("{{\"p50_us\": {:.1f}, \"p99_us\": {:.1f}, \"per_s\": {:.0f}}}\n",
                           latencies_us[latencies_us.size() / 2], latencies_us[latencies_us.size() * 99 / 100],
                           static_cast<double>(latencies_us.size()) / seconds);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  char task_dir[] = "/tmp/lambent-loop-XXXXXX";
  if (mkdtemp(task_dir) == nullptr) return 1;
  const std::string handler = std::string(task_dir) + "/nop.py";
  std::ofstream(handler) << "def handler(event, context):\n    return event\n";
  std::uint16_t port = 0;
  boost::asio::io_context context(1);
  auto api = runtime_api::serve_runtime_api(context.get_executor(), base::http::listen_tcp("127.0.0.1", 0, &port));
  const pid_t python = start_python(argv[1], task_dir, port);
  int status = 0;
  boost::asio::co_spawn(context, loop(*api, std::chrono::seconds(std::atoi(argv[2]))), [&](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const std::exception& failure) {
      std::cerr << failure.what() << "\n";
      status = 1;
    }
    context.stop();
  });
  context.run();
  kill(python, SIGKILL);
  waitpid(python, nullptr, 0);
  std::filesystem::remove_all(task_dir);
  return status;
}
