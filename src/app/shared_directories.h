// The shared file systems of the server's configuration: which access point is which directory.
#pragma once

#include <string>
#include <vector>

#include "sandbox/sandbox.h"

namespace lambent::app {

/// From "ACCESS_POINT_ARN=DIRECTORY" each. Throws std::invalid_argument with words for the user: it is not of that form, is there
/// twice, is no directory, or belongs to root, as whom functions would then write.
std::vector<sandbox::SharedDirectory> parse_shared_directories(const std::vector<std::string>& texts);

}  // namespace lambent::app
