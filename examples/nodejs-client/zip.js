// A zip of {name: text}, stored without compression: enough for a few small files, and no package is needed.
'use strict';

const TABLE = Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});

function crc32(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = TABLE[(sum ^ byte) & 0xff] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

// Fields of a header: [size in bytes, value] each, little-endian.
function header(...fields) {
  const bytes = Buffer.alloc(fields.reduce((size, [bits]) => size + bits, 0));
  let at = 0;
  for (const [size, value] of fields) at = bytes.writeUIntLE(value, at, size);
  return bytes;
}

function zip(files) {
  const local = [], central = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const path = Buffer.from(name), content = Buffer.from(text);
    // Version 2.0, UTF-8 names, stored, 1 January 1980.
    const common = [[2, 20], [2, 0x800], [2, 0], [2, 0], [2, 0x21], [4, crc32(content)], [4, content.length],
                    [4, content.length], [2, path.length], [2, 0]];
    const entry = Buffer.concat([header([4, 0x04034b50], ...common), path, content]);
    // Made on Unix; an ordinary file that everybody may read.
    central.push(header([4, 0x02014b50], [2, 0x0314], ...common, [2, 0], [2, 0], [2, 0], [4, (0o100644 << 16) >>> 0], [4, offset]),
                 path);
    local.push(entry);
    offset += entry.length;
  }
  const directory = Buffer.concat(central), count = Object.keys(files).length;
  const end = header([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, directory.length], [4, offset], [2, 0]);
  return Buffer.concat([...local, directory, end]);
}

module.exports = { zip };
