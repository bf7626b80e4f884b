// AWS's service models as the build compiled them (models/compile.py): a typed view of a flat table, read in place.
//
// Nothing is parsed or copied: Table checks its bytes once, the views point into them and are as cheap as pointers.
// The bytes must outlive every view; the embedded table lives as long as the process. Immutable: any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <ranges>
#include <string_view>

namespace lambent::aws::model {

/// Of a shape, in botocore's words. `long_integer` is "long", `real` both float and double.
enum class ShapeKind { structure, list, map, string, blob, boolean, integer, long_integer, real, timestamp };
enum class Location { body, uri, query, header, header_prefix, status };
enum class TimestampFormat { unspecified, epoch_seconds, iso8601, rfc822 };
enum class ModelProtocol { rest_json, query, rest_xml, json };

class Table;
class Shape;

namespace record {
struct Text {
  std::uint32_t offset, length;
};
struct Service {
  Text endpoint_prefix, signing_name, service_id, api_version, xml_namespace, target_prefix, json_version;
  std::uint32_t protocol, first_operation, operations, first_shape, shapes;
};
struct Operation {
  Text name, method, uri, result_wrapper, input_root, input_namespace;
  std::uint32_t response_code, input, output, first_error, errors;
};
struct Shape {
  Text name, pattern, re2, error_code, location_name, xml_namespace, xml_prefix;
  std::uint32_t kind, flags, timestamp, error_status, first_text, texts, first_member, members, payload, unused;
  double min, max;
};
struct Member {
  Text name, location_name, xml_namespace, xml_prefix;
  std::uint32_t shape, location, flags, timestamp;
};
}  // namespace record

/// A structure's member; also a list's "member" and a map's "key" and "value".
class Member {
 public:
  Member(const Table& table, std::uint32_t index) : table_(&table), index_(index) {}
  std::string_view name() const;
  /// Empty when the model gives none.
  std::string_view location_name() const;
  /// The name on the wire: the location name, else the member's own.
  std::string_view wire_name() const;
  Shape shape() const;
  Location location() const;
  TimestampFormat timestamp_format() const;
  std::string_view xml_namespace() const;
  std::string_view xml_prefix() const;
  bool required() const;
  bool flattened() const;
  bool xml_attribute() const;
  bool streaming() const;
  /// Of an event: the whole of its payload.
  bool event_payload() const;

 private:
  const record::Member& record() const;
  const Table* table_;
  std::uint32_t index_;
};

class Shape {
 public:
  Shape(const Table& table, std::uint32_t index) : table_(&table), index_(index) {}
  std::string_view name() const;
  ShapeKind kind() const;
  std::optional<double> min() const;
  std::optional<double> max() const;
  /// As AWS prints it (Java's syntax); empty for none.
  std::string_view pattern() const;
  /// The same for re2.
  std::string_view re2() const;
  bool sensitive() const;
  bool streaming() const;
  bool flattened() const;
  bool event_stream() const;
  TimestampFormat timestamp_format() const;
  std::string_view location_name() const;
  std::string_view xml_namespace() const;
  std::string_view xml_prefix() const;

  std::uint32_t enum_size() const;
  std::string_view enum_value(std::uint32_t index) const;

  std::uint32_t member_count() const;
  Member member(std::uint32_t index) const;
  auto members() const {
    return std::views::iota(0U, member_count()) |
           std::views::transform([shape = *this](auto i) { return shape.member(i); });
  }
  std::optional<Member> find_member(std::string_view name) const;
  /// The member that is the whole body, when the model names one.
  std::optional<Member> payload() const;
  /// Of a list and of a map.
  Member element() const { return member(kind() == ShapeKind::map ? 1 : 0); }
  Member key() const { return member(0); }

  bool exception() const;
  /// The error's code on the wire: the model's own, else the shape's name.
  std::string_view error_code() const;
  /// 0 when the model gives none.
  int error_status() const;
  /// The sender's fault, not the service's.
  bool sender_fault() const;

 private:
  const record::Shape& record() const;
  bool flag(std::uint32_t bit) const { return (record().flags & bit) != 0; }
  const Table* table_;
  std::uint32_t index_;
};

class Operation {
 public:
  Operation(const Table& table, std::uint32_t index) : table_(&table), index_(index) {}
  std::string_view name() const;
  std::string_view method() const;
  /// The URI template, with its literal query.
  std::string_view uri() const;
  int response_code() const;
  /// The element around a query operation's result; empty for none.
  std::string_view result_wrapper() const;
  /// The root element of a rest-xml input without payload member.
  std::string_view input_root() const;
  std::optional<Shape> input() const;
  std::optional<Shape> output() const;
  std::uint32_t error_count() const;
  Shape error(std::uint32_t index) const;

 private:
  const record::Operation& record() const;
  const Table* table_;
  std::uint32_t index_;
};

class Service {
 public:
  Service(const Table& table, std::uint32_t index) : table_(&table), index_(index) {}
  std::string_view endpoint_prefix() const;
  std::string_view signing_name() const;
  std::string_view service_id() const;
  std::string_view api_version() const;
  std::string_view xml_namespace() const;
  /// Of the json protocol: "Logs_20140328" of the header X-Amz-Target, and "1.0" or "1.1" of its content type.
  std::string_view target_prefix() const;
  std::string_view json_version() const;
  ModelProtocol protocol() const;
  std::uint32_t operation_count() const;
  Operation operation(std::uint32_t index) const;
  std::optional<Operation> find_operation(std::string_view name) const;
  std::uint32_t shape_count() const;
  Shape shape(std::uint32_t index) const;
  std::optional<Shape> find_shape(std::string_view name) const;

 private:
  const record::Service& record() const;
  const Table* table_;
  std::uint32_t index_;
};

class Table {
 public:
  /// Throws std::logic_error unless `bytes` (aligned to eight) are a whole table of this version.
  explicit Table(std::string_view bytes);
  Table(const Table&) = delete;

  std::optional<Service> find_service(std::string_view endpoint_prefix) const;

  std::string_view text(record::Text text) const { return {pool_ + text.offset, text.length}; }
  std::uint32_t error_shape(std::uint32_t index) const { return indices_[index]; }

 private:
  friend class Member;
  friend class Shape;
  friend class Operation;
  friend class Service;

  const record::Shape* shapes_;
  const record::Service* services_;
  std::uint32_t service_count_;
  const record::Operation* operations_;
  const record::Member* members_;
  const record::Text* texts_;
  const std::uint32_t* indices_;
  const char* pool_;
};

/// The table of every service that this build serves.
const Table& embedded();

}  // namespace lambent::aws::model
