// Giving up root: after the sockets are bound and the launcher runs, the server goes on as an ordinary user.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lambent::app {

/// Gives the data directory (but for what must stay root's: scratch/, roots/) to `user` and becomes that user, with no groups, capabilities
/// or way back. Does nothing when not root. Throws std::runtime_error when there is no such user.
void become_user(const std::string& user, const std::filesystem::path& data,
                 const std::vector<std::filesystem::path>& keep_roots);

}  // namespace lambent::app
