// Any bytes as a plain and as a sealed segment: read to the end without a crash, and every record found is one that fits.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "store/segments/record_file.h"
#include "store/segments/sealed.h"

namespace {

using namespace lambent::store::segments;

void read_plain(std::string_view bytes) {
  const auto header = read_header(bytes, FileHeader::kPlain);
  RecordReader reader(header ? bytes.substr(FileHeader::kBytes) : bytes, header ? header->salt : 0, 0);
  std::size_t end = 0;
  while (const auto record = reader.next()) {
    if (reader.begin() < end || reader.end() > bytes.size() || record->bytes.size() > kLongestRecord) std::abort();
    end = reader.end();
  }
}

void read_sealed(std::string_view bytes) {
  static const int fd = ::memfd_create("segment", MFD_CLOEXEC);
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return;
  try {
    const Sealed sealed = open_sealed(fd);
    for (const Block& block : sealed.blocks) read_plain(read_sealed_block(fd, block));
  } catch (const std::runtime_error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_plain(bytes);
  read_sealed(bytes);
  try {
    encode_blocks(decode_blocks(bytes));
  } catch (const std::runtime_error&) {
  }
  return 0;
}
