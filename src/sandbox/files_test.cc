#include "sandbox/launcher/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/fd.h"

namespace lambent::sandbox::launcher {
namespace {

namespace fs = std::filesystem;

class CopyTreeTest : public testing::Test {
 protected:
  CopyTreeTest() {
    std::string pattern = (fs::temp_directory_path() / "lambent-files-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    fs::create_directories(root_ / "from/inner/deep");
    fs::create_directory(root_ / "to");
    from_ = base::Fd(::open((root_ / "from").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    to_ = base::Fd(::open((root_ / "to").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  ~CopyTreeTest() override { fs::remove_all(root_); }

  void write(const char* name, const std::string& text, fs::perms mode = fs::perms(0644)) {
    std::ofstream(root_ / "from" / name) << text;
    fs::permissions(root_ / "from" / name, mode);
  }
  std::string read(const char* name) {
    std::ifstream file(root_ / "to" / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  fs::perms mode_of(const char* name) { return fs::status(root_ / "to" / name).permissions(); }

  fs::path root_;
  base::Fd from_, to_;
};

TEST_F(CopyTreeTest, TakesFilesLinksAndDirectories) {
  const std::string large(3 << 20, 'x');
  write("inner/plain", "text");
  write("inner/program", "#!", fs::perms(0755));
  write("inner/deep/large", large);
  write("inner/deep/empty", "");
  fs::create_symlink("../nowhere/at all", root_ / "from/inner/link");
  copy_tree(from_.get(), "inner", to_.get());
  EXPECT_EQ(read("inner/plain"), "text");
  EXPECT_EQ(mode_of("inner/plain"), fs::perms(0644));
  EXPECT_EQ(mode_of("inner/program"), fs::perms(0755));
  EXPECT_TRUE(read("inner/deep/large") == large);
  EXPECT_EQ(fs::file_size(root_ / "to/inner/deep/empty"), 0u);
  EXPECT_EQ(fs::read_symlink(root_ / "to/inner/link"), "../nowhere/at all");
}

TEST_F(CopyTreeTest, LeavesOutWhatItCannotTake) {
  write("inner/plain", "text");
  write("there", "new");
  ASSERT_EQ(::mkfifo((root_ / "from/inner/pipe").c_str(), 0644), 0);
  std::ofstream(root_ / "to/there") << "old";
  copy_tree(from_.get(), "inner", to_.get());
  copy_tree(from_.get(), "there", to_.get());
  copy_tree(from_.get(), "missing", to_.get());
  EXPECT_EQ(read("inner/plain"), "text");
  EXPECT_FALSE(fs::exists(root_ / "to/inner/pipe"));
  EXPECT_EQ(read("there"), "old");
  EXPECT_FALSE(fs::exists(root_ / "to/missing"));
}

TEST_F(CopyTreeTest, ALinkToADirectoryStaysALink) {
  write("inner/plain", "text");
  fs::create_directory_symlink("inner", root_ / "from/other");
  copy_tree(from_.get(), "other", to_.get());
  EXPECT_TRUE(fs::is_symlink(fs::symlink_status(root_ / "to/other")));
  EXPECT_FALSE(fs::exists(root_ / "to/inner"));
}

}  // namespace
}  // namespace lambent::sandbox::launcher
