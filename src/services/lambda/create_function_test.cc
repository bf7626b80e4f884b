#include <sys/stat.h>

#include <fstream>

#include "services/lambda/service_fixture.h"

namespace lambent::lambda {
namespace {

using ::testing::HasSubstr;
using testing::kArn;
using testing::kRole;
using ::testing::MatchesRegex;
using testing::ServiceFixture;
using testing::json::array;
using testing::json::object;
using testing::json::value;

using CreateFunction = ServiceFixture;

/// Members of the answer, to compare all at once.
std::set<std::string> names(const object& members) {
  std::set<std::string> found;
  for (const auto& member : members) found.insert(member.key());
  return found;
}

TEST_F(CreateFunction, LeavesTheLaneToOthersUntilInterpretersHaveSaidTheirVersions) {
  const auto programs = directory_ / "root/usr/bin";
  std::filesystem::create_directories(programs);
  const auto gate = directory_ / "gate";
  ASSERT_EQ(::mkfifo(gate.c_str(), 0600), 0);
  std::ofstream(programs / "python3.13") << "#!/bin/sh\nread line < '" << gate.string() << "'\necho 'Python 3.13.1'\n";
  std::filesystem::permissions(programs / "python3.13", std::filesystem::perms(0755));
  auto body = creation("f");
  body["Runtime"] = "python3.13";
  auto answer = begin("POST", functions_path(), testing::json::serialize(body));
  // This returns although nobody knows yet what python3.13 is.
  advance();
  EXPECT_FALSE(catalog_.looked());
  EXPECT_EQ(stored("f"), nullptr);
  std::ofstream(gate) << "go on\n";
  lane_.restart();
  lane_.run();
  const auto made = answer.get();
  EXPECT_EQ(made.status, 201) << made.body;
}

TEST_F(CreateFunction, AnswersAPendingFunctionWithAwssMembersAndNoOthers) {
  const auto answer = create("f");
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(answer.resource, std::string(kArn) + "f");
  auto members = answer.object();
  EXPECT_THAT(answer.text("RevisionId"), MatchesRegex("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"));
  EXPECT_THAT(
      std::string(std::string_view(members["RuntimeVersionConfig"].as_object()["RuntimeVersionArn"].as_string())),
      MatchesRegex("arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}"));
  members.erase("RevisionId");
  members.erase("RuntimeVersionConfig");
  const auto zip = *base::unbase64(zip64());
  const object expected{{"FunctionName", "f"},
                        {"FunctionArn", std::string(kArn) + "f"},
                        {"Runtime", "provided.al2023"},
                        {"Role", kRole},
                        {"Handler", "app.handler"},
                        {"CodeSize", zip.size()},
                        {"Description", ""},
                        {"Timeout", 3},
                        {"MemorySize", 128},
                        {"LastModified", "2026-01-31T12:34:56.789+0000"},
                        {"CodeSha256", base::base64(base::sha256(zip))},
                        {"Version", "$LATEST"},
                        {"TracingConfig", object{{"Mode", "PassThrough"}}},
                        {"State", "Pending"},
                        {"StateReason", "The function is being created."},
                        {"StateReasonCode", "Creating"},
                        {"PackageType", "Zip"},
                        {"Architectures", array{"x86_64"}},
                        {"EphemeralStorage", object{{"Size", 512}}},
                        {"SnapStart", object{{"ApplyOn", "None"}, {"OptimizationStatus", "Off"}}},
                        {"LoggingConfig", object{{"LogFormat", "Text"}, {"LogGroup", "/aws/lambda/f"}}}};
  EXPECT_EQ(value(members), value(expected));
}

TEST_F(CreateFunction, TheFunctionIsActiveSoonAndItsReasonsAreGone) {
  const auto created = create("f");
  const auto later = configuration("f");
  EXPECT_EQ(later.text("State"), "Active");
  EXPECT_EQ(later.text("LastUpdateStatus"), "Successful");
  for (const char* member : {"StateReason", "StateReasonCode", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"})
    EXPECT_EQ(later.text(member), "(absent)");
  EXPECT_NE(later.text("RevisionId"), created.text("RevisionId")) << "a change of state is a change";
  EXPECT_EQ(later.text("LastModified"), created.text("LastModified"));
}

TEST_F(CreateFunction, TakesEverySettingThatItCan) {
  auto body = creation("f");
  body["Description"] = "what it does";
  body["Timeout"] = 900;
  body["MemorySize"] = 10240;
  body["Environment"] = object{{"Variables", object{{"KEY", "v\xc3\xa4lue"}, {"AWS_LAMBDA_EXEC_WRAPPER", "/opt/w"}}}};
  body["EphemeralStorage"] = object{{"Size", 10240}};
  body["LoggingConfig"] = object{{"LogGroup", "my/group"}};
  body["Architectures"] = array{"arm64"};
  const auto answer = create(body);
  ASSERT_EQ(answer.status, 201) << answer.body;
  const auto members = answer.object();
  for (const char* name : {"Description", "Timeout", "MemorySize", "Environment", "EphemeralStorage", "Architectures"})
    EXPECT_EQ(members.at(name), body.at(name)) << name;
  EXPECT_EQ(members.at("LoggingConfig"), value(object{{"LogFormat", "Text"}, {"LogGroup", "my/group"}}));
}

TEST_F(CreateFunction, AJsonLogHasLevelsWhichAreInfoUnlessNamed) {
  auto body = creation("f");
  body["LoggingConfig"] = object{{"LogFormat", "JSON"}};
  const auto plain = create(body).object().at("LoggingConfig").as_object();
  EXPECT_EQ(plain.at("LogFormat"), value("JSON"));
  EXPECT_EQ(plain.at("ApplicationLogLevel"), value("INFO"));
  EXPECT_EQ(plain.at("SystemLogLevel"), value("INFO"));
  body["FunctionName"] = "g";
  body["LoggingConfig"] = object{{"LogFormat", "JSON"}, {"ApplicationLogLevel", "TRACE"}, {"SystemLogLevel", "WARN"}};
  const auto named = create(body).object().at("LoggingConfig").as_object();
  EXPECT_EQ(named.at("ApplicationLogLevel"), value("TRACE"));
  EXPECT_EQ(named.at("SystemLogLevel"), value("WARN"));
}

TEST_F(CreateFunction, HarmlessValuesOfWhatIsNotSupportedAreTaken) {
  auto body = creation("f");
  body["Publish"] = false;
  body["PackageType"] = "Zip";
  body["TracingConfig"] = object{{"Mode", "PassThrough"}};
  body["Tags"] = object{};
  body["Layers"] = array{};
  body["FileSystemConfigs"] = array{};
  body["VpcConfig"] = object{{"SubnetIds", array{}}, {"SecurityGroupIds", array{}}};
  body["DeadLetterConfig"] = object{{"TargetArn", ""}};
  body["SnapStart"] = object{{"ApplyOn", "None"}};
  body["KMSKeyArn"] = "";
  body["LoggingConfig"] = object{{"LogFormat", "Text"}};
  body["ImageConfig"] = object{};
  const auto answer = create(body);
  ASSERT_EQ(answer.status, 201) << answer.body;
  const auto members = names(answer.object());
  for (const char* absent : {"Tags", "Layers", "VpcConfig", "DeadLetterConfig", "KMSKeyArn", "ImageConfigResponse",
                             "Environment", "FileSystemConfigs", "LastUpdateStatus"})
    EXPECT_FALSE(members.contains(absent)) << absent;
}

struct Refused {
  std::string member;
  value given;
  std::string code;
  std::string says;
};

class CreateRefuses : public ServiceFixture, public ::testing::WithParamInterface<Refused> {};

TEST_P(CreateRefuses, InAwssWordsAndStoresNothing) {
  auto body = creation("f");
  body[GetParam().member] = GetParam().given;
  if (GetParam().given.is_null()) body.erase(GetParam().member);
  const auto answer = create(body);
  EXPECT_EQ(answer.status, GetParam().code == "AccessDeniedException" ? 403 : 400) << answer.body;
  EXPECT_EQ(answer.code(), GetParam().code);
  EXPECT_THAT(answer.message(), HasSubstr(GetParam().says));
  EXPECT_EQ(stored("f"), nullptr);
  EXPECT_TRUE(code_->hashes().empty());
}

const std::string kInvalid = "InvalidParameterValueException";
const std::string kValidation = "ValidationException";

const Refused kRefused[] = {
    {"PackageType", "Image", kInvalid, "PackageType: "},
    {"Layers", array{"arn:aws:lambda:us-east-1:123456789012:layer:l:1"}, kInvalid, "does not exist"},
    {"VpcConfig", object{{"SubnetIds", array{"subnet-1"}}}, kInvalid, "SubnetIds and SecurityIds must coexist"},
    {"VpcConfig", object{{"SubnetIds", array{"subnet-1"}}, {"SecurityGroupIds", array{"sg-1"}}}, kInvalid,
     "The subnet ID 'subnet-1' does not exist"},
    {"DeadLetterConfig", object{{"TargetArn", "arn:aws:dynamodb:us-east-1:123456789012:table/t"}}, kInvalid,
     "DeadLetterConfig.TargetArn: "},
    {"SnapStart", object{{"ApplyOn", "PublishedVersions"}}, kInvalid, "SnapStart.ApplyOn: "},
    {"KMSKeyArn", "arn:aws:kms:us-east-1:123456789012:key/k", kInvalid, "does not exist"},
    {"LoggingConfig", object{{"SystemLogLevel", "WARN"}}, kInvalid,
     "LogLevel is not supported when LogFormat is set to"},
    {"LoggingConfig", object{{"LogFormat", "Text"}, {"ApplicationLogLevel", "INFO"}}, kInvalid, "change the LogFormat"},
    {"ImageConfig", object{{"Command", array{"c"}}}, kInvalid, "ImageConfig: "},
    {"FileSystemConfigs",
     array{object{{"Arn", "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0"},
                  {"LocalMountPath", "/mnt/x"}}},
     kInvalid, "does not exist"},
    {"Code", object{{"S3Bucket", "bucket"}, {"S3Key", "key"}}, kInvalid, "S3Bucket: "},
    {"Code", object{{"ImageUri", "repo/image"}}, kInvalid, "Code.ImageUri: "},
    {"Code", object{}, kInvalid, "Please provide a source for function code."},
    {"Code", object{{"ZipFile", "bm90IGEgemlw"}}, kInvalid,
     "Could not unzip uploaded file. Please check your file, then try to upload again."},
    {"Runtime", value(nullptr), kInvalid,
     "Runtime and Handler are mandatory parameters for functions created with deployment"},
    {"Handler", value(nullptr), kInvalid,
     "Runtime and Handler are mandatory parameters for functions created with deployment"},
    {"Runtime", "cobol85", kInvalid,
     "Value cobol85 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [go1.x, provided, "
     "provided.al2, "
     "provided.al2023] or be a valid ARN"},
    {"Runtime", "java21", kInvalid, "java21 needs Java, and this machine has none"},
    {"Role", "arn:aws:iam::123456789012:role/other", kInvalid,
     "The role defined for the function cannot be assumed by Lambda."},
    {"Role", "arn:aws:iam::210987654321:role/lambda-role", "AccessDeniedException",
     "Cross-account pass role is not allowed."},
    {"Role", "not-an-arn", kValidation,
     "at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern"},
    {"Timeout", 901, kValidation,
     "at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900"},
    {"Timeout", 0, kValidation, "Member must have value greater than or equal to 1"},
    {"MemorySize", 127, kValidation, "Member must have value greater than or equal to 128"},
    {"MemorySize", 10241, kValidation, "Member must have value less than or equal to 10240"},
    {"EphemeralStorage", object{{"Size", 511}}, kValidation, "Member must have value greater than or equal to 512"},
    {"EphemeralStorage", object{{"Size", 10241}}, kValidation, "Member must have value less than or equal to 10240"},
    {"Handler", "has space", kValidation, "at 'handler'"},
    {"Handler", testing::json::string(std::string(129, 'h')), kValidation, "at 'handler'"},
    {"Architectures", array{"mips"}, kValidation, "at 'architectures'"},
    {"Architectures", array{"x86_64", "arm64"}, kValidation, "at 'architectures'"},
    {"Architectures", array{}, kValidation, "at 'architectures'"},
    {"Environment", object{{"Variables", object{{"1st", "x"}}}}, kValidation, "at 'environment.variables'"},
    {"Environment", object{{"Variables", object{{"AWS_REGION", "x"}, {"LAMBDA_TASK_ROOT", "x"}, {"OK", "x"}}}},
     kInvalid,
     "Lambda was unable to configure your environment variables because the environment variables you have provided "
     "contains "
     "reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION, "
     "LAMBDA_TASK_ROOT"},
    {"Environment", object{{"Variables", object{{"BIG", std::string(4096 - 9, 'x')}}}}, kInvalid,
     "exceeded the 4KB limit. String measured: {\"BIG\":\"xxx"},
};

INSTANTIATE_TEST_SUITE_P(CreateFunction, CreateRefuses, ::testing::ValuesIn(kRefused),
                         [](const auto& info) { return std::to_string(info.index) + "_" + info.param.member; });

TEST_F(CreateFunction, TheEnvironmentMayFill4Kb) {
  auto body = creation("f");
  body["Environment"] = object{{"Variables", object{{"BIG", std::string(4096 - 10, 'x')}}}};
  EXPECT_EQ(create(body).status, 201);
}

TEST_F(CreateFunction, ATakenNameIsAConflict) {
  ASSERT_EQ(create("f").status, 201);
  const auto before = stored("f");
  const auto again = create(creation("f", "other"));
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.code(), "ResourceConflictException");
  EXPECT_EQ(again.text("Type"), "User");
  EXPECT_EQ(again.message(), "Function already exist: f");
  EXPECT_EQ(stored("f"), before);
  EXPECT_EQ(code_->hashes().size(), 1u) << "the second archive was not even unpacked";
}

TEST_F(CreateFunction, TheSameNameInAnotherRegionIsAnotherFunction) {
  ASSERT_EQ(create("f").status, 201);
  caller_.region = "eu-west-1";
  const auto answer = create("f");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.text("FunctionArn"), "arn:aws:lambda:eu-west-1:123456789012:function:f");
}

TEST_F(CreateFunction, AnArnOrPartialArnNamesTheNewFunction) {
  EXPECT_EQ(create("arn:aws:lambda:us-east-1:123456789012:function:by-arn").text("FunctionName"), "by-arn");
  EXPECT_EQ(create("123456789012:function:partial").text("FunctionName"), "partial");
}

TEST_F(CreateFunction, AnArchiveOverTheZippedLimitIsTooLarge) {
  auto body = creation("f");
  body["Code"] = object{{"ZipFile", base::base64(std::string(store::kMaxZippedBytes + 1, 'x'))}};
  const auto answer = create(body);
  EXPECT_EQ(answer.code(), "RequestEntityTooLargeException");
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.message(), "Zipped size must be smaller than 52428800 bytes");
}

TEST_F(CreateFunction, AnArchiveOverTheUnzippedLimitIsRefused) {
  store::testing::Member bomb{.name = "b", .content = "x"};
  bomb.method = 8;
  bomb.size = 262'144'000;
  auto body = creation("f");
  body["Code"] = object{{"ZipFile", base::base64(store::testing::make_zip({bomb}))}};
  const auto answer = create(body);
  EXPECT_EQ(answer.code(), kInvalid);
  EXPECT_EQ(answer.message(), "Unzipped size must be smaller than 262144000 bytes");
}

TEST_F(CreateFunction, SurvivesARestart) {
  ASSERT_EQ(create("f").status, 201);
  const auto before = configuration("f");
  open();
  EXPECT_EQ(configuration("f").body, before.body);
  EXPECT_TRUE(code_->contains(stored("f")->code_hash));
}

TEST_F(CreateFunction, StartFinishesWhatACrashLeftAndRemovesOrphans) {
  put("pending", "Pending", "");
  put("updating", "Active", "InProgress");
  const auto orphan = code_->add(store::testing::make_zip({}));
  ASSERT_EQ(create("f").status, 201);
  open();
  run(lambda_->start());
  for (const char* name : {"pending", "updating"}) {
    EXPECT_EQ(stored(name)->state, "Active") << name;
    EXPECT_EQ(stored(name)->update_status, "Successful") << name;
  }
  EXPECT_FALSE(code_->contains(orphan.hash));
  EXPECT_TRUE(code_->contains(stored("f")->code_hash));
}

}  // namespace
}  // namespace lambent::lambda
