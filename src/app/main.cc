// The program `lambent`: its command line.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>

#include "app/commands.h"
#include "app/options.h"
#include "app/runtimes_command.h"
#include "app/serve.h"
#include "app/sign_command.h"
#include "sandbox/launcher/launcher.h"

namespace {

/// What is outside of the server, and how fast its time passes.
void add_surroundings(CLI::App& command, lambent::app::ServeOptions& options) {
  command.add_option("--target-endpoint", options.target_endpoints,
                     "SERVICE=URL where sqs, sns, events or s3 are (s3: code too); may be given for each");
  command.add_option("--signing-profile", options.signing_profiles,
                     "NAME_OR_ARN=CERTIFICATE.pem of one who may sign code; may be given again");
  command
      .add_option("--time-scale", options.time_scale,
                  "For tests: waits and ages of asynchronous invocations pass so many times faster")
      ->check(CLI::Range(1.0, 1e6))
      ->capture_default_str();
}

void add_serve(CLI::App& app, lambent::app::ServeOptions& options, int& status) {
  auto* command = app.add_subcommand("serve", "Run the server in the foreground");
  command->add_option("--listen", options.listen, "HOST:PORT to serve on; may be given twice")->capture_default_str();
  command->add_option("--data", options.data, "Directory of the server's state")->required();
  command->add_option("--master-key-file", options.master_key_file,
                      "Keys that secrets rest under, made at the first start; DATA.master-key");
  command->add_option("--account", options.account, "The account's 12 digits")->capture_default_str();
  command->add_option("--auth", options.auth, "on, or off for throwaway use on loopback")->capture_default_str();
  command->add_option("--tls-cert", options.tls_cert, "Certificate chain (PEM); read again on SIGHUP");
  command->add_option("--tls-key", options.tls_key, "Private key (PEM)");
  command->add_flag("--insecure-http", options.insecure_http, "Serve plain HTTP beyond loopback");
  command->add_option("--user", options.user, "User to become after start, when started as root")
      ->capture_default_str();
  command->add_option("--log-level", options.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  command->add_option("--log-format", options.log_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->add_flag("--print-function-logs", options.print_function_logs, "Copy functions' logs to standard output");
  command->add_flag("--strict-runtimes", options.strict_runtimes, "Refuse to run a runtime on a nearby version");
  command->add_option("--retired", options.retired, "run what AWS has retired, or refuse it with AWS's words")
      ->check(CLI::IsMember({"run", "refuse"}))
      ->capture_default_str();
  command->add_option("--runtimes-dir", options.runtimes_dir, "Where `lambent runtimes` installs; roots/ of --data");
  command->add_option("--lanes", options.lanes, "Threads that serve")->check(CLI::Range(1, 64))->capture_default_str();
  command->add_option("--idle-time", options.idle_s, "Seconds until an idle environment is ended")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
  command->add_option("--spare-memory", options.spare_memory_mib, "MiB for sandboxes that wait for a function; 0: none")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  command
      ->add_option("--keep-free", options.keep_free_mib,
                   "MiB of free memory that idle environments end for; 0: none do")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  command->add_option("--concurrency", options.concurrency, "Concurrent executions of the account")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--code-storage", options.code_storage_gb, "GB of zips that an account may store in a region")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  command->add_flag("--block-public-policies", options.block_public_policies,
                    "Refuse resource policies that let everybody in");
  command
      ->add_option("--function-network", options.function_network,
                   "What functions reach: egress (the internet, nothing private), none, or host")
      ->check(CLI::IsMember({"egress", "none", "host"}))
      ->capture_default_str();
  command->add_option("--allow-cidr", options.allow_cidrs,
                      "A private IPv4 network that functions may reach; may be given again");
  command->add_option("--subnet", options.subnets,
                      "subnet-ID=vpc-ID[:CIDR,CIDR,internet]: what functions in it reach; may be given again");
  command->add_option("--security-group", options.security_groups,
                      "sg-ID=vpc-ID[:CIDR,CIDR]: what of it functions of this group reach; may be given again");
  command->add_option("--file-system", options.file_systems,
                      "ACCESS_POINT_ARN=DIRECTORY that functions may have mounted; may be given again");
  command->add_option("--grace", options.grace_s, "Seconds that running invocations get at a stop")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  command
      ->add_option("--scaling-rate", options.scaling_rate, "Executions that a function may gain in 10 s; AWS has 1000")
      ->check(CLI::Range(0, 100000))
      ->capture_default_str();
  add_surroundings(*command, options);
  command->callback([&] { status = lambent::app::serve(options); });
}

void add_runtimes(CLI::App& app, lambent::app::RuntimesOptions& options, int& status) {
  auto* group = app.add_subcommand("runtimes", "Versions of languages that functions can run on");
  group->require_subcommand(1);
  const auto add = [&](const char* name, const char* words, int (*run)(const lambent::app::RuntimesOptions&)) {
    auto* command = group->add_subcommand(name, words);
    command->add_option("--data", options.data, "Directory of the server's state");
    command->add_option("--runtimes-dir", options.roots, "Where they are installed; roots/ of --data");
    command->callback([&options, &status, run] { status = run(options); });
    return command;
  };
  add("list", "Every runtime identifier, and what it runs on here", lambent::app::list_runtimes)
      ->add_flag("--json", options.json, "Print JSON");
  auto* install = add("install", "Install versions, from Debian, npm or PyPI; for .NET with its SDK",
                      lambent::app::install_runtimes);
  install->add_option("runtime", options.names, "python3.13, nodejs22.x, ruby3.3, java21, ...")->required();
  install->add_option("--mirror", options.mirror, "Debian's archive; the machine's own");
  add("remove", "Remove installed versions", lambent::app::remove_runtimes)
      ->add_option("runtime", options.names, "As for install")
      ->required();
}

void add_sign(CLI::App& app, lambent::app::SignOptions& options, int& status) {
  auto* command = app.add_subcommand("sign", "Put a signature into a function's or layer's archive");
  command->add_option("archive", options.archive, "The zip file")->required()->check(CLI::ExistingFile);
  command->add_option("--certificate", options.certificate, "The signer's certificate (PEM)");
  command->add_option("--key", options.key, "Its private key (PEM)");
  command->add_option("--signature", options.signature, "A detached CMS signature (DER) that was made elsewhere");
  command->add_option("--output", options.output, "Where to write the signed archive; over the archive");
  command->add_flag("--statement", options.statement, "Print what is to be signed, for --signature");
  command->callback([&] { status = lambent::app::sign_archive(options); });
}

}  // namespace

int main(int argc, char** argv) {
  // The launcher is this program once more: before anything else is set up, so that it stays small.
  if (const auto status = lambent::sandbox::launcher_main(argc, argv)) return *status;
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("AWS Lambda that you run yourself");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("lambent ") + lambent::app::version());
  int status = 0;
  lambent::app::ServeOptions serve_options;
  add_serve(app, serve_options, status);
  lambent::app::RuntimesOptions runtimes_options;
  add_runtimes(app, runtimes_options, status);
  lambent::app::SignOptions sign_options;
  add_sign(app, sign_options, status);
  std::string data;
  auto* credentials = app.add_subcommand("credentials", "Print the root access key as export lines");
  credentials->add_option("--data", data, "Directory of the server's state")->required();
  credentials->callback([&] { status = lambent::app::print_credentials(data); });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : lambent::app::kExitUsage;
  }
  return status;
}
