// Small files of kernel file systems, read and written whole, relative to a directory descriptor.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"

namespace lambent::sandbox::launcher {

/// At most 64 KiB; nothing when it cannot be read.
std::optional<std::string> read_file(int directory, const std::string& path);
/// The number that the file's text is, from its beginning; 0 when it is none.
std::int64_t number_in(const base::Fd& file);
/// One write(2) to an existing file, as the kernel wants it. Throws std::system_error naming the path.
void write_file(int directory, const std::string& path, const std::string& text);
bool try_write(int directory, const std::string& path, const std::string& text);
/// Names in the directory without "." and "..", at most 65,536.
std::vector<std::string> list_directory(int directory);

/// Copies a file, a link as it is, or a directory with all beneath it, under the same name and with at most the same permissions. What
/// cannot be read, is of another kind or is there already is left out. For trees that nobody changes meanwhile: it goes as deep
/// as they are.
void copy_tree(int from_directory, const std::string& name, int to_directory);

}  // namespace lambent::sandbox::launcher
