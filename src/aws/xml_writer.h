// XML as AWS writes it: what is absent is left out, and every text is valid XML 1.0 whatever its bytes.
#pragma once

#include <string>
#include <string_view>

#include "aws/binding.h"

namespace lambent::aws {

/// Escaped for an element or an attribute; characters that XML 1.0 cannot hold become U+FFFD.
void append_xml_text(std::string& out, std::string_view text);

/// <name>text</name>
void append_xml_element(std::string& out, std::string_view name, std::string_view text);

/// The start tag of a root, with its namespace when there is one.
void append_xml_root(std::string& out, std::string_view name, std::string_view xml_namespace);

/// The members of `structure` that belong in the body, each as its elements.
void append_xml_members(std::string& out, const Binding& binding, const void* structure);

}  // namespace lambent::aws
