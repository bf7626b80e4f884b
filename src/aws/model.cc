#include "aws/model.h"

#include <cstring>
#include <stdexcept>

namespace lambent::aws::model {
namespace {

constexpr std::uint32_t magic = 0x324C444D;
constexpr std::uint32_t none = 0xFFFFFFFF;

// The flags of models/compile.py.
constexpr std::uint32_t shape_sensitive = 1, shape_streaming = 2, shape_flattened = 4, shape_event_stream = 8,
                        shape_exception = 16, shape_fault = 32, shape_has_min = 128, shape_has_max = 256,
                        shape_sender_fault = 512;
constexpr std::uint32_t member_flattened = 1, member_xml_attribute = 2, member_streaming = 4, member_required = 32,
                        member_event_payload = 64;

struct Section {
  std::uint32_t offset, count;
};

struct Head {
  std::uint32_t magic, size;
  Section shapes, services, operations, members, texts, indices, pool;
};

static_assert(sizeof(record::Service) == 19 * 4 && sizeof(record::Operation) == 17 * 4 &&
              sizeof(record::Shape) == 112 && sizeof(record::Member) == 12 * 4 && sizeof(Head) == 64);

template <class Record>
const Record* section(std::string_view bytes, Section section) {
  if (section.offset > bytes.size() || section.count > (bytes.size() - section.offset) / sizeof(Record)) {
    throw std::logic_error("the table of service models is cut short");
  }
  return reinterpret_cast<const Record*>(bytes.data() + section.offset);
}

}  // namespace

Table::Table(std::string_view bytes) {
  Head head;
  if (bytes.size() < sizeof head) throw std::logic_error("the table of service models is cut short");
  std::memcpy(&head, bytes.data(), sizeof head);
  if (head.magic != magic || head.size != bytes.size()) {
    throw std::logic_error("the table of service models has another version or size");
  }
  shapes_ = section<record::Shape>(bytes, head.shapes);
  services_ = section<record::Service>(bytes, head.services);
  service_count_ = head.services.count;
  operations_ = section<record::Operation>(bytes, head.operations);
  members_ = section<record::Member>(bytes, head.members);
  texts_ = section<record::Text>(bytes, head.texts);
  indices_ = section<std::uint32_t>(bytes, head.indices);
  pool_ = section<char>(bytes, head.pool);
}

std::optional<Service> Table::find_service(std::string_view endpoint_prefix) const {
  for (std::uint32_t i = 0; i < service_count_; ++i) {
    if (text(services_[i].endpoint_prefix) == endpoint_prefix) return Service(*this, i);
  }
  return std::nullopt;
}

const record::Service& Service::record() const { return table_->services_[index_]; }
std::string_view Service::endpoint_prefix() const { return table_->text(record().endpoint_prefix); }
std::string_view Service::signing_name() const { return table_->text(record().signing_name); }
std::string_view Service::service_id() const { return table_->text(record().service_id); }
std::string_view Service::api_version() const { return table_->text(record().api_version); }
std::string_view Service::xml_namespace() const { return table_->text(record().xml_namespace); }
std::string_view Service::target_prefix() const { return table_->text(record().target_prefix); }
std::string_view Service::json_version() const { return table_->text(record().json_version); }
ModelProtocol Service::protocol() const { return static_cast<ModelProtocol>(record().protocol); }
std::uint32_t Service::operation_count() const { return record().operations; }
Operation Service::operation(std::uint32_t index) const { return {*table_, record().first_operation + index}; }
std::uint32_t Service::shape_count() const { return record().shapes; }
Shape Service::shape(std::uint32_t index) const { return {*table_, record().first_shape + index}; }

std::optional<Operation> Service::find_operation(std::string_view name) const {
  for (std::uint32_t i = 0; i < operation_count(); ++i) {
    if (operation(i).name() == name) return operation(i);
  }
  return std::nullopt;
}

std::optional<Shape> Service::find_shape(std::string_view name) const {
  for (std::uint32_t i = 0; i < shape_count(); ++i) {
    if (shape(i).name() == name) return shape(i);
  }
  return std::nullopt;
}

const record::Operation& Operation::record() const { return table_->operations_[index_]; }
std::string_view Operation::name() const { return table_->text(record().name); }
std::string_view Operation::method() const { return table_->text(record().method); }
std::string_view Operation::uri() const { return table_->text(record().uri); }
int Operation::response_code() const { return static_cast<int>(record().response_code); }
std::string_view Operation::result_wrapper() const { return table_->text(record().result_wrapper); }
std::string_view Operation::input_root() const { return table_->text(record().input_root); }
std::uint32_t Operation::error_count() const { return record().errors; }
Shape Operation::error(std::uint32_t index) const {
  return {*table_, table_->error_shape(record().first_error + index)};
}

std::optional<Shape> Operation::input() const {
  if (record().input == none) return std::nullopt;
  return Shape(*table_, record().input);
}

std::optional<Shape> Operation::output() const {
  if (record().output == none) return std::nullopt;
  return Shape(*table_, record().output);
}

const record::Shape& Shape::record() const { return table_->shapes_[index_]; }
std::string_view Shape::name() const { return table_->text(record().name); }

ShapeKind Shape::kind() const {
  // compile.py keeps float and double apart; here both are one.
  static constexpr ShapeKind kinds[] = {ShapeKind::structure, ShapeKind::list,         ShapeKind::map,
                                        ShapeKind::string,    ShapeKind::blob,         ShapeKind::boolean,
                                        ShapeKind::integer,   ShapeKind::long_integer, ShapeKind::real,
                                        ShapeKind::real,      ShapeKind::timestamp};
  return kinds[record().kind];
}

std::optional<double> Shape::min() const { return flag(shape_has_min) ? std::optional(record().min) : std::nullopt; }
std::optional<double> Shape::max() const { return flag(shape_has_max) ? std::optional(record().max) : std::nullopt; }
std::string_view Shape::pattern() const { return table_->text(record().pattern); }
std::string_view Shape::re2() const { return table_->text(record().re2); }
bool Shape::sensitive() const { return flag(shape_sensitive); }
bool Shape::streaming() const { return flag(shape_streaming); }
bool Shape::flattened() const { return flag(shape_flattened); }
bool Shape::event_stream() const { return flag(shape_event_stream); }
bool Shape::exception() const { return flag(shape_exception); }
TimestampFormat Shape::timestamp_format() const { return static_cast<TimestampFormat>(record().timestamp); }
std::string_view Shape::location_name() const { return table_->text(record().location_name); }
std::string_view Shape::xml_namespace() const { return table_->text(record().xml_namespace); }
std::string_view Shape::xml_prefix() const { return table_->text(record().xml_prefix); }
std::uint32_t Shape::enum_size() const { return record().texts; }
std::string_view Shape::enum_value(std::uint32_t index) const {
  return table_->text(table_->texts_[record().first_text + index]);
}
std::uint32_t Shape::member_count() const { return record().members; }
Member Shape::member(std::uint32_t index) const { return {*table_, record().first_member + index}; }

std::optional<Member> Shape::find_member(std::string_view name) const {
  for (std::uint32_t i = 0; i < member_count(); ++i) {
    if (member(i).name() == name) return member(i);
  }
  return std::nullopt;
}

std::optional<Member> Shape::payload() const {
  if (record().payload == none) return std::nullopt;
  return member(record().payload);
}

std::string_view Shape::error_code() const {
  const auto code = table_->text(record().error_code);
  return code.empty() ? name() : code;
}
int Shape::error_status() const { return static_cast<int>(record().error_status); }
bool Shape::sender_fault() const { return flag(shape_sender_fault) || (!flag(shape_fault) && error_status() < 500); }

const record::Member& Member::record() const { return table_->members_[index_]; }
std::string_view Member::name() const { return table_->text(record().name); }
std::string_view Member::location_name() const { return table_->text(record().location_name); }
std::string_view Member::wire_name() const {
  const auto given = location_name();
  return given.empty() ? name() : given;
}
Shape Member::shape() const { return {*table_, record().shape}; }
Location Member::location() const { return static_cast<Location>(record().location); }
TimestampFormat Member::timestamp_format() const {
  const auto own = static_cast<TimestampFormat>(record().timestamp);
  return own == TimestampFormat::unspecified ? shape().timestamp_format() : own;
}
std::string_view Member::xml_namespace() const { return table_->text(record().xml_namespace); }
std::string_view Member::xml_prefix() const { return table_->text(record().xml_prefix); }
bool Member::required() const { return (record().flags & member_required) != 0; }
bool Member::flattened() const { return (record().flags & member_flattened) != 0 || shape().flattened(); }
bool Member::event_payload() const { return (record().flags & member_event_payload) != 0; }
bool Member::xml_attribute() const { return (record().flags & member_xml_attribute) != 0; }
bool Member::streaming() const { return (record().flags & member_streaming) != 0 || shape().streaming(); }

}  // namespace lambent::aws::model
