#include "base/ids.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/bytes.h"

namespace lambent::base {
namespace {

void fill_from_kernel(char* out, std::size_t count) {
  while (count > 0) {
    const ssize_t got = getrandom(out, count, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) std::abort();
    out += got;
    count -= static_cast<std::size_t>(got);
  }
}

// Request ids are made per invocation: one system call serves 64 of them. A fork must not repeat them, and
// what the launcher clones, the one process of ours that forks, makes none.
struct Pool {
  char bytes[1024];
  std::size_t used = sizeof bytes;
};

}  // namespace

std::string random_bytes(std::size_t count) {
  std::string out(count, '\0');
  thread_local Pool pool;
  if (count > 64) {
    fill_from_kernel(out.data(), count);
    return out;
  }
  if (pool.used + count > sizeof pool.bytes) {
    fill_from_kernel(pool.bytes, sizeof pool.bytes);
    pool.used = 0;
  }
  std::memcpy(out.data(), pool.bytes + pool.used, count);
  explicit_bzero(pool.bytes + pool.used, count);
  pool.used += count;
  return out;
}

std::string random_hex(std::size_t bytes) { return hex(random_bytes(bytes)); }

std::string uuid() {
  std::string raw = random_bytes(16);
  raw[6] = static_cast<char>((raw[6] & 0x0f) | 0x40);
  raw[8] = static_cast<char>((raw[8] & 0x3f) | 0x80);
  std::string text = hex(raw);
  for (const std::size_t at : {8u, 13u, 18u, 23u}) text.insert(at, 1, '-');
  return text;
}

std::string random_base32(std::size_t length) {
  constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string raw = random_bytes(length);
  for (char& c : raw) c = alphabet[static_cast<unsigned char>(c) & 31];
  return raw;
}

}  // namespace lambent::base
