# What python3.x executes in the sandbox. It stays this small because Python never caches the compiled form of a script,
# only of what the script imports. With an argument it waits for its function first: "--spare", "--zygote".
import sys

_here = __file__.rpartition("/")[0] or "."
if sys.path[0] != _here:
    sys.path.insert(0, _here)

if len(sys.argv) > 1:
    import lambent_spare

    lambent_spare.wait(_here, sys.argv[1])

import lambent_runtime

lambent_runtime.main(_here)
