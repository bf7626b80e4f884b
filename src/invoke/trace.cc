#include "invoke/trace.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/ids.h"

namespace lambent::invoke {
namespace {

/// Functions in a lineage; the oldest are left out beyond it.
constexpr std::size_t kLineage = 16;
constexpr unsigned char kOneIn = 20;

bool is_hex(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_root(std::string_view text) {
  return text.size() == 35 && text.starts_with("1-") && text[10] == '-' && is_hex(text.substr(2, 8)) &&
         is_hex(text.substr(11));
}

std::string hash_of(const store::FunctionVersion& function) { return base::sha256_hex(function.arn()).substr(0, 8); }

void read_lineage(std::string_view text, TraceHeader& header) {
  while (!text.empty() && header.lineage.size() < kLineage) {
    const auto bar = text.find('|');
    const std::string_view entry = text.substr(0, bar);
    text.remove_prefix(bar == std::string_view::npos ? text.size() : bar + 1);
    const auto colon = entry.find(':');
    if (colon == std::string_view::npos || colon != 8 || !is_hex(entry.substr(0, colon))) continue;
    const auto count = base::parse_decimal(entry.substr(colon + 1));
    if (count && *count <= 1'000'000)
      header.lineage.emplace_back(entry.substr(0, colon), static_cast<std::int32_t>(*count));
  }
}

}  // namespace

TraceHeader TraceHeader::parse(std::string_view text) {
  TraceHeader header;
  if (text.size() > kMaxTraceHeader) return header;
  while (!text.empty()) {
    const auto end = text.find(';');
    const std::string_view part = base::trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = part.substr(0, equals);
    const std::string_view value = part.substr(equals + 1);
    if (name == "Root" && is_root(value)) header.root = value;
    if (name == "Parent" && value.size() == 16 && is_hex(value)) header.parent = value;
    if (name == "Sampled" && (value == "0" || value == "1")) header.sampled = value[0];
    if (name == "Lineage") read_lineage(value, header);
  }
  return header;
}

std::string TraceHeader::text() const {
  std::string out = "Root=" + root;
  if (!parent.empty()) out += ";Parent=" + parent;
  if (sampled != 0) out += fmt::format(";Sampled={}", sampled);
  for (std::size_t i = 0; i < lineage.size(); ++i)
    out += fmt::format("{}{}:{}", i == 0 ? ";Lineage=" : "|", lineage[i].first, lineage[i].second);
  return out;
}

/// X-Ray's default rule: the first request each second, and one in twenty of the others.
bool Tracing::sample() {
  const std::int64_t now_s = clock_.now_s();
  if (sampled_second_.exchange(now_s) != now_s) return true;
  return static_cast<unsigned char>(base::random_bytes(1)[0]) % kOneIn == 0;
}

TraceHeader Tracing::rooted(std::string_view incoming, const store::FunctionVersion& function) {
  TraceHeader header = TraceHeader::parse(incoming);
  if (header.root.empty())
    header.root = fmt::format("1-{:08x}-{}", static_cast<std::uint32_t>(clock_.now_s()), base::random_hex(12));
  if (header.sampled == 0) header.sampled = function.tracing_mode == "Active" && sample() ? '1' : '0';
  return header;
}

std::string Tracing::accept(std::string_view incoming, const store::FunctionVersion& function) {
  return rooted(incoming, function).text();
}

std::string Tracing::next(std::string_view incoming, const store::FunctionVersion& function) {
  TraceHeader header = rooted(incoming, function);
  header.parent = base::random_hex(8);
  const std::string hash = hash_of(function);
  const auto found = std::find_if(header.lineage.begin(), header.lineage.end(),
                                  [&](const auto& entry) { return entry.first == hash; });
  const std::int32_t before = found == header.lineage.end() ? 0 : found->second;
  if (found != header.lineage.end()) header.lineage.erase(found);
  if (header.lineage.size() >= kLineage) header.lineage.erase(header.lineage.begin());
  header.lineage.emplace_back(hash, before + 1);
  return header.text();
}

std::int32_t Tracing::loops(std::string_view incoming, const store::FunctionVersion& function) {
  if (incoming.find("Lineage=") == std::string_view::npos) return 0;
  const std::string hash = hash_of(function);
  for (const auto& [name, count] : TraceHeader::parse(incoming).lineage)
    if (name == hash) return count;
  return 0;
}

}  // namespace lambent::invoke
