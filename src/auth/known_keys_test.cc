#include "auth/known_keys.h"

#include <gmock/gmock.h>

#include "auth/identities_fixture.h"

namespace lambent::auth {
namespace {

using ::testing::ElementsAre;

constexpr const char* kFunction = "arn:aws:lambda:eu-west-1:123456789012:function:orders";

class KnownKeysTest : public IdentitiesFixture {
 protected:
  std::vector<std::string> names(const RequestContext& context) const {
    std::vector<std::string> out;
    for (const auto& [key, value] : context) out.push_back(key);
    return out;
  }
  aws::Caller as_alice() {
    store::User user;
    user.account = kAccount;
    user.name = "alice";
    user.id = "AIDA" + base::random_base32(17);
    user.tags = {{"Team", "blue"}};
    EXPECT_EQ(run(identities_->create_user(user)), store::Change::done);
    aws::Caller caller;
    caller.kind = aws::Principal::user;
    caller.account = kAccount;
    caller.region = "eu-west-1";
    caller.arn = caller.identity_arn = user.arn();
    caller.user_id = user.id;
    caller.source_ip = "203.0.113.7";
    caller.user_agent = "aws-cli/2";
    caller.referer = "https://example.com/";
    caller.over_tls = true;
    return caller;
  }
  KnownKeys known_{*identities_, clock_, [](std::string_view) { return Tags{{"Owner", "ann"}}; }};
};

// docs/decisions/0012-absent-condition-keys.md says of each that is not here why.
TEST_F(KnownKeysTest, ASignedRequestHasTheseAndNoOthers) {
  auto caller = as_alice();
  EXPECT_THAT(names(known_.of(caller, kFunction)),
              ElementsAre("aws:currenttime", "aws:epochtime", "aws:principalaccount", "aws:principalarn",
                          "aws:principalisawsservice", "aws:principaltag/team", "aws:principaltype", "aws:referer",
                          "aws:requestedregion", "aws:resourceaccount", "aws:resourcetag/owner", "aws:securetransport",
                          "aws:sourceip", "aws:useragent", "aws:userid", "aws:username", "aws:viaawsservice"));
  const auto role = add_role("worker", "{}");
  caller.kind = aws::Principal::assumed_role;
  caller.identity_arn = role->arn();
  caller.source_ip.clear();
  caller.user_agent.clear();
  caller.referer.clear();
  caller.source_function = kFunction;
  EXPECT_THAT(names(known_.of(caller, kFunction)),
              ElementsAre("aws:currenttime", "aws:epochtime", "aws:multifactorauthpresent", "aws:principalaccount",
                          "aws:principalarn", "aws:principalisawsservice", "aws:principaltype", "aws:requestedregion",
                          "aws:resourceaccount", "aws:resourcetag/owner", "aws:securetransport", "aws:tokenissuetime",
                          "aws:userid", "aws:viaawsservice", "lambda:sourcefunctionarn"));
}

TEST_F(KnownKeysTest, AServiceAndNobodyHaveTheTimeAndTheResource) {
  EXPECT_THAT(names(known_.of_anybody(kFunction)),
              ElementsAre("aws:currenttime", "aws:epochtime", "aws:resourceaccount", "aws:resourcetag/owner"));
  EXPECT_THAT(names(known_.of_anybody("*")), ElementsAre("aws:currenttime", "aws:epochtime"));
  EXPECT_THAT(names(known_.of_service("s3.amazonaws.com", kFunction)),
              ElementsAre("aws:currenttime", "aws:epochtime", "aws:principalisawsservice", "aws:principalservicename",
                          "aws:principalservicenameslist", "aws:resourceaccount", "aws:resourcetag/owner"));
}

}  // namespace
}  // namespace lambent::auth
