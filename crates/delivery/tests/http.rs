//! The client against a socket that answers well, badly and half.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

use delivery::http::{HttpError, Station};
use delivery::plan::Fetch;
use delivery::{Sink, Transport, TransportError};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread::JoinHandle;
use wire::image::ImageId;

/// Answers each connection with one of `answers`, then closes it; returns the requests.
fn station(answers: Vec<Vec<u8>>) -> (String, JoinHandle<Vec<(SocketAddr, String)>>) {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", door.local_addr().unwrap());
    let handle = std::thread::spawn(move || {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut board, from) = door.accept().unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") {
                assert_eq!(board.read(&mut byte).unwrap(), 1);
                request.push(byte[0]);
            }
            requests.push((from, String::from_utf8(request).unwrap()));
            board.write_all(&answer).unwrap();
        }
        requests
    });
    (base, handle)
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[derive(Default)]
struct Frames(Vec<(usize, Vec<u8>)>);

impl Sink for Frames {
    fn room(&mut self, _: usize, bytes: usize) -> Option<Vec<u8>> {
        Some(Vec::with_capacity(bytes))
    }
    fn frame(&mut self, chunk: usize, frame: Vec<u8>) {
        self.0.push((chunk, frame));
    }
}

fn fetch() -> Fetch {
    Fetch {
        id: 1,
        range: 16..26,
        frames: vec![(0, 4), (3, 6)],
    }
}

const IMAGE: ImageId = ImageId([0xab; 32]);

#[test]
fn frames_come_out_of_a_range() {
    let body = b"aaaabbbbbb";
    let whole = answer(
        "206 Partial Content",
        "content-range: bytes 16-25/99\r\n",
        body,
    );
    let (base, requests) = station(vec![whole]);
    let mut frames = Frames::default();
    let pack = Station::new(&base, None).pack(IMAGE);
    pack.fetch(&fetch(), &mut frames).unwrap();
    assert_eq!(frames.0, [(0, b"aaaa".to_vec()), (3, b"bbbbbb".to_vec())]);
    let (_, request) = requests.join().unwrap().remove(0);
    let request = request.to_ascii_lowercase();
    assert!(
        request.starts_with(&format!("get /agent/v1/packs/{IMAGE} ")),
        "{request}"
    );
    assert!(request.contains("range: bytes=16-25\r\n"), "{request}");
}

#[test]
fn a_broken_connection_keeps_the_frames_that_came_whole() {
    let mut cut = answer(
        "206 Partial Content",
        "content-range: bytes 16-25/99\r\n",
        b"aaaabbbbbb",
    );
    cut.truncate(cut.len() - 1);
    let (base, _requests) = station(vec![cut]);
    let mut frames = Frames::default();
    let error = Station::new(&base, None)
        .pack(IMAGE)
        .fetch(&fetch(), &mut frames);
    assert!(matches!(error, Err(TransportError::Broken(_))), "{error:?}");
    assert_eq!(frames.0, [(0, b"aaaa".to_vec())]);
}

#[test]
fn an_answer_to_another_question_is_not_taken() {
    for (status, header) in [
        ("200 OK", ""),
        ("206 Partial Content", "content-range: bytes 0-9/99\r\n"),
        ("206 Partial Content", ""),
    ] {
        let (base, _requests) = station(vec![answer(status, header, b"aaaabbbbbb")]);
        let mut frames = Frames::default();
        let result = Station::new(&base, None)
            .pack(IMAGE)
            .fetch(&fetch(), &mut frames);
        assert!(
            matches!(result, Err(TransportError::Refused(_))),
            "{status} {header}"
        );
        assert_eq!(frames.0, []);
    }
}

#[test]
fn a_connection_comes_from_the_boards_own_address() {
    let (base, requests) = station(vec![answer("200 OK", "", b"7")]);
    let board = Ipv4Addr::new(127, 64, 3, 9);
    let got: u32 = Station::new(&base, Some(board)).post("/x", &1).unwrap();
    assert_eq!(got, 7);
    let (from, request) = requests.join().unwrap().remove(0);
    assert_eq!(from.ip(), board);
    assert!(request.starts_with("POST /x "), "{request}");
}

#[test]
fn a_refusal_is_heard_in_the_stations_words() {
    let words = br#"{"code":"forbidden","message":"the boot token is not valid.","next":"Power-cycle the board."}"#;
    let (base, _requests) = station(vec![
        answer("403 Forbidden", "", words),
        answer("500 Oh", "", b"<html>"),
    ]);
    let station = Station::new(&base, None);
    let error = station.post::<_, u32>("/x", &1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the boot token is not valid. Power-cycle the board."
    );
    let error = station.post::<_, u32>("/x", &1).unwrap_err();
    assert!(
        matches!(error, HttpError::Strange { status: 500, .. }),
        "{error}"
    );
}

#[test]
fn nobody_there_is_an_error_not_a_hang() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = Station::new(&format!("http://{free}"), None).post::<_, u32>("/x", &1);
    assert!(
        matches!(error, Err(HttpError::Unreachable { .. })),
        "{error:?}"
    );
    let error = Station::new("http://station.example", None).post::<_, u32>("/x", &1);
    assert!(
        matches!(error, Err(HttpError::Unreachable { .. })),
        "{error:?}"
    );
}

#[test]
fn a_manifest_comes_with_its_signature() {
    let good = format!("{}: {}\r\n", wire::agent::SIGNATURE_HEADER, "0f".repeat(64));
    let bad = format!("{}: {}\r\n", wire::agent::SIGNATURE_HEADER, "zz".repeat(64));
    let (base, _requests) = station(vec![
        answer("200 OK", &good, b"{}"),
        answer("200 OK", "", b"{}"),
        answer("200 OK", &bad, b"{}"),
    ]);
    let station = Station::new(&base, None);
    let signed = station.manifest(IMAGE).unwrap();
    assert_eq!(
        (signed.bytes, signed.signature, signed.id),
        (b"{}".to_vec(), [15; 64], IMAGE)
    );
    assert_eq!(station.manifest(IMAGE).unwrap().signature, [0; 64]);
    assert!(station.manifest(IMAGE).is_err());
}
