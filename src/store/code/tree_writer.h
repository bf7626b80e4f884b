// The TreeSink that writes beneath one directory and nowhere else.
//
// Every path is walked from that directory's descriptor, component by component, without following a link, and every
// file is new (O_EXCL): the checks of the archive could all be wrong and nothing outside would be touched. Used by one
// thread; the caller makes the directory, and removes it when unpacking fails.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "store/code/archive.h"

namespace lambent::store {

class TreeWriter final : public TreeSink {
 public:
  /// `root` is an open directory.
  explicit TreeWriter(base::Fd root);

  void directory(std::string_view path) override;
  void begin_file(std::string_view path) override;
  void write(std::string_view bytes) override;
  void end_file(bool executable) override;
  void symlink(std::string_view path, std::string_view target) override;

  /// After unpack(): sets the directories' times, which every new entry moved.
  void finish();

 private:
  /// A descriptor of the directory that `path` is in, and the last component.
  std::pair<int, std::string> parent_of(std::string_view path);

  base::Fd root_;
  // Archives list a directory's files together, so the last parent is mostly the next one.
  base::Fd parent_;
  std::string parent_path_;
  base::Fd file_;
  std::vector<std::string> directories_;
};

}  // namespace lambent::store
