#include "store/segments/search.h"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <queue>

#include "base/log.h"

namespace lambent::store::segments {
namespace {

/// A segment or one of its blocks, waiting for its turn.
struct Candidate {
  /// The best time that it can hold.
  std::int64_t bound_ms;
  std::size_t segment;
  /// Of the segment's blocks; nothing for the segment itself, whose index is not read yet.
  std::optional<Block> block;
};

class Search {
 public:
  Search(const Journal& journal, Disk& disk, const Query& query)
      : disk_(disk),
        query_(query),
        views_(journal.views(query.from_ms, query.to_ms)),
        kept_(Order{query.backward}),
        waiting_(Later{query.backward}) {}

  Page run() {
    for (std::size_t i = 0; i < views_.size(); ++i) enqueue(i, views_[i].summary.min_ms, views_[i].summary.max_ms, {});
    std::optional<Position> next;
    while (!waiting_.empty()) {
      const Candidate candidate = waiting_.top();
      if (cut_ && is_before(kept_.rbegin()->first.time_ms, candidate.bound_ms)) break;
      if (first_bound_ms_ && scanned_ >= query_.limit_scanned && goes_forward(candidate.bound_ms)) {
        next = stop_before(candidate.bound_ms);
        break;
      }
      waiting_.pop();
      take(candidate);
    }
    if (cut_ && !kept_.empty() && (!next || is_before(kept_.rbegin()->first, *next))) next = kept_.rbegin()->first;
    page_.next = next;
    for (auto& [position, found] : kept_) page_.found.push_back(std::move(found));
    return std::move(page_);
  }

 private:
  struct Order {
    bool backward;
    bool operator()(const Position& a, const Position& b) const { return backward ? b < a : a < b; }
  };
  struct Later {
    bool backward;
    bool operator()(const Candidate& a, const Candidate& b) const {
      return backward ? a.bound_ms < b.bound_ms : b.bound_ms < a.bound_ms;
    }
  };

  template <class T>
  bool is_before(const T& a, const T& b) const {
    return query_.backward ? b < a : a < b;
  }

  void enqueue(std::size_t segment, std::int64_t min_ms, std::int64_t max_ms, std::optional<Block> block) {
    if (max_ms < query_.from_ms || min_ms > query_.to_ms) return;
    if (query_.after && (query_.backward ? min_ms > query_.after->time_ms : max_ms < query_.after->time_ms)) return;
    waiting_.push({query_.backward ? max_ms : min_ms, segment, std::move(block)});
  }

  /// Whether a page that ends before this time is more than the one before it.
  bool goes_forward(std::int64_t bound_ms) const {
    return is_before(*first_bound_ms_, bound_ms) && (!query_.after || is_before(*query_.after, edge_before(bound_ms)));
  }

  /// The last position whose time is before the bound.
  Position edge_before(std::int64_t bound_ms) const {
    return query_.backward ? Position{bound_ms + 1, 0}
                           : Position{bound_ms - 1, std::numeric_limits<std::uint64_t>::max()};
  }

  /// What lies at the bound and behind it may have better ones that were not seen.
  Position stop_before(std::int64_t bound_ms) {
    const Position edge = edge_before(bound_ms);
    kept_.erase(kept_.upper_bound(edge), kept_.end());
    return edge;
  }

  void take(const Candidate& candidate) {
    const SegmentView& view = views_[candidate.segment];
    try {
      if (candidate.block)
        read(view, candidate.segment, *candidate.block);
      else
        expand(view, candidate.segment);
    } catch (const std::system_error& error) {
      // Expired since the view was taken.
      if (error.code().value() != ENOENT) damaged(view, error.what());
    } catch (const std::runtime_error& error) {
      damaged(view, error.what());
    }
  }

  void damaged(const SegmentView& view, const char* reason) {
    ++page_.damaged;
    base::log::error("a part of a segment cannot be read", {{"file", view.path.string()}, {"reason", reason}});
  }

  void expand(const SegmentView& view, std::size_t segment) {
    std::vector<Block> blocks = view.blocks;
    if (!view.plain) {
      blocks = open_sealed(file_of(segment)).blocks;
    }
    for (Block& block : blocks) {
      if (std::ranges::none_of(block.keys, query_.wants)) continue;
      enqueue(segment, block.min_ms, block.max_ms, std::move(block));
    }
  }

  /// One open file is enough: blocks of a segment mostly follow each other.
  int file_of(std::size_t segment) {
    if (!open_ || open_segment_ != segment) {
      open_ = disk_.open(views_[segment].path, O_RDONLY);
      open_segment_ = segment;
    }
    return open_.get();
  }

  void read(const SegmentView& view, std::size_t segment, const Block& block) {
    if (!first_bound_ms_) first_bound_ms_ = query_.backward ? block.max_ms : block.min_ms;
    scanned_ += block.raw;
    const std::string bytes = view.plain ? read_at(view.plain->get(), block.offset, block.stored)
                                         : read_sealed_block(file_of(segment), block);
    RecordReader reader(bytes, view.summary.salt, block.first_sequence);
    while (const auto record = reader.next()) consider(*record);
    if (reader.damaged() > 0 || reader.end() < bytes.size()) damaged(view, "a record's checksum is wrong");
  }

  void consider(const Record& record) {
    if (record.time_ms < query_.from_ms || record.time_ms > query_.to_ms || !query_.wants(record.key)) return;
    const Position position{record.time_ms, record.sequence};
    if (query_.after && !is_before(*query_.after, position)) return;
    if (cut_ && !is_before(position, kept_.rbegin()->first)) return;
    if (query_.matches && !query_.matches(record)) return;
    kept_bytes_ += record.bytes.size();
    kept_.emplace(position, Found{position, record.key, std::string(record.bytes)});
    while (kept_.size() > 1 && (kept_.size() > query_.limit || kept_bytes_ > query_.limit_bytes)) {
      const auto last = std::prev(kept_.end());
      kept_bytes_ -= last->second.bytes.size();
      kept_.erase(last);
      cut_ = true;
    }
  }

  Disk& disk_;
  const Query& query_;
  const std::vector<SegmentView> views_;
  base::Fd open_;
  std::size_t open_segment_ = 0;
  std::map<Position, Found, Order> kept_;
  std::size_t kept_bytes_ = 0;
  /// Records were dropped for want of room: what is behind the last kept one is the next page's.
  bool cut_ = false;
  std::uint64_t scanned_ = 0;
  std::optional<std::int64_t> first_bound_ms_;
  std::priority_queue<Candidate, std::vector<Candidate>, Later> waiting_;
  Page page_;
};

}  // namespace

Page search(const Journal& journal, Disk& disk, const Query& query) { return Search(journal, disk, query).run(); }

}  // namespace lambent::store::segments
