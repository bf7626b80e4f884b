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

std::string message_of(const Spec& spec) { return std::get<std::string>(format_launch(9, spec)); }

/// The launcher's complaint about a message whose fixed part was changed.
std::string complaint(const std::function<void(Launch&)>& change) {
  std::string message = message_of(valid());
  Launch launch;
  std::memcpy(&launch, message.data(), sizeof launch);
  change(launch);
  std::memcpy(message.data(), &launch, sizeof launch);
  const auto parsed = parse_launch(message);
  const auto* const wrong = std::get_if<std::string>(&parsed);
  return wrong == nullptr ? "accepted" : *wrong;
}

TEST(Wire, a_spec_arrives_as_it_was_sent) {
  const std::string message = message_of(valid());
  const auto parsed = parse_launch(message);
  const auto& request = std::get<LaunchRequest>(parsed);
  EXPECT_EQ(request.id, 9U);
  EXPECT_EQ(request.code_hash, std::string(64, '7'));
  EXPECT_EQ(request.runtime_dir, "python");
  EXPECT_EQ(request.memory_mib, 128);
  ASSERT_EQ(request.argv.size(), 4U);
  EXPECT_STREQ(request.argv[1], "-c");
  EXPECT_STREQ(request.argv[2], "");
  EXPECT_EQ(request.argv[3], nullptr);
  ASSERT_EQ(request.environment.size(), 3U);
  EXPECT_STREQ(request.environment[1], "B=");
}

TEST(Wire, the_launcher_refuses_names_that_could_lead_elsewhere) {
  const auto hash = [](const char* text) {
    return [text](Launch& launch) { std::memcpy(launch.code_hash, text, std::strlen(text)); };
  };
  EXPECT_NE(complaint(hash("../../../../etc")), "accepted");
  EXPECT_NE(complaint(hash("ABCDEF")), "accepted");
  EXPECT_NE(complaint([](Launch& launch) { launch.code_hash[10] = '\0'; }), "accepted");
  for (const char* name : {"", ".", "..", "../x", "a/b", "/etc", "Python", "a b", ".hidden"})
    EXPECT_NE(complaint([&](Launch& launch) { put_text(launch.runtime_dir, name); }), "accepted") << name;
  EXPECT_NE(complaint([](Launch& launch) { std::memset(launch.runtime_dir, 'a', sizeof launch.runtime_dir); }),
            "accepted");
  EXPECT_NE(complaint([](Launch& launch) { put_text(launch.root, "/"); }), "accepted");
  EXPECT_EQ(complaint([](Launch&) {}), "accepted");
}

TEST(Wire, the_launcher_refuses_numbers_out_of_range) {
  for (const std::int32_t number : {-1, 0, 15, 10'241, INT32_MAX, INT32_MIN})
    EXPECT_NE(complaint([&](Launch& launch) { launch.memory_mib = number; }), "accepted") << number;
  for (const std::int32_t number : {-1, 0, 10'241, INT32_MIN})
    EXPECT_NE(complaint([&](Launch& launch) { launch.ephemeral_mib = number; }), "accepted") << number;
  for (const std::int32_t number : {-1, 0, 3, 4097})
    EXPECT_NE(complaint([&](Launch& launch) { launch.max_processes = number; }), "accepted") << number;
  for (const std::uint32_t number : {0U, 2U, 4U, 65U, UINT32_MAX})
    EXPECT_NE(complaint([&](Launch& launch) { launch.argument_count = number; }), "accepted") << number;
  for (const std::uint32_t number : {1U, 3U, 513U, UINT32_MAX})
    EXPECT_NE(complaint([&](Launch& launch) { launch.variable_count = number; }), "accepted") << number;
}

TEST(Wire, the_launcher_refuses_a_message_that_contradicts_its_length) {
  const std::string message = message_of(valid());
  for (std::size_t length = 0; length < message.size(); ++length)
    EXPECT_TRUE(std::holds_alternative<std::string>(parse_launch(message.substr(0, length)))) << length;
  EXPECT_TRUE(std::holds_alternative<std::string>(parse_launch(message + '\0')));
  EXPECT_NE(complaint([](Launch& launch) { launch.strings_bytes = 0; }), "accepted");
  EXPECT_NE(complaint([](Launch& launch) { launch.header.kind = Kind::kill; }), "accepted");
}

TEST(Wire, a_spec_that_does_not_fit_is_refused_before_it_is_sent) {
  const auto refused = [](const Spec& spec) {
    return std::holds_alternative<std::runtime_error>(format_launch(1, spec));
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
