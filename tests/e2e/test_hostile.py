"""Hostile bytes: what each request is answered with, and whether the connection lives on.

The table is the documentation: name, bytes, status, reason (in x-serin-reason and error.code), connection."""
import json

import pytest

from conftest import DATA, Wire, ask, chat, error_of, until

CLOSES, STAYS = "closes", "stays"

HOST = b"Host: models.example\r\n"
JSON = b"Content-Type: application/json\r\n"
GOOD = json.dumps(chat(max_tokens=1)).encode()
MODELS = b"GET /v1/models HTTP/1.1\r\n" + HOST + b"\r\n"


def get(fields=b"", line=b"GET /v1/models HTTP/1.1\r\n", host=HOST):
    return line + host + fields + b"\r\n"


def post(body=GOOD, fields=b"", length=None, version=b"1.1", host=HOST):
    length = b"%d" % len(body) if length is None else length
    return (b"POST /v1/chat/completions HTTP/" + version + b"\r\n" + host + JSON + fields + b"Content-Length: " + length
            + b"\r\n\r\n" + body)


def coded(coding, body=b"0\r\n\r\n", fields=b"", version=b"1.1"):
    """A request with that Transfer-Encoding."""
    return (b"POST /v1/chat/completions HTTP/" + version + b"\r\n" + HOST + JSON + fields + b"Transfer-Encoding: "
            + coding + b"\r\n\r\n" + body)


def chunked(body):
    return coded(b"chunked", body)


def chunks(*pieces, end=b"0\r\n\r\n"):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
DEEP = b'{"model":"mymodel","x":' + b"[" * 600 + b"]" * 600 + b"}"

CASES = [
    # Two ideas of where the body ends.
    ("length and chunked", coded(b"chunked", fields=b"Content-Length: 5\r\n"), 400, "both_lengths", CLOSES),
    ("chunked and length", post(fields=b"Transfer-Encoding: chunked\r\n"), 400, "both_lengths", CLOSES),
    ("two equal lengths", post(fields=b"Content-Length: %d\r\n" % len(GOOD)), 400, "bad_content_length", CLOSES),
    ("two different lengths", post(fields=b"Content-Length: 0\r\n"), 400, "bad_content_length", CLOSES),
    ("a list of lengths", post(length=b"5, 5"), 400, "bad_content_length", CLOSES),
    ("a negative length", post(length=b"-1"), 400, "bad_content_length", CLOSES),
    ("a length with a plus", post(length=b"+5"), 400, "bad_content_length", CLOSES),
    ("a hexadecimal length", post(length=b"0x5"), 400, "bad_content_length", CLOSES),
    ("an empty length", post(length=b""), 400, "bad_content_length", CLOSES),
    ("a length of words", post(length=b"five"), 400, "bad_content_length", CLOSES),
    ("a length of 2^64", post(length=b"18446744073709551616"), 400, "bad_content_length", CLOSES),
    ("a length of 2^63", post(length=b"9223372036854775808"), 400, "bad_content_length", CLOSES),
    ("chunked twice", coded(b"chunked, chunked"), 400, "bad_transfer_encoding", CLOSES),
    ("gzip, chunked", coded(b"gzip, chunked"), 400, "bad_transfer_encoding", CLOSES),
    ("chunked, identity", coded(b"chunked, identity"), 400, "bad_transfer_encoding", CLOSES),
    ("two Transfer-Encodings", coded(b"chunked", fields=b"Transfer-Encoding: chunked\r\n"), 400,
     "bad_transfer_encoding", CLOSES),
    ("xchunked", coded(b"xchunked"), 400, "bad_transfer_encoding", CLOSES),
    ("identity", coded(b"identity"), 400, "bad_transfer_encoding", CLOSES),
    ("quoted chunked", coded(b'"chunked"'), 400, "bad_transfer_encoding", CLOSES),
    ("an empty Transfer-Encoding", coded(b""), 400, "bad_transfer_encoding", CLOSES),
    ("a vertical tab before chunked", coded(b"\x0bchunked"), 400, "bad_field_value", CLOSES),
    ("chunked in HTTP/1.0", coded(b"chunked", version=b"1.0"), 400, "bad_transfer_encoding", CLOSES),
    ("a space before the colon", get(b"Transfer-Encoding : chunked\r\n"), 400, "bad_field_name", CLOSES),
    ("a tab before the colon", get(b"Content-Length\t: 5\r\n"), 400, "bad_field_name", CLOSES),
    # Line ends.
    ("LF everywhere", MODELS.replace(b"\r\n", b"\n"), 400, "bare_lf", CLOSES),
    ("LF after the request line", get(line=b"GET / HTTP/1.1\n"), 400, "bare_lf", CLOSES),
    ("LF after a header", get(b"A: b\n"), 400, "bare_lf", CLOSES),
    ("LF as the empty line", MODELS[:-2] + b"\n", 400, "bare_lf", CLOSES),
    ("CR within a value", get(b"A: b\rc\r\n"), 400, "bare_cr", CLOSES),
    ("a header smuggled behind CR", get(b"A: b\rContent-Length: 5\r\n"), 400, "bare_cr", CLOSES),
    ("CR within the request line", get(line=b"GET /\r HTTP/1.1\r\n"), 400, "bare_cr", CLOSES),
    ("CR CR LF", get(b"A: b\r\r\n"), 400, "bare_cr", CLOSES),
    ("a folded header", get(b"A: b\r\n c\r\n"), 400, "folded_header", CLOSES),
    ("a header folded with a tab", get(b"A: b\r\n\tc\r\n"), 400, "folded_header", CLOSES),
    ("a first header that is folded", get(host=b" " + HOST), 400, "folded_header", CLOSES),
    # Bytes that may not stand where they stand.
    ("NUL in a value", get(b"A: b\0c\r\n"), 400, "bad_field_value", CLOSES),
    ("NUL in a name", get(b"A\0: b\r\n"), 400, "bad_field_name", CLOSES),
    ("NUL in the target", get(line=b"GET /a\0b HTTP/1.1\r\n"), 400, "bad_target", CLOSES),
    ("DEL in a value", get(b"A: \x7f\r\n"), 400, "bad_field_value", CLOSES),
    ("escape in a value", get(b"A: \x1b[2J\r\n"), 400, "bad_field_value", CLOSES),
    ("a header without a colon", get(b"nonsense\r\n"), 400, "bad_field_name", CLOSES),
    ("a header without a name", get(b": b\r\n"), 400, "bad_field_name", CLOSES),
    ("a space in a name", get(b"A B: c\r\n"), 400, "bad_field_name", CLOSES),
    ("UTF-8 in a name", get("Ä: b\r\n".encode()), 400, "bad_field_name", CLOSES),
    ("a bracket in a name", get(b"A[]: b\r\n"), 400, "bad_field_name", CLOSES),
    # Request lines.
    ("two spaces after the method", get(line=b"GET  / HTTP/1.1\r\n"), 400, "bad_request_line", CLOSES),
    ("two spaces before the version", get(line=b"GET /  HTTP/1.1\r\n"), 400, "bad_request_line", CLOSES),
    ("a space before the method", get(line=b" GET / HTTP/1.1\r\n"), 400, "bad_request_line", CLOSES),
    ("a tab instead of a space", get(line=b"GET\t/ HTTP/1.1\r\n"), 400, "bad_request_line", CLOSES),
    ("a space in the target", get(line=b"GET /a b HTTP/1.1\r\n"), 400, "bad_request_line", CLOSES),
    ("a space at the end", get(line=b"GET / HTTP/1.1 \r\n"), 400, "bad_request_line", CLOSES),
    ("HTTP/0.9 without a version", b"GET /\r\n\r\n", 400, "bad_request_line", CLOSES),
    ("a method alone", b"GET\r\n\r\n", 400, "bad_request_line", CLOSES),
    ("a method with an at sign", get(line=b"G@T / HTTP/1.1\r\n"), 400, "bad_request_line", CLOSES),
    ("lower-case http", get(line=b"GET / http/1.1\r\n"), 400, "bad_request_line", CLOSES),
    ("three parts of a version", get(line=b"GET / HTTP/1.1.1\r\n"), 400, "bad_request_line", CLOSES),
    ("two empty lines first", b"\r\n\r\n" + MODELS, 400, "bad_request_line", CLOSES),
    ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "bad_request_line", CLOSES),
    ("a SOCKS greeting", b"\x05\x01\x00", 400, "bad_request_line", CLOSES),
    ("HTTP/2 by prior knowledge", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "bad_version", CLOSES),
    ("HTTP/2.0", get(line=b"GET / HTTP/2.0\r\n"), 505, "bad_version", CLOSES),
    ("HTTP/1.2", get(line=b"GET / HTTP/1.2\r\n"), 505, "bad_version", CLOSES),
    ("HTTP/0.9 with a version", get(line=b"GET / HTTP/0.9\r\n"), 505, "bad_version", CLOSES),
    ("a relative target", get(line=b"GET v1/models HTTP/1.1\r\n"), 400, "bad_target", CLOSES),
    ("a fragment", get(line=b"GET /v1/models#a HTTP/1.1\r\n"), 400, "bad_target", CLOSES),
    ("GET *", get(line=b"GET * HTTP/1.1\r\n"), 400, "bad_target", CLOSES),
    ("UTF-8 in the target", get(line="GET /é HTTP/1.1\r\n".encode()), 400, "bad_target", CLOSES),
    ("an absolute target without a host", get(line=b"GET http:///v1/models HTTP/1.1\r\n"), 400, "bad_target", CLOSES),
    ("an ftp target", get(line=b"GET ftp://a/b HTTP/1.1\r\n"), 400, "bad_target", CLOSES),
    ("CONNECT to a path", get(line=b"CONNECT /v1/models HTTP/1.1\r\n"), 400, "bad_target", CLOSES),
    # Host.
    ("no Host", get(host=b""), 400, "bad_host", CLOSES),
    ("two Hosts", get(HOST), 400, "bad_host", CLOSES),
    ("two different Hosts", get(b"Host: other.example\r\n"), 400, "bad_host", CLOSES),
    ("an empty Host", get(host=b"Host:\r\n"), 400, "bad_host", CLOSES),
    ("a Host with a space", get(host=b"Host: a b\r\n"), 400, "bad_host", CLOSES),
    ("a Host with a path", get(host=b"Host: a/b\r\n"), 400, "bad_host", CLOSES),
    ("a Host with a user", get(host=b"Host: a@b\r\n"), 400, "bad_host", CLOSES),
    ("a Host with a list", get(host=b"Host: a, b\r\n"), 400, "bad_host", CLOSES),
    ("a Host with port 99999", get(host=b"Host: a:99999\r\n"), 400, "bad_host", CLOSES),
    ("a Host with a port of words", get(host=b"Host: a:http\r\n"), 400, "bad_host", CLOSES),
    ("half an IPv6 Host", get(host=b"Host: [::1\r\n"), 400, "bad_host", CLOSES),
    # Sizes.
    ("a target of 9 KB", get(line=b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n"), 414, "target_too_long", CLOSES),
    ("a target without an end", b"GET /" + b"a" * 20000, 414, "target_too_long", CLOSES),
    ("a header of 17 KB", get(b"A: " + b"a" * 17000 + b"\r\n"), 431, "header_too_long", CLOSES),
    ("a header without an end", MODELS[:-2] + b"A: " + b"a" * 17000, 431, "header_too_long", CLOSES),
    ("a name without an end", MODELS[:-2] + b"a" * 17000, 431, "header_too_long", CLOSES),
    ("101 headers", get(b"".join(b"A%d: b\r\n" % i for i in range(100))), 431, "too_many_headers", CLOSES),
    ("a head of 70 KB", get(b"".join(b"A%d: %s\r\n" % (i, b"b" * 1000) for i in range(70))), 431, "head_too_large",
     CLOSES),
    # Chunks.
    ("a chunk size of letters", chunked(b"xyz\r\n"), 400, "bad_chunk_size", CLOSES),
    ("a chunk size of 0x5", chunked(b"0x5\r\nabcde\r\n"), 400, "bad_chunk_size", CLOSES),
    ("a negative chunk size", chunked(b"-5\r\nabcde\r\n"), 400, "bad_chunk_size", CLOSES),
    ("an empty chunk size", chunked(b"\r\nabcde\r\n"), 400, "bad_chunk_size", CLOSES),
    ("a space before a chunk size", chunked(b" 5\r\nabcde\r\n"), 400, "bad_chunk_size", CLOSES),
    ("a space after a chunk size", chunked(b"5 \r\nabcde\r\n"), 400, "bad_chunk_size", CLOSES),
    ("a chunk size of 2^64", chunked(b"10000000000000000\r\n"), 400, "bad_chunk_size", CLOSES),
    ("a chunk size of many zeros", chunked(b"0" * 40 + b"5\r\nabcde\r\n"), 400, "bad_chunk_size", CLOSES),
    ("a chunk size that ends in LF", chunked(b"5\nabcde\r\n"), 400, "bare_lf", CLOSES),
    ("a chunk size that ends in CR alone", chunked(b"5\rabcde\r\n"), 400, "bare_cr", CLOSES),
    ("NUL in a chunk extension", chunked(b"5;a=\0\r\nabcde\r\n"), 400, "bad_chunk_size", CLOSES),
    ("a chunk extension without an end", chunked(b"5;" + b"a" * 20000), 431, "header_too_long", CLOSES),
    ("a chunk that is longer than it says", chunked(b'2\r\n{"a":1}\r\n0\r\n\r\n'), 400, "bad_chunk_end", CLOSES),
    ("a chunk that ends in LF", chunked(b'2\r\n{ \n0\r\n\r\n'), 400, "bad_chunk_end", CLOSES),
    ("a length in the trailer", chunked(chunks(GOOD, end=b"0\r\nContent-Length: 5\r\n\r\n")), 400, "bad_trailer",
     CLOSES),
    ("a host in the trailer", chunked(chunks(GOOD, end=b"0\r\nHost: a\r\n\r\n")), 400, "bad_trailer", CLOSES),
    ("a space in a trailer's name", chunked(chunks(GOOD, end=b"0\r\nA b: c\r\n\r\n")), 400, "bad_trailer", CLOSES),
    ("a trailer without an end", chunked(chunks(GOOD, end=b"0\r\nA: " + b"a" * 20000)), 431, "header_too_long", CLOSES),
    ("many trailers", chunked(chunks(GOOD, end=b"0\r\n" + b"A: b\r\n" * 101 + b"\r\n")), 431, "too_many_headers",
     CLOSES),
    # Bodies: HTTP is sound, so the connection is, too, when the body has arrived in full.
    ("no JSON", post(b"hello"), 400, "malformed_json", STAYS),
    ("a bare word", post(b"nulL"), 400, None, STAYS),
    ("an array", post(b"[1]"), 400, "body_not_object", STAYS),
    ("a string", post(b'"mymodel"'), 400, "body_not_object", STAYS),
    ("half a document", post(GOOD[:-1]), 400, "truncated_json", STAYS),
    ("half a string", post(b'{"model":"mymo'), 400, "truncated_json", STAYS),
    ("two documents", post(GOOD + GOOD), 400, "malformed_json", STAYS),
    ("a trailing comma", post(b'{"model":"mymodel",}'), 400, "malformed_json", STAYS),
    ("single quotes", post(b"{'model':'mymodel'}"), 400, "malformed_json", STAYS),
    ("a comment", post(b'{"model":"mymodel"/**/}'), 400, "malformed_json", STAYS),
    ("NaN", post(b'{"model":"mymodel","n":NaN}'), 400, "malformed_json", STAYS),
    ("a number with a leading zero", post(b'{"model":"mymodel","n":01}'), 400, "malformed_json", STAYS),
    ("a bad escape", post(b'{"model":"\\x41"}'), 400, "malformed_json", STAYS),
    ("half a surrogate pair", post(b'{"model":"\\ud800"}'), 400, "malformed_json", STAYS),
    ("a raw line feed in a string", post(b'{"model":"my\nmodel"}'), 400, "malformed_json", STAYS),
    ("a model that is no UTF-8", post(b'{"model":"\xff"}'), 400, "malformed_json", STAYS),
    ("UTF-16", post(GOOD.decode().encode("utf-16")), 400, "malformed_json", STAYS),
    ("model twice", post(b'{"model":"mymodel","model":"other"}'), 400, "duplicate_model", STAYS),
    ("model twice, once escaped", post(b'{"model":"mymodel","mod\\u0065l":"other"}'), 400, "duplicate_model", STAYS),
    ("a model that is a number", post(b'{"model":1}'), 400, "bad_model", STAYS),
    ("a model that is null", post(b'{"model":null}'), 400, "bad_model", STAYS),
    ("a model that is an object", post(b'{"model":{"model":"mymodel"}}'), 400, "bad_model", STAYS),
    ("a model of 300 bytes", post(b'{"model":"%s"}' % (b"m" * 300)), 400, "model_too_long", STAYS),
    ("600 levels", post(DEEP), 400, "json_too_deep", STAYS),
    ("600 levels in chunks", chunked(chunks(*(DEEP[i:i + 50] for i in range(0, len(DEEP), 50)))), 400, "json_too_deep",
     CLOSES),
    ("a wrong beginning of a long body", post(b"{nonsense", length=b"1000000"), 400, "malformed_json", CLOSES),
    ("compressed", post(fields=b"Content-Encoding: gzip\r\n"), 415, "unsupported_content_encoding", STAYS),
]

# Unusual and right.
ACCEPTED = [
    ("an empty line first", b"\r\n" + MODELS, STAYS),
    ("an absolute target", get(line=b"GET http://models.example/v1/models HTTP/1.1\r\n"), STAYS),
    ("an absolute target that is not Host's", get(line=b"GET http://other.example:80/v1/models HTTP/1.1\r\n"), STAYS),
    ("names in any case", get(b"hOsT-less: b\r\nCONTENT-TYPE: x\r\n", host=b"hOST: a\r\n"), STAYS),
    ("no space after the colon", get(b"A:b\r\n"), STAYS),
    ("an empty value", get(b"A:\r\nB: \t \r\n"), STAYS),
    ("Latin-1 in a value", get(b"A: \xe9\r\n"), STAYS),
    ("97 headers", get(b"".join(b"A%d: b\r\n" % i for i in range(96))), STAYS),
    ("an IPv6 Host", get(host=b"Host: [::1]:8080\r\n"), STAYS),
    ("a length with zeros", post(length=b"000%d" % len(GOOD)), STAYS),
    ("a length of 0 for GET", get(b"Content-Length: 0\r\n"), STAYS),
    ("chunked in capitals", coded(b"CHUNKED", chunks(GOOD)), STAYS),
    ("chunks of one byte", chunked(chunks(*(bytes([byte]) for byte in GOOD))), STAYS),
    ("chunk extensions", chunked(b'%x ; a=b;c="d"\r\n%s\r\n0;e\r\n\r\n' % (len(GOOD), GOOD)), STAYS),
    ("capital hexadecimal digits", chunked(b"%X\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD)), STAYS),
    ("a harmless trailer", chunked(chunks(GOOD, end=b"0\r\nX-Checksum: 1\r\n\r\n")), STAYS),
    ("JSON with space around", post(b" \r\n\t" + GOOD + b"\n"), STAYS),
    ("JSON behind a byte order mark", post(b"\xef\xbb\xbf" + GOOD), None),
    ("500 levels", post(GOOD[:-1] + b',"x":' + b"[" * 500 + b"]" * 500 + b"}"), STAYS),
    ("an unknown upgrade", get(b"Connection: upgrade\r\nUpgrade: websocket\r\n"), STAYS),
    ("an upgrade to HTTP/2", get(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n"),
     STAYS),
    ("an unknown expectation", post(fields=b"Expect: miracles\r\n"), None),
    ("Connection: close", get(b"Connection: close\r\n"), CLOSES),
    ("Connection: Close among others", get(b"Connection: te, Close\r\n"), CLOSES),
    ("HTTP/1.0", get(line=b"GET /v1/models HTTP/1.0\r\n"), CLOSES),
    ("HTTP/1.0 that keeps alive", get(b"Connection: keep-alive\r\n", line=b"GET /v1/models HTTP/1.0\r\n"), None),
    ("HTTP/1.0 without Host", get(line=b"GET /v1/models HTTP/1.0\r\n", host=b""), CLOSES),
]


@pytest.fixture(scope="module")
def gateway(shared_gateways):
    return shared_gateways([DATA / "replicas"])


def check_connection(wire, answer, connection):
    says_close = answer.headers.get("connection", "").lower() == "close"
    if connection == CLOSES:
        assert says_close and wire.is_closed()
    elif connection == STAYS:
        assert not says_close
        assert wire.send(MODELS).answer().status_code == 200


@pytest.mark.short
@pytest.mark.parametrize("sent, status, reason, connection", [case[1:] for case in CASES],
                         ids=[case[0] for case in CASES])
def test_it_is_refused(gateway, sent, status, reason, connection):
    with Wire(gateway.address) as wire:
        answer = wire.send(sent).answer()
        error_of(answer, status, reason or answer.headers["x-serin-reason"])
        check_connection(wire, answer, connection)


@pytest.mark.short
@pytest.mark.parametrize("sent, connection", [case[1:] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED])
def test_it_is_served(gateway, sent, connection):
    with Wire(gateway.address) as wire:
        answer = wire.send(sent).answer()
        if connection is None and answer.status_code != 200:
            assert answer.status_code in (400, 417)  # the model server's word
            return
        assert answer.status_code == 200, answer.text
        check_connection(wire, answer, connection)


@pytest.mark.parametrize("sent, status", [(case[1], case[2]) for case in CASES if len(case[1]) < 1000],
                         ids=[case[0] for case in CASES if len(case[1]) < 1000])
def test_it_is_refused_the_same_when_its_bytes_come_one_by_one(gateway, sent, status):
    with Wire(gateway.address) as wire:
        for byte in sent:
            wire.send(bytes([byte]))
        assert wire.answer().status_code == status


@pytest.mark.short
def test_there_are_more_than_sixty_cases_and_each_has_a_name_of_its_own():
    assert len({case[0] for case in CASES + ACCEPTED}) == len(CASES) + len(ACCEPTED) > 60


def test_nothing_behind_a_refused_request_is_ever_read(gateway):
    before = {sim.address: sim.state()["requests"] for sim in gateway.sims()}
    for name, sent, _, _, connection in CASES:
        if connection == CLOSES:
            with Wire(gateway.address) as wire:
                wire.send(sent + b"\r\n\r\n" + post())
                wire.answer()
                assert wire.is_closed(), name
    assert {sim.address: sim.state()["requests"] for sim in gateway.sims()} == before


@pytest.mark.short
def test_pipelined_requests_are_answered_in_order(gateway):
    questions = [post(json.dumps(chat(max_tokens=1 + number % 3, seed=number)).encode()) for number in range(12)]
    with Wire(gateway.address) as wire:
        wire.send(b"".join(questions))
        counts = [wire.answer().json()["usage"]["completion_tokens"] for _ in questions]
        assert counts == [1 + number % 3 for number in range(12)]
        assert wire.send(MODELS).answer().status_code == 200


@pytest.mark.short
def test_a_bad_request_behind_a_good_one_is_refused_after_the_good_one_s_answer(gateway):
    with Wire(gateway.address) as wire:
        wire.send(MODELS + post() + b"GET / HTTP/9.9\r\n\r\n" + MODELS)
        assert [wire.answer().status_code for _ in range(3)] == [200, 200, 505]
        assert wire.is_closed()


def test_requests_behind_a_close_are_not_answered(gateway):
    with Wire(gateway.address) as wire:
        wire.send(get(b"Connection: close\r\n") + MODELS)
        assert wire.answer().status_code == 200
        assert wire.is_closed()


def test_a_request_behind_a_smuggled_one_is_its_own(gateway):
    """The body looks like a request: it is a body."""
    with Wire(gateway.address) as wire:
        wire.send(post(SMUGGLED) + MODELS)
        error_of(wire.answer(), 400, "malformed_json")
        assert wire.answer().status_code == 200


@pytest.mark.short
def test_head_has_the_length_and_no_body(gateway):
    with Wire(gateway.address) as wire:
        full = wire.send(MODELS).answer()
        answer = wire.send(get(line=b"HEAD /v1/models HTTP/1.1\r\n")).answer(has_body=False)
        assert answer.status_code == 200
        assert int(answer.headers["content-length"]) == len(full.body)
        assert wire.send(MODELS).answer().json() == full.json()


def test_head_of_an_error_has_no_body_either(gateway):
    with Wire(gateway.address) as wire:
        answer = wire.send(get(line=b"HEAD /nothing/here HTTP/1.1\r\n")).answer(has_body=False)
        assert answer.status_code == 404
        assert wire.send(MODELS).answer().status_code == 200


@pytest.mark.short
def test_100_continue_comes_when_it_is_asked_for_and_then_the_answer(gateway):
    head, body = post(fields=b"Expect: 100-continue\r\n").split(b"\r\n\r\n", 1)
    with Wire(gateway.address) as wire:
        wire.send(head + b"\r\n\r\n")
        assert wire.head()[0] == 100
        assert wire.send(body).answer().status_code == 200
        assert wire.send(MODELS).answer().status_code == 200


def test_100_continue_is_left_out_when_the_body_is_there_already(gateway):
    with Wire(gateway.address) as wire:
        wire.send(post(fields=b"Expect: 100-continue\r\n"))
        status, _ = wire.head()
        if status == 100:  # allowed, not needed
            status, _ = wire.head()
        assert status == 200


def test_an_old_client_is_never_sent_100_continue(gateway):
    head, body = post(fields=b"Expect: 100-continue\r\n", version=b"1.0").split(b"\r\n\r\n", 1)
    with Wire(gateway.address) as wire:
        wire.send(head + b"\r\n\r\n").send(body)
        assert wire.answer().status_code == 200


@pytest.mark.short
def test_a_request_byte_by_byte_is_served(gateway):
    with Wire(gateway.address) as wire:
        for byte in post(fields=b"A: b\r\n"):
            wire.send(bytes([byte]))
        assert wire.answer().status_code == 200
        for byte in chunked(chunks(GOOD[:10], GOOD[10:], end=b"0\r\nA: b\r\n\r\n")):
            wire.send(bytes([byte]))
        assert wire.answer().status_code == 200


@pytest.mark.parametrize("sent", [b"", b"G", b"GET /v1/models HTTP/1.1\r\nHo", post()[:-5], chunked(b"5\r\nab")],
                         ids=["nothing", "a letter", "half a head", "half a body", "half a chunk"])
def test_a_client_that_ends_in_the_middle_is_forgotten(gateway, sent):
    until(lambda: gateway.metric("serin_downstream_connections") == 0, "the end of earlier connections")
    with Wire(gateway.address) as wire:
        wire.send(sent)
        until(lambda: gateway.metric("serin_downstream_connections") == 1, "the connection")
    until(lambda: gateway.metric("serin_downstream_connections") == 0, "its end")
    until(lambda: gateway.metric("serin_requests_active") == 0, "the end of its request")


def test_after_all_that_the_gateway_serves_and_has_counted(gateway):
    with Wire(gateway.address) as wire:
        wire.send(b"GET / HTTP/1.1\r\n\r\n").answer()
    with gateway.client() as client:
        for _ in range(20):
            ask(client)
    assert gateway.metric("serin_bad_requests_total", reason="bad_host") >= 1
    until(lambda: gateway.metric("serin_requests_active") == 0, "the end of all requests")
    until(lambda: gateway.metric("serin_body_bytes_held") == 0, "memory of bodies to be given back")
