// The bootstraps as they travel inside the binary, and their way onto the disk.
#pragma once

#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "runtimes/interpreters.h"

namespace lambent::runtimes {

struct EmbeddedFile {
  /// "python/bootstrap.py"
  std::string_view name;
  std::string_view content;
  bool executable;
};

/// Made by embed.py at build time.
std::span<const EmbeddedFile> embedded_files();
/// The scripts of install/, which never reach the disk.
std::span<const EmbeddedFile> embedded_installers();

/// Brings `directory` to hold exactly the embedded files, readable by everybody, whatever another server left there.
void write_bootstraps(const std::filesystem::path& directory);
/// Makes the compiled forms of the Python ones for each of these interpreters: a function cannot write them, and without them
/// every cold start that no zygote serves compiles anew (11 ms more). Takes tens of milliseconds for each that has none.
void compile_bootstraps(const std::filesystem::path& directory, const std::vector<Interpreter>& pythons);

}  // namespace lambent::runtimes
