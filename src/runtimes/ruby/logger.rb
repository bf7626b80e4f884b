# frozen_string_literal: true

# Found before the standard library's logger, which it loads: loggers that write to the terminal say the request, as on AWS.
here = File.realpath(__dir__)
rest = $LOAD_PATH.reject { |directory| File.expand_path(directory) == here }
real = rest.map { |directory| File.join(directory, 'logger.rb') }.find { |path| File.file?(path) }
unless real
  # From Ruby 4.0 on it is a gem.
  require 'rubygems'
  real = File.join(Gem::Specification.find_by_name('logger').full_require_paths.first, 'logger.rb')
end
$LOAD_PATH.unshift(File.dirname(real)) unless $LOAD_PATH.include?(File.dirname(real))
$LOAD_PATH.delete(here)
require real
$LOAD_PATH.push(here)

class LambentTextFormatter < Logger::Formatter
  LINE = "%s, [%s #%d] %5s %s -- %s: %s\n"

  def call(severity, time, progname, message)
    line = format(LINE, severity[0], format_datetime(time), Process.pid, severity, LambentRuntime.request_id, progname, msg2str(message))
    line.encode('UTF-8', invalid: :replace, undef: :replace)
  end
end

class LambentJsonFormatter < Logger::Formatter
  def call(severity, time, progname, message)
    line = { timestamp: time.utc.strftime(LambentRecords::TIME), level: severity, message: text(message),
             requestId: LambentRuntime.request_id }
    line[:logger] = progname.to_s unless progname.nil? || progname.to_s.empty?
    if message.is_a?(Exception)
      line[:errorType] = message.class.to_s
      line[:errorMessage] = message.message
      line[:stackTrace] = Array(message.backtrace)
    end
    "#{JSON.generate(line.compact)}\n"
  end

  private

  def text(message)
    (message.is_a?(Exception) ? message.message : msg2str(message)).to_s.encode('UTF-8', invalid: :replace, undef: :replace)
  end
end

module LambentLogger
  LEVELS = { 'TRACE' => 'debug', 'DEBUG' => 'debug', 'INFO' => 'info', 'WARN' => 'warn', 'ERROR' => 'error', 'FATAL' => 'fatal' }.freeze

  def initialize(device = nil, *arguments, **settings)
    terminal = device.nil? || device == $stdout || device == $stderr
    json = LambentRecords.json?
    settings[:level] ||= LEVELS.fetch(ENV.fetch('AWS_LAMBDA_LOG_LEVEL', ''), 'debug') if terminal && json
    super(terminal ? LambentRecords : device, *arguments, **settings)
    @default_formatter = json ? LambentJsonFormatter.new : LambentTextFormatter.new if terminal
  end
end

Logger.prepend(LambentLogger)
