# frozen_string_literal: true

# What ruby3.x executes in the sandbox, with --disable-gems: RubyGems costs 40 ms and comes when something needs it.
# With the argument "--spare" it waits for its function first.
here = __dir__
$LOAD_PATH.unshift(here) unless $LOAD_PATH.include?(here)

require 'lambent_runtime'

if ARGV.first == '--spare'
  require 'lambent_spare'
  LambentSpare.wait
end
LambentRuntime.main
