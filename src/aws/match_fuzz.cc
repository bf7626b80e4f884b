// Any method, target, headers and body to an operation and its input, in every protocol that is served: a clean Error or a
// value, never a crash. What was read is written back as an error, so that the writers see the same bytes.
//
// The input's first byte chooses the service, its next lines are method, target and one header; the rest is the body.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "aws/service.h"

namespace lambent::aws {
namespace {

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
  std::string Role;
  Code Code;
  std::optional<std::string> Description;
  std::optional<std::int32_t> Timeout;
  std::optional<bool> Publish;
  std::optional<Variables> Environment;
  std::optional<std::map<std::string, std::string>> Tags;
  std::optional<std::vector<std::string>> Layers;
};
BOOST_DESCRIBE_STRUCT(CreateInput, (),
                      (FunctionName, Role, Code, Description, Timeout, Publish, Environment, Tags, Layers))

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

struct Routing {
  std::optional<std::map<std::string, double>> AdditionalVersionWeights;
};
BOOST_DESCRIBE_STRUCT(Routing, (), (AdditionalVersionWeights))

struct AliasInput {
  std::string FunctionName, Name, FunctionVersion;
  std::optional<Routing> RoutingConfig;
};
BOOST_DESCRIBE_STRUCT(AliasInput, (), (FunctionName, Name, FunctionVersion, RoutingConfig))

struct InvokeInput {
  std::string FunctionName;
  std::optional<std::string> InvocationType;
  std::optional<Blob> Payload;
};
BOOST_DESCRIBE_STRUCT(InvokeInput, (), (FunctionName, InvocationType, Payload))

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

struct Tag {
  std::string Key, Value;
};
BOOST_DESCRIBE_STRUCT(Tag, (), (Key, Value))

struct CreateUserInput {
  std::string UserName;
  std::optional<std::vector<Tag>> Tags;
};
BOOST_DESCRIBE_STRUCT(CreateUserInput, (), (UserName, Tags))

struct ContextEntry {
  std::optional<std::vector<std::string>> ContextKeyValues;
};
BOOST_DESCRIBE_STRUCT(ContextEntry, (), (ContextKeyValues))

struct SimulateInput {
  std::vector<std::string> PolicyInputList, ActionNames;
  std::optional<std::vector<ContextEntry>> ContextEntries;
};
BOOST_DESCRIBE_STRUCT(SimulateInput, (), (PolicyInputList, ActionNames, ContextEntries))

struct Nothing {};
BOOST_DESCRIBE_STRUCT(Nothing, (), ())

struct Nobody {};
Nobody nobody;

template <class In>
base::Task<Nothing> unused(Nobody&, Caller, In) {
  co_return Nothing{};
}

template <class In>
std::string any(const Caller&, const In&) {
  return "*";
}

const Service& lambda() {
  static const Service made = service(
      "lambda", nobody,
      {operation("CreateFunction", unused<CreateInput>, any),
       operation("CreateEventSourceMapping", unused<MappingInput>, any),
       operation("CreateAlias", unused<AliasInput>, any), operation("Invoke", unused<InvokeInput>, any),
       operation("ListFunctions", unused<ListInput>, any), operation("UntagResource", unused<UntagInput>, any)});
  return made;
}

const Service& iam() {
  static const Service made =
      service("iam", nobody,
              {operation("CreateUser", unused<CreateUserInput>, any), operation("ListUsers", unused<ListInput>, any),
               operation("SimulateCustomPolicy", unused<SimulateInput>, any)});
  return made;
}

std::string take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  std::string line(rest.substr(0, end));
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return line;
}

base::http::Request request_of(std::string_view input) {
  base::http::Request request;
  request.method = take_line(input);
  const auto target = take_line(input);
  const auto mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string::npos) request.query = target.substr(mark + 1);
  const auto header = take_line(input);
  const auto colon = header.find(':');
  if (colon != std::string::npos) request.headers.add(header.substr(0, colon), header.substr(colon + 1));
  request.body = input;
  return request;
}

}  // namespace
}  // namespace lambent::aws

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lambent::aws;
  if (size == 0) return 0;
  const auto& service = data[0] % 2 == 0 ? lambda() : iam();
  const auto request = request_of({reinterpret_cast<const char*>(data) + 1, size - 1});
  try {
    const auto match = service.match(request);
    const auto value = service.decode(match, request);
    if (value.get() == nullptr) std::abort();
  } catch (const Error& error) {
    const auto response = service.encode_error(error, "id");
    if (response.status < 400 || response.body.empty()) std::abort();
  }
  return 0;
}
