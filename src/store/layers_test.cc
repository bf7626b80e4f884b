#include "store/layers.h"

#include "store/repository_fixture.h"

namespace lambent::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kAll = [](const LayerVersion&) { return true; };

class LayersTest : public RepositoryFixture<Layers> {
 protected:
  static LayerVersion layer(const std::string& name, const std::string& runtime = "python3.13") {
    LayerVersion made;
    made.key = {"123456789012", "us-east-1", name};
    made.runtimes = {runtime};
    made.code_size = 10;
    return made;
  }
  std::int64_t publish(const std::string& name, const std::string& runtime = "python3.13") {
    return run(layers_->publish(layer(name, runtime)))->version;
  }
  std::vector<std::string> list(const LayerFilter& passes = kAll, std::string_view after = "", std::size_t limit = 9) {
    std::vector<std::string> found;
    for (const auto& v : layers_->list("123456789012", "us-east-1", after, passes, limit))
      found.push_back(v->key.name + ":" + std::to_string(v->version));
    return found;
  }
  std::vector<std::int64_t> versions(std::int64_t before = 0, const LayerFilter& passes = kAll, std::size_t limit = 9) {
    std::vector<std::int64_t> found;
    for (const auto& v : layers_->versions(layer("l").key, before, passes, limit)) found.push_back(v->version);
    return found;
  }

  std::unique_ptr<Layers>& layers_ = repository_;
};

TEST_F(LayersTest, EveryMemberSurvivesARestart) {
  auto made = layer("l");
  made.description = "d";
  made.license_info = "MIT";
  made.runtimes = {"python3.13", "nodejs22.x"};
  made.architectures = {"arm64"};
  made.code_sha256 = "base64=";
  made.code_hash = "hex";
  made.code_size = 5'000'000'000;
  made.unzipped_size = 6'000'000'000;
  made.created_ms = 1'769'862'896'789;
  made.policy = "{}";
  made.policy_revision = "r";
  EXPECT_EQ(run(layers_->publish(made))->version, 1);
  open();
  const auto read = layers_->find(made.key, 1);
  ASSERT_TRUE(read);
  made.version = 1;
  const auto fields = [](const LayerVersion& v) {
    return std::tie(v.key, v.version, v.description, v.license_info, v.runtimes, v.architectures, v.code_sha256,
                    v.code_hash, v.code_size, v.unzipped_size, v.created_ms, v.policy, v.policy_revision);
  };
  EXPECT_EQ(fields(*read), fields(made));
  EXPECT_EQ(read->arn(), "arn:aws:lambda:us-east-1:123456789012:layer:l:1");
}

TEST_F(LayersTest, NumbersRiseAndAreNeverGivenTwice) {
  EXPECT_EQ(publish("l"), 1);
  EXPECT_EQ(publish("l"), 2);
  EXPECT_EQ(publish("other"), 1);
  EXPECT_TRUE(run(layers_->remove(layer("l").key, 1)));
  EXPECT_TRUE(run(layers_->remove(layer("l").key, 2)));
  EXPECT_FALSE(run(layers_->remove(layer("l").key, 2)));
  EXPECT_THAT(list(), ElementsAre("other:1"));
  open();
  EXPECT_EQ(publish("l"), 3);
  EXPECT_THAT(versions(), ElementsAre(3));
}

TEST_F(LayersTest, ListsShowTheNewestVersionThatPasses) {
  publish("b");
  publish("l", "nodejs22.x");
  publish("l", "python3.13");
  publish("a", "nodejs22.x");
  const LayerFilter node = [](const LayerVersion& v) { return v.runtimes.front() == "nodejs22.x"; };
  EXPECT_THAT(list(), ElementsAre("a:1", "b:1", "l:2"));
  EXPECT_THAT(list(node), ElementsAre("a:1", "l:1"));
  EXPECT_THAT(list(kAll, "a", 1), ElementsAre("b:1"));
  EXPECT_THAT(versions(), ElementsAre(2, 1));
  EXPECT_THAT(versions(2), ElementsAre(1));
  EXPECT_THAT(versions(1), IsEmpty());
  EXPECT_THAT(versions(0, node), ElementsAre(1));
  EXPECT_THAT(versions(0, kAll, 1), ElementsAre(2));
}

TEST_F(LayersTest, SizesAreCountedUntilTheyAreDeleted) {
  publish("l");
  publish("l");
  EXPECT_EQ(layers_->code_size("123456789012", "us-east-1"), 20);
  run(layers_->remove(layer("l").key, 1));
  EXPECT_EQ(layers_->code_size("123456789012", "us-east-1"), 10);
  EXPECT_EQ(layers_->code_size("123456789012", "eu-west-1"), 0);
}

TEST_F(LayersTest, APolicyIsReplacedByItsRevision) {
  publish("l");
  auto changed = *layers_->find(layer("l").key, 1);
  changed.policy = "p1";
  changed.policy_revision = "r1";
  EXPECT_TRUE(run(layers_->replace_policy(changed, "")));
  EXPECT_FALSE(run(layers_->replace_policy(changed, "")));
  EXPECT_EQ(layers_->code_size("123456789012", "us-east-1"), 10) << "it is no other version";
  open();
  EXPECT_EQ(layers_->find(changed.key, 1)->policy, "p1");
  run(layers_->remove(changed.key, 1));
  EXPECT_FALSE(run(layers_->replace_policy(changed, "r1")));
}

}  // namespace
}  // namespace lambent::store
