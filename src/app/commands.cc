#include "app/commands.h"

#include <cstdio>
#include <iostream>

#include "app/data_directory.h"
#include "app/options.h"

namespace lambent::app {

std::string version() { return LAMBENT_VERSION; }

int print_credentials(const std::filesystem::path& data) {
  try {
    const auto text = read_small_file(data / "credentials");
    if (!text) {
      std::cerr << "lambent: no credentials in " << data.string() << ": start `lambent serve --data " << data.string()
                << "` once\n";
      return kExitConfig;
    }
    std::cout << *text;
    return std::cout.flush() ? 0 : kExitSoftware;
  } catch (const std::exception& error) {
    std::cerr << "lambent: cannot read the credentials: " << error.what() << "\n";
    return kExitConfig;
  }
}

}  // namespace lambent::app
