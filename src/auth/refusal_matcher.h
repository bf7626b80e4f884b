// For the tests of this folder: what a refusal says.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "aws/error.h"

namespace lambent::auth {

/// "CODE STATUS: message" of the aws::Error that `act` throws, or "accepted".
template <class Act>
std::string refusal(Act act) {
  try {
    act();
  } catch (const aws::Error& error) {
    return error.code() + " " + std::to_string(error.status()) + ": " + error.message();
  }
  return "accepted";
}

}  // namespace lambent::auth
