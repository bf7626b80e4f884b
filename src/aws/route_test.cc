#include "aws/route.h"

#include <gtest/gtest.h>

#include "aws/error.h"

namespace lambent::aws {
namespace {

using base::http::Request;

Request request(std::string method, std::string path, std::string query = {}) {
  Request made;
  made.method = std::move(method);
  made.path = std::move(path);
  made.query = std::move(query);
  return made;
}

constexpr std::size_t none = 999;

/// Like Lambda's templates: with a date in front.
Routes dated() {
  Routes routes;
  routes.add("GET", "/2015-03-31/functions", 0);
  routes.add("GET", "/2015-03-31/functions/{FunctionName}", 1);
  routes.add("PUT", "/2017-10-31/functions/{FunctionName}/concurrency", 2);
  routes.add("GET", "/2018-10-31/layers", 3);
  routes.add("GET", "/2018-10-31/layers?find=LayerVersion", 4);
  routes.add("GET", "/2015-03-31/functions/{FunctionName}/aliases/{Name}", 5);
  routes.add("GET", "/2019-09-30/functions/{FunctionName}/provisioned-concurrency", 6);
  routes.add("GET", "/2019-09-30/functions/{FunctionName}/provisioned-concurrency?List=ALL", 7);
  return routes;
}

/// Like S3's: greedy keys, query strings that select.
Routes undated() {
  Routes routes;
  routes.add("GET", "/?x-id=ListBuckets", 0);
  routes.add("GET", "/{Bucket}", 1);
  routes.add("GET", "/{Bucket}?list-type=2", 2);
  routes.add("GET", "/{Bucket}?lifecycle", 3);
  routes.add("GET", "/{Bucket}/{Key+}?x-id=GetObject", 4);
  routes.add("GET", "/{Bucket}/{Key+}?acl", 5);
  return routes;
}

std::size_t find(const Routes& routes, const Request& request) {
  const auto found = routes.find(request);
  return found ? found->operation : none;
}

TEST(Routes, FindByMethodAndPath) {
  const auto routes = dated();
  EXPECT_EQ(find(routes, request("GET", "/2015-03-31/functions")), 0U);
  EXPECT_EQ(find(routes, request("GET", "/2015-03-31/functions/f")), 1U);
  EXPECT_EQ(find(routes, request("PUT", "/2017-10-31/functions/f/concurrency")), 2U);
  EXPECT_EQ(find(routes, request("DELETE", "/2015-03-31/functions/f")), none);
  EXPECT_EQ(find(routes, request("GET", "/2015-03-31/functions/f/unknown")), none);
  EXPECT_EQ(find(routes, request("GET", "/2015-03-31/functions/f/aliases")), none);
  EXPECT_EQ(find(routes, request("GET", "2015-03-31/functions")), none);
  EXPECT_EQ(find(routes, request("GET", "")), none);
  EXPECT_EQ(find(routes, request("GET", "/")), none);
}

TEST(Routes, TakeAnyDateOfTheApiButOnlyADate) {
  const auto routes = dated();
  EXPECT_EQ(find(routes, request("PUT", "/2015-03-31/functions/f/concurrency")), 2U);
  EXPECT_EQ(find(routes, request("GET", "/2026-07-09/functions")), 0U);
  EXPECT_EQ(find(routes, request("GET", "/functions")), none);
  EXPECT_EQ(find(routes, request("GET", "/latest/functions")), none);
  EXPECT_EQ(find(routes, request("GET", "/2015-3-31/functions")), none);
  EXPECT_EQ(find(routes, request("GET", "/2015-03-31/2015-03-31/functions")), none);
}

TEST(Routes, ATrailingSlashChangesNothing) {
  const auto routes = dated();
  EXPECT_EQ(find(routes, request("GET", "/2015-03-31/functions/")), 0U);
  EXPECT_EQ(find(routes, request("GET", "/2015-03-31/functions/f/")), 1U);
  EXPECT_EQ(find(routes, request("GET", "/2015-03-31/functions//")), none);
  EXPECT_EQ(find(routes, request("PUT", "/2015-03-31/functions//concurrency")), none);
}

TEST(Routes, LiteralQueriesSelect) {
  const auto routes = dated();
  EXPECT_EQ(find(routes, request("GET", "/2018-10-31/layers")), 3U);
  EXPECT_EQ(find(routes, request("GET", "/2018-10-31/layers", "find=LayerVersion&Arn=a")), 4U);
  EXPECT_EQ(find(routes, request("GET", "/2018-10-31/layers", "find=Other")), 3U);
  EXPECT_EQ(find(routes, request("GET", "/2019-09-30/functions/f/provisioned-concurrency", "List=ALL")), 7U);
  EXPECT_EQ(find(routes, request("GET", "/2019-09-30/functions/f/provisioned-concurrency", "Qualifier=1")), 6U);
}

TEST(Routes, LabelsAreDecodedOnce) {
  const auto routes = dated();
  const auto found = routes.find(
      request("GET", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af/aliases/a%252Fb"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->labels,
            (Routes::Labels{{"FunctionName", "arn:aws:lambda:us-east-1:1:function:f"}, {"Name", "a%2Fb"}}));
  const auto slash = routes.find(request("GET", "/2015-03-31/functions/a%2Fb"));
  ASSERT_TRUE(slash);
  EXPECT_EQ(slash->labels[0].second, "a/b");
}

TEST(Routes, MalformedEscapesAreRefused) {
  const auto routes = dated();
  for (const auto* path : {"/2015-03-31/functions/%zz", "/2015-03-31/functions/%", "/2015-03-31/functions/%FF"}) {
    EXPECT_THROW(routes.find(request("GET", path)), Error) << path;
  }
  EXPECT_THROW(routes.find(request("GET", "/2018-10-31/layers", "find=%zz")), Error);
}

TEST(Routes, GreedyLabelsTakeTheRestOfThePathAsItIs) {
  const auto routes = undated();
  EXPECT_EQ(find(routes, request("GET", "/")), 0U);
  EXPECT_EQ(find(routes, request("GET", "/bucket")), 1U);
  EXPECT_EQ(find(routes, request("GET", "/bucket/")), 1U);
  EXPECT_EQ(find(routes, request("GET", "/bucket", "list-type=2&prefix=a")), 2U);
  EXPECT_EQ(find(routes, request("GET", "/bucket", "lifecycle")), 3U);
  EXPECT_EQ(find(routes, request("GET", "/bucket/a/b", "acl=")), 5U);
  const auto found = routes.find(request("GET", "/bucket/folder//a%20b/"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->operation, 4U);
  EXPECT_EQ(found->labels, (Routes::Labels{{"Bucket", "bucket"}, {"Key", "folder//a b/"}}));
}

TEST(Routes, WhatOperationsNeedTellsThemApart) {
  Routes routes;
  routes.add("PUT", "/{Bucket}/{Key+}", 0);
  routes.add("PUT", "/{Bucket}/{Key+}", 1, {{}, {"x-amz-copy-source"}});
  routes.add("PUT", "/{Bucket}/{Key+}", 2, {{"partNumber"}, {}});
  routes.add("PUT", "/{Bucket}/{Key+}?acl", 3, {{"version"}, {}});
  auto copy = request("PUT", "/b/k");
  EXPECT_EQ(find(routes, copy), 0U);
  copy.headers.add("X-Amz-Copy-Source", "/a/b");
  EXPECT_EQ(find(routes, copy), 1U);
  EXPECT_EQ(find(routes, request("PUT", "/b/k", "partNumber=1")), 2U);
  // Its literal query chose the operation; the missing parameter is for its validation to name.
  EXPECT_EQ(find(routes, request("PUT", "/b/k", "acl")), 3U);
}

TEST(Routes, APathOfManySegmentsCostsNothing) {
  std::string path = "/2015-03-31";
  for (int i = 0; i < 100'000; ++i) path += "/functions";
  EXPECT_EQ(find(dated(), request("GET", path)), none);
  EXPECT_EQ(find(undated(), request("GET", path)), 4U);
}

}  // namespace
}  // namespace lambent::aws
