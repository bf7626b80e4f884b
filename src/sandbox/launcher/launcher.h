// The launcher process: a loop over one socket and the environments it was asked for.
//
// Started by start_launcher, which runs this same program again so that the process is small and its environment empty.
#pragma once

#include <optional>

namespace lambent::sandbox {

/// To be called first thing in main: when this process was started to be a launcher, runs it and returns its exit status;
/// otherwise nothing, and main goes on.
std::optional<int> launcher_main(int argc, char** argv);

constexpr const char* kLauncherArgument = "--lambent-launcher";

}  // namespace lambent::sandbox
