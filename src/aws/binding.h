// C++ types held against the shapes of a model, member by member, once at start.
//
// A Binding says for each value of a handler's input or output where it lies in the struct and what it is called and
// limited to on the wire; the codecs walk Bindings and know no types. Owned by the Binder, which lives as long as the
// bound service. Immutable once made: any thread.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "aws/constraints.h"
#include "aws/model.h"
#include "aws/type.h"

namespace lambent::aws {

struct Binding;

struct MemberBinding {
  model::Member member;
  /// As AWS's validation messages spell it: the name with a small first letter.
  std::string path;
  std::string_view wire_name;
  model::Location location;
  bool required;
  /// Null, as is `binding`, when the handler's struct does not have the member.
  const TypeMember* field = nullptr;
  const Binding* binding = nullptr;
};

struct Binding {
  const Type* type;
  Constraints constraints;
  /// Of a map's keys.
  Constraints key_constraints;
  /// How a timestamp is written where its member prescribes it.
  model::TimestampFormat timestamp = model::TimestampFormat::unspecified;
  /// All members of a structure in the model's order.
  std::vector<MemberBinding> members;
  /// Of a list or map; of an event stream, the structure of its events.
  const Binding* element = nullptr;
  /// The index in `members` of the one that is the whole body; -1 for none.
  int payload = -1;

  const model::Shape& shape() const { return constraints.shape; }
};

class Binder {
 public:
  /// Throws std::logic_error when `type` has a member that the shape lacks or whose type does not fit; `where` begins its text.
  const Binding& bind(const Type& type, const model::Shape& shape, const std::string& where) {
    return make(type, shape, where);
  }

 private:
  Binding& make(const Type& type, const model::Shape& shape, const std::string& where);
  void bind_members(Binding& binding, const std::string& where);
  Constraints constraints_of(const model::Shape& shape);

  std::deque<Binding> bindings_;
  std::map<std::string_view, Pattern> patterns_;
};

}  // namespace lambent::aws
