// A few of Lambda's operations bound to plain structs, for the tests of the rest-json codec.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aws/service.h"

namespace lambent::aws::lambda_fixture {

using base::http::Request;
using base::http::Response;

struct NameInput {
  std::string FunctionName;
  std::optional<std::string> Qualifier;
};
BOOST_DESCRIBE_STRUCT(NameInput, (), (FunctionName, Qualifier))

struct Variables {
  std::optional<std::map<std::string, std::string>> Variables;
};
BOOST_DESCRIBE_STRUCT(Variables, (), (Variables))

struct Code {
  std::optional<Blob> ZipFile;
};
BOOST_DESCRIBE_STRUCT(Code, (), (ZipFile))

struct CreateInput {
  std::string FunctionName;
  std::optional<std::string> Runtime;
  std::string Role;
  std::optional<std::string> Handler;
  Code Code;
  std::optional<std::string> Description;
  std::optional<std::int32_t> Timeout;
  std::optional<std::int32_t> MemorySize;
  std::optional<bool> Publish;
  std::optional<Variables> Environment;
  std::optional<std::map<std::string, std::string>> Tags;
  std::optional<std::vector<std::string>> Layers;
  std::optional<std::vector<std::string>> Architectures;
};
BOOST_DESCRIBE_STRUCT(CreateInput, (),
                      (FunctionName, Runtime, Role, Handler, Code, Description, Timeout, MemorySize, Publish,
                       Environment, Tags, Layers, Architectures))

struct Configuration {
  std::optional<std::string> FunctionName;
  std::optional<std::int64_t> CodeSize;
  std::optional<std::int32_t> Timeout;
  std::optional<Variables> Environment;
  std::optional<std::vector<std::string>> Architectures;
};
BOOST_DESCRIBE_STRUCT(Configuration, (), (FunctionName, CodeSize, Timeout, Environment, Architectures))

struct InvokeInput {
  std::string FunctionName;
  std::optional<std::string> InvocationType;
  std::optional<std::string> LogType;
  std::optional<std::string> Qualifier;
  Blob Payload;
};
BOOST_DESCRIBE_STRUCT(InvokeInput, (), (FunctionName, InvocationType, LogType, Qualifier, Payload))

struct InvokeOutput {
  std::int32_t StatusCode = 200;
  std::optional<std::string> FunctionError;
  std::optional<std::string> ExecutedVersion;
  std::optional<Blob> Payload;
};
BOOST_DESCRIBE_STRUCT(InvokeOutput, (), (StatusCode, FunctionError, ExecutedVersion, Payload))

struct ListInput {
  std::optional<std::string> Marker;
  std::optional<std::int32_t> MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListInput, (), (Marker, MaxItems))

struct UntagInput {
  std::string Resource;
  std::vector<std::string> TagKeys;
};
BOOST_DESCRIBE_STRUCT(UntagInput, (), (Resource, TagKeys))

struct Routing {
  std::optional<std::map<std::string, double>> AdditionalVersionWeights;
};
BOOST_DESCRIBE_STRUCT(Routing, (), (AdditionalVersionWeights))

struct AliasInput {
  std::string FunctionName;
  std::string Name;
  std::string FunctionVersion;
  std::optional<Routing> RoutingConfig;
};
BOOST_DESCRIBE_STRUCT(AliasInput, (), (FunctionName, Name, FunctionVersion, RoutingConfig))

struct Alias {
  std::optional<std::string> Name;
  std::optional<Routing> RoutingConfig;
};
BOOST_DESCRIBE_STRUCT(Alias, (), (Name, RoutingConfig))

struct Filter {
  std::optional<std::string> Pattern;
};
BOOST_DESCRIBE_STRUCT(Filter, (), (Pattern))

struct FilterCriteria {
  std::optional<std::vector<Filter>> Filters;
};
BOOST_DESCRIBE_STRUCT(FilterCriteria, (), (Filters))

struct MappingInput {
  std::string FunctionName;
  std::optional<FilterCriteria> FilterCriteria;
  std::optional<Timestamp> StartingPositionTimestamp;
};
BOOST_DESCRIBE_STRUCT(MappingInput, (), (FunctionName, FilterCriteria, StartingPositionTimestamp))

struct Mapping {
  std::optional<Timestamp> LastModified;
};
BOOST_DESCRIBE_STRUCT(Mapping, (), (LastModified))

struct Nothing {};
BOOST_DESCRIBE_STRUCT(Nothing, (), ())

struct Lambda {
  std::string prefix = "arn:of:";
};

template <class In, class Out>
base::Task<Out> unused(Lambda&, Caller, In) {
  co_return Out{};
}

inline base::Task<InvokeOutput> invoke(Lambda&, Caller caller, InvokeInput in) {
  InvokeOutput out;
  out.ExecutedVersion = caller.account;
  out.Payload = in.Payload;
  co_return out;
}

template <class In>
std::string any(const Caller&, const In&) {
  return "*";
}

inline std::string arn_of(Lambda& lambda, const Caller&, const NameInput& in) {
  return lambda.prefix + in.FunctionName;
}

inline Lambda lambda;

inline const Service& bound() {
  static const Service made =
      service("lambda", lambda,
              {operation("CreateFunction", unused<CreateInput, Configuration>, any).with_body_up_to(70'167'211),
               operation("GetFunctionConfiguration", unused<NameInput, Configuration>, arn_of),
               operation("DeleteFunction", unused<NameInput, Nothing>, any),
               operation("Invoke", invoke, any).as_action("InvokeFunction").with_body_up_to(6'291'456),
               operation("ListFunctions", unused<ListInput, Nothing>, any),
               operation("UntagResource", unused<UntagInput, Nothing>, any),
               operation("CreateAlias", unused<AliasInput, Alias>, any),
               operation("CreateEventSourceMapping", unused<MappingInput, Mapping>, any)});
  return made;
}

inline Request request(std::string method, std::string path, std::string body = {}) {
  Request made;
  made.method = std::move(method);
  const auto mark = path.find('?');
  made.path = path.substr(0, mark);
  if (mark != std::string::npos) made.query = path.substr(mark + 1);
  made.body = std::move(body);
  return made;
}

inline constexpr const char* functions = "/2015-03-31/functions";

}  // namespace lambent::aws::lambda_fixture
