// Hostile functions, in the words of facts/trials.md: each test attempts the escape from inside, in Python or Node.js.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "sandbox/lab_for_tests.h"

namespace lambent::sandbox::testing {
namespace {

/// By each way that a Python function gets into its sandbox.
class Escape : public SandboxTest, public ::testing::WithParamInterface<Way> {
 protected:
  Outcome python(const std::string& script, int memory_mib = 256) {
    return lab().python(script, memory_mib, GetParam());
  }
};
using EscapeOnce = SandboxTest;

INSTANTIATE_TEST_SUITE_P(Ways, Escape, ::testing::Values(Way::launched, Way::prepared, Way::spare, Way::forked),
                         [](const auto& info) { return name_of(info.param); });

/// Lines of what a script printed that do not start with "ok".
std::string complaints(const Outcome& outcome) {
  std::istringstream lines(outcome.out);
  std::string found;
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    if (!line.starts_with("ok")) found += line + "\n";
  // A script that said nothing has shown nothing.
  if (count == 0) found += "nothing was printed; ";
  return outcome.exit.status == 0 ? found : found + "it failed: " + outcome.err;
}

// Refused means: an OSError, or a negative answer of the C library with one of the errnos that a wall gives.
constexpr const char* kPrelude = R"(
import ctypes, errno, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
WALLS = ('EPERM', 'EACCES', 'ENOENT', 'EROFS', 'ENOSYS', 'ENOTDIR', 'ESRCH', 'ELOOP', 'ENODEV')
def refused(name, action, allowed=WALLS):
    try:
        answer = action()
    except OSError as error:
        code = errno.errorcode.get(error.errno, str(error.errno))
        print('ok' if code in allowed else 'not refused:', name, code)
        return
    print('not refused:', name, repr(answer)[:200])
def call(number, *args):
    ctypes.set_errno(0)
    answer = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    if answer == -1:
        raise OSError(ctypes.get_errno(), 'call %d' % number)
    return answer
def must(name, truth):
    print('ok' if truth else 'wrong:', name)
)";

std::string with_prelude(const std::string& script) { return std::string(kPrelude) + script; }

// Trial 14.
TEST_P(Escape, files_of_the_host_are_not_there) {
  const std::filesystem::path secret = lab().directory() / "secret.txt";
  std::ofstream(secret) << "canary";
  const std::string script = with_prelude(R"(
SECRET = ')" + secret.string() + R"('
def read(path): return open(path).read()
for path in ['/etc/shadow', '/etc/gshadow', '/root/.bashrc', '/root/.ssh', SECRET, '/proc/1/root' + SECRET, '/proc/1/cwd',
             '/proc/1/environ', '/proc/1/maps', '/proc/self/root' + SECRET, '/proc/self/root/../../..' + SECRET,
             '/../../../../../..' + SECRET, '/var/task/../../../../..' + SECRET, '/dev/vda', '/dev/mem', '/dev/kmem',
             '/dev/kmsg', '/dev/loop0', '/etc/machine-id', '/home/..' + SECRET, '/work', '/var/lib/dpkg/status']:
    refused(path, lambda: read(path))
must('the root holds only what was put there', sorted(os.listdir('/')) == sorted(
    [n for n in ('bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32') if os.path.lexists('/' + n)]
    + ['dev', 'etc', 'home', 'mnt', 'node_modules', 'opt', 'proc', 'root', 'run', 'sys', 'tmp', 'usr', 'var']))
must('no other code', os.listdir('/var/task') == ['script.py'])
for empty in ('/mnt', '/opt', '/sys', '/run', '/home', '/root', '/tmp', '/dev/shm', '/var/empty'):
    must('empty ' + empty, os.listdir(empty) == [])
mounts = open('/proc/self/mounts').read()
must('mounts name nothing of the host', 'lambent-sandbox-test' not in mounts and ' /tmp ' in mounts)
handle = ctypes.create_string_buffer(b'\x08\0\0\0\1\0\0\0' + b'\2' + b'\0' * 20)
refused('open_by_handle_at', lambda: call(304, os.open('/', os.O_RDONLY), handle, 0), ('EPERM',))
refused('chroot', lambda: os.chroot('/tmp'), ('EPERM',))
)");
  EXPECT_EQ(complaints(python(script)), "");
}

// Trial 14, once more from Node.js.
TEST_F(EscapeOnce, node_sees_no_file_of_the_host_either) {
  const Outcome outcome = lab().node(R"js(
const fs = require('fs'), os = require('os');
for (const path of ['/etc/shadow', '/proc/1/root/etc/hostname', '/proc/1/environ', '/root/.profile', '/dev/kmsg'])
  try { fs.readFileSync(path); console.log('not refused', path); } catch (e) { console.log('ok', path, e.code); }
for (const path of ['/var/task/x', '/opt/x', '/var/runtime/x', '/usr/bin/x', '/etc/passwd', '/proc/sys/kernel/hostname'])
  try { fs.writeFileSync(path, 'x'); console.log('not refused', path); }
  catch (e) { console.log(['EROFS', 'EACCES', 'EPERM'].includes(e.code) ? 'ok' : 'wrong', path, e.code); }
fs.writeFileSync('/tmp/mine', 'x');
console.log(os.userInfo().username.startsWith('sbx_user') && os.hostname() === '169-254-100-5' ? 'ok' : 'wrong');
const { execFileSync } = require('child_process');
console.log(execFileSync('/bin/echo', ['ok', 'children run']).toString().trim());
new (require('worker_threads').Worker)("console.log('ok threads run')", { eval: true });
)js");
  EXPECT_EQ(complaints(outcome), "");
}

// Trial 15.
TEST_P(Escape, proc_shows_only_the_own_processes_and_changes_nothing) {
  const Outcome outcome = python(with_prelude(R"(
pids = [int(n) for n in os.listdir('/proc') if n.isdigit()]
must('only the own pid: %r' % pids, pids == [os.getpid()])
def write(path, text='1', flags=os.O_WRONLY):
    fd = os.open(path, flags)
    try: return os.write(fd, text.encode())
    finally: os.close(fd)
for path in ['/proc/sys/kernel/core_pattern', '/proc/sys/kernel/hostname', '/proc/sys/vm/drop_caches',
             '/proc/sys/net/ipv4/ip_forward', '/proc/irq/0/smp_affinity', '/proc/self/uid_map', '/proc/self/oom_score_adj',
             '/proc/self/mem', '/proc/self/attr/current', '/proc/self/timens_offsets', '/proc/mtrr', '/proc/bus/pci/00',
             '/sys/fs/cgroup/memory/memory.limit_in_bytes', '/sys/fs/cgroup/cgroup.procs', '/proc/self/exe',
             '/usr/bin/python3.11', '/usr/bin/python3']:
    refused('write ' + path, lambda: write(path), WALLS + ('ETXTBSY', 'EINVAL'))
for path in ['/proc/kcore', '/proc/keys', '/proc/key-users', '/proc/timer_list', '/proc/kallsyms', '/proc/latency_stats']:
    must('nothing in ' + path, not os.path.exists(path) or open(path, 'rb').read(64) == b'')
# The mask swallows what is written; what it hides does not get it.
must('sysrq is /dev/null', not os.path.exists('/proc/sysrq-trigger') or os.stat('/proc/sysrq-trigger').st_rdev == os.makedev(1, 3))
for path in ['/proc/acpi', '/proc/scsi', '/proc/bus', '/proc/irq', '/proc/fs', '/proc/asound']:
    must('nothing in ' + path, not os.path.exists(path) or os.listdir(path) == [])
must('own cgroup is its root, or the inner one', all(line.split(':', 2)[2].strip() in ('/', '/run') for line in open('/proc/self/cgroup')
     if line.split(':')[1] in ('memory', 'cpu', 'pids', 'cpu,cpuacct', '')))
)"));
  EXPECT_EQ(complaints(outcome), "");
}

// Trial 15: the program that runs is the host's own file.
TEST_F(EscapeOnce, the_program_that_runs_cannot_be_overwritten) {
  const auto before = std::filesystem::last_write_time("/bin/sh");
  const Outcome outcome = lab().shell(
      "for f in /proc/self/exe /bin/sh /usr/bin/dash /lib64/ld-linux-x86-64.so.2; do "
      "( exec 3>>$f ) 2>/dev/null && echo wrote $f; done; chmod 777 /bin/sh 2>/dev/null && echo chmod; "
      "rm -f /bin/sh 2>/dev/null && echo rm; echo ok");
  EXPECT_EQ(complaints(outcome), "");
  EXPECT_EQ(std::filesystem::last_write_time("/bin/sh"), before);
}

// Trial 16.
TEST_P(Escape, nothing_is_inherited_but_the_three_streams) {
  const int canary = ::open("/etc/hostname", O_RDONLY);  // not close-on-exec, as a careless library would leave it
  const Outcome outcome = python(with_prelude(R"(
fds = sorted(int(n) for n in os.listdir('/proc/self/fd'))
must('only 0, 1, 2 and the listing itself: %r' % fds, fds[:3] == [0, 1, 2] and len(fds) <= 5)
names = {fd: os.readlink('/proc/self/fd/%d' % fd) for fd in (0, 1, 2)}
must('they are what they should be: %r' % names,
     names[0] == '/dev/null' and names[1].startswith('pipe:') and names[2].startswith('pipe:'))
must('stdin is at its end', os.read(0, 1) == b'')
with open('/dev/stdout', 'w') as again: again.write('ok /dev/stdout opens by its name\n')
)"));
  ::close(canary);
  // sh has no descriptor for its script, so here the list is exact; ls needs one for the directory.
  const Outcome exact = lab().shell("ls /proc/self/fd | tr '\\n' ' '");
  EXPECT_EQ(complaints(outcome), "");
  EXPECT_EQ(exact.out, "0 1 2 3 ");
}

// Trial 20. Which processors they may have is the host's to say, not theirs.
TEST_F(EscapeOnce, a_crowd_keeps_to_as_many_processors_as_its_share_fills) {
  if (lab().isolation().reason.find("cpuset") == std::string::npos) GTEST_SKIP() << "no cpuset controller";
  lab().write_code("script.py", R"(
import os, sys, time
everywhere = len(os.sched_getaffinity(0))
children = [os.getpid()]
try:
    while pid := os.fork():
        children.append(pid)
    time.sleep(1000)
except OSError:
    pass
until = time.monotonic() + 10
def on():
    return {len(os.sched_getaffinity(pid)) for pid in children}
while on() != {int(sys.argv[1])} and time.monotonic() < until:
    time.sleep(0.01)
found = on()
for pid in children:
    try:
        os.sched_setaffinity(pid, range(everywhere))
    except OSError:
        pass
print(everywhere, *found, *on(), flush=True)
time.sleep(1000)
)");
  const unsigned processors = std::thread::hardware_concurrency();
  for (const auto& [memory_mib, most] : {std::pair(128, 1U), std::pair(1769, 1U), std::pair(1770, 2U)}) {
    const unsigned left = std::min(processors, most);
    const std::vector<std::string> argv{"/usr/bin/python3", "-I", "/var/task/script.py", std::to_string(left)};
    Spec spec = Lab::with_memory(lab().spec(argv), memory_mib);
    spec.max_processes = 60;
    const auto running = lab().launch(spec);
    ASSERT_TRUE(lab().drive(*running, std::chrono::seconds(20), [&] {
      return running->out.find('\n') != std::string::npos;
    })) << running->err;
    const std::string expected =
        std::to_string(processors) + " " + std::to_string(left) + " " + std::to_string(left) + "\n";
    EXPECT_EQ(running->out, expected) << memory_mib;
    running->sandbox->kill();
    ASSERT_TRUE(lab().drive(*running, std::chrono::seconds(5), [&] { return running->exit.has_value(); }));
  }
}

// Trial 20.
TEST_F(EscapeOnce, a_fork_bomb_stops_at_the_limit_and_dies_with_its_environment) {
  lab().write_code("script.py", R"(
import os, time
n = 0
while True:
    try:
        if os.fork() == 0:
            time.sleep(1000)
            os._exit(0)
        n += 1
    except OSError as error:
        print('EAGAIN' if error.errno == 11 else error, n, flush=True)
        break
time.sleep(1000)
)");
  Spec spec = lab().spec({"/usr/bin/python3", "-I", "/var/task/script.py"});
  spec.max_processes = 40;
  const auto running = lab().launch(spec);
  ASSERT_TRUE(
      lab().drive(*running, std::chrono::seconds(10), [&] { return running->out.find('\n') != std::string::npos; }));
  EXPECT_EQ(running->out.substr(0, 7), "EAGAIN ") << running->out;
  // init, the runtime and its children.
  const int forked = std::stoi(running->out.substr(7));
  EXPECT_GE(forked, 30);
  EXPECT_LE(forked, 39);
  const auto killed_at = std::chrono::steady_clock::now();
  running->sandbox->kill();
  ASSERT_TRUE(lab().drive(*running, std::chrono::seconds(5), [&] { return running->exit.has_value(); }));
  EXPECT_LT(std::chrono::steady_clock::now() - killed_at, kill_bound());
  EXPECT_EQ(running->exit->signal, SIGKILL);
  EXPECT_FALSE(running->exit->out_of_memory);
}

// Trial 21: memory, shared memory and files of a tmpfs; what is next to it stays alive.
TEST_P(Escape, a_memory_bomb_ends_in_its_own_group) {
  const auto neighbour = lab().launch(lab().spec({"/bin/sh", "-c", "read x < /tmp/never 2>/dev/null; sleep 100"}));
  const char* bombs[] = {"keep = []\nwhile True: keep.append(bytearray(1 << 20))",
                         "import mmap\nm = mmap.mmap(-1, 1 << 30)\nfor i in range(0, 1 << 30, 4096): m[i] = 1",
                         "import os\nkeep = bytearray(70 << 20)\nfd = os.open('/dev/shm/x', os.O_CREAT | os.O_WRONLY)\n"
                         "while True: os.write(fd, bytes(1 << 20))",
                         "import os\nfd = os.memfd_create('x')\nwhile True: os.write(fd, bytes(1 << 20))",
                         "import threading\nkeep = []\ndef eat():\n  while True: keep.append(bytearray(1 << 20))\n"
                         "for _ in range(20): threading.Thread(target=eat).start()"};
  for (const char* bomb : bombs) {
    const Outcome outcome = python(bomb, 128);
    EXPECT_TRUE(outcome.exit.out_of_memory) << bomb << outcome.err;
    EXPECT_EQ(outcome.exit.signal, SIGKILL) << bomb;
    EXPECT_GE(outcome.peak_mib, 120) << bomb;
    EXPECT_LE(outcome.peak_mib, 128) << bomb;
  }
  EXPECT_FALSE(neighbour->exit.has_value());
}

// Trial 23.
TEST_P(Escape, a_childs_memory_bomb_is_not_how_its_parent_ended) {
  const std::string survivor =
      "import os, signal\nchild = os.fork()\nif child == 0:\n  keep = []\n  while True: keep.append(bytearray(1 << "
      "20))\n"
      "killed = os.WTERMSIG(os.waitpid(child, 0)[1])\nprint('child', killed, flush=True)\n";
  const Outcome exited = python(survivor + "os._exit(3)", 128);
  // Whom the kernel takes first is its choice; then it is one more bomb.
  if (exited.out.find("child 9") == std::string::npos) GTEST_SKIP() << "the parent was killed";
  EXPECT_EQ(exited.exit.status, 3);
  EXPECT_FALSE(exited.exit.out_of_memory);
  const Outcome crashed = python(survivor + "os.kill(os.getpid(), signal.SIGSEGV)\nsignal.pause()", 128);
  if (crashed.out.find("child 9") == std::string::npos) GTEST_SKIP() << "the parent was killed";
  EXPECT_EQ(crashed.exit.signal, SIGSEGV);
  EXPECT_FALSE(crashed.exit.out_of_memory);
}

TEST_F(EscapeOnce, tmp_is_as_large_as_asked_for_and_does_not_count_as_memory) {
  lab().write_code("script.py", R"(
import os
def fill(path):
    block, total = os.urandom(1 << 20), 0
    fd = os.open(path, os.O_CREAT | os.O_WRONLY)
    try:
        while True: total += os.write(fd, block)
    except OSError as error:
        return error.errno, total >> 20
    finally:
        os.close(fd)
print(fill('/tmp/big'), os.stat('/tmp').st_mode & 0o7777 == 0o1777)
files = 0
try:
    os.unlink('/tmp/big')
    while True:
        os.close(os.open('/tmp/f%d' % files, os.O_CREAT))
        files += 1
except OSError as error:
    print(error.errno, files)
)");
  Spec spec = Lab::with_memory(lab().spec({"/usr/bin/python3", "-I", "/var/task/script.py"}), 128);
  spec.ephemeral_mib = 300;
  const Outcome outcome = lab().run(spec, std::chrono::seconds(60));
  EXPECT_EQ(outcome.exit.status, 0) << outcome.err;
  EXPECT_FALSE(outcome.exit.out_of_memory);
  int error = 0, mib = 0, second_error = 0, files = 0;
  char mode[8] = {};
  ASSERT_EQ(std::sscanf(outcome.out.c_str(), "(%d, %d) %7s %d %d", &error, &mib, mode, &second_error, &files), 5)
      << outcome.out;
  EXPECT_EQ(error, ENOSPC);
  EXPECT_GE(mib, 300);
  EXPECT_LE(mib, 312);
  EXPECT_STREQ(mode, "True");
  EXPECT_EQ(second_error, ENOSPC);
  EXPECT_GT(files, 10000);
}

// Trial 24.
TEST_P(Escape, code_runtime_and_system_are_read_only) {
  const Outcome outcome = python(with_prelude(R"(
def create(path): return os.open(path, os.O_CREAT | os.O_WRONLY, 0o644)
for place in ['/var/task', '/var/runtime', '/opt', '/', '/etc', '/usr', '/usr/bin', '/var', '/var/lang/bin', '/dev', '/home',
              '/run', '/proc', '/sys', '/var/empty', '/usr/lib/python3']:
    refused('create in ' + place, lambda: create(place + '/new'), ('EROFS', 'EACCES', 'ENOENT', 'EPERM'))
for path in ['/var/task/script.py', '/var/runtime/bootstrap.txt', '/etc/passwd', '/etc/hosts', '/etc/ld.so.cache']:
    refused('change ' + path, lambda: os.open(path, os.O_WRONLY), ('EROFS', 'EACCES'))
    refused('remove ' + path, lambda: os.unlink(path), ('EROFS', 'EACCES', 'EBUSY'))
    refused('chmod ' + path, lambda: os.chmod(path, 0o777), ('EROFS', 'EPERM'))
refused('rename the code', lambda: os.rename('/var/task', '/var/mine'), ('EROFS', 'EACCES', 'EBUSY', 'EXDEV'))
must('the runtime can be read', open('/var/runtime/bootstrap.txt').read() == 'a bootstrap\n')
os.mkdir('/tmp/d'); open('/tmp/d/x', 'w').write('#!/bin/sh\necho ok a script in /tmp runs\n'); os.chmod('/tmp/d/x', 0o755)
sys.stdout.flush()
must('/tmp is executable', os.spawnl(os.P_WAIT, '/tmp/d/x', 'x') == 0)
os.rename('/tmp/d/x', '/tmp/x')
open('/dev/shm/x', 'w').write('x'); os.symlink('x', '/dev/shm/y'); open('/dev/null', 'w').write('x')
must('random bytes differ', open('/dev/urandom', 'rb').read(16) != os.urandom(16))
os.mkfifo('/tmp/fifo')
refused('a device in /tmp', lambda: os.mknod('/tmp/null', 0o20666, os.makedev(1, 3)), ('EPERM',))
)"));
  EXPECT_EQ(complaints(outcome), "");
}

// Trial 25 and 53, as far as there is no network: the own loopback and nothing else.
TEST_F(EscapeOnce, the_listeners_are_reachable_from_inside_and_from_nowhere_else) {
  const base::Fd host(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(::bind(host.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(::listen(host.get(), 8), 0);
  ASSERT_EQ(::getsockname(host.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  const base::Fd abstract(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // Abstract names are the machine's: another run of this test has its own.
  const std::string canary = "lambent-test-canary-" + std::to_string(::getpid());
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  canary.copy(name.sun_path + 1, sizeof name.sun_path - 1);
  const auto name_length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + canary.size());
  ASSERT_EQ(::bind(abstract.get(), reinterpret_cast<const sockaddr*>(&name), name_length), 0);
  ASSERT_EQ(::listen(abstract.get(), 8), 0);
  lab().write_code("script.py", with_prelude("PORT = " + std::to_string(ntohs(address.sin_port)) + "\nCANARY = '\\0" +
                                             canary + "'" + R"(
def connect(family, *address):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.settimeout(2)
    s.connect(address if family != socket.AF_UNIX else address[0])
    return s
# EINVAL: a link-local address without an interface to try it on.
NO = ('ECONNREFUSED', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EHOSTUNREACH', 'ENOENT', 'EACCES', 'EINVAL')
refused('a port of the host', lambda: connect(socket.AF_INET, '127.0.0.1', PORT), NO)
refused('the same by IPv6', lambda: connect(socket.AF_INET6, '::ffff:127.0.0.1', PORT), NO)
for other in ['169.254.169.254', '10.0.0.1', '192.168.0.1', '8.8.8.8', '172.17.0.1']:
    refused(other, lambda: connect(socket.AF_INET, other, 80), NO)
for other in ['fd00:ec2::254', 'fe80::1', '::ffff:169.254.169.254', '2001:db8::1']:
    refused(other, lambda: connect(socket.AF_INET6, other, 80), NO)
refused('an abstract socket of the host', lambda: connect(socket.AF_UNIX, CANARY), NO)
refused('a socket of the host', lambda: connect(socket.AF_UNIX, '/run/dbus/system_bus_socket'), NO)
for port in (9001, 4566):
    refused('take over %d' % port, lambda: socket.create_server(('127.0.0.1', port)), ('EADDRINUSE',))
must('names resolve', socket.getaddrinfo('localhost', 80)[0][4][0] in ('127.0.0.1', '::1')
     and socket.gethostbyname('sandbox.localdomain') == '127.0.0.1' and socket.gethostbyname(socket.gethostname()) == '127.0.0.1')
s = connect(socket.AF_INET, '127.0.0.1', 9001)
must('the server is on 9001', s.recv(100) == b'first')
s = connect(socket.AF_INET, '127.0.0.1', 4566)
must('and on 4566', s.recv(100) == b'second')
)"));
  const auto first = lab().launch(lab().spec({"/usr/bin/python3", "-I", "/var/task/script.py"}));
  // A second environment's listener never hears the first.
  const auto second = lab().launch(lab().spec({"/bin/sleep", "100"}));
  const base::Fd runtime_api = first->sandbox->take_runtime_api_listener(), api = first->sandbox->take_api_listener();
  const base::Fd others = second->sandbox->take_runtime_api_listener();
  ASSERT_TRUE(runtime_api && api && others);
  EXPECT_FALSE(first->sandbox->take_api_listener());
  const auto answer = [&](const base::Fd& listener, std::string_view text) {
    base::Fd accepted;
    EXPECT_TRUE(lab().drive(*first, std::chrono::seconds(10), [&] {
      accepted = base::Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      return static_cast<bool>(accepted) || first->exit.has_value();
    }));
    EXPECT_EQ(::send(accepted.get(), text.data(), text.size(), MSG_NOSIGNAL), std::ssize(text))
        << first->out << first->err;
  };
  answer(runtime_api, "first");
  answer(api, "second");
  ASSERT_TRUE(lab().drive(*first, std::chrono::seconds(10), [&] { return first->exit.has_value(); }));
  EXPECT_EQ(complaints({*first->exit, first->out, first->err, 0}), "");
  EXPECT_LT(::accept4(others.get(), nullptr, nullptr, SOCK_CLOEXEC), 0);
}

// Trial 26, the calls by name with arguments that would mean something; the sweep by number is in filter_test.cc.
TEST_P(Escape, calls_that_lead_out_are_refused) {
  const Outcome outcome = python(with_prelude(R"(
P = ('EPERM',)
text = lambda s: ctypes.c_char_p(s)
refused('mount', lambda: call(165, text(b'none'), text(b'/tmp'), text(b'tmpfs'), 0, 0), P)
refused('umount2', lambda: call(166, text(b'/proc'), 2), P)
for name, flag in dict(NEWUSER=0x10000000, NEWNS=0x20000, NEWNET=0x40000000, NEWPID=0x20000000, NEWUTS=0x4000000,
                       NEWIPC=0x8000000, NEWCGROUP=0x2000000, NEWTIME=0x80).items():
    refused('unshare ' + name, lambda: call(272, flag), P)
    if name != 'NEWTIME': refused('clone ' + name, lambda: call(56, flag | 17, 0, 0, 0, 0), P)
must('unshare of its own files is harmless', call(272, 0x400) == 0)
refused('clone3', lambda: call(435, 0, 0), ('ENOSYS',))
refused('a call of the future', lambda: call(999, 0), ('ENOSYS',))
refused('a call of x32', lambda: call(0x40000000 | 39), ('ENOSYS',))
refused('setns', lambda: call(308, os.open('/proc/self/ns/net', os.O_RDONLY), 0), P)
child = os.fork()
if child == 0: import time; time.sleep(100)
refused('ptrace its own child', lambda: call(101, 16, child, 0, 0), P)
refused('process_vm_readv', lambda: call(310, child, 0, 0, 0, 0, 0), P)
os.kill(child, 9)
refused('kill init', lambda: os.kill(1, 0) or open('/proc/1/status').read())
for name, number in dict(bpf=321, perf_event_open=298, keyctl=250, add_key=248, userfaultfd=323, io_uring_setup=425,
                         io_uring_enter=426, io_uring_register=427, kexec_load=246, kexec_file_load=320, init_module=175,
                         finit_module=313, delete_module=176, reboot=169, swapon=167, pivot_root=155, settimeofday=164,
                         sethostname=170, iopl=172, acct=163, quotactl=179, fsopen=430, open_tree=428, move_mount=429,
                         mount_setattr=442, syslog=103, fanotify_init=300, pidfd_getfd=438, kcmp=312).items():
    refused(name, lambda: call(number, 0, 0, 0, 0, 0), P)
for name, family in dict(NETLINK=16, PACKET=17, VSOCK=40, ALG=38, BLUETOOTH=31, XDP=44, KEY=15, TIPC=30, RDS=21, X25=9).items():
    refused('socket AF_' + name, lambda: call(41, family, 3, 0), P)
refused('raw socket', lambda: call(41, 2, 3, 1), P)
refused('SCTP', lambda: call(41, 2, 1, 132), P)
refused('a family with high bits', lambda: call(41, (1 << 32) | 16, 3, 0), P)
refused('TIOCSTI', lambda: call(16, 0, 0x5412, 0), P)
refused('TIOCSTI with high bits', lambda: call(16, 0, (1 << 40) | 0x5412, 0), P)
refused('personality', lambda: call(135, 0x0040000), P)
must('asking for the personality', call(135, 0xffffffff) == 0)
import threading, subprocess, multiprocessing
threading.Thread(target=lambda: print('ok threads'), daemon=False).start()
must('subprocess', subprocess.run(['/bin/echo'], stdout=subprocess.DEVNULL).returncode == 0)
multiprocessing.Lock()
)"));
  EXPECT_EQ(complaints(outcome), "");
}

// Trial 52: a program with the setuid bit, and one with file capabilities, gains nothing.
TEST_P(Escape, setuid_gains_nothing_and_no_capability_is_left) {
  lab().write_code("rootid", "", 0755);
  const std::filesystem::path tool = lab().directory() / "code" / std::string(64, 'a') / "rootid";
  std::filesystem::copy_file("/usr/bin/id", tool, std::filesystem::copy_options::overwrite_existing);
  ASSERT_EQ(::chmod(tool.c_str(), 04755), 0);
  const Outcome outcome = python(with_prelude(R"(
import subprocess
me = os.getuid()
must('not root', me >= 2000000000 and os.getresuid() == (me, me, me) and os.getresgid() == (me, me, me) and os.getgroups() == [])
must('setuid id', int(subprocess.run(['/var/task/rootid', '-u'], capture_output=True).stdout) == me)
status = dict(line.rstrip('\n').split(':\t', 1) for line in open('/proc/self/status') if ':\t' in line)
for name in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'): must(name + status[name], int(status[name], 16) == 0)
must('no_new_privs and seccomp', status['NoNewPrivs'] == '1' and status['Seccomp'] == '2')
refused('setuid 0', lambda: os.setuid(0), ('EPERM',))
refused('setgroups', lambda: os.setgroups([0]), ('EPERM',))
refused('chown to root', lambda: (open('/tmp/x', 'w'), os.chown('/tmp/x', 0, 0)), ('EPERM',))
import resource
must('descriptors', resource.getrlimit(resource.RLIMIT_NOFILE) == (1024, 1024))
must('stack', resource.getrlimit(resource.RLIMIT_STACK)[0] == 8388608)
must('locked memory', resource.getrlimit(resource.RLIMIT_MEMLOCK) == (65536, 65536))
must('core', resource.getrlimit(resource.RLIMIT_CORE) == (1, 1))
must('processes', resource.getrlimit(resource.RLIMIT_NPROC)[1] == 1024)
import pwd
must('whoami', pwd.getpwuid(me).pw_name.startswith('sbx_user'))
must('umask', os.umask(0) == 0o22)
must('session of its own', os.getsid(0) == os.getpid())
)"));
  EXPECT_EQ(complaints(outcome), "");
}

// Trial 47.
TEST_F(EscapeOnce, the_environment_is_what_was_given_and_nothing_of_the_server) {
  ::setenv("LAMBENT_CANARY", "server-canary", 1);
  Lab fresh;  // a launcher that was started with the canary set
  ::unsetenv("LAMBENT_CANARY");
  const Outcome outcome = fresh.shell("/usr/bin/env | sort; cat /proc/[0-9]*/environ /proc/*/cmdline | tr '\\0' '\\n'");
  EXPECT_EQ(outcome.out.find("server-canary"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("lambent-sandbox-test"), std::string::npos) << outcome.out;
  std::istringstream lines(outcome.out);
  std::vector<std::string> first;
  for (std::string line; first.size() < 3 && std::getline(lines, line);) first.push_back(line);
  EXPECT_EQ(first, (std::vector<std::string>{"LANG=C.UTF-8", "PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin",
                                             "PWD=/var/task"}));
  // The launcher itself was given nothing either.
  std::ifstream environ("/proc/" + std::to_string(fresh.launcher_pid()) + "/environ");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(environ), {}), "");
}

}  // namespace
}  // namespace lambent::sandbox::testing
