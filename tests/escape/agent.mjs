// The hostile function, for Node.js: does what the event's steps say and tells how each went. agent.py does the same.
import { execFile } from "node:child_process";
import dgram from "node:dgram";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { Worker } from "node:worker_threads";

const latin = (buffer) => buffer.toString("latin1");

const put = (flags) => (file, text) => {
  const descriptor = fs.openSync(file, flags, 0o600);
  try {
    return fs.writeSync(descriptor, text);
  } finally {
    fs.closeSync(descriptor);
  }
};

const dial = (options) => new Promise((done, fail) => {
  const client = net.connect({ ...options, timeout: 2000 });
  client.on("connect", () => { client.destroy(); done(null); });
  client.on("timeout", () => { client.destroy(); fail(Object.assign(new Error("timeout"), { code: "TIMEOUT" })); });
  client.on("error", fail);
});

// A socket that was given the very port it asks for, or meets another of this scan halfway, has found nobody who listens:
// what answers is asked again, alone.
const listens = (port) => new Promise((done) => {
  const client = net.connect({ host: "127.0.0.1", port, timeout: 10000 });
  client.on("connect", () => { const own = client.localPort === port; client.destroy(); done(!own); });
  client.on("timeout", () => { client.destroy(); done(false); });
  client.on("error", () => done(false));
});

const openPorts = async (first, last) => {
  const found = [];
  for (let begin = first; begin <= last; begin += 200) {
    const batch = Array.from({ length: Math.min(200, last - begin + 1) }, (_, i) => begin + i);
    const answers = await Promise.all(batch.map(listens));
    for (const [at, port] of batch.entries()) if (answers[at] && await listens(port)) found.push(port);
  }
  return found;
};

const fetchFrom = (port, method, target, headers, body) => new Promise((done, fail) => {
  const request = http.request({ host: "127.0.0.1", port, method, path: target, headers, timeout: 5000 }, (answer) => {
    const parts = [];
    answer.on("data", (part) => parts.push(part));
    answer.on("end", () => done([answer.statusCode, latin(Buffer.concat(parts))]));
  });
  request.on("timeout", () => request.destroy(Object.assign(new Error("timeout"), { code: "TimeoutError" })));
  request.on("error", fail);
  request.end(body || undefined);
});

const run = (file, ...operands) => new Promise((done) => {
  execFile(file, operands, { timeout: 60000, encoding: "latin1", maxBuffer: 1 << 24 }, (error, out, err) => {
    if (error && typeof error.code === "string") return done({ refused: error.code });
    done({ status: error ? error.code ?? error.signal : 0, out, err });
  });
});

const links = (directory) => Object.fromEntries(fs.readdirSync(directory).map((name) => {
  try {
    return [name, fs.readlinkSync(path.join(directory, name))];
  } catch (refused) {
    return [name, refused.code];
  }
}));

const hoard = () => {
  const kept = [];
  for (;;) kept.push(Buffer.alloc(4_000_000, 120));
};

// Threads of the function's own process, whose heaps' limits do not count what their buffers hold.
const hoardInThreads = () => {
  const source = "const kept = []; for (;;) kept.push(Buffer.alloc(4_000_000, 120));";
  for (let i = 0; i < 2; ++i) new Worker(source, { eval: true });
  return new Promise(() => {});
};

// How many bytes went into a file before it took no more, 4 GiB at most.
const fill = (file) => {
  const descriptor = fs.openSync(file, fs.constants.O_WRONLY | fs.constants.O_CREAT, 0o600);
  const block = Buffer.alloc(1 << 20, 120);
  let written = 0;
  try {
    for (let i = 0; i < 4096; ++i) written += fs.writeSync(descriptor, block);
    return { written, errno: null };
  } catch (refused) {
    return { written, errno: refused.code };
  } finally {
    fs.closeSync(descriptor);
  }
};

const kept = [];
let ticks = 0;

// A timer that goes on after the answer, with a packet each time, once it has sent a hundred.
const tick = () => new Promise((done) => {
  const packets = dgram.createSocket("udp4");
  setInterval(() => packets.send("x", 9, "127.0.0.1", () => { if (++ticks === 100) done(ticks); }), 1);
});

const steps = {
  read: (file) => {
    const descriptor = fs.openSync(file, "r");
    try {
      const buffer = Buffer.alloc(4096);
      return latin(buffer.subarray(0, fs.readSync(descriptor, buffer, 0, 4096, null)));
    } finally {
      fs.closeSync(descriptor);
    }
  },
  write: put(fs.constants.O_WRONLY), create: put(fs.constants.O_WRONLY | fs.constants.O_CREAT),
  connect: (host, port) => dial({ host, port }), connect_unix: (name) => dial({ path: name }), open_ports: openPorts,
  fetch: fetchFrom, run, links, hoard, hoard_in_threads: hoardInThreads, fill,
  remember: (text) => { kept.push(text); return kept; }, recall: () => kept, tick, ticks: () => ticks,
  list: (directory) => fs.readdirSync(directory), readlink: (file) => fs.readlinkSync(file),
  mkdir: (directory) => { fs.mkdirSync(directory); }, unlink: (file) => { fs.unlinkSync(file); },
  symlink: (target, file) => { fs.symlinkSync(target, file); }, link: (from, to) => { fs.linkSync(from, to); },
  rename: (from, to) => { fs.renameSync(from, to); }, chmod: (file, mode) => { fs.chmodSync(file, mode); },
  environment: () => ({ ...process.env }),
  identity: () => ({ uid: process.getuid(), gid: process.getgid(), groups: process.getgroups().filter((g) => g !== process.getgid()) }),
};

const attempt = async (step, ...operands) => {
  try {
    const answer = await steps[step](...operands);
    if (answer && answer.refused) return { error: answer.refused };
    return { ok: answer ?? null };
  } catch (refused) {
    return { error: refused.code ?? refused.name };
  }
};

export const handler = async (event, context) => {
  const results = [];
  for (const step of event.steps)
    results.push(await attempt(...step.map((part) => typeof part === "string" ? part.replaceAll("$ID", context.awsRequestId) : part)));
  if (event.aloud) console.log(JSON.stringify(results));
  return results;
};
