// What does not fit the model stops the process at start.
#include "aws/binding.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "aws/coverage.h"
#include "aws/service.h"

namespace lambent::aws {
namespace {

struct Name {
  std::string FunctionName;
};
BOOST_DESCRIBE_STRUCT(Name, (), (FunctionName))

struct Misspelt {
  std::string Functionname;
};
BOOST_DESCRIBE_STRUCT(Misspelt, (), (Functionname))

struct WrongType {
  std::int32_t FunctionName = 0;
};
BOOST_DESCRIBE_STRUCT(WrongType, (), (FunctionName))

struct WrongElement {
  std::optional<std::vector<std::int32_t>> Architectures;
};
BOOST_DESCRIBE_STRUCT(WrongElement, (), (Architectures))

struct Nothing {};
BOOST_DESCRIBE_STRUCT(Nothing, (), ())

struct Lambda {};

template <class In, class Out>
base::Task<Out> unused(Lambda&, Caller, In) {
  co_return Out{};
}

template <class In>
std::string any(const Caller&, const In&) {
  return "*";
}

std::string failure(Row row, std::string_view name = "lambda") {
  try {
    bind_service(name, nullptr, {std::move(row)});
    return {};
  } catch (const std::logic_error& error) {
    return error.what();
  }
}

TEST(Binding, TakesRowsThatFit) { EXPECT_EQ(failure(operation("GetFunction", unused<Name, Nothing>, any)), ""); }

TEST(Binding, RefusesUnknownServicesOperationsAndMembers) {
  EXPECT_EQ(failure(operation("GetFunction", unused<Name, Nothing>, any), "s3"), "no service model s3 in this build");
  EXPECT_EQ(failure(operation("FetchFunction", unused<Name, Nothing>, any)),
            "lambda.FetchFunction: the model has no such operation");
  EXPECT_EQ(failure(operation("GetFunction", unused<Misspelt, Nothing>, any)),
            "lambda.GetFunction input: the model's shape GetFunctionRequest has no member Functionname");
  EXPECT_EQ(failure(operation("GetFunction", unused<Name, Misspelt>, any)),
            "lambda.GetFunction output: the model's shape GetFunctionResponse has no member Functionname");
}

TEST(Binding, RefusesTypesThatDoNotFit) {
  EXPECT_TRUE(
      failure(operation("GetFunction", unused<WrongType, Nothing>, any))
          .starts_with("lambda.GetFunction input.FunctionName: the model's shape NamespacedFunctionName does not fit"));
  EXPECT_TRUE(
      failure(operation("CreateFunction", unused<WrongElement, Nothing>, any))
          .starts_with("lambda.CreateFunction input.Architectures[]: the model's shape Architecture does not fit"));
}

TEST(Binding, RefusesMembersWhereTheModelHasNoShape) {
  EXPECT_TRUE(failure(operation("DeleteAlias", unused<Nothing, Name>, any))
                  .starts_with("lambda.DeleteAlias output: the model has none, but"));
}

TEST(Binding, RefusesTwoRowsForOneOperation) {
  std::vector<Row> rows;
  rows.push_back(operation("GetFunction", unused<Name, Nothing>, any));
  rows.push_back(operation("GetFunction", unused<Name, Nothing>, any));
  EXPECT_THROW(bind_service("lambda", nullptr, std::move(rows)), std::logic_error);
}

TEST(Coverage, ListsEveryOperationOfTheModel) {
  const auto bound = bind_service("lambda", nullptr, {operation("GetFunction", unused<Name, Nothing>, any)});
  const auto page = coverage_markdown({&bound});
  EXPECT_NE(page.find("## lambda\n\n1 of 92 operations work."), std::string::npos);
  EXPECT_NE(page.find("\n| GetFunction | works |\n"), std::string::npos);
  EXPECT_NE(page.find("\n| CreateFunction | 501 |\n"), std::string::npos);
}

}  // namespace
}  // namespace lambent::aws
