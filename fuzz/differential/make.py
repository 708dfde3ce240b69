"""Connections that are nearly, or not quite, HTTP/1.1 with JSON bodies: what compare.py lets several parsers read.

All from one random.Random: a seed gives the same bytes again."""

METHODS = [b"POST"] * 6 + [b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"post", b"PO ST", b"P\tOST",
           b"G@T", b""]
TARGETS = [b"/v1/chat/completions"] * 6 + [b"/", b"/a?b=c&d", b"http://h/x", b"http://h:80", b"*", b"/\xc3\xa9",
           b"/a b", b"x", b"/#f", b"/%2e%2e/", b"//x", b"/a\x7f"]
VERSIONS = [b"HTTP/1.1"] * 9 + [b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"http/1.1", b"HTTP/1.1 ", b"HTTP/1",
            b"HTTP/11"]
LINE_ENDS = [b"\r\n"] * 60 + [b"\n", b"\r", b"\r\r\n", b"\r\n ", b"\r\n\t", b" \r\n", b"\n\r", b"\0\r\n"]
NAMES = [b"X-A", b"x-b", b"Accept", b"Content-Type", b"X_Y", b"A.b", b"X-\xe9", b"X Y", b"", b"X(", b"Connection",
         b"Cookie"]
SPACES = [b" "] * 8 + [b"", b"  ", b"\t", b" \t ", b"\x0b", b"\x0c"]
VALUES = [b"a", b"a, b", b"", b"x" * 40, b"caf\xe9", b"a\x01b", b"a\0b", b"a\x7f", b'"q;r"', b"close",
          b"keep-alive", b"a:b"]
LENGTHS = [b"%d"] * 20 + [b"0%d", b"+%d", b"-%d", b"%d,%d", b"%d, %d", b"0x%d", b"%d ", b"%d.0", b"%d\t", b"%d;",
           b"1%d", b""]
CODINGS = [b"chunked"] * 14 + [b"Chunked", b"CHUNKED", b" chunked", b"chunked ", b"chunked,", b",chunked",
           b"gzip, chunked", b"chunked, gzip", b"chunked, chunked", b"xchunked", b"chunkedx", b"chunked;a=b",
           b"identity", b"gzip", b"", b"\x0bchunked", b'"chunked"', b"chunked\tx"]
SIZES = [b"%x"] * 24 + [b"%X", b"0%x", b"000000%x", b"0x%x", b"%x ", b" %x", b"%x\t", b"+%x", b"-%x", b"%xg",
         b"1%x", b"f%x"]
EXTENSIONS = [b""] * 14 + [b";a", b";a=b", b' ;a="b;c"', b";", b"; a", b";\xe9", b";a\x01", b" x"]
TRAILERS = [b""] * 12 + [b"X: y\r\n", b"X: y\r\nZ:\r\n", b"Content-Length: 3\r\n",
            b"Transfer-Encoding: chunked\r\n", b"bad\r\n", b" f\r\n", b"X : y\r\n", b"X: \x01\r\n"]
STATUSES = [b"200", b"204", b"304", b"100", b"404", b"500", b"099", b"1000", b"20", b"2x0", b"101", b"999"]
INTERESTING = [b"\r", b"\n", b"\r\n", b"\0", b" ", b"\t", b":", b";", b",", b'"', b"\\", b"{", b"}", b"[", b"]",
               b"0", b"\x7f", b"\xff", b"\xc3\xa9", b"\xed\xa0\x80", b"u", b"-", b"+", b"e", b"\r\n\r\n",
               b"\\ud800", b"\xef\xbb\xbf"]

GAPS = [b""] * 12 + [b" ", b"\n", b"\t", b"\r\n", b"  ", b"\x0c", b"\x0b", b"\xc2\xa0", b"/**/", b"\xef\xbb\xbf",
        b"\0"]
MODELS = [b'"m"', b'"mymodel"', b'"Qwen/Qwen2.5-7B"', b'"\\u006d"', b'"\\u006D\\/\\b\\f\\n\\r\\t\\"\\\\"',
          b'"\\ud83d\\ude00"', b'"\xf0\x9f\x98\x80"', b'"caf\xc3\xa9"', b'"\\u0000"', b'"\\u00e9"', b'""',
          b'"' + b"x" * 256 + b'"', b'"' + b"x" * 257 + b'"', b'"\\ud83d"', b'"\\ude00"', b'"\\ude00\\ud83d"',
          b'"\\ud83dx"', b'"\\ud83d\\n"', b'"\\ud83d\\ud83d\\ude00"', b'"\xff"', b'"\xc0\xaf"', b'"\xed\xa0\x80"',
          b'"\xf4\x90\x80\x80"', b'"\xe2\x82"', b'"\\x41"', b'"\\u12"', b'"\\u00zz"', b'"\\"', b'"a\nb"',
          b'"a\x1fb"', b'"a\x7fb"', b"'m'", b"m", b"1", b"null", b"true", b"[]", b"{}", b'["m"]', b'{"model":"m"}',
          b'"a""b"', b""]
KEYS = [b'"model"'] * 8 + [b'"mod\\u0065l"', b'"\\u006dodel"', b'"Model"', b'"model "', b'"mode"', b'"models"',
        b'"model\\u0000"', b'"mod\\el"', b"model", b"'model'", b'"\\ud800"', b'"\xff"', b'"stream"', b'"user"',
        b'"messages"', b'""']
ATOMS = [b"0", b"-0", b"1", b"-1", b"1.5", b"1e5", b"1E+5", b"1e-5", b"123456789012345678901234567890", b"1e999",
         b"01", b".5", b"1.", b"+1", b"1e", b"1e+", b"-", b"0x1", b"NaN", b"Infinity", b"true", b"false", b"null",
         b"tru", b"True", b"nulll", b'"a"', b'"\\u0041"', b'"\xff"', b'"\\ud800"', b'"unended', b"", b"undefined"]
COMMAS = [b","] * 30 + [b",,", b"", b", ,", b";"]
COLONS = [b":"] * 30 + [b"", b"::", b"=", b": :"]


class Maker:
    def __init__(self, random):
        self.random, self.pick = random, random.choice

    def chance(self, share):
        return self.random.random() < share

    def usually(self, choices, share=0.9):
        """The first, mostly."""
        return choices[0] if self.chance(share) else self.pick(choices)

    # JSON

    def gap(self):
        return self.usually(GAPS, 0.97)

    def value(self, depth=0):
        kind = self.random.random()
        if depth > 3 or kind < 0.6:
            return self.pick(ATOMS[:9]) if self.chance(0.85) else self.pick(ATOMS)
        if kind < 0.61:
            levels = self.pick([3, 200, 511, 512, 513, 600])
            return b"[" * levels + b"]" * levels
        if kind < 0.8:
            return b"[" + self.listed([self.value(depth + 1) for _ in range(self.random.randrange(4))]) + b"]"
        return self.object(depth + 1)

    def listed(self, parts):
        text = b""
        for number, part in enumerate(parts):
            text += (self.usually(COMMAS, 0.97) if number else b"") + self.gap() + part + self.gap()
        return text + (b"," if self.chance(0.02) else b"")

    def member(self, key, value):
        return key + self.gap() + self.usually(COLONS, 0.98) + self.gap() + value

    def object(self, depth=0):
        parts = [self.member(b'"k%d"' % number, self.value(depth)) for number in range(self.random.randrange(4))]
        for _ in range(self.pick([1, 1, 1, 1, 1, 1, 0, 2])):
            model = self.pick(MODELS[:12]) if self.chance(0.6) else self.pick(MODELS)
            parts.insert(self.random.randrange(len(parts) + 1), self.member(self.usually(KEYS, 0.8), model))
        return b"{" + self.listed(parts) + b"}"

    def body(self):
        if self.chance(0.08):
            return self.value()
        text = self.gap() + self.object() + self.gap()
        return text + (self.pick([b"x", b"{}", b"]", b"null", b"\0"]) if self.chance(0.03) else b"")

    # HTTP

    def line_end(self):
        return self.usually(LINE_ENDS, 0.97)

    def field(self, name, value, is_framing=False):
        colon = self.usually([b":", b" :", b"\t:", b"", b"::"], 0.98)
        behind = self.usually([b"", b" ", b"\t", b" \t"], 0.995 if is_framing else 0.9)
        return name + colon + self.usually(SPACES, 0.85) + value + behind + self.line_end()

    def chunks(self, body):
        text = b""
        while body:
            size = self.random.randrange(1, len(body) + 1)
            text += self.usually(SIZES, 0.95) % size + self.usually(EXTENSIONS, 0.9) + self.line_end() + body[:size]
            text += self.line_end()
            body = body[size:]
        last = self.usually([b"0", b"00", b"0;x", b"000000", b"-0", b"0x0"], 0.9)
        return text + last + self.line_end() + self.usually(TRAILERS, 0.8) + self.line_end()

    def length(self, size):
        form = self.usually(LENGTHS, 0.9)
        return form % ((size,) * form.count(b"%d"))

    def framed(self, body):
        """Fields that say where the body ends, and the body as they say."""
        kind, fields, sent = self.random.random(), [], body
        if kind < 0.45:
            name = self.usually([b"Content-Length", b"content-length", b"Content-Length ", b"Content_Length"], 0.95)
            fields.append(self.field(name, self.length(len(body)), True))
        elif kind < 0.85:
            name = self.usually([b"Transfer-Encoding", b"transfer-encoding", b"Transfer-encoding", b"TE"], 0.95)
            fields.append(self.field(name, self.usually(CODINGS, 0.85), True))
            sent = self.chunks(body)
        elif kind < 0.95:  # two ideas
            sent = self.pick([body, self.chunks(body)])
            fields += [self.field(b"Content-Length", self.length(self.pick([len(sent), len(body), 3]))),
                       self.field(self.pick([b"Transfer-Encoding", b"Content-Length"]),
                                  self.pick([*CODINGS, self.length(len(sent))]))]
        return fields, sent

    def message(self, first_line, body):
        fields, sent = self.framed(body)
        for _ in range(self.random.randrange(3)):
            fields.insert(self.random.randrange(len(fields) + 1),
                          self.field(self.pick(NAMES[:6]) if self.chance(0.9) else self.pick(NAMES),
                                     self.pick(VALUES[:4]) if self.chance(0.9) else self.pick(VALUES)))
        end = self.usually([b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" \r\n"], 0.97)
        return first_line + b"".join(fields) + end + sent

    def request(self):
        method = self.usually(METHODS, 0.7)
        line = method + self.usually([b" ", b"  ", b"\t"], 0.99) + self.usually(TARGETS, 0.8) + b" "
        line += self.usually(VERSIONS, 0.95)
        host = b"".join(self.field(b"Host", self.usually([b"h", b"h:80", b"", b"a b", b"h/x"], 0.97))
                        for _ in range(self.pick([1] * 40 + [0, 2])))
        return self.message(line + self.line_end() + host, self.body() if method not in (b"GET", b"HEAD") else b"")

    def response(self):
        status = self.usually(STATUSES, 0.7)
        reason = self.usually([b" OK", b" ", b"", b" \xe9", b" a\x01"], 0.9)
        line = self.usually(VERSIONS, 0.95) + b" " + status + reason
        return self.message(line + self.line_end(), self.body())

    def spoil(self, text):
        for _ in range(self.pick([1, 1, 2, 3])):
            at = self.random.randrange(len(text) + 1)
            how = self.random.randrange(5)
            if how == 0:
                text = text[:at] + self.pick(INTERESTING) + text[at:]
            elif how == 1:
                text = text[:at] + text[at + 1:]
            elif how == 2:
                text = text[:at] + self.pick(INTERESTING) + text[at + 1:]
            elif how == 3:
                end = min(len(text), at + self.random.randrange(1, 12))
                text = text[:end] + text[at:end] + text[end:]
            else:
                text = text[:at]
        return text

    def connection(self):
        """Its kind (see read_messages.c) and its bytes."""
        kind = self.pick([b"Q", b"Q", b"Q", b"R", b"H"])
        make = self.request if kind == b"Q" else self.response
        text = b"".join(make() for _ in range(self.pick([1, 1, 2, 3])))
        return kind, self.spoil(text) if self.chance(0.25) else text
