// `lambent sign`: gives an archive the signature that code signing configurations ask for. Needs no server.
#pragma once

#include <filesystem>

namespace lambent::app {

struct SignOptions {
  std::filesystem::path archive;
  std::filesystem::path certificate;
  std::filesystem::path key;
  /// A signature made elsewhere, in place of certificate and key.
  std::filesystem::path signature;
  std::filesystem::path output;
  /// Prints what is to be signed and does nothing else.
  bool statement = false;
};

/// Returns the program's exit status.
int sign_archive(const SignOptions& options);

}  // namespace lambent::app
