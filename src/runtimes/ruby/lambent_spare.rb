# frozen_string_literal: true

# A process that has started and waits for its function on descriptor 3: one byte out when it waits, then the assignment in:
# little-endian u32 length of what follows, u32 arguments, u32 variables, and as many strings, each ended by NUL.
module LambentSpare
  CHANNEL = 3
  # What Ruby takes from its environment only when it starts.
  AT_START = %w[RUBYOPT RUBY_GC_HEAP_INIT_SLOTS RUBY_THREAD_VM_STACK_SIZE MALLOC_ARENA_MAX LD_PRELOAD].freeze

  class << self
    def wait
      load_ahead
      channel = IO.for_fd(CHANNEL, 'r+b')
      channel.sync = true
      channel.write('.')
      message = channel.read
      exit!(0) if message.nil? || message.empty?
      channel.close
      become(*parse(message))
    end

    private

    # What most functions need anyway; here it costs nobody's time.
    def load_ahead
      require 'rubygems'
      require 'logger'
      require 'time'
      GC.start
      GC.compact if GC.respond_to?(:compact)
    rescue NotImplementedError
      nil
    end

    def parse(message)
      length, arguments, variables = message.unpack('L<3')
      strings = message.byteslice(12..).split("\0", -1).map { |text| text.force_encoding(Encoding::UTF_8) }
      raise 'a broken assignment' unless length == message.bytesize - 4 && strings.size == arguments + variables + 1

      environment = strings[arguments, variables].to_h { |pair| pair.split('=', 2) }
      [strings.first(arguments), environment]
    end

    def become(argv, environment)
      if AT_START.any? { |name| environment.key?(name) }
        Dir.chdir('/var/task')
        exec(environment, [argv.first, argv.first], *argv.drop(1), unsetenv_others: true, close_others: true)
      end
      ENV.replace(environment)
      ARGV.clear
      # A mount does not move a process that stands beneath it.
      Dir.chdir('/var/task')
      ENV.fetch('RUBYLIB', '').split(':').reverse_each { |path| $LOAD_PATH.unshift(path) unless $LOAD_PATH.include?(path) }
      Gem.clear_paths
    end
  end
end
