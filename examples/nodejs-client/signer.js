// AWS Signature Version 4 by hand, with nothing but Node.js: what is signed is exactly what is sent.
//
// The three things that hand-written signers get wrong most often:
//   - the path is the whole path of the request, the API's date included: /2015-03-31/functions, not /functions;
//   - a request without a body has the hash of nothing, not the word UNSIGNED-PAYLOAD;
//   - the query is sorted and encoded, and so is each segment of the path (twice, for every service but S3).
'use strict';

const { createHash, createHmac } = require('crypto');

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

// RFC 3986: everything but letters, digits and -_.~ is encoded.
const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

function canonicalQuery(search) {
  return [...search]
    .map(([name, value]) => [encode(name), encode(value)])
    .sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

class Signer {
  // credentials: {accessKeyId, secretAccessKey, sessionToken?}
  constructor(credentials, region, service = 'lambda') {
    Object.assign(this, { credentials, region, service });
  }

  // The headers to send with `method` to `url` (a URL) beside `headers`; `body` is the bytes or the text of the body, or ''.
  sign(method, url, headers = {}, body = '', now = new Date()) {
    const time = now.toISOString().replace(/[:-]|\.\d{3}/g, '');
    const scope = `${time.slice(0, 8)}/${this.region}/${this.service}/aws4_request`;
    const sent = { ...headers, 'X-Amz-Date': time, 'X-Amz-Content-Sha256': sha256(body) };
    if (this.credentials.sessionToken) sent['X-Amz-Security-Token'] = this.credentials.sessionToken;

    const signed = Object.entries({ ...sent, Host: url.host })
      .map(([name, value]) => [name.toLowerCase(), String(value).trim().replace(/ +/g, ' ')])
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const names = signed.map(([name]) => name).join(';');
    const request = [
      method,
      url.pathname.split('/').map(encode).join('/'),
      canonicalQuery(url.searchParams),
      ...signed.map(([name, value]) => `${name}:${value}`),
      '',
      names,
      sent['X-Amz-Content-Sha256'],
    ].join('\n');

    const text = ['AWS4-HMAC-SHA256', time, scope, sha256(request)].join('\n');
    const key = scope.split('/').reduce(hmac, `AWS4${this.credentials.secretAccessKey}`);
    const signature = createHmac('sha256', key).update(text).digest('hex');
    sent.Authorization =
      `AWS4-HMAC-SHA256 Credential=${this.credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
    return sent;
  }
}

module.exports = { Signer };
