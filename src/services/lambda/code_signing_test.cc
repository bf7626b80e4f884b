// Code signing: configurations, what functions are held to, and archives that are not what they should be.
#include "services/lambda/code_signing.h"

#include "base/test_certificate.h"
#include "services/lambda/service_fixture.h"
#include "store/code/signed_archive.h"

namespace lambent::lambda {
namespace {

using testing::Answer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using testing::ServiceFixture;
using testing::json::array;
using testing::json::object;
namespace json = testing::json;

constexpr const char* kConfigs = "/2020-04-22/code-signing-configs";
constexpr const char* kTeam = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/team/v1";
constexpr const char* kOld = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/old/v1";

class CodeSigningTest : public ServiceFixture {
 protected:
  CodeSigningTest() {
    profiles_.add(kTeam, team_.pem);
    profiles_.add(kOld, old_.pem);
    profiles_.add("short_name", named_.pem);
  }

  static std::string zip(const std::string& content = "x") { return *base::unbase64(zip64(content)); }
  static std::string signed_by(const base::testing::TestCertificate& signer, const std::string& archive = zip()) {
    const auto certificate = base::Certificate::parse(signer.pem);
    return store::with_signature(archive, base::sign_cms(store::statement_of(archive), certificate, signer.key_pem));
  }
  /// Signed, and changed afterwards.
  std::string tampered() const {
    const auto good = signed_by(team_);
    return store::with_signature(zip("y"), store::signed_code(good)->signature);
  }

  std::string make_config(const std::string& policy = "Enforce", const std::string& publisher = kTeam) {
    const auto made =
        send("POST", kConfigs,
             json::serialize(object{{"AllowedPublishers", publishers({publisher})},
                                    {"CodeSigningPolicies", object{{"UntrustedArtifactOnDeployment", policy}}}}));
    EXPECT_EQ(made.status, 201) << made.body;
    return arn_of(made);
  }
  static object publishers(std::initializer_list<boost::json::value_ref> arns) {
    return object{{"SigningProfileVersionArns", array(arns)}};
  }
  static std::string arn_of(const Answer& answer) {
    const auto members = answer.object();
    return std::string(std::string_view(members.at("CodeSigningConfig").at("CodeSigningConfigArn").as_string()));
  }
  Answer create_signed(const std::string& archive, const std::string& config = "", object more = {}) {
    auto body = creation("f");
    body["Code"] = object{{"ZipFile", base::base64(archive)}};
    if (!config.empty()) body["CodeSigningConfigArn"] = config;
    for (const auto& member : more) body[member.key()] = member.value();
    return create(body);
  }
  Answer update_to(const std::string& archive) { return update_code("f", object{{"ZipFile", base::base64(archive)}}); }
  Answer of_function(const std::string& method, const std::string& body = "") {
    return send(method, "/2020-06-30/functions/f/code-signing-config", body);
  }
  Answer put(const std::string& config) {
    return of_function("PUT", json::serialize(object{{"CodeSigningConfigArn", config}}));
  }
  std::string publish_layer(const std::string& archive) {
    const auto made = send("POST", "/2018-10-31/layers/tools/versions",
                           json::serialize(object{{"Content", object{{"ZipFile", base::base64(archive)}}}}));
    EXPECT_EQ(made.status, 201) << made.body;
    return made.text("LayerVersionArn");
  }
  static std::string said(const Answer& answer) {
    return std::to_string(answer.status) + " " + answer.code() + ": " + answer.message();
  }
  std::uint64_t counted(const std::string& policy, const std::string& reason) {
    return signing_->errors.at({policy, reason}).value();
  }

  const base::testing::TestCertificate team_ = base::testing::make_certificate({.name = "team"});
  const base::testing::TestCertificate old_ =
      base::testing::make_certificate({.name = "old", .not_after_s = 1'700'000'000});
  const base::testing::TestCertificate named_ = base::testing::make_certificate({.name = "named"});
  const base::testing::TestCertificate stranger_ = base::testing::make_certificate({.name = "stranger"});
};

constexpr const char* kMismatch =
    "400 CodeVerificationFailedException: Lambda cannot deploy the function. The function or layer might be signed "
    "using a signature that the client is not configured to accept. Check the provided signature for f.";

TEST_F(CodeSigningTest, ConfigurationsAreMadeReadChangedAndDeleted) {
  const auto made = send("POST", kConfigs, json::serialize(object{{"AllowedPublishers", publishers({kTeam})}}));
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.resource, "*");
  const auto config = made.object().at("CodeSigningConfig").as_object();
  EXPECT_THAT(std::string(std::string_view(config.at("CodeSigningConfigId").as_string())),
              MatchesRegex("csc-[a-z0-9]{17}"));
  EXPECT_EQ(config.at("CodeSigningPolicies").at("UntrustedArtifactOnDeployment"), "Warn") << "AWS's default";
  EXPECT_EQ(config.at("LastModified"), "2026-01-31T12:34:56.789+0000");
  EXPECT_FALSE(config.contains("Description"));
  const auto arn = arn_of(made);
  const auto path = std::string(kConfigs) + "/" + base::percent_encode(arn);
  EXPECT_EQ(send("GET", path).object(), made.object());
  EXPECT_EQ(send("GET", path).resource, arn);
  const auto changed =
      send("PUT", path,
           json::serialize(object{{"Description", "ours"},
                                  {"AllowedPublishers", publishers({kOld})},
                                  {"CodeSigningPolicies", object{{"UntrustedArtifactOnDeployment", "Enforce"}}}}));
  EXPECT_EQ(changed.status, 200);
  const auto now = send("GET", path).object().at("CodeSigningConfig").as_object();
  EXPECT_EQ(now.at("Description"), "ours");
  EXPECT_EQ(now.at("AllowedPublishers").at("SigningProfileVersionArns"), array{kOld});
  EXPECT_EQ(now.at("CodeSigningPolicies").at("UntrustedArtifactOnDeployment"), "Enforce");
  EXPECT_EQ(send("DELETE", path).status, 204);
  const auto gone =
      "404 ResourceNotFoundException: The Lambda code signing configuration " + arn + " can not be found.";
  EXPECT_EQ(said(send("GET", path)), gone);
  EXPECT_EQ(said(send("DELETE", path)), gone);
  EXPECT_EQ(said(send("PUT", path, "{}")), gone);
  EXPECT_EQ(said(send("GET", path + "/functions")), gone);
}

TEST_F(CodeSigningTest, PublishersMustHaveAProfileHere) {
  const auto tried = [&](const json::value& publisher) {
    return said(send("POST", kConfigs, json::serialize(object{{"AllowedPublishers", publishers({publisher})}})));
  };
  EXPECT_THAT(tried("arn:aws:signer:us-east-1:123456789012:/signing-profiles/team/v2"),
              HasSubstr("400 InvalidParameterValueException: The signing profile version arn:aws:signer:"));
  EXPECT_THAT(tried("arn:aws:lambda:us-east-1:123456789012:/signing-profiles/team/v1"), HasSubstr("does not exist"));
  EXPECT_THAT(tried("team"), HasSubstr("400 ValidationException: "));
  EXPECT_THAT(said(send("POST", kConfigs, R"({"AllowedPublishers":{"SigningProfileVersionArns":[]}})")),
              HasSubstr("400 ValidationException: "));
  array many;
  for (int i = 0; i < 21; ++i) many.emplace_back(kTeam);
  EXPECT_THAT(said(send("POST", kConfigs,
                        json::serialize(object{{"AllowedPublishers", object{{"SigningProfileVersionArns", many}}}}))),
              HasSubstr("400 ValidationException: "));
  const auto config = make_config();
  EXPECT_THAT(said(send("PUT", std::string(kConfigs) + "/" + base::percent_encode(config),
                        json::serialize(object{{"AllowedPublishers", publishers({"arn:aws:signer:::x"})}}))),
              HasSubstr("does not exist"));
}

TEST_F(CodeSigningTest, AConfigurationOfElsewhereIsNobodys) {
  const auto path = [](const std::string& region, const std::string& account) {
    return std::string(kConfigs) + "/" +
           base::percent_encode("arn:aws:lambda:" + region + ":" + account +
                                ":code-signing-config:csc-0123456789abcdef0");
  };
  EXPECT_THAT(said(send("GET", path("us-east-2", "123456789012"))), HasSubstr("404 ResourceNotFoundException: "));
  EXPECT_THAT(
      said(send("GET", path("us-east-1", "210987654321"))),
      HasSubstr("403 AccessDeniedException: User: arn:aws:iam::123456789012:user/ann is not authorized to perform: "
                "lambda:GetCodeSigningConfig"));
  EXPECT_THAT(said(send("GET", std::string(kConfigs) + "/csc-1")), HasSubstr("400 ValidationException: "));
}

TEST_F(CodeSigningTest, AFunctionsConfigurationIsPutReadAndRemoved) {
  create("f");
  EXPECT_EQ(of_function("GET").body, "{}") << "as AWS answers";
  const auto config = make_config();
  EXPECT_EQ(put(config).object(), (object{{"CodeSigningConfigArn", config}, {"FunctionName", "f"}}));
  EXPECT_EQ(of_function("GET").object(), (object{{"CodeSigningConfigArn", config}, {"FunctionName", "f"}}));
  const auto path = std::string(kConfigs) + "/" + base::percent_encode(config);
  EXPECT_EQ(send("GET", path + "/functions").object().at("FunctionArns"), array{std::string(testing::kArn) + "f"});
  EXPECT_THAT(said(send("DELETE", path)), HasSubstr("409 ResourceConflictException: "));
  EXPECT_EQ(of_function("DELETE").status, 204);
  EXPECT_EQ(of_function("DELETE").status, 204);
  EXPECT_EQ(of_function("GET").body, "{}");
  EXPECT_EQ(send("DELETE", path).status, 204);
  EXPECT_EQ(said(put(config)),
            "404 CodeSigningConfigNotFoundException: The code signing configuration cannot be found. Check that the "
            "provided configuration is not deleted: " +
                config + ".");
}

TEST_F(CodeSigningTest, OperationsOnFunctionsWantAFunction) {
  const auto config = make_config();
  constexpr const char* kNone = "404 ResourceNotFoundException: Function not found: ";
  EXPECT_THAT(said(of_function("GET")), HasSubstr(kNone));
  EXPECT_THAT(said(of_function("DELETE")), HasSubstr(kNone));
  EXPECT_THAT(said(put(config)), HasSubstr(kNone));
  EXPECT_THAT(said(send("GET", "/2020-06-30/functions/f:1/code-signing-config")),
              HasSubstr("400 InvalidParameterValueException: This operation is permitted on Lambda functions only."));
}

TEST_F(CodeSigningTest, EnforceTakesWhatAnAllowedSignerSigned) {
  const auto config = make_config();
  const auto made = create_signed(signed_by(team_), config);
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.text("SigningProfileVersionArn"), kTeam);
  EXPECT_THAT(made.text("SigningJobArn"),
              MatchesRegex("arn:aws:signer:us-east-1:123456789012:/signing-jobs/[0-9a-f-]{36}"));
  EXPECT_EQ(of_function("GET").text("CodeSigningConfigArn"), config);
  const auto updated = update_to(signed_by(team_, zip("z")));
  EXPECT_EQ(updated.status, 200);
  EXPECT_NE(updated.text("SigningJobArn"), made.text("SigningJobArn"));
  open();
  EXPECT_EQ(configuration("f").text("SigningProfileVersionArn"), kTeam) << "after a restart";
  EXPECT_EQ(of_function("GET").text("CodeSigningConfigArn"), config);
}

TEST_F(CodeSigningTest, EnforceRefusesWhateverElse) {
  run(lambda_->start());
  const auto config = make_config();
  EXPECT_EQ(said(create_signed(zip(), config)), kMismatch);
  EXPECT_EQ(said(create_signed(signed_by(stranger_), config)), kMismatch);
  EXPECT_EQ(said(create_signed(signed_by(named_), config)), kMismatch) << "a profile, but not an allowed one";
  EXPECT_EQ(said(create_signed(signed_by(old_), make_config("Enforce", kOld))), kMismatch) << "expired";
  EXPECT_EQ(counted("Enforce", "unsigned"), 1U);
  EXPECT_EQ(counted("Enforce", "mismatch"), 2U);
  EXPECT_EQ(counted("Enforce", "expired"), 1U);
  EXPECT_EQ(said(configuration("f")).substr(0, 3), "404");
  EXPECT_EQ(said(of_function("GET")).substr(0, 3), "404");
  drain_cpu();
  EXPECT_THAT(code_->hashes(), IsEmpty()) << "nothing of what was refused is kept";
}

TEST_F(CodeSigningTest, AnUpdateIsHeldToTheConfigurationToo) {
  const auto config = make_config();
  ASSERT_EQ(create_signed(zip()).status, 201);
  ASSERT_EQ(put(config).status, 200) << "code that is there stays";
  const auto refused = said(update_to(zip("y")));
  EXPECT_THAT(refused, HasSubstr("400 CodeVerificationFailedException: "));
  EXPECT_THAT(refused, HasSubstr("for arn:aws:lambda:us-east-1:123456789012:function:f."));
  EXPECT_EQ(update_to(signed_by(team_)).status, 200);
  EXPECT_EQ(of_function("DELETE").status, 204);
  const auto free = update_to(zip("y"));
  EXPECT_EQ(free.status, 200);
  EXPECT_FALSE(free.object().contains("SigningProfileVersionArn")) << "unsigned again";
}

TEST_F(CodeSigningTest, WarnTakesItAndCounts) {
  const auto config = make_config("Warn");
  EXPECT_EQ(create_signed(zip(), config).status, 201);
  EXPECT_EQ(update_to(signed_by(stranger_)).status, 200);
  EXPECT_EQ(counted("Warn", "unsigned"), 1U);
  EXPECT_EQ(counted("Warn", "mismatch"), 1U);
  EXPECT_EQ(update_to(signed_by(team_)).status, 200);
  EXPECT_EQ(counted("Warn", "mismatch"), 1U) << "nothing to warn of";
}

TEST_F(CodeSigningTest, ABrokenSignatureIsRefusedByWarnToo) {
  const auto config = make_config("Warn");
  EXPECT_THAT(said(create_signed(tampered(), config)), HasSubstr("400 InvalidCodeSignatureException: "));
  EXPECT_THAT(said(create_signed(store::with_signature(zip(), "garbage"), config)),
              HasSubstr("400 InvalidCodeSignatureException: "));
  EXPECT_EQ(counted("Warn", "integrity"), 2U);
  EXPECT_EQ(create_signed(tampered()).status, 201) << "nobody asked";
}

TEST_F(CodeSigningTest, LayersMustBeSignedWhenTheyAreAdded) {
  const auto config = make_config();
  const auto unsigned_layer = publish_layer(zip("layer"));
  const auto signed_layer = publish_layer(signed_by(named_, zip("layer")));
  const auto good_layer = publish_layer(signed_by(team_, zip("layer")));
  EXPECT_EQ(send("GET", "/2018-10-31/layers/tools/versions/3").object().at("Content").at("SigningProfileVersionArn"),
            kTeam);
  EXPECT_FALSE(send("GET", "/2018-10-31/layers/tools/versions/1")
                   .object()
                   .at("Content")
                   .as_object()
                   .contains("SigningProfileVersionArn"));
  const auto code = signed_by(team_);
  EXPECT_EQ(said(create_signed(code, config, {{"Layers", array{unsigned_layer}}})), kMismatch);
  EXPECT_EQ(said(create_signed(code, config, {{"Layers", array{signed_layer}}})), kMismatch);
  const auto made = create_signed(code, config, {{"Layers", array{good_layer}}});
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.object().at("Layers").at(0).at("SigningProfileVersionArn"), kTeam);
  EXPECT_THAT(said(update_configuration("f", object{{"Layers", array{unsigned_layer}}})),
              HasSubstr("400 CodeVerificationFailedException: "));
  EXPECT_EQ(update_configuration("f", object{{"Description", "layers untouched"}}).status, 200);
  EXPECT_EQ(update_configuration("f", object{{"Layers", array{}}}).status, 200);
}

TEST_F(CodeSigningTest, ALayersSignatureIsJudgedAnewWhenItIsUsed) {
  const auto layer = publish_layer(signed_by(stranger_, zip("layer")));
  profiles_.add("now_known", stranger_.pem);
  const auto profile = profiles_.arns({testing::kAccount, "us-east-1"}).back();
  const auto config = make_config("Enforce", profile);
  EXPECT_EQ(create_signed(signed_by(stranger_), config, {{"Layers", array{layer}}}).status, 201);
}

TEST_F(CodeSigningTest, ANamedProfileIsOneOfEveryAccountAndRegion) {
  const auto version = base::Certificate::parse(named_.pem).fingerprint().substr(0, 10);
  const auto arn = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/short_name/" + version;
  EXPECT_EQ(profiles_.arns({testing::kAccount, "us-east-1"}).back(), arn);
  EXPECT_TRUE(profiles_.find("arn:aws:signer:eu-west-1:210987654321:/signing-profiles/short_name/" + version));
  EXPECT_FALSE(profiles_.find("arn:aws:signer:us-east-1:123456789012:/signing-profiles/short_name/0123456789"));
  EXPECT_FALSE(profiles_.find("arn:aws:signer:eu-west-1:123456789012:/signing-profiles/team/v1"));
  const auto made = create_signed(signed_by(named_), make_config("Enforce", arn));
  EXPECT_EQ(made.text("SigningProfileVersionArn"), arn);
}

TEST_F(CodeSigningTest, ProfilesAreNamedOnceAndWell) {
  EXPECT_THROW(profiles_.add(kTeam, stranger_.pem), std::invalid_argument);
  EXPECT_THROW(profiles_.add("short_name", named_.pem), std::invalid_argument);
  EXPECT_NO_THROW(profiles_.add("short_name", stranger_.pem)) << "another version";
  for (const char* bad : {"", "x", "with-hyphen", "arn:aws:lambda:us-east-1:1:/signing-profiles/a1/b1",
                          "arn:aws:signer:us-east-1:1:/signing-profiles/team", "arn:aws:signer:us-east-1:1:x"})
    EXPECT_THROW(profiles_.add(bad, stranger_.pem), std::invalid_argument) << bad;
  EXPECT_THROW(profiles_.add("other", "no certificate"), std::invalid_argument);
}

TEST_F(CodeSigningTest, ListsHavePagesAndTagsGoWithTheConfiguration) {
  for (int i = 0; i < 3; ++i) make_config();
  const auto first = send("GET", std::string(kConfigs) + "?MaxItems=2");
  EXPECT_EQ(first.object().at("CodeSigningConfigs").as_array().size(), 2U);
  const auto rest = send("GET", std::string(kConfigs) + "?MaxItems=2&Marker=" + first.text("NextMarker"));
  EXPECT_EQ(rest.object().at("CodeSigningConfigs").as_array().size(), 1U);
  EXPECT_FALSE(rest.object().contains("NextMarker"));
  EXPECT_THAT(said(send("GET", std::string(kConfigs) + "?Marker=x")),
              HasSubstr("400 InvalidParameterValueException: "));
  const auto arn = std::string(
      std::string_view(rest.object().at("CodeSigningConfigs").at(0).at("CodeSigningConfigArn").as_string()));
  const auto tags = "/2017-03-31/tags/" + base::percent_encode(arn);
  EXPECT_EQ(send("POST", tags, R"({"Tags":{"team":"a","stage":"b"}})").status, 204);
  EXPECT_EQ(send("DELETE", tags + "?tagKeys=stage").status, 204);
  EXPECT_EQ(send("GET", tags).object().at("Tags"), (object{{"team", "a"}}));
  EXPECT_EQ(send("GET", tags).resource, arn);
  EXPECT_THAT(said(send("GET", "/2017-03-31/tags/" +
                                   base::percent_encode("arn:aws:lambda:us-east-1:123456789012:code-signing-config:"
                                                        "csc-0123456789abcdef0"))),
              HasSubstr("404 ResourceNotFoundException: "));
}

/// Configurations that change after code was judged by them and before it is stored.
class ChangingConfiguration : public CodeSigningTest {
 protected:
  const store::FunctionKey key_{testing::kAccount, "us-east-1", "f"};

  static constexpr const char* kOfFunction = "/2020-06-30/functions/f/code-signing-config";

  /// What `late` is answered, which is judged before and stored after what `early` changes.
  Answer overtaken(const std::function<std::future<Answer>()>& early,
                   const std::function<std::future<Answer>()>& late) {
    const auto release = hold_store();
    auto first = early();
    advance();
    auto second = late();
    advance();
    release->set_value();
    lane_.restart();
    lane_.run();
    EXPECT_LT(first.get().status, 300);
    return second.get();
  }
  std::future<Answer> attaches(const std::string& config) {
    return begin("PUT", kOfFunction, json::serialize(object{{"CodeSigningConfigArn", config}}));
  }
  std::future<Answer> updates(const std::string& archive) {
    return begin("PUT", functions_path("/f/code"), json::serialize(object{{"ZipFile", base::base64(archive)}}));
  }
};

TEST_F(ChangingConfiguration, AnUpdateIsHeldToTheOneThatWasAttachedMeanwhile) {
  const auto config = make_config();
  ASSERT_EQ(create_signed(zip()).status, 201);
  const auto before = stored("f")->code_hash;
  const auto refused = overtaken([&] { return attaches(config); }, [&] { return updates(zip("changed")); });
  EXPECT_EQ(refused.code(), "CodeVerificationFailedException") << refused.body;
  EXPECT_EQ(stored("f")->code_hash, before);
  // One that is signed as it must be goes through, judged twice.
  ASSERT_EQ(of_function("DELETE").status, 204);
  const auto taken = overtaken([&] { return attaches(config); }, [&] { return updates(signed_by(team_)); });
  EXPECT_EQ(taken.status, 200) << taken.body;
}

TEST_F(ChangingConfiguration, LayersAreHeldToItToo) {
  const auto config = make_config();
  ASSERT_EQ(create_signed(zip()).status, 201);
  const auto layer = publish_layer(zip("layer"));
  const auto late = [&] {
    return begin("PUT", functions_path("/f/configuration"), json::serialize(object{{"Layers", array{layer}}}));
  };
  const auto refused = overtaken([&] { return attaches(config); }, late);
  EXPECT_EQ(refused.code(), "CodeVerificationFailedException") << refused.body;
  EXPECT_TRUE(stored("f")->layers.empty());
}

TEST_F(ChangingConfiguration, ACreationIsHeldToWhatItsConfigurationHasBecome) {
  const auto config = make_config("Warn");
  const auto early = [&] {
    return begin(
        "PUT", std::string(kConfigs) + "/" + base::percent_encode(config),
        json::serialize(object{{"CodeSigningPolicies", object{{"UntrustedArtifactOnDeployment", "Enforce"}}}}));
  };
  const auto late = [&] {
    auto body = creation("f");
    body["CodeSigningConfigArn"] = config;
    return begin("POST", functions_path(), json::serialize(body));
  };
  const auto refused = overtaken(early, late);
  EXPECT_EQ(refused.code(), "CodeVerificationFailedException") << refused.body;
  EXPECT_EQ(stored("f"), nullptr);
}

TEST_F(ChangingConfiguration, OneThatNeverRestsEndsTheUpdate) {
  ASSERT_EQ(create_signed(signed_by(team_), make_config()).status, 201);
  auto release = hold_store();
  auto update = updates(signed_by(team_, zip("changed")));
  for (int round = 0; round < kJudgements; ++round) {
    auto changed = *configs_->of(key_);
    ++changed.revision;
    // Beside the lane, so that it is asked for before the update is judged once more.
    base::asio::io_context beside(1);
    base::asio::co_spawn(beside, configs_->replace(changed), base::asio::detached);
    beside.poll();
    advance();
    release->set_value();
    database_->flush();
    release = hold_store();
  }
  release->set_value();
  lane_.restart();
  lane_.run();
  const auto refused = update.get();
  EXPECT_EQ(refused.code(), "ResourceConflictException") << refused.body;
}

TEST_F(CodeSigningTest, CreationIsRefusedWithAConfigurationThatIsNotThere) {
  const auto missing = "arn:aws:lambda:us-east-1:123456789012:code-signing-config:csc-0123456789abcdef0";
  EXPECT_THAT(said(create_signed(signed_by(team_), missing)), HasSubstr("404 CodeSigningConfigNotFoundException: "));
  const auto foreign = "arn:aws:lambda:us-east-1:210987654321:code-signing-config:csc-0123456789abcdef0";
  EXPECT_THAT(said(create_signed(signed_by(team_), foreign)), HasSubstr("404 CodeSigningConfigNotFoundException: "));
  EXPECT_THAT(said(create_signed(signed_by(team_), "csc-1")), HasSubstr("400 ValidationException: "));
}

}  // namespace
}  // namespace lambent::lambda
