#include "app/sign_command.h"

#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "app/options.h"
#include "base/cms.h"
#include "store/code/code_store.h"
#include "store/code/signed_archive.h"

namespace lambent::app {
namespace {

std::string read(const std::filesystem::path& file, std::uintmax_t max_bytes) {
  if (std::filesystem::file_size(file) > max_bytes) throw std::invalid_argument(file.string() + " is too large");
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  if (!stream) throw std::invalid_argument(file.string() + " cannot be read");
  return std::move(bytes).str();
}

/// Beside and renamed over, so that what is there is whole.
void write(const std::filesystem::path& file, const std::string& bytes) {
  auto beside = file;
  beside += ".lambent-sign";
  {
    std::ofstream stream(beside, std::ios::binary | std::ios::trunc);
    stream << bytes;
    if (!stream.flush()) throw std::runtime_error(beside.string() + " cannot be written");
  }
  std::filesystem::rename(beside, file);
}

std::string signature_for(const SignOptions& options, const std::string& statement) {
  constexpr std::uintmax_t kMaxPem = 1 << 20;
  if (!options.signature.empty()) return read(options.signature, store::kMaxSignatureBytes);
  if (options.certificate.empty() || options.key.empty())
    throw std::invalid_argument("give --certificate and --key, or --signature, or --statement");
  const auto certificate = base::Certificate::parse(read(options.certificate, kMaxPem));
  return base::sign_cms(statement, certificate, read(options.key, kMaxPem));
}

}  // namespace

int sign_archive(const SignOptions& options) {
  try {
    const auto archive = read(options.archive, static_cast<std::uintmax_t>(store::kMaxUnzippedBytes));
    const auto statement = store::statement_of(archive);
    if (options.statement) {
      std::cout << statement;
      return std::cout.flush() ? 0 : kExitSoftware;
    }
    write(options.output.empty() ? options.archive : options.output,
          store::with_signature(archive, signature_for(options, statement)));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "lambent: " << options.archive.string() << " was not signed: " << error.what() << "\n";
    return kExitConfig;
  }
}

}  // namespace lambent::app
