#include "store/commit_mark.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/log.h"

namespace lambent::store {
namespace {

// Two places, written in turn, so that a torn write leaves the number before.
constexpr off_t kSlotBytes = 512;
constexpr std::chrono::milliseconds kPause{100};
constexpr std::chrono::seconds kSync{1};

std::uint32_t crc_of(std::string_view text) {
  return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const unsigned char*>(text.data()), text.size()));
}

std::string slot_text(std::int64_t number) {
  const std::string digits = fmt::format("{:020}", number);
  return fmt::format("{} {:08x}\n", digits, crc_of(digits));
}

std::optional<std::int64_t> read_slot(int file, int slot) {
  std::array<char, 30> bytes{};
  if (::pread(file, bytes.data(), bytes.size(), slot * kSlotBytes) != static_cast<ssize_t>(bytes.size())) return {};
  const auto number = base::parse_decimal(std::string_view(bytes.data(), 20));
  if (!number || slot_text(static_cast<std::int64_t>(*number)) != std::string_view(bytes.data(), bytes.size()))
    return {};
  return static_cast<std::int64_t>(*number);
}

// A new file is there after a power cut only once its directory was synced.
void sync_directory_of(const std::filesystem::path& file) {
  const std::filesystem::path directory = file.has_parent_path() ? file.parent_path() : ".";
  const base::Fd opened(base::check(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "cannot open it"));
  base::check(::fsync(opened.get()), "cannot sync the commit mark's directory");
}

}  // namespace

CommitMark::CommitMark(const std::filesystem::path& file)
    : file_(base::check(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), "cannot open the commit mark")) {
  const auto first = read_slot(file_.get(), 0);
  const auto second = read_slot(file_.get(), 1);
  kept_ = std::max(first, second);
  if (kept_)
    noted_ = written_ = *kept_;
  else
    sync_directory_of(file);
  thread_ = std::thread([this] { run(); });
}

CommitMark::~CommitMark() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void CommitMark::note(std::int64_t number) {
  {
    const std::lock_guard lock(mutex_);
    noted_ = number;
  }
  wake_.notify_one();
}

void CommitMark::run() {
  std::unique_lock lock(mutex_);
  while (!broken_) {
    const auto due = [this] { return stopping_ || noted_ != written_; };
    if (sync_at_)
      wake_.wait_until(lock, *sync_at_, due);
    else
      wake_.wait(lock, due);
    const std::int64_t number = noted_;
    const bool last = stopping_;
    lock.unlock();
    if (number != written_) write(number);
    if (sync_at_ && (last || std::chrono::steady_clock::now() >= *sync_at_)) sync();
    lock.lock();
    if (last) return;
    wake_.wait_for(lock, kPause, [this] { return stopping_; });
  }
}

void CommitMark::write(std::int64_t number) {
  const std::string text = slot_text(number);
  const auto size = static_cast<ssize_t>(text.size());
  const bool written = ::pwrite(file_.get(), text.data(), text.size(), (number % 2) * kSlotBytes) == size;
  written_ = number;
  // On a full disk the mark lags, which it may.
  if (!written && errno != ENOSPC) give_up();
  if (written && !sync_at_) sync_at_ = std::chrono::steady_clock::now() + kSync;
}

void CommitMark::sync() {
  sync_at_.reset();
  if (::fdatasync(file_.get()) != 0 && errno != ENOSPC) give_up();
}

void CommitMark::give_up() {
  broken_ = true;
  base::log::error("the last commit's number is no longer kept", {{"reason", std::strerror(errno)}});
}

}  // namespace lambent::store
