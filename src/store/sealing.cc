#include "store/sealing.h"

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "store/functions_rows.h"
#include "store/identities_rows.h"

namespace lambent::store {
namespace {

constexpr std::string_view kMarkOwner = "store sealed";
constexpr std::string_view kMark = "everything in here is sealed";

/// A secret as it rests, and what it takes to put another text in its place.
struct Resting {
  std::vector<std::string> key;
  std::string text;
  std::string owner;
  std::string arn;
};

/// Those that are not sealed with the key they should have now, opened and sealed anew.
std::vector<Resting> reseal(const Vault& vault, std::string_view table, bool marked, std::vector<Resting> all) {
  std::vector<Resting> changed;
  for (Resting& row : all) {
    if (vault.is_current(row.text, row.arn)) continue;
    if (marked && !Vault::is_sealed(row.text))
      throw std::runtime_error(
          fmt::format("the table {} holds the {} in the clear, in a database in which everything was sealed: somebody "
                      "put it there. Nothing of it is used. Restore the database, or remove that row",
                      table, row.owner));
    const std::string plain = Vault::is_sealed(row.text) ? vault.open(row.owner, row.text) : row.text;
    row.text = vault.seal(row.owner, plain, row.arn);
    changed.push_back(std::move(row));
  }
  return changed;
}

std::size_t seal_environments(Transaction& transaction, bool marked) {
  std::vector<Resting> found;
  auto& select = transaction
                     .prepare(
                         "SELECT account, region, name, version, kms_key_arn, environment FROM functions "
                         "WHERE environment IS NOT NULL")
                     .bind();
  while (select.step()) {
    const FunctionKey key{select.text(0), select.text(1), select.text(2)};
    found.push_back({{key.account, key.region, key.name, select.text(3)},
                     select.text(5),
                     rows::environment_owner(key, select.text(3)),
                     select.text(4)});
  }
  select.reset();
  const auto changed = reseal(transaction.vault(), "functions", marked, std::move(found));
  for (const Resting& row : changed)
    transaction
        .prepare("UPDATE functions SET environment = ? WHERE account = ? AND region = ? AND name = ? AND version = ?")
        .bind(row.text, row.key[0], row.key[1], row.key[2], row.key[3])
        .run();
  return changed.size();
}

std::size_t seal_access_keys(Transaction& transaction, bool marked) {
  std::vector<Resting> found;
  auto& select = transaction.prepare("SELECT id, secret FROM access_keys").bind();
  while (select.step()) found.push_back({{select.text(0)}, select.text(1), rows::access_key_owner(select.text(0)), ""});
  select.reset();
  const auto changed = reseal(transaction.vault(), "access_keys", marked, std::move(found));
  for (const Resting& row : changed)
    transaction.prepare("UPDATE access_keys SET secret = ? WHERE id = ?").bind(row.text, row.key[0]).run();
  return changed.size();
}

/// Empty when the store is not marked. Throws for a mark that no key opens.
std::string read_mark(Transaction& transaction) {
  auto& row = transaction.prepare("SELECT mark FROM sealing").bind();
  const std::string mark = row.step() ? row.text(0) : "";
  row.reset();
  if (!mark.empty() && transaction.vault().open(kMarkOwner, mark) != kMark)
    throw std::runtime_error("the mark of a database in which everything is sealed says something else");
  return mark;
}

void write_mark(Transaction& transaction) {
  transaction
      .prepare(
          "INSERT INTO sealing (only_row, scrub_due, mark) VALUES (1, 0, ?) ON CONFLICT (only_row) DO UPDATE SET mark "
          "= excluded.mark")
      .bind(transaction.vault().seal(kMarkOwner, kMark))
      .run();
}

}  // namespace

std::size_t seal_records(Database& database, bool once_marked) {
  std::size_t sealed = 0;
  bool scrub_due = false;
  database.write_now([&](Transaction& transaction) {
    if (!transaction.vault().has_keys()) return;
    const std::string mark = read_mark(transaction);
    const bool marked = once_marked || !mark.empty();
    sealed = seal_environments(transaction, marked) + seal_access_keys(transaction, marked);
    if (!transaction.vault().is_current(mark)) write_mark(transaction);
    if (sealed > 0) transaction.prepare("UPDATE sealing SET scrub_due = 1").bind().run();
    auto& state = transaction.prepare("SELECT scrub_due FROM sealing").bind();
    scrub_due = state.step() && state.integer(0) != 0;
  });
  if (!scrub_due) return sealed;
  database.scrub();
  database.write_now(
      [](Transaction& transaction) { transaction.prepare("UPDATE sealing SET scrub_due = 0").bind().run(); });
  return sealed;
}

}  // namespace lambent::store
