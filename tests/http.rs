//! As much of HTTP as a test needs that carries a `traceparent`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use timbal::{Traceparent, current};

/// Asks an address for a number, as the call that runs.
pub fn get(address: &str) -> u64 {
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    let header = current().expect("it is recorded").traceparent();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\ntraceparent: {header}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("it answers");
    let body = response.split_once("\r\n\r\n").expect("headers end").1;
    body.parse().expect("a number")
}

/// Answers one request with the number that this makes of its header.
pub fn answer(listener: &TcpListener, number: impl FnOnce(Traceparent) -> u64) {
    let (mut stream, _) = listener.accept().expect("somebody asks");
    let lines = BufReader::new(&stream).lines().map(|line| line.expect("text"));
    let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let header = headers.iter().find_map(|line| line.strip_prefix("traceparent: "));
    let header = header.and_then(|header| header.parse().ok()).expect("it has one");
    let body = number(header).to_string();
    let length = body.len();
    let response = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(response.as_bytes()).expect("it reads");
}
