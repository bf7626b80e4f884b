// Runs a small program of the machine's own and takes its first words: how interpreters are asked for their version.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace lambent::runtimes {

struct CommandBounds {
  std::chrono::milliseconds time{10'000};
  std::size_t output_bytes = 4096;
};

/// What it wrote to stdout when it ended with status 0 within the bounds; nothing otherwise, and then it is dead. Runs with an
/// empty environment, stdin and stderr at /dev/null.
std::optional<std::string> run_command(const std::vector<std::string>& argv, CommandBounds bounds = {});

}  // namespace lambent::runtimes
