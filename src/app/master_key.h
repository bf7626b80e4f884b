// The master key file: the keys that secrets are sealed with before they rest in the data directory, kept outside of it.
//
// Text, a key a line: 32 bytes in base64 (`openssl rand -base64 32`), after the ARN of the KMS key that it stands for if it is a
// customer's. The first of a kind seals, the others still open what they sealed. Read once, while the process is still root.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/data_directory.h"
#include "store/vault.h"

namespace lambent::app {

/// Where the keys are when --master-key-file does not say: beside the data directory, with ".master-key" after its name.
std::filesystem::path default_master_key_file(const DataDirectory& data);

/// The keys in `file`. Where there is none it is made (mode 0600, synced), unless something was sealed with an earlier one.
/// Throws std::runtime_error in words for the operator: it lies in the data directory, others may read it, it holds something else,
/// or it lacks the key that the data directory was sealed with.
store::Vault read_master_keys(const std::filesystem::path& file, const DataDirectory& data);

/// Notes the first key's id in the data directory, to be missed at a later start: before anything is sealed with it.
void note_master_key(const DataDirectory& data, const store::Vault& vault);

}  // namespace lambent::app
