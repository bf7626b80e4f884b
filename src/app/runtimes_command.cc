#include "app/runtimes_command.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <iostream>

#include "app/data_directory.h"
#include "app/options.h"
#include "runtimes/catalog.h"
#include "runtimes/install.h"
#include "runtimes/installed.h"

namespace lambent::app {
namespace {

namespace json = boost::json;

std::filesystem::path roots_of(const RuntimesOptions& options) {
  if (!options.roots.empty()) return std::filesystem::absolute(options.roots);
  if (options.data.empty()) throw std::invalid_argument("say where: --data of the server, or --runtimes-dir");
  return std::filesystem::absolute(options.data) / "roots";
}

/// The recipe that an identifier or a root's name stands for.
const runtimes::Recipe& recipe_of(const std::string& name) {
  for (const runtimes::Recipe& recipe : runtimes::recipes())
    if (runtimes::root_name(recipe.family, recipe.generation) == name) return recipe;
  const runtimes::Identifier* identifier = runtimes::find_identifier(name);
  if (identifier == nullptr) throw std::invalid_argument(name + " is not a runtime identifier");
  if (identifier->family == runtimes::Family::provided || identifier->family == runtimes::Family::go)
    throw std::invalid_argument(name + " needs nothing installed");
  if (const auto* recipe = runtimes::find_recipe(identifier->family, identifier->generation)) return *recipe;
  throw std::invalid_argument(fmt::format("no source has {} for {}; a nearby version stands in for it",
                                          runtimes::language_of(identifier->family), name));
}

struct Row {
  std::string identifier, source, version, state, note;
};

Row row_of(const runtimes::Identifier& identifier, const runtimes::Catalog& catalog,
           const std::vector<runtimes::InstalledRoot>& installed, const std::string& today) {
  Row row{std::string(identifier.name), "", "", "missing", ""};
  const auto found = catalog.find(identifier.name);
  if (found.runtime) {
    row.version = found.runtime->version;
    row.state = found.runtime->substitution.empty() ? "ready" : "stand-in";
    row.source = found.runtime->version.empty() ? "the function's own" : "host";
    for (const runtimes::InstalledRoot& root : installed)
      if (root.name == found.runtime->root) row.source = root.source;
  }
  const auto* recipe = runtimes::find_recipe(identifier.family, identifier.generation);
  if (row.state != "ready" && recipe != nullptr) row.note = "installable from " + runtimes::source_text(*recipe);
  if (!identifier.deprecated.empty() && identifier.deprecated <= today)
    row.note += fmt::format("{}deprecated by AWS on {}", row.note.empty() ? "" : "; ", identifier.deprecated);
  return row;
}

void print_json(const std::vector<Row>& rows) {
  json::array all;
  for (const Row& row : rows)
    all.push_back(json::object{{"identifier", row.identifier},
                               {"state", row.state},
                               {"version", row.version},
                               {"source", row.source},
                               {"note", row.note}});
  std::cout << json::serialize(all) << "\n";
}

void print_table(const std::vector<Row>& rows) {
  constexpr const char* kLine = "{:<16} {:<9} {:<11} {:<19} {}\n";
  std::cout << fmt::format(kLine, "RUNTIME", "STATE", "VERSION", "SOURCE", "");
  for (const Row& row : rows)
    std::cout << fmt::format(kLine, row.identifier, row.state, row.version, row.source, row.note);
}

/// Runs a command and turns what goes wrong into words and a status.
template <class Work>
int with_words(Work work) {
  try {
    work();
    return std::cout.flush() ? 0 : kExitSoftware;
  } catch (const std::invalid_argument& error) {
    std::cerr << "lambent: " << error.what() << "\n";
    return kExitUsage;
  } catch (const std::exception& error) {
    std::cerr << "lambent: " << error.what() << "\n";
    return kExitConfig;
  }
}

}  // namespace

int list_runtimes(const RuntimesOptions& options) {
  return with_words([&] {
    const auto roots = roots_of(options);
    const runtimes::Catalog catalog("/", roots);
    const auto installed = runtimes::installed_roots(roots);
    const std::string today = runtimes::date_text(std::chrono::system_clock::now());
    std::vector<Row> rows;
    for (const auto& identifier : runtimes::identifiers())
      rows.push_back(row_of(identifier, catalog, installed, today));
    options.json ? print_json(rows) : print_table(rows);
  });
}

int install_runtimes(const RuntimesOptions& options) {
  return with_words([&] {
    const auto roots = roots_of(options);
    // A new data directory is private from its first moment.
    if (options.roots.empty())
      const DataDirectory made(std::filesystem::absolute(options.data));
    else
      std::filesystem::create_directories(roots);
    std::vector<const runtimes::Recipe*> wanted;
    for (const std::string& name : options.names) wanted.push_back(&recipe_of(name));
    for (const runtimes::Recipe* recipe : wanted) {
      const std::string name = runtimes::root_name(recipe->family, recipe->generation);
      const bool now = runtimes::install({roots, options.mirror}, *recipe) == runtimes::Installed::now;
      std::cout << name << (now ? " is installed: a server uses it from its next start on" : " was installed already")
                << "\n";
    }
  });
}

int remove_runtimes(const RuntimesOptions& options) {
  return with_words([&] {
    const auto roots = roots_of(options);
    for (const std::string& given : options.names) {
      const runtimes::Recipe& recipe = recipe_of(given);
      const std::string name = runtimes::root_name(recipe.family, recipe.generation);
      const bool was = runtimes::remove_installed(roots, name);
      std::cout << name << (was ? " is removed" : " was not installed") << "\n";
    }
  });
}

}  // namespace lambent::app
