#include "app/shared_directories.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <stdexcept>

#include "base/ids.h"

namespace lambent::app {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::string kArn = "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0";

std::string refusal(const std::vector<std::string>& texts) {
  try {
    parse_shared_directories(texts);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "it was taken";
}

class SharedDirectories : public ::testing::Test {
 protected:
  SharedDirectories() {
    fs::create_directory(directory_);
    // Anybody but root; where the test is not root it is his own.
    if (::geteuid() == 0) EXPECT_EQ(::chown(directory_.c_str(), 1234, 1234), 0);
  }
  ~SharedDirectories() override { fs::remove_all(directory_); }
  const fs::path directory_ = fs::temp_directory_path() / ("lambent-shared-" + base::random_hex(8));
};

TEST_F(SharedDirectories, ArePairsOfAnAccessPointAndADirectory) {
  const std::string files = "arn:aws:s3files:us-east-1:123456789012:file-system/fs-0123456789abcdef0/access-point/" +
                            ("fsap-" + std::string(17, 'a'));
  const auto parsed = parse_shared_directories({kArn + "=" + directory_.string(), files + "=" + directory_.string()});
  ASSERT_EQ(parsed.size(), 2u);
  EXPECT_EQ(parsed[0].arn, kArn);
  EXPECT_EQ(parsed[0].directory, directory_);
  EXPECT_EQ(parsed[1].arn, files);
}

TEST_F(SharedDirectories, RefuseWhatIsNotOfTheForm) {
  for (const std::string& text :
       {std::string("nonsense"), kArn, kArn + "=", kArn + "=relative", std::string("arn:aws:s3:::b=/tmp")})
    EXPECT_THAT(refusal({text}), HasSubstr("is not ACCESS_POINT_ARN=/DIRECTORY")) << text;
  EXPECT_THAT(refusal({kArn + "=" + directory_.string(), kArn + "=" + directory_.string()}), HasSubstr("twice"));
  EXPECT_THAT(refusal({kArn + "=" + directory_.string() + "/none"}), HasSubstr("is not a directory"));
}

TEST_F(SharedDirectories, RefuseADirectoryOfRoots) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give one to root";
  ASSERT_EQ(::chown(directory_.c_str(), 0, 1234), 0);
  EXPECT_THAT(refusal({kArn + "=" + directory_.string()}), HasSubstr("belongs to root"));
}

}  // namespace
}  // namespace lambent::app
