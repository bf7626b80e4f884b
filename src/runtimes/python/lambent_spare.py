"""A process that waits for its function: what it loads before it knows the function, and how it becomes that function's.

Its environment is the runtime's own (LD_LIBRARY_PATH and the locale act at exec), its descriptor 3 a socket on which it says
that it waits and then gets its assignment: what exec would have been given. Nothing of a function runs before that.
"""

import os
import select
import sys
import time

import lambent_runtime

ASSIGNMENT = 3
# The kernel would not give exec more than this either (MAX_ARG_STRLEN times a few).
ASSIGNMENT_LIMIT = 4 << 20
IN_A_HURRY_S = 0.008

# Modules that are loaded here and would not be in a process that exec started: the standard library's, and the SDK's.
_standard = set()
_sdk = set()
# Their top-level names. Everything is worked out before the first fork: looking at a module afterwards copies its page.
_standard_names = set()
# With the names that something looked for and did not find: it would have found one that the function brings.
_sdk_names = set()


def wait(here, how):
    """Returns in the process that has been assigned; ends the one that never is."""
    prepare(here, with_sdk=how == "--zygote")
    if how == "--zygote":
        import lambent_zygote

        lambent_zygote.serve()
        _reseed()
    os.write(ASSIGNMENT, b"1")
    # Whoever waits for a fork assigns it at once; others wait for long, and can afford a rehearsal.
    if not select.select([ASSIGNMENT], [], [], IN_A_HURRY_S)[0]:
        rehearse(here)
    become(*read_assignment(ASSIGNMENT))


def prepare(here, with_sdk):
    """Loads what most functions will ask for."""
    import lambent_preload

    before = set(sys.modules)
    lambent_preload.load(here, _sdk_names, with_sdk)
    for name in set(sys.modules) - before:
        (_sdk if _is_of_the_sdk(name) else _standard).add(name)
    _sdk_names.update(name.partition(".")[0] for name in _sdk)
    _standard_names.update(name.partition(".")[0] for name in _standard)
    lambent_preload.freeze()


def read_assignment(descriptor):
    """argv and environment, as lists of bytes."""
    message = bytearray()
    while chunk := os.read(descriptor, 65536):
        message += chunk
        if len(message) > ASSIGNMENT_LIMIT:
            os._exit(1)
    os.close(descriptor)
    if not message:
        os._exit(0)
    length, argc, envc = (int.from_bytes(message[at : at + 4], "little") for at in (0, 4, 8))
    texts = bytes(message[12:]).split(b"\0")
    if length != len(message) - 4 or len(texts) != argc + envc + 1 or texts.pop():
        os._exit(1)
    return texts[:argc], texts[argc:]


def rehearse(here):
    """Once through everything that a first event takes. A fork copies each page that it writes: those are its own now. /sys is
    there everywhere and has no modules."""
    variables = [b"LAMBDA_TASK_ROOT=/sys", b"TZ=:UTC"] + [b"REHEARSAL_%d=%s" % (n, b"x" * 16 * n) for n in range(40)]
    before = dict(os.environ), list(sys.path), list(sys.argv), list(sys.meta_path)
    try:
        become([], variables)
        lambent_runtime.rehearse(here)
    except Exception as error:
        # Then the first event is slower, and nothing else.
        print("lambent: the rehearsal for Python stopped: %r" % error, file=sys.stderr, flush=True)
    _set_environment([os.fsencode("%s=%s" % pair) for pair in before[0].items()])
    sys.path[:], sys.argv[:], sys.meta_path[:] = before[1:]


def become(argv, variables):
    """What exec of argv with these variables would have made of this process."""
    _set_environment(variables)
    time.tzset()
    # Also when it is the directory already: something else has been mounted on it since.
    task_root = os.environ.get("LAMBDA_TASK_ROOT", "/var/task")
    os.chdir(task_root)
    del sys.argv[1:]
    sys.orig_argv = [os.fsdecode(argument) for argument in argv]
    for path in list(sys.path_importer_cache):
        if path.startswith((task_root, "/opt")):
            del sys.path_importer_cache[path]
    _forget_what_the_function_brings(task_root)


def _set_environment(variables):
    """os.environ, its bytes as they came: each page that is written is copied first."""
    known = getattr(os.environ, "_data", None)
    if not isinstance(known, dict) or not all(isinstance(name, bytes) for name in known):
        os.environ.clear()
        for pair in variables:
            name, _, value = os.fsdecode(pair).partition("=")
            os.environ[name] = value
        return
    for name in known:
        os.unsetenv(name)
    known.clear()
    for pair in variables:
        name, _, value = pair.partition(b"=")
        os.putenv(name, value)
        known[name] = value


def _forget_what_the_function_brings(task_root):
    """The function's own boto3 (or six, or queue.py) comes before ours in the import path. What has been loaded already
    would hide it, or not be using it: then nothing was loaded."""
    version = "python%d.%d" % sys.version_info[:2]
    wanted = os.environ.get("AWS_EXECUTION_ENV", "").replace("AWS_Lambda_", "")
    brought = set()
    for path in (task_root, "/opt/python", *("/opt/python/lib/%s/site-packages" % v for v in {version, wanted})):
        try:
            brought.update(name.partition(".")[0] for name in os.listdir(path))
        except OSError:
            pass
    if not brought.isdisjoint(_standard_names):
        forgotten = _standard | _sdk
    elif not brought.isdisjoint(_sdk_names):
        forgotten = _sdk
    else:
        return
    for name in forgotten:
        sys.modules.pop(name, None)


def _is_of_the_sdk(name):
    path = getattr(sys.modules.get(name), "__file__", None) or ""
    return path.startswith(lambent_runtime.SDK) or "-packages/" in path


def _reseed():
    """What a fork must not share with its siblings. os.fork has reseeded the random module; OpenSSL and others tell forks
    apart by a process id, which siblings share: each is the same one in a namespace of its own."""
    if "ssl" in sys.modules:
        sys.modules["ssl"].RAND_add(os.urandom(32), 32.0)
    if "multiprocessing.process" in sys.modules:
        process = sys.modules["multiprocessing.process"]
        process.current_process().authkey = os.urandom(32)
    if "uuid" in sys.modules:
        sys.modules["uuid"]._node = sys.modules["uuid"]._last_timestamp = None
    if "tempfile" in sys.modules:
        sys.modules["tempfile"]._name_sequence = sys.modules["tempfile"].tempdir = None
