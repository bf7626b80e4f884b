// The coroutine type of Lambent. A Task runs on the lane that awaits it unless it says otherwise.
//
// Give coroutines their arguments by value or by reference to what outlives them, and keep `co_await`
// out of expressions that build aggregates: name the local first (docs/decisions/0001-compiler.md).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace lambent::base {

namespace asio = boost::asio;

template <class T>
using Task = asio::awaitable<T>;

}  // namespace lambent::base
