# frozen_string_literal: true

# The handler of the rehearsal in lambent_spare.rb.
module LambentNop
  def self.handle(event:, context:)
    [event, context.get_remaining_time_in_millis]
  end
end
