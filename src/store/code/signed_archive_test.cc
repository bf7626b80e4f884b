#include "store/code/signed_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "store/code/archive.h"
#include "store/code/code_store.h"
#include "store/code/test_zip.h"

namespace lambent::store {
namespace {

using ::testing::HasSubstr;
using testing::make_zip;
using testing::Member;

const std::string kPath(kSignaturePath);

std::vector<Member> members() {
  return {{.name = "app.py", .content = "def handler(): pass", .deflate = true},
          {.name = "bin/tool", .content = "#!/bin/sh", .mode = S_IFREG | 0755},
          {.name = "data/", .mode = S_IFDIR | 0755},
          {.name = "link", .content = "app.py", .mode = S_IFLNK | 0777}};
}

std::optional<std::string> signature_in(const std::string& zip) {
  const auto code = signed_code(zip);
  if (code) EXPECT_EQ(code->statement, statement_of(zip));
  return code ? std::optional(code->signature) : std::nullopt;
}

std::string refusal(const std::string& zip) {
  try {
    with_signature(zip, "signature");
  } catch (const BadArchive& bad) {
    return bad.what();
  }
  return "(taken)";
}

TEST(SignedArchive, TheStatementIsTheDigestOfEveryPathKindAndContentInOrder) {
  const auto record = [](char kind, const std::string& content, const std::string& path) {
    return kind + (" " + base::sha256_hex(content)) + " " + path + std::string(1, '\0');
  };
  const auto manifest = record('f', "def handler(): pass", "app.py") + record('d', "", "bin") +
                        record('x', "#!/bin/sh", "bin/tool") + record('d', "", "data") + record('l', "app.py", "link");
  EXPECT_EQ(statement_of(make_zip(members())), "lambent-code-v1 sha256:" + base::sha256_hex(manifest) + "\n");
}

TEST(SignedArchive, TheSignatureChangesNothingOfWhatItIsOver) {
  const auto zip = make_zip(members(), {.comment = "kept"});
  const auto with = with_signature(zip, "the signature");
  EXPECT_FALSE(has_signature(zip));
  EXPECT_EQ(signature_in(zip), std::nullopt);
  EXPECT_TRUE(has_signature(with));
  EXPECT_EQ(signature_in(with), "the signature");
  EXPECT_EQ(statement_of(with), statement_of(zip));
  EXPECT_TRUE(with.ends_with("kept"));
  EXPECT_EQ(read_contents(with).files_and_links.size(), read_contents(zip).files_and_links.size() + 1);
}

TEST(SignedArchive, HowAnArchiveIsPackedDoesNotMatter) {
  auto other = members();
  std::swap(other[0], other[3]);
  other.erase(other.begin() + 2);                              // the directory's own entry ...
  other.push_back({.name = "data/", .mode = S_IFDIR | 0700});  // ... elsewhere and with another mode
  for (auto& member : other) member.deflate = !member.deflate;
  other.back().deflate = false;
  EXPECT_EQ(statement_of(make_zip(other, {.comment = "x"})), statement_of(make_zip(members())));
}

TEST(SignedArchive, WhateverAFunctionWouldSeeDifferentlyIsNoticed) {
  const auto signed_statement = statement_of(make_zip(members()));
  const auto changed = [&](auto change) {
    auto other = members();
    change(other);
    return statement_of(make_zip(other)) != signed_statement;
  };
  EXPECT_TRUE(changed([](auto& m) { m[0].content += " "; }));
  EXPECT_TRUE(changed([](auto& m) { m[0].name = "App.py"; }));
  EXPECT_TRUE(changed([](auto& m) { m[0].mode = S_IFREG | 0755; })) << "executable now";
  EXPECT_TRUE(changed([](auto& m) { m[1].mode = S_IFREG | 0644; })) << "no longer executable";
  EXPECT_TRUE(changed([](auto& m) { m[3].content = "bin/tool"; })) << "another target";
  EXPECT_TRUE(changed([](auto& m) { m[3].mode = S_IFREG | 0644; })) << "a file with the target's name in it";
  EXPECT_TRUE(changed([](auto& m) { m.erase(m.begin()); }));
  EXPECT_TRUE(changed([](auto& m) { m.erase(m.begin() + 2); })) << "an empty directory is gone";
  EXPECT_TRUE(changed([](auto& m) { m.push_back({.name = "sitecustomize.py", .content = "evil()"}); }));
  EXPECT_TRUE(changed([](auto& m) { m.push_back({.name = "empty/", .mode = S_IFDIR | 0755}); }));
  EXPECT_TRUE(changed([](auto& m) { m.push_back({.name = "META-INF/MANIFEST.MF", .content = "x"}); }))
      << "beside the signature is not in the signature";
  EXPECT_TRUE(changed([](auto& m) { m.push_back({.name = kPath + ".py", .content = "x"}); }));
  EXPECT_TRUE(changed([](auto& m) { m.push_back({.name = "meta-inf/lambent_signature_v1.p7s", .content = "x"}); }));
  EXPECT_TRUE(changed([](auto& m) { m.push_back({.name = "sub/" + kPath, .content = "x"}); }));
}

TEST(SignedArchive, NamesCannotBeReadAsOtherRecords) {
  const auto sum = base::sha256_hex("b");
  const auto one = make_zip({{.name = "a\nf " + sum + " b", .content = "b"}});
  const auto two = make_zip({{.name = "a", .content = "b"}, {.name = "b", .content = "b"}});
  EXPECT_NE(statement_of(one), statement_of(two));
}

TEST(SignedArchive, ASignatureThatIsNoFileOrTooLargeIsEmpty) {
  EXPECT_EQ(signature_in(make_zip({{.name = kPath, .content = "../app.py", .mode = S_IFLNK | 0777}})), "");
  EXPECT_EQ(signature_in(make_zip({{.name = kPath + "/", .mode = S_IFDIR | 0755}})), "");
  EXPECT_EQ(signature_in(make_zip({{.name = kPath + "/x", .content = "y"}})), "");
  EXPECT_EQ(signature_in(make_zip({{.name = kPath, .content = std::string(kMaxSignatureBytes + 1, 'x')}})), "");
  const std::string largest(kMaxSignatureBytes, 'x');
  EXPECT_EQ(signature_in(make_zip({{.name = kPath, .content = largest}})), largest);
}

TEST(SignedArchive, ADirectoryInTheSignaturesPlaceIsPartOfWhatIsSigned) {
  const auto plain = make_zip({{.name = "a", .content = "b"}});
  EXPECT_NE(statement_of(make_zip({{.name = "a", .content = "b"}, {.name = kPath + "/x.py", .content = "y"}})),
            statement_of(plain));
  EXPECT_EQ(statement_of(make_zip({{.name = "a", .content = "b"}, {.name = "META-INF/", .mode = S_IFDIR | 0755}})),
            statement_of(plain));
}

TEST(SignedArchive, OnlyOneSignatureFits) {
  const auto zip = make_zip(members());
  EXPECT_EQ(refusal(zip), "(taken)");
  EXPECT_THAT(refusal(with_signature(zip, "first")), HasSubstr("has a signature already"));
  EXPECT_THAT(refusal(make_zip(members(), {.zip64 = true})), HasSubstr("zip64"));
  EXPECT_THAT(refusal(make_zip({{.name = "META-INF", .content = "a file"}})), HasSubstr("not a directory"));
  EXPECT_THAT(refusal("no zip"), HasSubstr("not a zip"));
  EXPECT_THROW(with_signature(zip, ""), BadArchive);
  EXPECT_THROW(with_signature(zip, std::string(kMaxSignatureBytes + 1, 'x')), BadArchive);
}

}  // namespace
}  // namespace lambent::store
