#include "auth/error_words.h"

#include <gtest/gtest.h>

namespace lambent::auth {
namespace {

TEST(ErrorWords, QueryServicesHaveTheirOwnCodes) {
  struct Pair {
    const char* rest;
    const char* query;
    int status;
  };
  for (const Pair& pair :
       {Pair{"InvalidSignatureException", "SignatureDoesNotMatch", 403},
        Pair{"UnrecognizedClientException", "InvalidClientTokenId", 403},
        Pair{"MissingAuthenticationTokenException", "MissingAuthenticationToken", 403},
        Pair{"IncompleteSignatureException", "IncompleteSignature", 400},
        Pair{"ExpiredTokenException", "ExpiredToken", 403}, Pair{"AccessDeniedException", "AccessDenied", 403}}) {
    const aws::Error words = in_query_words(aws::Error(pair.rest, "m", 403).with("Member", "value"));
    EXPECT_EQ(words.code(), pair.query);
    EXPECT_EQ(words.status(), pair.status);
    ASSERT_EQ(words.members().size(), 1u);
    EXPECT_EQ(words.members()[0].second, "value");
  }
}

TEST(ErrorWords, MessagesStayButForTheMissingToken) {
  EXPECT_EQ(in_query_words(aws::Error("InvalidSignatureException", "m", 403)).message(), "m");
  EXPECT_EQ(in_query_words(aws::Error("MissingAuthenticationTokenException", "m", 403)).message(),
            "Request is missing Authentication Token");
}

TEST(ErrorWords, OtherErrorsStayAsTheyAre) {
  const aws::Error other = in_query_words(aws::Error("NoSuchEntity", "m", 404));
  EXPECT_EQ(other.code(), "NoSuchEntity");
  EXPECT_EQ(other.message(), "m");
  EXPECT_EQ(other.status(), 404);
}

}  // namespace
}  // namespace lambent::auth
