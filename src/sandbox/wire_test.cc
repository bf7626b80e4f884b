#include "sandbox/launcher/wire.h"

#include <gtest/gtest.h>

#include <cstring>

namespace lambent::sandbox::wire {
namespace {

Spec valid() {
  Spec spec;
  spec.code_hash = std::string(64, '7');
  spec.runtime_dir = "python";
  spec.argv = {"/usr/bin/python3", "-c", ""};
  spec.environment = {"A=1", "B="};
  return spec;
}

std::string message_of(const Spec& spec) { return std::get<std::string>(format_request(Kind::launch, 9, spec)); }

/// The launcher's complaint about a message whose fixed part was changed.
std::string complaint(const std::function<void(Request&)>& change) {
  std::string message = message_of(valid());
  Request launch;
  std::memcpy(&launch, message.data(), sizeof launch);
  change(launch);
  std::memcpy(message.data(), &launch, sizeof launch);
  const auto parsed = parse_request(message);
  const auto* const wrong = std::get_if<std::string>(&parsed);
  return wrong == nullptr ? "accepted" : *wrong;
}

TEST(Wire, a_spec_arrives_as_it_was_sent) {
  const std::string message = message_of(valid());
  const auto parsed = parse_request(message);
  const auto& request = std::get<Checked>(parsed);
  EXPECT_EQ(request.id, 9U);
  EXPECT_EQ(request.code_hash, std::string(64, '7'));
  EXPECT_EQ(request.runtime_dir, "python");
  EXPECT_EQ(request.memory_mib, 128);
  EXPECT_EQ(request.argv, (std::vector<std::string_view>{"/usr/bin/python3", "-c", ""}));
  EXPECT_EQ(request.variable_count, 2U);
  EXPECT_EQ(request.strings, std::string_view("/usr/bin/python3\0-c\0\0A=1\0B=\0", 28));
}

TEST(Wire, layers_and_extensions_arrive_in_their_order) {
  Spec spec = valid();
  spec.layers = {std::string(64, '1'), std::string(64, '2')};
  spec.extensions = {"/opt/extensions/one", "/opt/extensions/two.sh"};
  spec.extension_environment = {"C=3"};
  const std::string message = message_of(spec);
  const auto parsed = parse_request(message);
  const auto& request = std::get<Checked>(parsed);
  EXPECT_EQ(request.layers, spec.layers);
  EXPECT_EQ(request.extension_count, 2U);
  EXPECT_EQ(request.extension_variable_count, 1U);
  EXPECT_TRUE(request.strings.ends_with(std::string_view("/opt/extensions/two.sh\0C=3\0", 27)));
}

TEST(Wire, the_launcher_refuses_extensions_that_are_elsewhere_and_layers_that_are_no_hashes) {
  for (const char* path : {"/opt/extensions/", "/opt/extensions/a/b", "/bin/sh", "", "opt/extensions/x"}) {
    Spec spec = valid();
    spec.extensions = {path};
    EXPECT_TRUE(std::holds_alternative<std::string>(parse_request(message_of(spec)))) << path;
  }
  Spec spec = valid();
  spec.layers = {std::string(64, 'g')};
  EXPECT_TRUE(std::holds_alternative<std::string>(parse_request(message_of(spec))));
  EXPECT_NE(complaint([](Request& request) { request.layer_count = 6; }), "accepted");
  EXPECT_NE(complaint([](Request& request) { request.layer_count = UINT32_MAX; }), "accepted");
  EXPECT_NE(complaint([](Request& request) { request.extension_count = 11; }), "accepted");
}

TEST(Wire, a_spare_may_have_no_program_unless_a_zygote_forks_it) {
  SpareSpec spare;
  spare.runtime_dir = "python";
  const auto accepted = [&] {
    const auto message = format_prepare(3, spare);
    return std::holds_alternative<Checked>(parse_request(std::get<std::string>(message)));
  };
  EXPECT_TRUE(accepted());
  spare.zygote = true;
  EXPECT_FALSE(accepted());
  spare.argv = {"/usr/bin/python3"};
  EXPECT_TRUE(accepted());
}

TEST(Wire, the_launcher_refuses_names_that_could_lead_elsewhere) {
  const auto hash = [](const char* text) {
    return [text](Request& launch) { std::memcpy(launch.code_hash, text, std::strlen(text)); };
  };
  EXPECT_NE(complaint(hash("../../../../etc")), "accepted");
  EXPECT_NE(complaint(hash("ABCDEF")), "accepted");
  EXPECT_NE(complaint([](Request& launch) { launch.code_hash[10] = '\0'; }), "accepted");
  for (const char* name : {"", ".", "..", "../x", "a/b", "/etc", "Python", "a b", ".hidden"})
    EXPECT_NE(complaint([&](Request& launch) { put_text(launch.runtime_dir, name); }), "accepted") << name;
  EXPECT_NE(complaint([](Request& launch) { std::memset(launch.runtime_dir, 'a', sizeof launch.runtime_dir); }),
            "accepted");
  EXPECT_NE(complaint([](Request& launch) { put_text(launch.root, "/"); }), "accepted");
  EXPECT_EQ(complaint([](Request&) {}), "accepted");
}

TEST(Wire, file_systems_and_networks_arrive_by_name) {
  Spec spec = valid();
  spec.file_system = {"arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0", "/mnt/A_b-1.x"};
  spec.subnets = {"subnet-a", "subnet-b"};
  spec.security_groups = {"sg-1"};
  const std::string message = message_of(spec);
  const auto parsed = parse_request(message);
  const auto& request = std::get<Checked>(parsed);
  EXPECT_EQ(request.file_system.arn, spec.file_system.arn);
  EXPECT_EQ(request.file_system.path, "/mnt/A_b-1.x");
  EXPECT_EQ(request.subnets, spec.subnets);
  EXPECT_EQ(request.security_groups, spec.security_groups);
}

TEST(Wire, the_launcher_mounts_nothing_but_beneath_mnt) {
  for (const char* path :
       {"", "/mnt", "/mnt/", "/mnt/.", "/mnt/..", "/mnt/a/b", "/mnt/../etc", "/etc/x", "mnt/x", "/mnt/a b"})
    EXPECT_EQ(complaint([&](Request& request) {
                put_text(request.file_system, "arn");
                put_text(request.mount_path, path);
              }),
              "a file system's place is not beneath /mnt")
        << path;
  // A field without its NUL is no longer than the field.
  EXPECT_NE(complaint([](Request& request) {
              put_text(request.file_system, "arn");
              std::memset(request.mount_path, 'x', sizeof request.mount_path);
            }),
            "accepted");
}

TEST(Wire, networks_that_do_not_fit_are_refused) {
  Spec spec = valid();
  spec.subnets = {"subnet-a b"};
  EXPECT_TRUE(std::holds_alternative<std::runtime_error>(format_request(Kind::assign, 9, spec)));
  spec.subnets.assign(17, std::string(kMaxZoneId, 'a'));
  EXPECT_TRUE(std::holds_alternative<std::runtime_error>(format_request(Kind::assign, 9, spec)));
  EXPECT_EQ(complaint([](Request& request) {
              std::string many;
              for (int i = 0; i < 17; ++i) many += "s ";
              put_text(request.subnets, many);
            }),
            "too many subnets or security groups");
}

TEST(Wire, the_launcher_refuses_numbers_out_of_range) {
  for (const std::int32_t number : {-1, 0, 15, 10'241, INT32_MAX, INT32_MIN})
    EXPECT_NE(complaint([&](Request& launch) { launch.memory_mib = number; }), "accepted") << number;
  for (const std::int32_t number : {-1, 0, 10'241, INT32_MIN})
    EXPECT_NE(complaint([&](Request& launch) { launch.ephemeral_mib = number; }), "accepted") << number;
  for (const std::int32_t number : {-1, 0, 3, 4097})
    EXPECT_NE(complaint([&](Request& launch) { launch.max_processes = number; }), "accepted") << number;
  for (const std::uint32_t number : {0U, 2U, 4U, 65U, UINT32_MAX})
    EXPECT_NE(complaint([&](Request& launch) { launch.argument_count = number; }), "accepted") << number;
  for (const std::uint32_t number : {1U, 3U, 513U, UINT32_MAX})
    EXPECT_NE(complaint([&](Request& launch) { launch.variable_count = number; }), "accepted") << number;
}

TEST(Wire, the_launcher_refuses_a_message_that_contradicts_its_length) {
  const std::string message = message_of(valid());
  for (std::size_t length = 0; length < message.size(); ++length)
    EXPECT_TRUE(std::holds_alternative<std::string>(parse_request(message.substr(0, length)))) << length;
  EXPECT_TRUE(std::holds_alternative<std::string>(parse_request(message + '\0')));
  EXPECT_NE(complaint([](Request& launch) { launch.strings_bytes = 0; }), "accepted");
  EXPECT_NE(complaint([](Request& launch) { launch.header.kind = Kind::kill; }), "accepted");
}

TEST(Wire, the_server_cannot_say_what_root_executes_as_a_zygote) {
  const auto refused = [](std::vector<std::string> argv, std::vector<std::string> variables) {
    SpareSpec spare;
    spare.runtime_dir = "python";
    spare.zygote = true;
    spare.argv = std::move(argv);
    spare.environment = std::move(variables);
    const std::string message = std::get<std::string>(format_prepare(3, spare));
    return refuse_zygote(std::get<Checked>(parse_request(message))) != nullptr;
  };
  const std::string python = "/usr/bin/python3", script = "/var/runtime/lambent_zygote.py";
  EXPECT_FALSE(refused({python, "-I", "-S", script}, {"LC_CTYPE=C.UTF-8", "LD_LIBRARY_PATH=/var/lang/lib"}));
  EXPECT_FALSE(refused({"/var/lang/bin/python3.13", "-I", script}, {}));
  EXPECT_TRUE(refused({"/bin/sh", script}, {}));
  EXPECT_TRUE(refused({"/usr/bin/python3/../sh", script}, {}));
  EXPECT_TRUE(refused({python, "-c", "import os", script}, {}));
  EXPECT_TRUE(refused({python, "-I", "-S", "/var/task/x.py"}, {}));
  EXPECT_TRUE(refused({python, "-I", "-S", "/var/runtime/../task/x.py"}, {}));
  EXPECT_TRUE(refused({python, script, "-I"}, {}));
  EXPECT_TRUE(refused({python, "-I", script}, {"LD_PRELOAD=/tmp/x.so"}));
  EXPECT_TRUE(refused({python, "-I", script}, {"PYTHONPATH=/tmp"}));
  EXPECT_TRUE(refused({python}, {}));
}

TEST(Wire, a_spec_that_does_not_fit_is_refused_before_it_is_sent) {
  const auto refused = [](const Spec& spec) {
    return std::holds_alternative<std::runtime_error>(format_request(Kind::launch, 1, spec));
  };
  Spec spec = valid();
  spec.code_hash = "short";
  EXPECT_TRUE(refused(spec));
  spec = valid();
  spec.runtime_dir = std::string(32, 'a');
  EXPECT_TRUE(refused(spec));
  spec = valid();
  spec.environment.push_back("X=" + std::string(kMaxStrings, 'x'));
  EXPECT_TRUE(refused(spec));
  spec = valid();
  spec.environment.assign(kMaxVariables + 1, "X=1");
  EXPECT_TRUE(refused(spec));
  spec = valid();
  spec.argv.push_back(std::string("a\0b", 3));
  EXPECT_TRUE(refused(spec));
  EXPECT_FALSE(refused(valid()));
}

}  // namespace
}  // namespace lambent::sandbox::wire
