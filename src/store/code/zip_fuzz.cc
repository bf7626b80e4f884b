// Any bytes as an archive: no crash, no byte beyond the limit, and every name that reaches the sink stays in the tree.
// The second half writes small archives for real and looks beside the tree.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "store/code/archive.h"
#include "store/code/tree_writer.h"

namespace {

namespace fs = std::filesystem;

[[noreturn]] void broken(const char* promise) {
  std::fputs(promise, stderr);
  std::abort();
}

class Judge final : public lambent::store::TreeSink {
 public:
  void directory(std::string_view path) override {
    expect_new(path);
    directories_.emplace(path);
  }
  void begin_file(std::string_view path) override { expect_new(path); }
  void write(std::string_view bytes) override {
    written_ += bytes.size();
    if (written_ >= static_cast<std::uint64_t>(lambent::store::kMaxUnzippedBytes)) broken("wrote more than the limit");
  }
  void end_file(bool) override {}
  void symlink(std::string_view path, std::string_view target) override {
    expect_new(path);
    if (target.empty() || target.front() == '/') broken("an absolute symlink");
    std::ptrdiff_t depth = std::count(path.begin(), path.end(), '/');
    for (std::size_t at = 0; (at = target.find("..", at)) != std::string_view::npos; at += 2) {
      const bool whole = (at == 0 || target[at - 1] == '/') && (at + 2 == target.size() || target[at + 2] == '/');
      if (whole && --depth < 0) broken("a symlink leaves the tree");
    }
  }
  std::uint64_t written() const { return written_; }
  std::size_t nodes() const { return nodes_.size(); }

 private:
  void expect_new(std::string_view path) {
    if (path.empty() || path.front() == '/' || path.find('\0') != std::string_view::npos) broken("a bad path");
    const std::string framed = "/" + std::string(path) + "/";
    if (framed.find("/../") != std::string::npos || framed.find("/./") != std::string::npos ||
        framed.find("//") != std::string::npos)
      broken("a path that is not normal");
    const auto slash = path.rfind('/');
    if (slash != std::string_view::npos && !directories_.contains(path.substr(0, slash))) broken("no parent");
    if (!nodes_.emplace(path).second) broken("a name twice");
  }

  std::set<std::string, std::less<>> directories_;
  std::set<std::string, std::less<>> nodes_;
  std::uint64_t written_ = 0;
};

/// On a tmpfs where there is one. Made anew for each archive: the fuzzer ends without running destructors.
fs::path make_scratch() {
  std::string pattern = (fs::is_directory("/dev/shm") ? "/dev/shm" : "/tmp") + std::string("/lambent-zip-fuzz-XXXXXX");
  if (mkdtemp(pattern.data()) == nullptr) broken("no scratch directory");
  return pattern;
}

void write_for_real(std::string_view zip) {
  const auto scratch = make_scratch();
  const auto tree = scratch / "tree";
  fs::create_directory(tree);
  {
    lambent::store::TreeWriter writer(lambent::base::Fd(open(tree.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
    lambent::store::unpack(zip, writer);
    writer.finish();
  }
  for (const auto& entry : fs::directory_iterator(scratch))
    if (entry.path() != tree) broken("something was written beside the tree");
  fs::remove_all(scratch);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view zip(reinterpret_cast<const char*>(data), size);
  Judge judge;
  try {
    lambent::store::unpack(zip, judge);
  } catch (const lambent::store::BadArchive&) {
    return 0;
  }
  if (judge.written() < 1 << 20 && judge.nodes() < 100) write_for_real(zip);
  return 0;
}
