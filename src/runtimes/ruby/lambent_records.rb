# frozen_string_literal: true

# Records of several lines, each one event of the log: framed as AWS's runtimes frame them for _LAMBDA_TELEMETRY_LOG_FD, but on
# stdout, so that they keep their place in it. Without that variable every line is an event.
module LambentRecords
  TEXT = 0xa55a0003
  # A longer record is lines.
  LIMIT = 256 * 1024
  TIME = '%Y-%m-%dT%H:%M:%S.%6NZ'

  class << self
    # Reads the environment that the function has.
    def configure
      @framed = ENV.delete('_LAMBDA_TELEMETRY_LOG_FD') == '1'
    end

    def json?
      ENV.fetch('AWS_LAMBDA_LOG_FORMAT', '').upcase == 'JSON'
    end

    # A device for loggers: whatever $stdout is at that moment, for a function may have replaced it.
    def write(text)
      $stdout.write(text) unless $stdout.equal?(STDOUT) && frame(text)
      text.bytesize
    end

    def close; end

    # False when the text is one line, or is to be lines.
    def frame(text)
      bytes = text.b
      return false unless @framed && bytes.bytesize <= LIMIT && bytes.chomp.include?("\n")

      time = Process.clock_gettime(Process::CLOCK_REALTIME, :microsecond)
      STDOUT.write([TEXT, bytes.bytesize, time].pack('NNQ>') << bytes)
      true
    end

    # An exception that ended an invocation, or init, and what the runtime says of it.
    def failure(words, document, request_id)
      return STDOUT.write("#{JSON.generate(record(words, document, request_id))}\n") if json?

      text = JSON.pretty_generate(document)
      return STDOUT.write("#{words}\n") && frame(text) if @framed && text.bytesize <= LIMIT

      # A carriage return keeps the document together.
      STDOUT.write("#{words}\r#{text.gsub("\n", "\r")}\n")
    end

    private

    def record(words, document, request_id)
      { timestamp: Time.now.utc.strftime(TIME), level: 'ERROR', message: words, requestId: request_id }.compact.merge(document)
    end
  end

  # As on AWS, what one call prints is one event.
  module Puts
    private

    def puts(*values)
      return super unless $stdout.equal?(STDOUT) && LambentRecords.frame(values.flatten.map { |value| value.to_s.b }.join("\n"))
    rescue ArgumentError
      # An array within itself.
      super
    end
  end
end
