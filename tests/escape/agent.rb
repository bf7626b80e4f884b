# The hostile function, for Ruby: does what the event's steps say and tells how each went. agent.py does the same.
require 'open3'
require 'socket'

module Agent
  module_function

  def read(path)
    File.open(path, 'rb') { |file| text(file.readpartial(4096)) }
  rescue EOFError
    ''
  end

  def text(bytes)
    bytes.force_encoding('ISO-8859-1').encode('UTF-8')
  end

  def put(path, flags, text)
    descriptor = IO.sysopen(path, flags, 0o600)
    io = IO.for_fd(descriptor, 'w')
    io.syswrite(text)
  ensure
    io&.close
  end

  def write(path, text) = put(path, File::WRONLY, text)
  def create(path, text) = put(path, File::WRONLY | File::CREAT, text)

  def dial(address)
    socket = Socket.new(address.pfamily, :STREAM)
    socket.connect_nonblock(address)
  rescue IO::WaitWritable
    raise Errno::ETIMEDOUT unless socket.wait_writable(2)

    begin
      socket.connect_nonblock(address)
    rescue Errno::EISCONN
      nil
    end
  ensure
    socket&.close
  end

  def connect(host, port)
    dial(Addrinfo.tcp(host, port))
    nil
  end

  def connect_unix(path)
    dial(Addrinfo.unix(path.start_with?("\0") ? path : path))
    nil
  end

  def open_ports(first, last)
    (first..last).select do |port|
      socket = Socket.new(:INET, :STREAM)
      begin
        socket.connect(Addrinfo.tcp('127.0.0.1', port))
        # A socket that was given the very port it asks for meets itself: nobody listens there.
        socket.local_address.ip_port != socket.remote_address.ip_port
      rescue SystemCallError
        false
      ensure
        socket.close
      end
    end
  end

  def fetch(port, method, path, headers, body)
    require 'net/http'
    http = Net::HTTP.new('127.0.0.1', port)
    http.read_timeout = 5
    answer = http.send_request(method, path, body.empty? ? nil : body, headers)
    [answer.code.to_i, text(answer.body.to_s)]
  end

  def run(*argv)
    out, err, status = Open3.capture3([argv.first, argv.first], *argv.drop(1))
    { status: status.exitstatus || -status.termsig, out: text(out), err: text(err) }
  end

  def links(directory)
    Dir.children(directory).to_h do |name|
      [name, File.readlink(File.join(directory, name))]
    rescue SystemCallError => e
      [name, e.class.name.split('::').last]
    end
  end

  def hoard
    kept = []
    loop { kept << ('x' * 4_000_000) }
  end

  KEPT = []
  TICKS = [0]

  def remember(text) = KEPT << text
  def recall = KEPT
  def ticks = TICKS[0]

  # A thread that goes on after the answer, with a packet each millisecond, once it has sent a hundred.
  def tick
    Thread.new do
      packets = UDPSocket.new
      loop do
        packets.send('x', 0, '127.0.0.1', 9)
        TICKS[0] += 1
        sleep 0.001
      end
    end
    sleep 0.001 while ticks < 100
    ticks
  end

  def list(path) = Dir.children(path)
  def readlink(path) = File.readlink(path)
  def mkdir(path) = nothing(Dir.mkdir(path))
  def unlink(path) = nothing(File.unlink(path))
  def symlink(target, path) = nothing(File.symlink(target, path))
  def link(from, to) = nothing(File.link(from, to))
  def rename(from, to) = nothing(File.rename(from, to))
  def chmod(path, mode) = nothing(File.chmod(mode, path))
  def environment = ENV.to_h
  def identity = { uid: Process.uid, gid: Process.gid, groups: Process.groups - [Process.gid] }
  def nothing(_) = nil

  def attempt(step, *operands)
    { ok: public_send(step, *operands) }
  rescue SystemCallError => e
    { error: e.class.name.split('::').last }
  rescue SocketError, IOError, Timeout::Error => e
    { error: e.class.name }
  end
end

def handler(event:, context:)
  results = event['steps'].map do |step|
    Agent.attempt(*step.map { |part| part.is_a?(String) ? part.gsub('$ID', context.aws_request_id) : part })
  end
  puts results.inspect if event['aloud']
  results
end
