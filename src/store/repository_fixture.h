// For tests: a repository over a database of its own, opened again as often as a test wants to see what is kept.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <memory>

#include "base/ids.h"
#include "store/database.h"
#include "store/migrations.h"

namespace lambent::store {

template <class Repository>
class RepositoryFixture : public ::testing::Test {
 protected:
  RepositoryFixture() {
    std::filesystem::create_directory(directory_);
    open();
  }
  ~RepositoryFixture() override {
    close();
    std::filesystem::remove_all(directory_);
  }
  void open() {
    close();
    database_ = std::make_unique<Database>(directory_ / "records.db", migrations());
    repository_ = std::make_unique<Repository>(*database_);
  }

  template <class T>
  T run(base::Task<T> task) {
    auto result = base::asio::co_spawn(context_, std::move(task), base::asio::use_future);
    context_.restart();
    context_.run();
    return result.get();
  }

  const std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / ("lambent-store-" + base::random_hex(6));
  // The writer may still be posting to it when the answer has been read: it outlives the database.
  base::asio::io_context context_{1};
  std::unique_ptr<Database> database_;
  std::unique_ptr<Repository> repository_;

 private:
  void close() {
    repository_.reset();
    database_.reset();
  }
};

}  // namespace lambent::store
