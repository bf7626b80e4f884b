#include "app/master_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <functional>

#include "base/bytes.h"
#include "base/ids.h"

namespace lambent::app {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kLine = base::base64(std::string(32, 'k')) + "\n", kOther = base::base64(std::string(32, 'o')) + "\n";
constexpr const char* kArn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";

class MasterKeyFile : public ::testing::Test {
 protected:
  ~MasterKeyFile() override { fs::remove_all(directory_); }

  void write(const std::string& text, fs::perms mode = fs::perms(0600)) const {
    std::ofstream(file_) << text;
    fs::permissions(file_, mode);
  }
  store::Vault read() const { return read_master_keys(file_, data_); }
  std::string refusal() const {
    try {
      read();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "it was taken";
  }

  const fs::path directory_ = [] {
    const fs::path made = fs::temp_directory_path() / ("lambent-keys-" + base::random_hex(8));
    fs::create_directories(made);
    return made;
  }();
  const DataDirectory data_{directory_ / "data"};
  const fs::path file_ = directory_ / "master.key";
};

TEST_F(MasterKeyFile, IsMadeOnceForItsOwnerAlone) {
  const auto made = read();
  EXPECT_EQ(fs::status(file_).permissions(), fs::perms(0600));
  EXPECT_EQ(read().open("thing 1", made.seal("thing 1", "text")), "text");
}

TEST_F(MasterKeyFile, HasAKeyALineAndTheFirstOfAKindSeals) {
  write("# a comment\n\n" + kLine + kOther + kArn + " " + base::base64(std::string(32, 'c')) + "\n");
  const auto vault = read();
  EXPECT_EQ(vault.current_id(), store::Vault::id_of(std::string(32, 'k')));
  EXPECT_TRUE(vault.has_key(store::Vault::id_of(std::string(32, 'o'))));
  EXPECT_TRUE(vault.knows(kArn));
}

TEST_F(MasterKeyFile, RefusesWhatOthersMayRead) {
  for (const unsigned mode : {0640u, 0604u, 0660u}) {
    write(kLine, fs::perms(mode));
    EXPECT_THAT(refusal(), HasSubstr("may be read by others"));
  }
}

TEST_F(MasterKeyFile, RefusesAPlaceInTheDataDirectoryAlsoByALink) {
  EXPECT_THROW(read_master_keys(data_.root() / "master.key", data_), std::runtime_error);
  EXPECT_THROW(read_master_keys(data_.root() / "keys" / "deep", data_), std::runtime_error);
  std::ofstream(data_.root() / "hidden") << kLine;
  fs::create_symlink(data_.root() / "hidden", file_);
  EXPECT_THAT(refusal(), HasSubstr("must not lie in the data directory"));
  // A name that only begins like the directory's is beside it.
  EXPECT_NO_THROW(read_master_keys(default_master_key_file(data_), data_));
}

TEST_F(MasterKeyFile, RefusesWhatIsNoKeyAndDoesNotShowIt) {
  const std::string thirty_one = base::base64(std::string(31, 's'));
  for (const std::string& text : {std::string("not base64!\n"), thirty_one + "\n", std::string(32, '\x01'),
                                  kLine + thirty_one, "arn:aws:s3:::bucket " + kLine}) {
    write(text);
    EXPECT_THAT(refusal(), HasSubstr("line")) << text;
    EXPECT_THAT(refusal(), Not(HasSubstr(thirty_one)));
  }
  write("# nothing\n");
  EXPECT_THAT(refusal(), HasSubstr("there is no master key without an ARN"));
  write(kLine + kLine);
  EXPECT_THAT(refusal(), HasSubstr("is there twice"));
  write(std::string(70'000, '#'));
  EXPECT_THAT(refusal(), HasSubstr("more than 64 KiB"));
}

TEST_F(MasterKeyFile, IsNotReplacedByANewOneWhenItIsLost) {
  write(kLine);
  note_master_key(data_, read());
  fs::remove(file_);
  EXPECT_THAT(refusal(), HasSubstr("is not there: put it back"));
  EXPECT_FALSE(fs::exists(file_));
  write(kOther);
  EXPECT_THAT(refusal(), HasSubstr("does not have the key " + store::Vault::id_of(std::string(32, 'k'))));
  write(kOther + kLine);
  EXPECT_NO_THROW(read());
}

TEST_F(MasterKeyFile, SealsTheKeysOfTheDataDirectoryAndTakesThoseThatWereNot) {
  write(kLine);
  const auto vault = read();
  const std::string raw(32, 'r');
  data_.write_secret(data_.root() / "keys" / "old", raw);
  EXPECT_EQ(data_.key("old", vault), raw);
  EXPECT_THAT(*read_small_file(data_.root() / "keys" / "old"), Not(HasSubstr(raw)));
  EXPECT_EQ(data_.key("old", vault), raw);
  const auto fresh = data_.key("fresh", vault);
  EXPECT_EQ(fresh.size(), 32u);
  EXPECT_EQ(data_.key("fresh", vault), fresh);
}

}  // namespace
}  // namespace lambent::app
