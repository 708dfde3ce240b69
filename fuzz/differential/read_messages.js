// What Node's HTTP parser (llhttp, strict) and JSON.parse make of bytes, for compare.py: see read_messages.c.
'use strict';
const fs = require('node:fs');
process.noDeprecation = true; // the parser has no public name
const { HTTPParser, methods } = require('_http_common');

const strict = 0;
const onHeaders = HTTPParser.kOnHeaders | 0, onHeadersComplete = HTTPParser.kOnHeadersComplete | 0;
const onBody = HTTPParser.kOnBody | 0, onMessageComplete = HTTPParser.kOnMessageComplete | 0;

// The member "model" as JSON.parse sees it.  A body that is no UTF-8 is read with U+FFFD in the place of what is wrong.
function scan(body, message) {
  if (body.length === 0) return;
  let text = body.toString('utf8');
  if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
  try {
    const root = JSON.parse(text);
    if (root === null || typeof root !== 'object' || Array.isArray(root)) message.refused = 'body_not_object';
    else if (Object.hasOwn(root, 'model')) {
      if (typeof root.model === 'string') message.model = Buffer.from(root.model, 'utf8').toString('latin1');
      else message.refused = 'bad_model';
    }
  } catch {
    message.refused = 'malformed_json';
  }
}

function readConnection(kind, bytes) {
  const result = { messages: [], end: 'done', reason: '' };
  const parser = new HTTPParser();
  let current = null, fields = [], flushedUrl = '', body = [], isUpgrade = false;
  parser.initialize(kind === 'Q' ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {}, 65536, strict);
  parser[onHeaders] = (more, url) => { // many fields, trailers, or the first ones behind trailers
    fields.push(...more);
    flushedUrl = url || flushedUrl;
  };
  parser[onHeadersComplete] = (major, minor, headers, method, url, status, statusText, upgrade) => {
    if (headers) fields.push(...headers);
    current = { fields: [] };
    if (kind === 'Q') Object.assign(current, { method: methods[method] ?? String(method), target: url ?? flushedUrl });
    else current.status = status;
    for (let i = 0; i < fields.length; i += 2) current.fields.push({ name: fields[i], value: fields[i + 1].trim() });
    fields = [];
    body = [];
    flushedUrl = '';
    isUpgrade = Boolean(upgrade);
    result.messages.push(current);
    return kind === 'H' ? 1 : 0;
  };
  parser[onBody] = (chunk, start, length) => {
    body.push(start === undefined ? Buffer.from(chunk) : Buffer.from(chunk.subarray(start, start + length)));
  };
  parser[onMessageComplete] = () => {
    const whole = Buffer.concat(body);
    current.body = whole.toString('latin1');
    if (kind === 'Q') scan(whole, current);
    if (isUpgrade) result.end = 'upgrade';
    current = null;
    fields = [];
  };
  let outcome = parser.execute(bytes);
  if (!(outcome instanceof Error) && result.end !== 'upgrade') {
    const last = parser.finish();
    if (last instanceof Error) outcome = last;
  }
  if (outcome instanceof Error) {
    result.reason = outcome.code;
    const isCut = outcome.code === 'HPE_INVALID_EOF_STATE';
    result.end = outcome.code === 'HPE_CLOSED_CONNECTION' ? 'closed' : isCut ? 'more' : 'bad';
  }
  parser.close();
  return result;
}

const CHUNK = Buffer.alloc(1 << 16);
let waiting = Buffer.alloc(0);

function read(wanted) {
  while (waiting.length < wanted) {
    const got = fs.readSync(0, CHUNK, 0, CHUNK.length, null);
    if (got === 0) return null;
    waiting = Buffer.concat([waiting, CHUNK.subarray(0, got)]);
  }
  const taken = waiting.subarray(0, wanted);
  waiting = waiting.subarray(wanted);
  return taken;
}

for (let head; (head = read(5)) !== null;) {
  const bytes = read(head.readUInt32BE(1));
  fs.writeSync(1, JSON.stringify(readConnection(String.fromCharCode(head[0]), Buffer.from(bytes))) + '\n');
}
