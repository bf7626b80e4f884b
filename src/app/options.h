// What the command line says. Parsed once in main; immutable then.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lambent::app {

/// Exit statuses of the program, from sysexits.h where it has them.
constexpr int kExitUsage = 64;
constexpr int kExitSoftware = 70;
/// Something about the machine or the configuration must be changed first.
constexpr int kExitConfig = 78;

struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;
  bool loopback = false;
};

struct ServeOptions {
  std::vector<std::string> listen{"127.0.0.1:4566"};
  std::filesystem::path data;
  /// The keys that secrets rest under; empty: beside the data directory.
  std::filesystem::path master_key_file;
  std::string account = "123456789012";
  std::string region = "us-east-1";
  std::string auth = "on";
  std::string tls_cert, tls_key;
  bool insecure_http = false;
  std::string user = "lambent";
  std::string log_level = "info", log_format = "text";
  /// Copies what functions write to standard output, each line after its log group.
  bool print_function_logs = false;
  bool strict_runtimes = false;
  /// "run": what AWS has retired runs on, with a line in its log; "refuse": AWS's answer.
  std::string retired = "run";
  /// Installed roots; empty: roots/ of the data directory.
  std::filesystem::path runtimes_dir;
  std::size_t lanes = 1;
  int idle_s = 600;
  /// MiB that sandboxes waiting for a function may hold together; 0: none waits.
  int spare_memory_mib = 256;
  /// Below this much available memory (MiB) spares go, then the environments that have been idle longest; 0: never.
  int keep_free_mib = 256;
  int concurrency = 1000;
  /// How many concurrent executions a function may gain in 10 s; 0: all at once. AWS: 1,000.
  int scaling_rate = 0;
  /// Waits and ages of asynchronous invocations pass so many times faster.
  double time_scale = 1;
  /// SERVICE=URL: where queues, topics, buses and buckets are.
  std::vector<std::string> target_endpoints;
  /// NAME=FILE or ARN=FILE: certificates of those who may sign code.
  std::vector<std::string> signing_profiles;
  /// AWS quota "Function and layer storage" of an account in a region.
  std::int64_t code_storage_gb = 75;
  /// Refuse resource policies that let everybody in.
  bool block_public_policies = false;
  int grace_s = 30;
  /// "egress", "none" or "host": sandbox::FunctionNetwork.
  std::string function_network = "egress";
  /// IPv4 networks that functions may reach although they are private.
  std::vector<std::string> allow_cidrs;
  /// "subnet-ID=vpc-ID[:CIDR,CIDR,internet]": what functions reach that are put in it, and "sg-ID=vpc-ID[:CIDR,CIDR]".
  std::vector<std::string> subnets, security_groups;
  /// "ACCESS_POINT_ARN=DIRECTORY": shared directories that functions may have mounted.
  std::vector<std::string> file_systems;
};

/// Throws std::invalid_argument with words for the user: "HOST:PORT", "[v6]:PORT"; HOST an IP address or localhost.
ListenAddress parse_listen(const std::string& text);

/// Throws std::invalid_argument for what cannot stand together, such as --auth=off on a public address.
void check_options(const ServeOptions& options, const std::vector<ListenAddress>& addresses);

}  // namespace lambent::app
