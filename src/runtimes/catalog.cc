#include "runtimes/catalog.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "runtimes/bootstraps.h"
#include "runtimes/interpreters.h"

namespace lambent::runtimes {
namespace {

namespace fs = std::filesystem;

/// AWS's identifiers of the languages that run here, retired ones included (Lambda's service model, member Runtime).
struct Identifier {
  std::string_view name;
  Family family;
  int generation;
};
constexpr std::array kIdentifiers{
    Identifier{"python3.8", Family::python, 8},      Identifier{"python3.9", Family::python, 9},
    Identifier{"python3.10", Family::python, 10},    Identifier{"python3.11", Family::python, 11},
    Identifier{"python3.12", Family::python, 12},    Identifier{"python3.13", Family::python, 13},
    Identifier{"python3.14", Family::python, 14},    Identifier{"python3.15", Family::python, 15},
    Identifier{"nodejs18.x", Family::nodejs, 18},    Identifier{"nodejs20.x", Family::nodejs, 20},
    Identifier{"nodejs22.x", Family::nodejs, 22},    Identifier{"nodejs24.x", Family::nodejs, 24},
    Identifier{"nodejs26.x", Family::nodejs, 26},    Identifier{"provided", Family::provided, 0},
    Identifier{"provided.al2", Family::provided, 0}, Identifier{"provided.al2023", Family::provided, 0},
};

constexpr std::array<std::string_view, 6> kOtherLanguages{"java", "ruby", "dotnet", "go", "nodejs", "python"};

const Interpreter* nearest(const std::vector<Interpreter>& interpreters, int generation) {
  const Interpreter* best = nullptr;
  for (const Interpreter& candidate : interpreters) {
    // Sorted by generation: of two that are equally far the newer wins.
    if (best == nullptr || std::abs(candidate.generation - generation) <= std::abs(best->generation - generation))
      best = &candidate;
  }
  return best;
}

std::string substitution(const Identifier& wanted, std::string_view language, const Interpreter& used) {
  if (used.generation == wanted.generation) return "";
  std::string text(wanted.name);
  text += " is not installed: this function runs on ";
  text += language;
  text += " ";
  text += used.version;
  return text;
}

Runtime make_python(const Identifier& wanted, const Interpreter& used) {
  Runtime runtime;
  runtime.bootstrap_dir = "python";
  // Without site (-S), which costs milliseconds; with every printed line delivered at once (-u).
  runtime.argv = {used.path, "-S", "-u", "/var/runtime/bootstrap.py"};
  runtime.version = used.version;
  runtime.substitution = substitution(wanted, "Python", used);
  runtime.environment = {"PYTHONPATH=/var/runtime", "LC_CTYPE=C.UTF-8"};
  runtime.runtime_version = "python:3." + std::to_string(wanted.generation) + ".v1";
  runtime.spare = Spare{.zygote = true, .per_memory = false, .held_mib = 3};
  return runtime;
}

Runtime make_node(const Identifier& wanted, const Interpreter& used) {
  Runtime runtime;
  const std::string major = std::to_string(wanted.generation);
  runtime.bootstrap_dir = "nodejs";
  runtime.argv = {used.path, "/var/runtime/bootstrap.cjs"};
  runtime.version = used.version;
  runtime.substitution = substitution(wanted, "Node.js", used);
  runtime.environment = {"NODE_PATH=/opt/nodejs/node" + major +
                         "/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task"};
  runtime.runtime_version = "nodejs:" + major + ".v1";
  runtime.spare = Spare{.zygote = false, .per_memory = true, .held_mib = 12};
  return runtime;
}

Runtime make_provided(const Identifier& wanted) {
  Runtime runtime;
  runtime.bootstrap_dir = "provided";
  runtime.argv = {"/var/runtime/bootstrap"};
  const std::string_view system = wanted.name == "provided" ? "al1" : wanted.name.substr(wanted.name.find('.') + 1);
  runtime.runtime_version = "provided:" + std::string(system) + ".v1";
  return runtime;
}

std::string language_of(Family family) { return family == Family::python ? "Python" : "Node.js"; }

}  // namespace

Catalog::Catalog(const fs::path& root) : pythons_(find_pythons(root)) {
  const std::vector<Interpreter> nodes = find_nodes(root);
  for (const Identifier& wanted : kIdentifiers) {
    Runtime runtime;
    if (wanted.family == Family::provided) {
      runtime = make_provided(wanted);
    } else {
      const bool python = wanted.family == Family::python;
      const Interpreter* used = nearest(python ? pythons_ : nodes, wanted.generation);
      if (used == nullptr) continue;
      runtime = python ? make_python(wanted, *used) : make_node(wanted, *used);
      runtime.environment.push_back("AWS_EXECUTION_ENV=AWS_Lambda_" + std::string(wanted.name));
    }
    runtime.identifier = wanted.name;
    runtime.family = wanted.family;
    runtimes_.push_back(std::move(runtime));
  }
  std::ranges::sort(runtimes_, {}, &Runtime::identifier);
}

Catalog::Lookup Catalog::find(std::string_view identifier, bool strict) const {
  Lookup lookup;
  const auto found = std::ranges::find(runtimes_, identifier, &Runtime::identifier);
  if (found != runtimes_.end()) {
    if (!strict || found->substitution.empty())
      lookup.runtime = *found;
    else
      lookup.why_not = std::string(identifier) + " is not installed, and another version (" + found->version +
                       ") may not stand in for it here";
    return lookup;
  }
  const auto known = std::ranges::find(kIdentifiers, identifier, &Identifier::name);
  if (known != kIdentifiers.end())
    lookup.why_not = std::string(identifier) + " needs " + language_of(known->family) + ", and /usr/bin has none";
  else if (std::ranges::any_of(kOtherLanguages, [&](auto language) { return identifier.starts_with(language); }))
    lookup.why_not = "This version of Lambent does not run " + std::string(identifier);
  else
    lookup.why_not = std::string(identifier) + " is not a runtime identifier";
  return lookup;
}

std::vector<std::string> command_line(const Runtime& runtime, std::int32_t memory_mib) {
  std::vector<std::string> argv = runtime.argv;
  if (runtime.family != Family::nodejs) return argv;
  argv.insert(argv.begin() + 1, "--max-old-space-size=" + std::to_string(memory_mib * 9 / 10));
  return argv;
}

void install_bootstraps(const fs::path& directory, const Catalog& catalog) {
  write_bootstraps(directory, catalog.pythons());
}

}  // namespace lambent::runtimes
