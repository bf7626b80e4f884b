// What a function reaches and what it does not, in namespaces of the test's own: one is the host, one the internet.
#include "sandbox/launcher/network.h"

#include <gtest/gtest.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <optional>

#include "sandbox/launcher/forwarding.h"
#include "sandbox/launcher/rules.h"
#include "sandbox/launcher/spaces.h"

namespace lambent::sandbox::launcher {
namespace {

constexpr Address kHostOutside = make_address(203, 0, 113, 2);
constexpr Address kInternet = make_address(203, 0, 113, 1);
constexpr Address kPrivate = make_address(10, 9, 9, 9);
constexpr Address kMetadata = make_address(169, 254, 169, 254);
constexpr std::uint16_t kPort = 80;

sockaddr_in place(Address address, std::uint16_t port) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  in.sin_addr.s_addr = htonl(address);
  return in;
}

base::Fd listen_at(Address address, std::uint16_t port) {
  base::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in at = place(address, port);
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0) << strerror(errno);
  EXPECT_EQ(::listen(socket.get(), 16), 0);
  return socket;
}

/// 0, or the errno with which a connection ended within the bound; ETIMEDOUT when it did not.
int connect_to(Address address, std::uint16_t port = kPort) {
  const base::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_in to = place(address, port);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd writable{socket.get(), POLLOUT, 0};
  // A SYN that is lost is sent again after a second.
  if (::poll(&writable, 1, 5000) != 1) return ETIMEDOUT;
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

std::string setting(const std::string& name) {
  std::ifstream file("/proc/sys/net/ipv4/" + name);
  std::string text;
  std::getline(file, text);
  return text;
}

std::vector<std::string> tables() {
  Netlink rules(NETLINK_NETFILTER);
  return list_tables(rules);
}

bool soon(const std::function<bool()>& step) {
  for (int attempt = 0; attempt < 2000; ++attempt, ::poll(nullptr, 0, 1))
    if (step()) return true;
  return false;
}

/// The calling thread is on a host of the test's own, which has a way to an internet of the test's own.
class NetworkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "network namespaces need root";
    home_ = open_space();
    {
      const Visit making(home_);
      internet_ = open_space();
    }
    in_host_.emplace(home_);
    host_ = open_space();
    Netlink route(NETLINK_ROUTE);
    LinkRequests link;
    link.add_pair({"wan", {2, 9, 0, 0, 0, 1}}, {"lan", {2, 9, 0, 0, 0, 2}}, internet_.get());
    route.send(link);
    LinkRequests host;
    host.raise(link_index("lo"));
    host.add_address(link_index("wan"), kHostOutside, false);
    host.raise(link_index("wan"));
    host.add_default_route(link_index("wan"), kInternet);
    route.send(host);
    const Visit there(host_, internet_);
    Netlink outside(NETLINK_ROUTE);
    LinkRequests requests;
    requests.raise(link_index("lo"));
    for (const Address address : {kInternet, kPrivate, kMetadata})
      requests.add_address(link_index("lan"), address, false);
    requests.raise(link_index("lan"));
    requests.add_route(link_index("lan"), kHostOutside);
    outside.send(requests);
    server_ = listen_at(0, kPort);
  }

  /// What `step` says inside of an environment.
  template <class Step>
  auto inside(const Network& network, Step step) {
    const Visit there(host_, network.space);
    return step();
  }
  int reach(const Network& network, Address address, std::uint16_t port = kPort) {
    return inside(network, [&] { return connect_to(address, port); });
  }

  base::Fd home_, internet_, host_, server_;
  std::optional<Visit> in_host_;
};

NetworkOptions egress(std::vector<Cidr> allowed = {}) { return {FunctionNetwork::egress, std::move(allowed)}; }

TEST_F(NetworkTest, an_environment_reaches_the_internet) {
  Networks networks(egress());
  ASSERT_EQ(networks.report().mode, FunctionNetwork::egress) << networks.report().reason;
  EXPECT_EQ(networks.report().reason, "through wan");
  EXPECT_EQ(reach(networks.make(), kInternet), 0);
}

/// A subnet with the test's private network, one with the internet, and as many security groups as make more zones than there can
/// be at once.
NetworkOptions zoned() {
  NetworkOptions options = egress();
  options.subnets = {{"subnet-a", {{{make_address(10, 9, 0, 0), 16}}, false}}, {"subnet-b", {{}, true}}};
  for (char group = 'a'; group < 'm'; ++group)
    options.security_groups[std::string("sg-") + group] = {{make_address(0, 0, 0, 0), 0}};
  return options;
}

/// The `number`th combination of those security groups, 1 to 4095.
Zone zone_of(int number) {
  Zone zone{{"subnet-a"}, {}};
  for (char group = 'a'; group < 'm'; ++group)
    if ((number >> (group - 'a') & 1) != 0) zone.security_groups.push_back(std::string("sg-") + group);
  return zone;
}

TEST_F(NetworkTest, an_environment_reaches_what_its_zone_does_until_it_leaves) {
  Networks networks(zoned());
  const Network network = networks.make(), other = networks.make();
  EXPECT_NE(reach(network, kPrivate), 0);
  networks.enter_zone(network.address, zone_of(1));
  EXPECT_EQ(reach(network, kPrivate), 0);
  EXPECT_NE(reach(network, kInternet), 0) << "the subnet has no way to the internet";
  EXPECT_NE(reach(other, kPrivate), 0);
  EXPECT_EQ(reach(other, kInternet), 0) << "it is in no zone";
  networks.leave_zone(network.address);
  networks.enter_zone(network.address, {{"subnet-b"}, {"sg-a"}});
  EXPECT_NE(reach(network, kPrivate), 0);
  EXPECT_EQ(reach(network, kInternet), 0);
}

TEST_F(NetworkTest, zones_without_environments_are_given_back) {
  Router router(home_, zoned());
  const auto chains = [&] {
    const Visit there(host_, router.space());
    Netlink rules(NETLINK_NETFILTER);
    return list_chains(rules, "lambent").size();
  };
  const std::size_t before = chains();
  const Address address = make_address(169, 254, 1, 1), stays = make_address(169, 254, 1, 2);
  router.enter_zone(stays, zone_of(4095));
  for (int number = 1; number <= 1500; ++number) {
    ASSERT_NO_THROW(router.enter_zone(address, zone_of(number))) << number;
    router.leave_zone(address);
  }
  EXPECT_EQ(chains(), before + 1 + Router::kKeptZones);
  router.leave_zone(stays);
  EXPECT_EQ(chains(), before + Router::kKeptZones);
}

TEST_F(NetworkTest, as_many_zones_as_there_can_be_are_in_use_at_once_and_no_more) {
  Router router(home_, zoned());
  const auto address = [](std::uint32_t number) { return make_address(169, 254, 1, 0) + number; };
  constexpr auto most = static_cast<std::uint32_t>(Router::kMaxZones);
  for (std::uint32_t number = 1; number <= most; ++number)
    router.enter_zone(address(number), zone_of(static_cast<int>(number)));
  EXPECT_THROW(router.enter_zone(address(most + 1), zone_of(4095)), std::system_error);
  // One that is in use takes more environments, and one that is given back makes room.
  router.enter_zone(address(most + 1), zone_of(7));
  router.leave_zone(address(3));
  router.enter_zone(address(3), zone_of(4095));
  EXPECT_THROW(router.enter_zone(address(most + 2), zone_of(4094)), std::system_error);
}

TEST_F(NetworkTest, without_a_network_there_is_no_way_out) {
  Networks networks;
  EXPECT_EQ(networks.report().mode, FunctionNetwork::none);
  EXPECT_EQ(reach(networks.make(), kInternet), ENETUNREACH);
  EXPECT_TRUE(tables().empty());
}

TEST_F(NetworkTest, private_addresses_are_refused_at_once) {
  Networks networks(egress());
  const Network network = networks.make();
  for (const Address address : {kPrivate, kMetadata, make_address(172, 16, 0, 1), make_address(192, 168, 0, 1),
                                make_address(100, 64, 0, 1), make_address(168, 63, 129, 16)})
    EXPECT_EQ(reach(network, address), ECONNREFUSED) << format_address(address);
  EXPECT_EQ(reach(network, make_address(224, 0, 0, 1)), EACCES);
}

TEST_F(NetworkTest, the_hosts_own_addresses_are_refused) {
  const base::Fd api = listen_at(0, 4566);
  Networks networks(egress());
  const Network network = networks.make();
  ASSERT_EQ(connect_to(kHostOutside, 4566), 0);
  EXPECT_EQ(reach(network, kHostOutside, 4566), ECONNREFUSED);
  EXPECT_EQ(reach(network, kHostAddress, 4566), ECONNREFUSED);
}

TEST_F(NetworkTest, neighbours_do_not_see_each_other) {
  Networks networks(egress());
  const Network one = networks.make(), other = networks.make();
  const base::Fd listening = inside(other, [] { return listen_at(0, 8080); });
  for (unsigned last = 0; last < 8; ++last) {
    const Address address = make_address(169, 254, 1, last);
    const bool own = inside(other, [&] { return connect_to(address, 8080) == 0; });
    if (own) EXPECT_EQ(reach(one, address, 8080), ECONNREFUSED) << format_address(address);
  }
}

TEST_F(NetworkTest, what_is_allowed_is_reached_and_nothing_else) {
  Networks networks(egress({{make_address(10, 9, 9, 0), 24}}));
  ASSERT_EQ(networks.report().mode, FunctionNetwork::egress) << networks.report().reason;
  const Network network = networks.make();
  EXPECT_EQ(reach(network, kPrivate), 0);
  EXPECT_EQ(reach(network, make_address(10, 9, 8, 9)), ECONNREFUSED);
  EXPECT_EQ(reach(network, kMetadata), ECONNREFUSED);
}

TEST_F(NetworkTest, in_mode_host_private_networks_and_the_hosts_loopback_are_reached) {
  const base::Fd listening = listen_at(make_address(127, 0, 0, 1), 5000);
  Networks networks({FunctionNetwork::host});
  ASSERT_EQ(networks.report().mode, FunctionNetwork::host) << networks.report().reason;
  const Network network = networks.make(), other = networks.make();
  EXPECT_EQ(reach(network, kPrivate), 0);
  EXPECT_EQ(reach(network, kMetadata), 0);
  EXPECT_EQ(reach(network, kHostAddress, 5000), 0);
  EXPECT_EQ(reach(network, make_address(127, 0, 0, 1), 5000), ECONNREFUSED);
  EXPECT_EQ(reach(network, make_address(169, 254, 1, 1), kRuntimeApiPort), ECONNREFUSED);
}

TEST_F(NetworkTest, a_firewall_that_does_not_forward_is_told_of_and_left_alone) {
  Netlink firewall(NETLINK_NETFILTER);
  RuleBatch batch;
  batch.add_table("firewall", false);
  batch.add_chain("firewall", "forward", {"filter", NF_INET_FORWARD, 0, true});
  batch.commit(firewall);
  Networks networks(egress());
  EXPECT_EQ(networks.report().mode, FunctionNetwork::none);
  EXPECT_NE(networks.report().reason.find("firewall does not forward"), std::string::npos) << networks.report().reason;
  EXPECT_EQ(reach(networks.make(), kInternet), ENETUNREACH);
  EXPECT_EQ(tables(), std::vector<std::string>{"firewall"});
  EXPECT_EQ(setting("conf/wan/forwarding"), "0");
}

TEST_F(NetworkTest, a_way_to_the_internet_that_comes_later_is_used) {
  Netlink route(NETLINK_ROUTE);
  LinkRequests away;
  away.remove_default_route(link_index("wan"));
  route.send(away);
  Networks networks(egress());
  ASSERT_EQ(networks.report().mode, FunctionNetwork::egress) << networks.report().reason;
  EXPECT_EQ(setting("conf/wan/forwarding"), "0");
  LinkRequests back;
  back.add_default_route(link_index("wan"), kInternet);
  route.send(back);
  networks.follow_routes();
  EXPECT_EQ(setting("conf/wan/forwarding"), "1");
  EXPECT_EQ(reach(networks.make(), kInternet), 0);
}

TEST_F(NetworkTest, of_two_launchers_the_last_turns_back_what_both_needed) {
  std::optional<Networks> one, other;
  one.emplace(egress());
  other.emplace(egress());
  one.reset();
  EXPECT_EQ(setting("conf/wan/forwarding"), "1");
  EXPECT_EQ(reach(other->make(), kInternet), 0);
  other.reset();
  EXPECT_EQ(setting("conf/wan/forwarding"), "0");
  EXPECT_TRUE(tables().empty());
}

TEST_F(NetworkTest, what_a_killed_launcher_left_is_turned_back_at_the_next_start) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    Networks networks(egress());
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(pid, nullptr, 0);
  EXPECT_EQ(setting("conf/wan/forwarding"), "1");
  EXPECT_EQ(tables(), std::vector<std::string>{"lambent-forwarding"});
  Networks networks;
  EXPECT_EQ(setting("conf/wan/forwarding"), "0");
  EXPECT_TRUE(tables().empty());
}

TEST_F(NetworkTest, what_the_host_forwards_already_stays_as_it_is) {
  std::ofstream("/proc/sys/net/ipv4/ip_forward") << "1";
  {
    Networks networks(egress());
    EXPECT_EQ(reach(networks.make(), kInternet), 0);
    EXPECT_EQ(tables().size(), 1U);
  }
  EXPECT_EQ(setting("conf/wan/forwarding"), "1");
}

TEST_F(NetworkTest, connections_of_one_environment_are_bounded) {
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  // A shell's own limit is less than the bound.
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  Networks networks(egress());
  const Network greedy = networks.make(), modest = networks.make();
  const int opened = inside(greedy, [] {
    std::vector<base::Fd> held;
    while (held.size() < 1100) {
      // Datagrams count like connections, and need nobody at the other end.
      base::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      const sockaddr_in to = place(kInternet, 7);
      if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) break;
      ::send(socket.get(), "?", 1, 0);
      held.push_back(std::move(socket));
    }
    return static_cast<int>(held.size());
  });
  EXPECT_EQ(opened, 1100);
  EXPECT_EQ(reach(greedy, kInternet), ECONNREFUSED);
  EXPECT_EQ(reach(modest, kInternet), 0);
}

TEST_F(NetworkTest, nothing_is_left_on_the_host) {
  ASSERT_EQ(setting("conf/wan/forwarding"), "0");
  {
    Networks networks(egress());
    EXPECT_EQ(setting("conf/wan/forwarding"), "1");
    EXPECT_EQ(setting("ip_forward"), "0");
    EXPECT_EQ(tables().size(), 2U);
  }
  EXPECT_EQ(setting("conf/wan/forwarding"), "0");
  EXPECT_TRUE(tables().empty());
  EXPECT_TRUE(soon([] {
    std::ifstream file("/proc/thread-self/net/dev");
    return std::string(std::istreambuf_iterator<char>(file), {}).find(kOwnedPrefix) == std::string::npos;
  }));
}

double milliseconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

/// The numbers are printed, not judged: this is a shared machine. What is judged is that one after another can be made.
TEST_F(NetworkTest, speed_of_making_and_taking_away) {
  constexpr int kMade = 400;
  for (const auto& [name, options] : {std::pair{"none", NetworkOptions{}}, std::pair{"egress", egress()}}) {
    std::optional<Networks> networks;
    const double start = milliseconds_of([&, &wanted = options] { networks.emplace(wanted); });
    std::vector<double> each;
    const double all = milliseconds_of([&] {
      for (int i = 0; i < kMade; ++i) each.push_back(milliseconds_of([&] { networks->make(); }));
    });
    std::vector<Network> held;
    const double two_hundred = milliseconds_of([&] {
      while (held.size() < 200) held.push_back(networks->make());
    });
    std::sort(each.begin(), each.end());
    std::printf(
        "  %-7s start %6.1f ms; a network med %5.0f min %5.0f p95 %5.0f us; made and dropped %5.0f/s; 200 held in "
        "%4.0f ms\n",
        name, start, each[kMade / 2] * 1000, each[0] * 1000, each[kMade * 95 / 100] * 1000, kMade * 1000 / all,
        two_hundred);
    EXPECT_EQ(reach(held.back(), kInternet), networks->report().mode == FunctionNetwork::egress ? 0 : ENETUNREACH);
  }
}

}  // namespace
}  // namespace lambent::sandbox::launcher
