# frozen_string_literal: true

require 'json'
require 'lambent_connection'
require 'lambent_records'

$stdout.sync = true
Kernel.prepend(LambentRecords::Puts)

# How events are read and results are written; functions may override either, as on AWS.
module AwsLambda
  class Marshaller
    def self.marshall_request(raw_request)
      raw_request['Content-Type'] == 'application/json' ? JSON.parse(raw_request.body) : raw_request.body
    end

    # A string, or a string or stream with its content type.
    def self.marshall_response(method_response)
      return method_response.to_json unless method_response.respond_to?(:read) && method_response.respond_to?(:binmode)

      [method_response.read, 'application/unknown']
    end
  end
end

# The second argument of a handler (AWS Lambda Developer Guide, "AWS Lambda context object in Ruby").
class LambdaContext
  attr_reader :aws_request_id, :invoked_function_arn, :log_group_name, :log_stream_name, :function_name,
              :memory_limit_in_mb, :function_version, :identity, :client_context, :deadline_ms, :tenant_id

  def initialize(event)
    @deadline_ms = event['Lambda-Runtime-Deadline-Ms'].to_i
    @aws_request_id = event['Lambda-Runtime-Aws-Request-Id']
    @invoked_function_arn = event['Lambda-Runtime-Invoked-Function-Arn']
    @tenant_id = event['Lambda-Runtime-Aws-Tenant-Id']
    @log_group_name = ENV['AWS_LAMBDA_LOG_GROUP_NAME']
    @log_stream_name = ENV['AWS_LAMBDA_LOG_STREAM_NAME']
    @function_name = ENV['AWS_LAMBDA_FUNCTION_NAME']
    @memory_limit_in_mb = ENV['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']
    @function_version = ENV['AWS_LAMBDA_FUNCTION_VERSION']
    @identity = JSON.parse(event['Lambda-Runtime-Cognito-Identity']) if event['Lambda-Runtime-Cognito-Identity']
    @client_context = JSON.parse(event['Lambda-Runtime-Client-Context']) if event['Lambda-Runtime-Client-Context']
  end

  def get_remaining_time_in_millis
    remaining = @deadline_ms - Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond)
    remaining.positive? ? remaining : 0
  end
end

# FILE.METHOD or FILE.CLASS.METHOD, CLASS a module or class with its namespace. What cannot be called is its receiver.
class LambdaHandler
  attr_reader :file

  def initialize(name)
    @file, *@class_name, @method_name = name.split('.')
    return if @method_name && @class_name.size < 2

    raise ArgumentError, "Invalid handler #{name.split('.')}, must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD where " \
                         'FILENAME corresponds with an existing Ruby source file FILENAME.rb, CLASS is an optional ' \
                         'module/class namespace and METHOD is a callable method. If using CLASS, METHOD must be a ' \
                         'class-level method.'
  end

  def call(event:, context:)
    return __send__(@method_name, event: event, context: context) if @class_name.empty?

    Object.const_get(@class_name.first).send(@method_name, event: event, context: context)
  end
end

# RubyGems on demand: at once when the function brings gems, whose versions then go before the standard library's, else when
# something is not found without it.
module LambentGems
  GEM_DIRECTORIES = %w[/var/task/vendor/bundle /opt/ruby/gems].freeze

  def self.load
    return if @loaded

    @loaded = true
    Kernel.require('rubygems')
    Gem.clear_paths
  end

  def self.prepare
    return load if GEM_DIRECTORIES.any? { |directory| Dir.exist?(directory) }

    # A process that waited for its function has it already.
    return if defined?(::Gem)

    Object.autoload(:Gem, 'rubygems')
    Kernel.prepend(OnDemand)
    Object.prepend(OnDemand)
  end

  def self.loaded?
    @loaded || !Object.autoload?(:Gem)
  end

  module OnDemand
    private

    def require(name)
      super
    rescue LoadError => e
      raise if LambentGems.loaded? || e.path != name.to_s

      LambentGems.load
      Kernel.require(name)
    end

    def gem(*arguments)
      LambentGems.load
      super
    end
  end
end

# Finds the handler, then takes event after event.
module LambentRuntime
  class << self
    attr_reader :request_id

    def main
      LambentRecords.configure
      connection = LambentConnection.new(ENV.fetch('AWS_LAMBDA_RUNTIME_API'))
      handler = load_function(connection)
      loop { run_once(handler, connection, connection.next_event) }
    rescue LambentConnection::Lost, EOFError, SystemCallError => e
      warn "the Runtime API is gone: #{e.message}"
      exit!(1)
    end

    # One event that nobody sent, for a handler of ours.
    def rehearse(name, connection)
      handler = LambdaHandler.new(name)
      require handler.file
      run_once(handler, connection, connection.next_event)
      @request_id = $_global_aws_request_id = nil
    end

    private

    def load_function(connection)
      task_root = ENV.fetch('LAMBDA_TASK_ROOT', '/var/task')
      $LOAD_PATH.unshift(task_root) unless $LOAD_PATH.include?(task_root)
      LambentGems.prepare
      handler = LambdaHandler.new(ENV.fetch('_HANDLER', ''))
      require handler.file
      handler
    rescue Exception => e # rubocop:disable Lint/RescueException -- whatever loading code raises, exit included
      document = report(e, 'Init', 'Init error when loading handler')
      connection.last_words('/init/error', document.to_json, type_line(document))
      exit!(252)
    end

    def run_once(handler, connection, event)
      @request_id = $_global_aws_request_id = event['Lambda-Runtime-Aws-Request-Id']
      ENV['_X_AMZN_TRACE_ID'] = event['Lambda-Runtime-Trace-Id']
      path = "/invocation/#{@request_id}"
      begin
        body, content_type = call(handler, event)
      rescue Exception => e # rubocop:disable Lint/RescueException -- AWS reports every exception, and ends after the grave ones
        return fail_with(e, connection, path)
      end
      connection.answer("#{path}/response", body, content_type || 'application/json')
    end

    def call(handler, event)
      request = AwsLambda::Marshaller.marshall_request(event)
      AwsLambda::Marshaller.marshall_response(handler.call(event: request, context: LambdaContext.new(event)))
    end

    # AWS goes on after a StandardError, but for those that say that the code is wrong.
    def fail_with(error, connection, path)
      grave = error.is_a?(NameError) || !error.is_a?(StandardError)
      words = grave ? 'Critical exception from handler' : 'Error raised from handler method'
      document = report(error, 'Function', words)
      return connection.answer("#{path}/error", document.to_json, 'application/json', type_line(document)) unless grave

      connection.last_words("#{path}/error", document.to_json, type_line(document))
      exit!(255)
    end

    def report(error, phase, words)
      document = { errorMessage: text_of(error), errorType: "#{phase}<#{error.class}>", stackTrace: trace_of(error) }
      LambentRecords.failure(words, document, @request_id)
      document
    end

    def text_of(error)
      error.message.to_s.encode('UTF-8', invalid: :replace, undef: :replace)
    rescue StandardError
      ''
    end

    # The function's own frames: between those of the runtime that called it and those of its way to find a file.
    def trace_of(error)
      lines = (error.backtrace || []).first(100)
      lines = lines.drop_while { |line| own?(line) || line.start_with?('<internal:') } if error.is_a?(LoadError)
      lines.take_while { |line| !own?(line) }
    end

    def own?(line)
      line.start_with?("#{__dir__}/")
    end

    def type_line(document)
      "Lambda-Runtime-Function-Error-Type: #{document[:errorType].scrub('?').tr("\r\n", '  ')}\r\n"
    end
  end
end
