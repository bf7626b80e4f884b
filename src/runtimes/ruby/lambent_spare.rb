# frozen_string_literal: true

# A process that has started and waits for its function on descriptor 3: one byte out when it waits, then the assignment in:
# little-endian u32 length of what follows, u32 arguments, u32 variables, and as many strings, each ended by NUL. What Ruby
# takes from its environment only when it starts (RUBYOPT, GEM_PATH, TZ) is the same before and after.
module LambentSpare
  CHANNEL = 3
  # The event of the rehearsal, and what is said to its answer.
  REHEARSED = "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: r\r\nLambda-Runtime-Deadline-Ms: 0\r\n" \
              "Content-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"a\":[]}" \
              "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"

  class << self
    def wait
      load_ahead
      rehearse
      LambentConnection.connect_ahead
      GC.start
      channel = IO.for_fd(CHANNEL, 'r+b')
      channel.sync = true
      channel.write('1')
      message = channel.read
      exit!(0) if message.nil? || message.empty?
      channel.close
      become(parse(message))
    end

    private

    # What most functions need anyway; here it costs nobody's time.
    def load_ahead
      require 'rubygems'
      require 'logger'
      require 'time'
    end

    # One event through all that an invocation passes, against a server of its own: what Ruby does only the first time is done then.
    # Its file stays among those that are loaded, for taking one out makes the next require slow.
    def rehearse
      TCPServer.open('127.0.0.1', 0) do |server|
        connection = LambentConnection.new("127.0.0.1:#{server.addr[1]}")
        connection.ask
        accepted = server.accept
        accepted.write(REHEARSED)
        LambentRuntime.rehearse('lambent_nop.LambentNop.handle', connection)
        [connection, accepted].each(&:close)
      end
      forget
    rescue StandardError => e
      # Then the first event is slower, and nothing else.
      warn "lambent: the rehearsal for Ruby stopped: #{e.message}"
    end

    def forget
      Object.__send__(:remove_const, :LambentNop)
    end

    def parse(message)
      length, arguments, variables = message.unpack('L<3')
      strings = message.byteslice(12..).split("\0", -1).map { |text| text.force_encoding(Encoding::UTF_8) }
      raise 'a broken assignment' unless length == message.bytesize - 4 && strings.size == arguments + variables + 1

      strings[arguments, variables].to_h { |pair| pair.split('=', 2) }
    end

    def become(environment)
      ENV.replace(environment)
      ARGV.clear
      # A mount does not move a process that stands beneath it.
      Dir.chdir(ENV.fetch('LAMBDA_TASK_ROOT', '/var/task'))
    end
  end
end
