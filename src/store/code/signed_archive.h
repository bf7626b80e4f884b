// Archives that carry their own signature: where it lies, and what exactly it is over.
//
// What is signed is the tree that a function will see, not the zip's bytes: every file, directory and symlink that unpack() would
// make, by path, kind and content. So whatever is added, removed, renamed or made executable changes it, and nothing that another
// reader of the zip might see matters here. The manifest has one record for each of them in the order of their paths' bytes:
//
//     kind SP sha256 SP path NUL
//
// where `kind` is f (file), x (executable file), d (directory) or l (symlink), and `sha256` in lower-case hex is that of the
// file's bytes, of the link's target, of nothing for a directory. NUL ends a record because no path has one. The signature's own
// file and the directory it lies in are left out. The statement, which is what the CMS signature is over, names the manifest's digest:
//
//     lambent-code-v1 sha256:HEX LF
//
// docs/decisions/0010-code-signing.md says why. Stateless, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lambent::store {

inline constexpr std::string_view kSignatureDirectory = "META-INF";
inline constexpr std::string_view kSignaturePath = "META-INF/lambent_signature_v1.p7s";
/// Ours: a signature with a chain of certificates has a few KiB.
inline constexpr std::size_t kMaxSignatureBytes = 64 * 1024;

/// Reads the table of contents alone. Throws BadArchive, like all that follow.
bool has_signature(std::string_view zip);

/// What a signature of this archive is over, whether or not it has one.
std::string statement_of(std::string_view zip);

struct SignedCode {
  std::string statement;
  /// The signature's bytes, unchecked; empty for one that is not a file or is too large.
  std::string signature;
};

/// Both of an archive that has a signature; nothing when it has none.
std::optional<SignedCode> signed_code(std::string_view zip);

/// The archive with the signature as its last entry: its statement stays the same. Throws BadArchive also for an archive that
/// has one already, and for one in zip64 form.
std::string with_signature(std::string_view zip, std::string_view signature);

}  // namespace lambent::store
