// Everything that makes a running server, in the order it is built; destroyed in reverse.
//
// Made on the main thread after the privileges are gone; what it holds is touched by the lanes from start() to stop().
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/async_services.h"
#include "app/code_services.h"
#include "app/data_directory.h"
#include "app/log_services.h"
#include "app/options.h"
#include "app/tls.h"
#include "auth/authenticator.h"
#include "auth/authorizer.h"
#include "auth/session_tokens.h"
#include "aws/service.h"
#include "base/clock.h"
#include "base/cpu_pool.h"
#include "base/lanes.h"
#include "base/metrics.h"
#include "gateway/gateway.h"
#include "invoke/engine.h"
#include "runtimes/catalog.h"
#include "runtimes/installed.h"
#include "sandbox/sandbox.h"
#include "services/iam/iam.h"
#include "services/lambda/lambda.h"
#include "services/lambda/service.h"
#include "services/sts/sts.h"
#include "store/code/code_store.h"
#include "store/database.h"
#include "store/event_source_mappings.h"
#include "store/function_urls.h"
#include "store/functions.h"
#include "store/identities.h"
#include "store/layers.h"
#include "store/vault.h"

namespace lambent::app {

/// What was made while the program was still root.
struct Privileged {
  /// One per lane; the last need not have been awaited yet.
  std::vector<sandbox::LauncherProcess> launchers;
  std::vector<base::Fd> listeners;  // one per --listen
  base::Fd roots_in_use;            // keeps installed roots from being removed
  store::Vault vault;               // what secrets are sealed with
};

/// Throws std::runtime_error with what is missing when a launcher, awaited, says that functions cannot be isolated.
void require_isolation(const std::vector<sandbox::LauncherProcess>& launchers);

/// Where the installed roots are.
std::filesystem::path roots_of(const ServeOptions& options, const DataDirectory& data);

class Composition {
 public:
  /// Opens the stores while the last launcher is at work. Throws when functions cannot be isolated.
  Composition(const ServeOptions& options, const DataDirectory& data, Privileged privileged);
  ~Composition();
  Composition(const Composition&) = delete;
  Composition& operator=(const Composition&) = delete;

  /// The servers begin to accept when this returns.
  void start();
  /// Accepts no more, lets running requests end for at most the grace period, ends every environment.
  base::Task<void> stop();
  /// Reads the certificate's files again.
  void reload();

  store::AccessKeySnapshot root_key() const { return root_key_; }
  const sandbox::IsolationReport& isolation() const { return isolation_; }
  /// Of each launcher.
  const std::vector<sandbox::NetworkReport>& networks() const { return networks_; }

 private:
  lambda::LambdaParts lambda_parts();
  lambda::Surroundings surroundings() const;
  void look_for_runtimes() const noexcept;
  void take_reports(std::vector<sandbox::LauncherProcess>& launchers);
  /// All the engine's needs as functions, so that it knows neither identities nor the gateway.
  invoke::EngineParts engine_parts(std::vector<sandbox::LauncherProcess> launchers);
  invoke::RoleCredentials role_credentials(const store::FunctionVersion& function) const;
  /// For the conditions of policies; nobody asks before everything is made.
  auth::Tags tags_of(std::string_view arn) const;
  void add_routes();
  void serve_function_urls();
  std::size_t open_connections();

  const ServeOptions& options_;
  base::SystemClock clock_;
  base::Metrics metrics_;
  base::Lanes lanes_;
  base::CpuPool cpu_;
  runtimes::Catalog catalog_;
  const store::Vault vault_;
  store::Database database_;
  store::Identities identities_;
  store::CodeStore code_;
  store::Functions functions_;
  store::Layers layers_;
  store::FunctionUrls urls_;
  store::EventSourceMappings mappings_;
  store::AccessKeySnapshot root_key_;
  auth::SessionTokens tokens_;
  auth::Authenticator authenticator_;
  auth::Authorizer authorizer_;
  LogServices log_services_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<invoke::Engine> engine_;
  std::unique_ptr<AsyncServices> async_;
  CodeServices code_services_;
  lambda::CodeUrl code_url_;
  std::unique_ptr<lambda::Lambda> lambda_;
  iam::Iam iam_;
  sts::Sts sts_;
  std::vector<aws::Service> services_;
  std::unique_ptr<Certificate> certificate_;
  std::vector<base::Fd> listeners_;
  base::Fd roots_in_use_;
  sandbox::IsolationReport isolation_;
  std::vector<sandbox::NetworkReport> networks_;
  std::vector<std::unique_ptr<base::http::Server>> servers_;  // listener by listener, lane by lane
  const std::filesystem::path runtimes_;
  /// Looks for interpreters when the servers accept already. Ends by itself.
  std::thread looking_;
};

}  // namespace lambent::app
