#include "store/code/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <chrono>
#include <fstream>
#include <map>

#include "store/code/test_zip.h"

namespace lambent::store {
namespace {

using testing::deflated;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::le;
using testing::make_zip;
using testing::Member;
using Why = BadArchive::Why;

/// The tree in memory: "d" for directories, "f644:"/"f755:" and content, "l:" and target.
class Recorder final : public TreeSink {
 public:
  std::map<std::string, std::string, std::less<>> nodes;
  std::vector<std::string> order;
  std::uint64_t written = 0;

  void directory(std::string_view path) override { put(path, "d"); }
  void begin_file(std::string_view path) override { path_ = path; }
  void write(std::string_view bytes) override {
    written += bytes.size();
    if (content_.size() < 4096) content_ += bytes;
  }
  void end_file(bool executable) override {
    put(path_, (executable ? "f755:" : "f644:") + content_);
    content_.clear();
  }
  void symlink(std::string_view path, std::string_view target) override { put(path, "l:" + std::string(target)); }

 private:
  void put(std::string_view path, std::string node) {
    order.emplace_back(path);
    EXPECT_TRUE(nodes.emplace(path, std::move(node)).second) << path;
  }
  std::string path_;
  std::string content_;
};

std::map<std::string, std::string, std::less<>> tree_of(const std::string& zip) {
  Recorder sink;
  unpack(zip, sink);
  return sink.nodes;
}

struct Refusal {
  std::string message;
  Why why = Why::malformed;
  std::uint64_t written = 0;
};

Refusal refusal_of(std::string_view zip) {
  Recorder sink;
  try {
    unpack(zip, sink);
  } catch (const BadArchive& refused) {
    return {refused.what(), refused.why(), sink.written};
  }
  ADD_FAILURE() << "the archive was accepted";
  return {};
}

Member named(std::string name) { return {.name = std::move(name), .content = "x"}; }
Member link_to(std::string name, std::string target) {
  return {.name = std::move(name), .content = std::move(target), .mode = S_IFLNK | 0777};
}

TEST(Archive, GivesDirectoriesThenFilesThenLinks) {
  Recorder sink;
  unpack(make_zip({link_to("bin/run", "../app.py"),
                   {.name = "app.py", .content = "print(1)", .deflate = true},
                   {.name = "lib/", .mode = S_IFDIR | 0755},
                   named("lib/a/b.txt")}),
         sink);
  EXPECT_THAT(sink.order, ElementsAre("bin", "lib", "lib/a", "app.py", "lib/a/b.txt", "bin/run"));
  EXPECT_EQ(sink.nodes["app.py"], "f644:print(1)");
  EXPECT_EQ(sink.nodes["bin/run"], "l:../app.py");
}

TEST(Archive, AnEmptyOneIsAnEmptyTree) { EXPECT_TRUE(tree_of(make_zip({})).empty()); }

TEST(Archive, AcceptsWhatZipToolsWrite) {
  EXPECT_EQ(tree_of(make_zip({{.name = "./", .mode = S_IFDIR | 0755}, named("./a")})).size(), 1u);
  EXPECT_EQ(tree_of(make_zip({named("a")}, {.comment = "made by PK\x05\x06 hand"})).size(), 1u);
  EXPECT_EQ(tree_of(make_zip({named("a"), named("b")}, {.zip64 = true})).size(), 2u);
  EXPECT_EQ(tree_of(make_zip({named("a")}, {.prefix = "#!/usr/bin/env python3\n"})).size(), 1u);
  // A directory that is named after something in it.
  EXPECT_EQ(tree_of(make_zip({named("d/f"), {.name = "d/", .mode = S_IFDIR | 02775}})).size(), 2u);
  // Sizes behind the content, and zeros in the local header (streamed archives).
  EXPECT_EQ(tree_of(make_zip({{.name = "s", .content = "streamed", .deflate = true, .flags = 1 << 3}})).size(), 1u);
}

TEST(Archive, TakesSizesFromTheZip64Field) {
  Member member{.name = "a", .content = "four"};
  member.size = member.stored_size = 0xffffffff;
  member.central_extra = le(1, 2) + le(16, 2) + le(4, 8) + le(4, 8);
  EXPECT_EQ(tree_of(make_zip({member}))["a"], "f644:four");
  member.central_extra = le(1, 2) + le(8, 2) + le(4, 8);
  EXPECT_EQ(refusal_of(make_zip({member})).why, Why::malformed);
}

TEST(Archive, ExecutableIsWhatTheModeSaysOrElseTheFirstBytes) {
  const auto tree = tree_of(make_zip({{.name = "by-mode", .content = "x", .mode = S_IFREG | 0711},
                                      {.name = "private", .content = "#!/bin/sh", .mode = S_IFREG | 0600},
                                      {.name = "script", .content = "#!/bin/sh", .mode = 0},
                                      {.name = "elf",
                                       .content = "\x7f"
                                                  "ELF..",
                                       .mode = 0},
                                      {.name = "text", .content = "x", .mode = 0},
                                      {.name = "dos", .content = "x", .mode = S_IFREG | 0755, .made_on = 0}}));
  EXPECT_TRUE(tree.at("by-mode").starts_with("f755"));
  EXPECT_TRUE(tree.at("private").starts_with("f644"));
  EXPECT_TRUE(tree.at("script").starts_with("f755"));
  EXPECT_TRUE(tree.at("elf").starts_with("f755"));
  EXPECT_TRUE(tree.at("text").starts_with("f644"));
  EXPECT_TRUE(tree.at("dos").starts_with("f644"));
}

struct Slip {
  std::string what;
  std::vector<Member> members;
  std::string says;
};

class ZipSlip : public ::testing::TestWithParam<Slip> {};

// Trial 18.
TEST_P(ZipSlip, IsRefusedBeforeAnythingIsWritten) {
  const auto refusal = refusal_of(make_zip(GetParam().members));
  EXPECT_THAT(refusal.message, HasSubstr(GetParam().says));
  EXPECT_EQ(refusal.why, Why::forbidden);
  EXPECT_EQ(refusal.written, 0u);
}

std::string deep_path(std::size_t parts) {
  std::string path = "d";
  for (std::size_t i = 1; i < parts; ++i) path += "/d";
  return path;
}

const Slip kSlips[] = {
    {"dotdot", {named("../x")}, "leaves the archive"},
    {"dotdot_inside", {named("a/../../x")}, "leaves the archive"},
    {"dotdot_harmless", {named("a/../x")}, "leaves the archive"},
    {"dotdot_alone", {named("..")}, "leaves the archive"},
    {"absolute", {named("/etc/passwd")}, "absolute path"},
    {"backslash", {named("..\\x")}, "backslash"},
    {"drive", {named("C:\\x")}, "backslash"},
    {"dot_inside", {named("a/./x")}, "not normal"},
    {"empty_part", {named("a//x")}, "not normal"},
    {"empty_name", {named("")}, "no name"},
    {"file_named_dot", {named(".")}, "no name"},
    {"nul", {named(std::string("a\0b", 3))}, "NUL"},
    {"not_utf8", {named("\xff\xfe")}, "not UTF-8"},
    {"overlong_dot", {named("\xc0\xae\xc0\xae/x")}, "not UTF-8"},
    {"long_name", {named(std::string(256, 'n'))}, "longer than 255"},
    {"long_path", {named(std::string(600, 'n') + "/" + std::string(600, 'n'))}, "longer than 1024"},
    {"deep", {named(deep_path(65))}, "64 directories deep"},
    {"twice", {named("a"), named("a")}, "occurs twice"},
    {"twice_by_dot", {named("a"), named("./a")}, "occurs twice"},
    {"directory_twice",
     {{.name = "a/", .mode = S_IFDIR | 0755}, {.name = "a/", .mode = S_IFDIR | 0755}},
     "occurs twice"},
    {"file_then_directory", {named("a"), {.name = "a/", .mode = S_IFDIR | 0755}}, "occurs twice"},
    {"file_then_beneath", {named("a"), named("a/b")}, "not a directory"},
    {"file_then_deep_beneath", {named("a"), named("a/b/c/d")}, "not a directory"},
    {"beneath_then_file", {named("a/b"), named("a")}, "occurs twice"},
    {"symlink_then_beneath", {link_to("a", "b"), named("a/x")}, "not a directory"},
    {"device", {{.name = "null", .mode = S_IFCHR | 0666}}, "neither a file"},
    {"block_device", {{.name = "sda", .mode = S_IFBLK | 0666}}, "neither a file"},
    {"fifo", {{.name = "pipe", .mode = S_IFIFO | 0666}}, "neither a file"},
    {"socket", {{.name = "sock", .mode = S_IFSOCK | 0666}}, "neither a file"},
    {"hard_link", {{.name = "h", .central_extra = le(0x000d, 2) + le(18, 2) + std::string(18, 'p')}}, "hard link"},
    {"setuid", {{.name = "su", .content = "x", .mode = S_IFREG | 04755}}, "setuid"},
    {"setgid", {{.name = "sg", .content = "x", .mode = S_IFREG | 02755}}, "setuid"},
    {"sticky", {{.name = "t", .content = "x", .mode = S_IFREG | 01755}}, "setuid"},
    {"encrypted", {{.name = "e", .content = "x", .flags = 1}}, "encrypted"},
    {"strongly_encrypted", {{.name = "e", .content = "x", .flags = 1 << 6}}, "encrypted"},
    {"masked", {{.name = "e", .content = "x", .flags = 1 << 13}}, "encrypted"},
    {"bzip2", {{.name = "b", .content = "x", .method = 12}}, "other than deflate"},
    {"directory_with_content", {{.name = "d/", .content = "x", .mode = S_IFDIR | 0755}}, "directory with content"},
    {"link_up", {link_to("l", "..")}, "leaves the archive"},
    {"link_up_from_below", {link_to("a/l", "../../etc")}, "leaves the archive"},
    {"link_absolute", {link_to("l", "/etc/passwd")}, "absolute path"},
    // Lexically inside, but `far` leads to the root: from there ".." leaves.
    {"link_chain", {link_to("a/b/far", "../.."), link_to("l", "a/b/far/../x")}, "leaves the archive"},
    {"link_to_nothing", {link_to("l", "")}, "to nothing"},
    {"link_nul", {link_to("l", std::string("a\0b", 3))}, "NUL"},
    {"link_backslash", {link_to("l", "..\\x")}, "backslash"},
    {"link_not_utf8", {link_to("l", "\xff")}, "not UTF-8"},
    {"link_long", {link_to("l", std::string(1025, 'a'))}, "too long a symlink"},
    {"link_named_as_directory", {link_to("l/", "a")}, "name of a directory"},
};

INSTANTIATE_TEST_SUITE_P(Archive, ZipSlip, ::testing::ValuesIn(kSlips),
                         [](const auto& info) { return info.param.what; });

TEST(Archive, KeepsLinksInsideTheTree) {
  const auto tree = tree_of(make_zip({named("node_modules/x/cli.js"), link_to("node_modules/.bin/x", "../x/cli.js"),
                                      link_to("lib64", "lib"), link_to("a/b/root", "../.."), link_to("self", "./x")}));
  EXPECT_EQ(tree.at("node_modules/.bin/x"), "l:../x/cli.js");
  EXPECT_EQ(tree.at("a/b/root"), "l:../..");
}

TEST(Archive, EscapesNamesInItsMessages) {
  EXPECT_THAT(refusal_of(make_zip({named("../a\r\nSet-Cookie: \xc3\xa9")})).message,
              HasSubstr("\"../a\\x0d\\x0aSet-Cookie: \\xc3\\xa9\""));
  EXPECT_LT(refusal_of(make_zip({named("/" + std::string(1000, 'n'))})).message.size(), 200u);
}

// Trial 17: each of these is refused, in time, and without writing more than the limit.
class ZipBomb : public ::testing::Test {
 protected:
  static Refusal timed_refusal(std::string_view zip) {
    malloc_trim(0);
    std::ofstream("/proc/self/clear_refs") << "5";  // the peak starts anew (proc(5))
    const auto before = status_kib("VmRSS:");
    const auto start = std::chrono::steady_clock::now();
    auto refusal = refusal_of(zip);
    const auto took = std::chrono::steady_clock::now() - start;
    EXPECT_LT(took, std::chrono::seconds(1));
    EXPECT_LT(status_kib("VmHWM:") - before, 64 * 1024);
    EXPECT_LE(refusal.written, static_cast<std::uint64_t>(kMaxUnzippedBytes));
    return refusal;
  }

 private:
  static long status_kib(std::string_view field) {
    std::ifstream status("/proc/self/status");
    for (std::string name; status >> name;)
      if (long value = 0; name == field && status >> value) return value;
    ADD_FAILURE() << "no " << field;
    return 0;
  }
};

std::string zeros_deflated(std::size_t size) {
  static std::map<std::size_t, std::string> made;
  auto& bytes = made[size];
  if (bytes.empty()) bytes = deflated(std::string(size, '\0'));
  return bytes;
}

Member zeros(std::string name, std::size_t size) {
  Member member{.name = std::move(name), .content = zeros_deflated(size)};
  member.method = 8;
  member.size = static_cast<std::uint32_t>(size);
  return member;
}

TEST_F(ZipBomb, OneThatDeclaresTooMuchIsRefusedBeforeItIsInflated) {
  const auto zip = make_zip({zeros("a", 300'000'000)});
  const auto refusal = timed_refusal(zip);
  EXPECT_EQ(refusal.message, "Unzipped size must be smaller than 262144000 bytes");
  EXPECT_EQ(refusal.why, Why::too_large);
  EXPECT_EQ(refusal.written, 0u);
}

TEST_F(ZipBomb, ManyFilesAreCountedTogether) {
  std::vector<Member> members;
  for (int i = 0; i < 27; ++i) members.push_back(zeros("f" + std::to_string(i), 10'000'000));
  EXPECT_EQ(timed_refusal(make_zip(members)).why, Why::too_large);
}

TEST_F(ZipBomb, SizesThatWouldOverflowTheSumAreRefused) {
  std::vector<Member> members;
  for (const char* name : {"a", "b"}) {
    Member member{.name = name, .content = "x"};
    member.size = member.stored_size = 0xffffffff;
    member.central_extra = le(1, 2) + le(16, 2) + le(~0ULL / 2 + 1, 8) + le(1, 8);
    member.method = 8;
    members.push_back(member);
  }
  EXPECT_EQ(timed_refusal(make_zip(members)).why, Why::too_large);
}

TEST_F(ZipBomb, ALyingSizeEndsAtItsFirstExcessByte) {
  auto member = zeros("a", 300'000'000);
  member.size = 1000;
  const auto refusal = timed_refusal(make_zip({member}));
  EXPECT_THAT(refusal.message, HasSubstr("more than it declares"));
  EXPECT_LE(refusal.written, 1000u);
}

TEST_F(ZipBomb, EntriesThatShareBytesAreRefused) {
  std::vector<Member> members{zeros("a", 1'000'000)};
  for (int i = 0; i < 100; ++i) {
    auto member = zeros("a", 1'000'000);
    member.name = "b" + std::to_string(i);
    member.local_name = "a";
    member.shares = 0;
    members.push_back(member);
  }
  EXPECT_EQ(timed_refusal(make_zip(members)).why, Why::malformed);  // by their name: one local header, two names
  auto twice = zeros("a", 1'000'000);
  twice.shares = 0;
  EXPECT_EQ(timed_refusal(make_zip({zeros("a", 1'000'000), twice})).why, Why::forbidden);
}

TEST_F(ZipBomb, AnEntryInsideAnotherIsRefused) {
  // The local header of "inner" stands in the stored content of "outer".
  const auto inner = make_zip({named("inner")});
  const auto local = inner.substr(0, 30 + 5 + 1);
  auto zip = make_zip({{.name = "outer", .content = local}, named("inner")});
  const auto central_inner = zip.rfind("PK\x01\x02");
  zip.replace(central_inner + 42, 4, le(30 + 5, 4));
  EXPECT_THAT(timed_refusal(zip).message, HasSubstr("overlap"));
}

TEST_F(ZipBomb, MoreEntriesThanTheBoundAreRefusedWhetherNamedOrImplied) {
  std::vector<Member> members;
  for (int i = 0; i < 1700; ++i) members.push_back(named("r" + std::to_string(i) + "/" + deep_path(62)));
  EXPECT_THAT(timed_refusal(make_zip(members)).message, HasSubstr("more than 100000 files"));
  auto zip = make_zip({named("a")}, {.zip64 = true});
  zip.replace(zip.rfind("PK\x06\x06") + 24, 16, le(1'000'000'000, 8) + le(1'000'000'000, 8));
  EXPECT_THAT(timed_refusal(zip).message, HasSubstr("more than 100000 files"));
}

TEST_F(ZipBomb, ANestedOneIsAFileLikeAnyOther) {
  const auto inner = make_zip({zeros("a", 300'000'000)});
  EXPECT_EQ(tree_of(make_zip({{.name = "inner.zip", .content = inner}})).size(), 1u);
}

TEST(Archive, DamageIsToldFromLies) {
  Member wrong_sum{.name = "a", .content = "text"};
  wrong_sum.crc = 1;
  EXPECT_THAT(refusal_of(make_zip({wrong_sum})).message, HasSubstr("damaged"));
  Member short_content{.name = "a", .content = "text", .deflate = true};
  short_content.size = 5;
  EXPECT_THAT(refusal_of(make_zip({short_content})).message, HasSubstr("damaged"));
  Member garbage{.name = "a", .content = "\xff\xff\xff"};
  garbage.method = 8;
  EXPECT_THAT(refusal_of(make_zip({garbage})).message, HasSubstr("damaged"));
  EXPECT_THAT(refusal_of(make_zip({{.name = "a", .content = "text", .deflate = true, .trailing = "more"}})).message,
              HasSubstr("bytes after its end"));
  Member two_names{.name = "a", .content = "x"};
  two_names.local_name = "b";
  EXPECT_THAT(refusal_of(make_zip({two_names})).message, HasSubstr("two ways"));
  EXPECT_THAT(refusal_of(make_zip({named("a")}, {.entries = 2})).message, HasSubstr("ends in the middle"));
  EXPECT_THAT(refusal_of(make_zip({named("a"), named("b")}, {.entries = 1})).message, HasSubstr("more entries"));
  EXPECT_THAT(refusal_of("").message, HasSubstr("not a zip"));
  EXPECT_THAT(refusal_of("this is no archive, only text").message, HasSubstr("not a zip"));
}

TEST(Archive, EveryCutAndEveryChangedByteIsAnswered) {
  const auto zip =
      make_zip({named("a/b"), link_to("l", "a"), {.name = "c", .content = "cc", .deflate = true}}, {.zip64 = true});
  for (std::size_t keep = 0; keep < zip.size(); ++keep) EXPECT_FALSE(refusal_of(zip.substr(0, keep)).message.empty());
  for (std::size_t at = 0; at < zip.size(); ++at) {
    auto changed = zip;
    changed[at] = static_cast<char>(changed[at] ^ 0x80);
    Recorder sink;
    try {
      unpack(changed, sink);
    } catch (const BadArchive&) {
    }
    for (const auto& [path, node] : sink.nodes) EXPECT_EQ(path.find(".."), std::string::npos);
  }
}

}  // namespace
}  // namespace lambent::store
