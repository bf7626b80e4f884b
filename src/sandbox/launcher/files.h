// Small files of kernel file systems, read and written whole, relative to a directory descriptor.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace lambent::sandbox::launcher {

/// At most 64 KiB; nothing when it cannot be read.
std::optional<std::string> read_file(int directory, const std::string& path);
/// One write(2) to an existing file, as the kernel wants it. Throws std::system_error naming the path.
void write_file(int directory, const std::string& path, const std::string& text);
bool try_write(int directory, const std::string& path, const std::string& text);
/// Names in the directory without "." and "..", at most 65,536.
std::vector<std::string> list_directory(int directory);

}  // namespace lambent::sandbox::launcher
