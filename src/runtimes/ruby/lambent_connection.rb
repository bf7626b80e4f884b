# frozen_string_literal: true

require 'socket'

# The one kept-alive connection to the Runtime API (2018-06-01). An answer and the request for the next event leave in one
# write. Opened anew when the server has closed it between two messages.
class LambentConnection
  API = '/2018-06-01/runtime'
  # A response may have 6 MiB and 100 bytes. A longer one is announced first, so that its refusal costs no transfer.
  RESPONSE_LIMIT = 6_291_556
  HEAD_LIMIT = 1 << 20
  # Where it is in a sandbox.
  IN_A_SANDBOX = '127.0.0.1:9001'

  class Lost < StandardError; end

  # What the user's own marshaller sees of an event: headers by name, in any case, and the body.
  class Event
    attr_reader :body

    def initialize(headers, body)
      @headers = headers
      @body = body
    end

    def [](name)
      @headers[name.downcase]
    end
  end

  class << self
    # For a process that waits: the connection that its first request will need. Nobody answers on it yet.
    def connect_ahead
      @ahead = connect(IN_A_SANDBOX)
    rescue SystemCallError
      # Outside of a sandbox.
      @ahead = nil
    end

    # The one that was made ahead, if it leads there.
    def take_ahead(address)
      socket = @ahead
      @ahead = nil
      return socket if address == IN_A_SANDBOX

      socket&.close
      nil
    end

    def connect(address)
      host, _, port = address.rpartition(':')
      socket = TCPSocket.new(host, Integer(port))
      socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
      socket
    end
  end

  def initialize(address)
    @address = address
    @host_line = "Host: #{address}\r\n"
    @next_request = "GET #{API}/invocation/next HTTP/1.1\r\n#{@host_line}\r\n"
  end

  # Sends the request for the next event, whose answer next_event takes.
  def ask
    send_bytes(@next_request)
    @asked = true
  end

  def close
    @socket&.close
  end

  def next_event
    send_bytes(@next_request) unless @asked
    @asked = false
    status, headers, body = receive_again { send_bytes(@next_request) }
    raise Lost, "the Runtime API answered #{status}: #{body}" unless status == 200

    Event.new(headers, body)
  end

  # Posts an answer and asks for the next event.
  def answer(path, body, content_type, extra = '')
    return announce(path, body, content_type) if body.bytesize > RESPONSE_LIMIT

    request = head(path, body, content_type, extra) << body << @next_request
    send_bytes(request)
    receive_again { send_bytes(request) }
    @asked = true
  end

  # Posts what the runtime ends with.
  def last_words(path, body, extra)
    send_bytes(head(path, body, 'application/json', extra) << body)
    receive
  end

  private

  def head(path, body, content_type, extra)
    +"POST #{API}#{path} HTTP/1.1\r\n#{@host_line}Content-Type: #{content_type}\r\n" \
      "Content-Length: #{body.bytesize}\r\n#{extra}\r\n".b
  end

  def announce(path, body, content_type)
    send_bytes(head(path, body, content_type, "Expect: 100-continue\r\n"))
    if receive.first == 100
      send_bytes(body)
      receive
    end
    open
  end

  def open
    @socket&.close
    @socket = LambentConnection.take_ahead(@address) || LambentConnection.connect(@address)
    @unread = String.new(encoding: Encoding::BINARY)
  end

  def send_bytes(bytes)
    open unless @socket
    @socket.write(bytes)
  end

  # The server may have dropped an idle connection. An answer that did arrive is refused the second time.
  def receive_again
    receive
  rescue Lost, EOFError, Errno::ECONNRESET, Errno::EPIPE
    open
    yield
    receive
  end

  # One response: status, headers with lower-case names, body.
  def receive
    fill until (at = @unread.index("\r\n\r\n"))
    lines = @unread.slice!(0, at + 4).split("\r\n")
    headers = {}
    lines.drop(1).each do |line|
      name, value = line.split(':', 2)
      headers[name.downcase] = value.strip.force_encoding(Encoding::UTF_8)
    end
    length = headers.fetch('content-length', '0').to_i
    @unread << @socket.read(length - @unread.bytesize).to_s if length > @unread.bytesize
    raise Lost, 'the Runtime API closed the connection' if @unread.bytesize < length

    [lines.first[9, 3].to_i, headers, @unread.slice!(0, length).force_encoding(Encoding::UTF_8)]
  end

  def fill
    raise Lost, 'a response head without end' if @unread.bytesize > HEAD_LIMIT

    @unread << @socket.readpartial(65_536)
  end
end
