// Any bytes as an archive that may be signed: no crash, and a signature that is put in is found again and changes nothing of what it
// is over.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "store/code/code_store.h"
#include "store/code/signed_archive.h"

namespace {

[[noreturn]] void broken(const char* promise) {
  std::fputs(promise, stderr);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lambent::store;
  const std::string_view zip(reinterpret_cast<const char*>(data), size);
  try {
    const auto statement = statement_of(zip);
    const auto code = signed_code(zip);
    if (code.has_value() != has_signature(zip)) broken("a signature that is and is not there");
    if (code && code->signature.size() > kMaxSignatureBytes) broken("a signature beyond its bound");
    if (code && code->statement != statement) broken("two statements");
    const auto with = with_signature(zip, "signature");
    const auto again = signed_code(with);
    if (!again || again->signature != "signature") broken("the signature was not found again");
    if (again->statement != statement) broken("the signature changed what it is over");
  } catch (const BadArchive&) {
  }
  return 0;
}
