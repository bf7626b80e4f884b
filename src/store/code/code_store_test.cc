#include "store/code/code_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <thread>

#include "base/ids.h"
#include "store/code/test_zip.h"

namespace lambent::store {
namespace {

namespace fs = std::filesystem;
using testing::make_zip;
using testing::Member;

class CodeStoreTest : public ::testing::Test {
 protected:
  CodeStoreTest() : root_(fs::temp_directory_path() / ("lambent-code-" + base::random_hex(8))) {}
  ~CodeStoreTest() override { fs::remove_all(root_); }

  fs::path directory() const { return root_ / "code"; }
  std::string content(const fs::path& path) const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static std::set<std::string> names(const fs::path& path) {
    std::set<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(path))
      found.insert(entry.path().lexically_relative(path));
    return found;
  }

  const fs::path root_;
  const std::string zip_ =
      make_zip({{.name = "app.py", .content = "def handler(event, context): pass", .deflate = true},
                {.name = "bin/tool", .content = "#!", .mode = S_IFREG | 0700},
                {.name = "current", .content = "bin", .mode = S_IFLNK | 0777}});
};

TEST_F(CodeStoreTest, KeepsTheZipAndUnpacksItReadableByAll) {
  const auto old_umask = umask(0077);
  CodeStore store(directory());
  const auto code = store.add(zip_);
  umask(old_umask);
  EXPECT_EQ(code.size, static_cast<std::int64_t>(zip_.size()));
  EXPECT_TRUE(store.contains(code.hash));
  EXPECT_EQ(store.zip(code.hash), zip_);
  const auto tree = store.trees() / code.hash;
  EXPECT_EQ(content(tree / "app.py"), "def handler(event, context): pass");
  EXPECT_EQ(fs::read_symlink(tree / "current"), "bin");
  for (const auto& [name, mode] :
       std::map<std::string, mode_t>{{".", 0755}, {"bin", 0755}, {"app.py", 0644}, {"bin/tool", 0755}}) {
    struct stat status{};
    ASSERT_EQ(lstat((tree / name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, mode) << name;
    EXPECT_EQ(status.st_mtim.tv_sec, kTreeTime) << name;
  }
}

TEST_F(CodeStoreTest, NamesAnArchiveByItsDigest) {
  // sha256 of make_zip({}), 22 bytes, by another implementation.
  CodeStore store(directory());
  const auto code = store.add(make_zip({}));
  EXPECT_EQ(code.hash, "8739c76e681f900923b900c9df0ef75cf421d39cabb54650c4b9ad19b6a76d85");
  EXPECT_EQ(code.sha256, "hznHbmgfkAkjuQDJ3w73XPQh05yrtUZQxLmtGbanbYU=");
}

TEST_F(CodeStoreTest, ARefusedArchiveLeavesNothing) {
  CodeStore store(directory());
  const auto before = names(root_);
  Member lying{.name = "b", .content = "text"};
  lying.crc = 1;
  EXPECT_THROW(store.add(make_zip({{.name = "a", .content = "a"}, lying})), BadArchive);
  EXPECT_THROW(store.add(make_zip({{.name = "../escaped", .content = "a"}})), BadArchive);
  EXPECT_THROW(store.add("not a zip"), BadArchive);
  EXPECT_EQ(names(root_), before);
}

TEST_F(CodeStoreTest, RefusesWhatIsTooLargeZipped) {
  CodeStore store(directory());
  try {
    store.add(std::string(static_cast<std::size_t>(kMaxUnzippedBytes) + 1, 'x'));
    FAIL();
  } catch (const BadArchive& refused) {
    EXPECT_EQ(refused.why(), BadArchive::Why::too_large);
  }
}

TEST_F(CodeStoreTest, CheckAnswersLikeAddAndStoresNothing) {
  CodeStore store(directory());
  const auto before = names(root_);
  const auto checked = CodeStore::check(zip_);
  EXPECT_EQ(names(root_), before);
  EXPECT_EQ(checked.hash, store.add(zip_).hash);
  EXPECT_THROW(CodeStore::check("not a zip"), BadArchive);
}

TEST_F(CodeStoreTest, TheSameArchiveIsStoredOnceHoweverManyAddIt) {
  CodeStore store(directory());
  std::vector<std::thread> adders;
  for (int i = 0; i < 4; ++i) adders.emplace_back([&] { store.add(zip_); });
  for (auto& adder : adders) adder.join();
  EXPECT_EQ(store.hashes().size(), 1u);
  EXPECT_TRUE(fs::is_empty(directory() / "incoming"));
  EXPECT_EQ(names(store.trees() / store.hashes().front()),
            (std::set<std::string>{"app.py", "bin", "bin/tool", "current"}));
}

TEST_F(CodeStoreTest, StartRepairsWhatACrashLeft) {
  const auto code = CodeStore(directory()).add(zip_);
  fs::remove_all(directory() / "trees" / code.hash);
  fs::create_directories(directory() / "trees" / std::string(64, 'a') / "orphan");
  fs::create_directories(directory() / "incoming" / "half" / "made");
  const CodeStore store(directory());
  EXPECT_TRUE(store.contains(code.hash));
  EXPECT_TRUE(fs::exists(store.trees() / code.hash / "app.py"));
  EXPECT_FALSE(fs::exists(store.trees() / std::string(64, 'a')));
  EXPECT_TRUE(fs::is_empty(directory() / "incoming"));
}

TEST_F(CodeStoreTest, StartDoesNotUnpackADamagedZip) {
  const auto code = CodeStore(directory()).add(zip_);
  fs::remove_all(directory() / "trees" / code.hash);
  std::ofstream(directory() / "zips" / (code.hash + ".zip"), std::ios::binary) << make_zip({{.name = "other"}});
  EXPECT_FALSE(CodeStore(directory()).contains(code.hash));
}

TEST_F(CodeStoreTest, TheEndOfTheLastPinRemovesZipAndTree) {
  CodeStore store(directory());
  std::vector<std::function<void()>> work;
  store.reclaim_through([&](std::function<void()> job) { work.push_back(std::move(job)); });
  auto code = store.add(zip_);
  auto other = store.pin(code.hash);
  code.pin.reset();
  EXPECT_TRUE(work.empty()) << "somebody still holds it";
  other.reset();
  ASSERT_EQ(work.size(), 1u);
  work.front()();
  EXPECT_FALSE(store.contains(code.hash));
  EXPECT_EQ(store.zip(code.hash), std::nullopt);
  EXPECT_TRUE(fs::is_empty(store.trees()));
  EXPECT_TRUE(fs::is_empty(directory() / "incoming"));
  store.add(zip_);
  EXPECT_TRUE(store.contains(code.hash));
}

TEST_F(CodeStoreTest, AnArchiveThatIsPinnedAgainBeforeItsRemovalStays) {
  CodeStore store(directory());
  std::vector<std::function<void()>> work;
  store.reclaim_through([&](std::function<void()> job) { work.push_back(std::move(job)); });
  store.add(zip_);
  ASSERT_EQ(work.size(), 1u) << "nobody kept the pin";
  const auto again = store.add(zip_);
  work.front()();
  EXPECT_TRUE(store.contains(again.hash));
}

TEST_F(CodeStoreTest, NothingIsReclaimedBeforeOrAfterItMayBe) {
  CodeStore store(directory());
  const auto hash = store.add(zip_).hash;
  EXPECT_TRUE(store.contains(hash));
  std::vector<std::function<void()>> work;
  store.reclaim_through([&](std::function<void()> job) { work.push_back(std::move(job)); });
  store.pin(hash);
  ASSERT_EQ(work.size(), 1u);
  store.stop_reclaiming();
  work.front()();
  EXPECT_TRUE(store.contains(hash)) << "what was under way has nothing more to remove";
  store.pin(hash);
  EXPECT_EQ(work.size(), 1u);
}

TEST_F(CodeStoreTest, StartRemovesWhatNobodyPins) {
  CodeStore store(directory());
  const auto kept = store.add(zip_);
  const auto hash = store.add(make_zip({{.name = "other"}})).hash;
  EXPECT_EQ(store.remove_unpinned(), 1u);
  EXPECT_TRUE(store.contains(kept.hash));
  EXPECT_FALSE(store.contains(hash));
}

TEST_F(CodeStoreTest, SizesAreOfTheZipAndOfWhatIsInIt) {
  const auto code =
      CodeStore(directory()).add(make_zip({{.name = "a", .content = "12345"}, {.name = "b", .content = "1"}}));
  EXPECT_EQ(code.unzipped_size, 6);
  EXPECT_EQ(CodeStore::check(make_zip({{.name = "a", .content = "12345"}})).unzipped_size, 5);
}

TEST_F(CodeStoreTest, NothingButAHashBecomesPartOfAPath) {
  CodeStore store(directory());
  store.reclaim_through([](const std::function<void()>& job) { job(); });
  std::ofstream(root_ / "secret.zip") << "secret";
  for (const auto* name : {"../../secret", "", ".", "..", "/etc/passwd"}) {
    EXPECT_FALSE(store.contains(name));
    EXPECT_EQ(store.zip(name), std::nullopt);
    store.pin(name);
  }
  EXPECT_TRUE(fs::exists(root_ / "secret.zip"));
  EXPECT_TRUE(fs::exists(store.trees()));
}

// Trials 17 and 18 with a real disk: what the sink is given stays beneath the tree, however many files there are.
TEST_F(CodeStoreTest, UnpacksThousandsOfFilesInManyDirectories) {
  CodeStore store(directory());
  std::vector<Member> members;
  for (int i = 0; i < 3000; ++i)
    members.push_back(
        {.name = "d" + std::to_string(i % 50) + "/e/f" + std::to_string(i), .content = std::to_string(i)});
  const auto code = store.add(make_zip(members));
  EXPECT_EQ(names(store.trees() / code.hash).size(), 3000u + 50 + 50);
  EXPECT_EQ(content(store.trees() / code.hash / "d7/e/f2957"), "2957");
}

}  // namespace
}  // namespace lambent::store
