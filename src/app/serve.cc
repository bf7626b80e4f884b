#include "app/serve.h"

#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <iostream>

#include "app/composition.h"
#include "app/data_directory.h"
#include "app/master_key.h"
#include "app/privileges.h"
#include "app/shared_directories.h"
#include "app/zones.h"
#include "base/log.h"
#include "runtimes/bootstraps.h"

namespace lambent::app {

namespace asio = base::asio;
namespace log = base::log;

namespace {

log::Level level_of(const std::string& name) {
  if (name == "debug") return log::Level::debug;
  if (name == "warn") return log::Level::warn;
  if (name == "error") return log::Level::error;
  return log::Level::info;
}

sandbox::FunctionNetwork network_of(const std::string& name) {
  if (name == "egress") return sandbox::FunctionNetwork::egress;
  if (name == "host") return sandbox::FunctionNetwork::host;
  return sandbox::FunctionNetwork::none;
}

/// What functions can reach, for the log; a warning when that is less than was asked for.
std::string say_network(const ServeOptions& options, const std::vector<sandbox::NetworkReport>& networks) {
  const std::string& wanted = options.function_network;
  for (const sandbox::NetworkReport& network : networks) {
    if (network.mode == network_of(wanted)) continue;
    log::warn("functions have no network", {{"wanted", wanted}, {"because", network.reason}});
    return "none";
  }
  const std::string& ways = networks.front().reason;
  return ways.empty() ? wanted : wanted + " " + ways;
}

std::string endpoint(const ServeOptions& options, const ListenAddress& address) {
  std::string host = address.host;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host.find(':') != std::string::npos) host = "[" + (host == "::" ? "::1" : host) + "]";
  return fmt::format("{}://{}:{}", options.tls_cert.empty() ? "http" : "https", host, address.port);
}

std::vector<ListenAddress> addresses_of(const ServeOptions& options) {
  std::vector<ListenAddress> addresses;
  for (const std::string& text : options.listen) addresses.push_back(parse_listen(text));
  check_options(options, addresses);
  return addresses;
}

/// Launchers before anything else: each is forked while this process is small and has one thread. The last one is still at work
/// when this returns; those before it are awaited, because each moves this process in the cgroup tree when it must.
Privileged make_privileged(const ServeOptions& options, const DataDirectory& data,
                           std::vector<ListenAddress>& addresses) {
  Privileged made;
  sandbox::LauncherOptions launcher;
  // The launchers hold these directories; what is in them is made later, by the user who will own it.
  launcher.code_dir = store::CodeStore::make_directories(data.code());
  launcher.runtimes_dir = data.runtimes();
  launcher.roots_dir = roots_of(options, data);
  made.roots_in_use = runtimes::lock_roots(launcher.roots_dir, runtimes::kInUse, false);
  if (!made.roots_in_use) throw std::runtime_error("`lambent runtimes remove` is at work: start again when it is done");
  launcher.scratch_dir = data.scratch();
  for (const runtimes::EmbeddedFile& file : runtimes::embedded_files())
    if (file.name.starts_with("python/")) launcher.zygote_files.push_back({std::string(file.name), file.content});
  launcher.network = network_of(options.function_network);
  launcher.allowed_cidrs = options.allow_cidrs;
  launcher.file_systems = parse_shared_directories(options.file_systems);
  Zones zones = parse_zones(options);
  launcher.subnets = std::move(zones.subnets);
  launcher.security_groups = std::move(zones.security_groups);
  for (std::size_t i = 0; i < options.lanes; ++i) {
    if (i > 0) sandbox::await_launcher(made.launchers.back());
    made.launchers.push_back(sandbox::spawn_launcher(launcher));
    launcher.first_uid += 65536;
  }
  for (ListenAddress& address : addresses) {
    try {
      made.listeners.push_back(base::http::listen_tcp(address.host, address.port, &address.port));
    } catch (const std::system_error& error) {
      throw std::runtime_error(
          fmt::format("cannot listen on {} port {}: {}", address.host, address.port, error.code().message()));
    }
  }
  return made;
}

std::string credential_lines(const store::AccessKey& key, const std::string& url) {
  return fmt::format(
      "export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\nexport AWS_DEFAULT_REGION=us-east-1\n"
      "export AWS_ENDPOINT_URL={}\n",
      key.id, key.secret, url);
}

base::Task<void> run_until_told(Composition& composition, asio::signal_set& signals) {
  while (true) {
    const int signal = co_await signals.async_wait(asio::use_awaitable);
    if (signal != SIGHUP) break;
    composition.reload();
  }
  log::info("stopping");
  co_await composition.stop();
}

int run(const ServeOptions& options, std::vector<ListenAddress> addresses) {
  const DataDirectory data(std::filesystem::absolute(options.data));
  Privileged privileged = make_privileged(options, data, addresses);
  // Nothing is made for a server that cannot be.
  if (::geteuid() != 0) {
    sandbox::await_launcher(privileged.launchers.back());
    require_isolation(privileged.launchers);
  }
  const auto& keys = options.master_key_file;
  privileged.vault =
      read_master_keys(keys.empty() ? default_master_key_file(data) : std::filesystem::absolute(keys), data);
  become_user(options.user, data.root(), {data.scratch(), data.roots()});

  Composition composition(options, data, std::move(privileged));
  const std::string network = say_network(options, composition.networks());
  const std::string url = endpoint(options, addresses.front());
  data.write_secret(data.credentials(), credential_lines(*composition.root_key(), url));
  asio::io_context context(1);
  // Before the port answers: whoever had an answer may tell it to stop.
  asio::signal_set signals(context, SIGTERM, SIGINT, SIGHUP);
  composition.start();
  log::info("serving", {{"url", url},
                        {"account", options.account},
                        {"isolation", "full"},
                        {"on", composition.isolation().reason},
                        {"functions' network", network}});
  if (options.auth == "off") log::warn("SIGNATURES ARE NOT CHECKED: whoever reaches this port is root of the account");

  std::exception_ptr failure;
  asio::co_spawn(context, run_until_told(composition, signals), [&](std::exception_ptr error) { failure = error; });
  context.run();
  if (failure) std::rethrow_exception(failure);
  log::info("stopped");
  return 0;
}

}  // namespace

int serve(const ServeOptions& options) {
  log::configure(level_of(options.log_level), options.log_format == "json" ? log::Format::json : log::Format::text);
  try {
    return run(options, addresses_of(options));
  } catch (const std::invalid_argument& error) {
    std::cerr << "lambent: " << error.what() << "\n";
    return kExitUsage;
  } catch (const std::exception& error) {
    std::cerr << "lambent: " << error.what() << "\n";
    return kExitConfig;
  }
}

}  // namespace lambent::app
