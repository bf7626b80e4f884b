#include "aws/model.h"

// The table goes from file to read-only data as it is: a C array of it would take the compiler seconds.
__asm__(
    ".section .rodata,\"a\",@progbits\n"
    ".balign 8\n"
    "lambent_models_begin:\n"
    ".incbin \"" LAMBENT_MODEL_TABLE
    "\"\n"
    "lambent_models_end:\n"
    ".byte 0\n"
    ".text\n");

extern "C" const char lambent_models_begin[];
extern "C" const char lambent_models_end[];

namespace lambent::aws::model {

const Table& embedded() {
  static const Table table(
      std::string_view(lambent_models_begin, static_cast<std::size_t>(lambent_models_end - lambent_models_begin)));
  return table;
}

}  // namespace lambent::aws::model
