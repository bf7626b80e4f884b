#include "store/function_urls.h"

#include <map>
#include <mutex>
#include <shared_mutex>

namespace lambent::store {
namespace {

constexpr std::string_view kInsert = R"sql(
  INSERT INTO function_urls (url_id, account, region, function, qualifier, auth_type, invoke_mode, cors, created_ms,
    modified_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql";
constexpr std::string_view kSelect = R"sql(
  SELECT url_id, account, region, function, qualifier, auth_type, invoke_mode, cors, created_ms, modified_ms
  FROM function_urls)sql";
constexpr std::string_view kExists =
    "SELECT url_id FROM function_urls WHERE account = ? AND region = ? AND function = ? AND qualifier = ?";
constexpr std::string_view kDelete =
    "DELETE FROM function_urls WHERE account = ? AND region = ? AND function = ? AND qualifier = ?";
constexpr std::string_view kDeleteAll = "DELETE FROM function_urls WHERE account = ? AND region = ? AND function = ?";

void insert(Transaction& transaction, const FunctionUrl& url) {
  auto& statement = transaction.prepare(kInsert);
  const auto bind = [&](const auto& cors) {
    statement.bind(url.url_id, url.function.account, url.function.region, url.function.name, url.qualifier,
                   url.auth_type, url.invoke_mode, cors, url.created_ms, url.modified_ms);
  };
  if (url.cors)
    bind(*url.cors);
  else
    bind(nullptr);
  statement.run();
}

bool exists(Transaction& transaction, const FunctionKey& function, std::string_view qualifier) {
  auto& statement = transaction.prepare(kExists).bind(function.account, function.region, function.name, qualifier);
  const bool found = statement.step();
  statement.reset();
  return found;
}

void erase(Transaction& transaction, const FunctionKey& function, std::string_view qualifier) {
  transaction.prepare(kDelete).bind(function.account, function.region, function.name, qualifier).run();
}

FunctionUrl read_row(const Statement& row) {
  FunctionUrl url;
  url.url_id = row.text(0);
  url.function = {row.text(1), row.text(2), row.text(3)};
  url.qualifier = row.text(4);
  url.auth_type = row.text(5);
  url.invoke_mode = row.text(6);
  if (!row.is_null(7)) url.cors = row.text(7);
  url.created_ms = row.integer(8);
  url.modified_ms = row.integer(9);
  return url;
}

}  // namespace

std::string FunctionUrl::function_arn() const {
  return qualifier.empty() ? function.arn() : function.arn() + ":" + qualifier;
}

struct FunctionUrls::Snapshots {
  using ByQualifier = std::map<std::string, FunctionUrlSnapshot, std::less<>>;

  void publish(FunctionUrlSnapshot url) {
    const std::unique_lock lock(mutex);
    by_id[url->url_id] = url;
    by_function[url->function][url->qualifier] = std::move(url);
  }
  void forget(const FunctionKey& function, std::string_view qualifier) {
    const std::unique_lock lock(mutex);
    const auto urls = by_function.find(function);
    if (urls == by_function.end()) return;
    const auto url = urls->second.find(qualifier);
    if (url == urls->second.end()) return;
    by_id.erase(url->second->url_id);
    urls->second.erase(url);
    if (urls->second.empty()) by_function.erase(urls);
  }
  void forget_all(const FunctionKey& function) {
    const std::unique_lock lock(mutex);
    const auto urls = by_function.find(function);
    if (urls == by_function.end()) return;
    for (const auto& [qualifier, url] : urls->second) by_id.erase(url->url_id);
    by_function.erase(urls);
  }

  mutable std::shared_mutex mutex;
  std::map<FunctionKey, ByQualifier> by_function;
  std::map<std::string, FunctionUrlSnapshot, std::less<>> by_id;
};

FunctionUrls::FunctionUrls(Database& database, Functions& functions)
    : database_(database), snapshots_(std::make_shared<Snapshots>()) {
  database_.read_now([this](Transaction& transaction) {
    auto& rows = transaction.prepare(kSelect).bind();
    while (rows.step()) snapshots_->publish(std::make_shared<const FunctionUrl>(read_row(rows)));
  });
  functions.when_removed(
      [snapshots = snapshots_](Transaction& transaction, const FunctionKey& function, std::string_view qualifier) {
        if (qualifier.empty())
          transaction.prepare(kDeleteAll).bind(function.account, function.region, function.name).run();
        else
          erase(transaction, function, qualifier);
        transaction.after_commit([snapshots, function, qualifier = std::string(qualifier)] {
          if (qualifier.empty())
            snapshots->forget_all(function);
          else
            snapshots->forget(function, qualifier);
        });
      });
}

FunctionUrlSnapshot FunctionUrls::find(const FunctionKey& function, std::string_view qualifier) const {
  const std::shared_lock lock(snapshots_->mutex);
  const auto urls = snapshots_->by_function.find(function);
  if (urls == snapshots_->by_function.end()) return nullptr;
  const auto url = urls->second.find(qualifier);
  return url == urls->second.end() ? nullptr : url->second;
}

FunctionUrlSnapshot FunctionUrls::by_id(std::string_view url_id) const {
  const std::shared_lock lock(snapshots_->mutex);
  const auto url = snapshots_->by_id.find(url_id);
  return url == snapshots_->by_id.end() ? nullptr : url->second;
}

std::vector<FunctionUrlSnapshot> FunctionUrls::list(const FunctionKey& function,
                                                    const std::optional<std::string>& after, std::size_t limit) const {
  std::vector<FunctionUrlSnapshot> page;
  const std::shared_lock lock(snapshots_->mutex);
  const auto urls = snapshots_->by_function.find(function);
  if (urls == snapshots_->by_function.end()) return page;
  for (auto at = after ? urls->second.upper_bound(*after) : urls->second.begin();
       at != urls->second.end() && page.size() < limit; ++at)
    page.push_back(at->second);
  return page;
}

base::Task<bool> FunctionUrls::create(FunctionUrl url) {
  auto command = [snapshots = snapshots_,
                  made = std::make_shared<const FunctionUrl>(std::move(url))](Transaction& transaction) {
    if (exists(transaction, made->function, made->qualifier)) return false;
    insert(transaction, *made);
    transaction.after_commit([snapshots, made] { snapshots->publish(made); });
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<bool> FunctionUrls::replace(FunctionUrl url) {
  auto command = [snapshots = snapshots_,
                  changed = std::make_shared<const FunctionUrl>(std::move(url))](Transaction& transaction) {
    if (!exists(transaction, changed->function, changed->qualifier)) return false;
    erase(transaction, changed->function, changed->qualifier);
    insert(transaction, *changed);
    transaction.after_commit([snapshots, changed] { snapshots->publish(changed); });
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

base::Task<bool> FunctionUrls::remove(FunctionKey function, std::string qualifier) {
  auto command = [snapshots = snapshots_, function = std::move(function),
                  qualifier = std::move(qualifier)](Transaction& transaction) {
    if (!exists(transaction, function, qualifier)) return false;
    erase(transaction, function, qualifier);
    transaction.after_commit([snapshots, function, qualifier] { snapshots->forget(function, qualifier); });
    return true;
  };
  co_return co_await database_.write(std::move(command));
}

}  // namespace lambent::store
