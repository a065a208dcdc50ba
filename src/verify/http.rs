//! The smallest client that can ask a server for a page. It trusts nothing that it reads and reads no more than it must.

#![allow(clippy::disallowed_methods, reason = "a server that says nothing is waited for so long and no longer")]

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

/// Of an answer so many bytes are read.
const MOST_ANSWER: usize = 4 << 20;

/// A request has so long, however the answer trickles in.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came back for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// An answer in HTTP.
    Page {
        /// Such as 200.
        status: u16,
        /// Without parameters that differ, in lower case; empty if it is not said.
        content_type: String,
        /// Where it sends the asker; empty if nowhere.
        location: String,
        /// As it was sent, without the framing.
        body: Vec<u8>,
    },
    /// Something else than HTTP, or nothing, while the connection was accepted.
    Other,
    /// Nobody listens.
    Refused,
}

/// Asks the server at `address` for `path`.
pub(super) fn get(address: SocketAddr, path: &str) -> Answer {
    let Ok(mut stream) = TcpStream::connect_timeout(&address, PATIENCE) else { return Answer::Refused };
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ironhull\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    if stream.write_all(request.as_bytes()).is_err() {
        return Answer::Other;
    }
    parse(&read(&mut stream)).unwrap_or(Answer::Other)
}

/// Whether somebody takes a connection to `address` and keeps it: a forwarder that finds nobody closes it at once.
pub(super) fn is_accepted(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect_timeout(&address, PATIENCE) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
    match stream.read(&mut [0; 1]) {
        Ok(count) => count > 0,
        Err(error) => matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
    }
}

/// Reads until the answer is whole, the server closes, or patience ends.
fn read(stream: &mut TcpStream) -> Vec<u8> {
    let end = Instant::now() + PATIENCE;
    let mut answer = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while answer.len() < MOST_ANSWER {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
            break;
        }
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => answer.extend(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
        if is_whole(&answer) {
            break;
        }
    }
    answer
}

/// Whether the announced length has come: servers that keep the connection open in spite of the request exist.
fn is_whole(answer: &[u8]) -> bool {
    let Some((head, body)) = split(answer) else { return false };
    match header(&head, "content-length").map(str::parse::<usize>) {
        Some(Ok(length)) => body.len() >= length,
        Some(Err(_)) | None => is_chunked(&head) && body.ends_with(b"0\r\n\r\n"),
    }
}

fn parse(answer: &[u8]) -> Option<Answer> {
    let (head, body) = split(answer)?;
    let mut words = head.lines().next()?.split(' ');
    if !words.next()?.starts_with("HTTP/") {
        return None;
    }
    let status = words.next()?.parse().ok()?;
    let body = if is_chunked(&head) { dechunked(body).unwrap_or_else(|| body.to_vec()) } else { body.to_vec() };
    let content_type = header(&head, "content-type").unwrap_or_default().to_lowercase();
    let location = header(&head, "location").unwrap_or_default().to_owned();
    Some(Answer::Page { status, content_type, location, body })
}

fn split(answer: &[u8]) -> Option<(String, &[u8])> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((String::from_utf8_lossy(&answer[..end]).into_owned(), &answer[end + 4..]))
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn is_chunked(head: &str) -> bool {
    header(head, "transfer-encoding").is_some_and(|value| value.to_lowercase().contains("chunked"))
}

/// The body of a chunked answer, if its last chunk is there.
fn dechunked(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|window| window == b"\r\n")?;
        let size = String::from_utf8_lossy(&body[..end]);
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        body = &body[end + 2..];
        if size == 0 {
            return Some(whole);
        }
        whole.extend(body.get(..size)?);
        body = body.get(size.checked_add(2)?..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Answer {
        parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn an_answer_is_its_status_type_and_body() {
        let answer = page("HTTP/1.1 404 Not Found\r\nContent-TYPE: Text/HTML\r\n\r\ngone");
        let Answer::Page { status, content_type, body, .. } = answer else { panic!("{answer:?}") };
        assert_eq!((status, content_type.as_str(), body.as_slice()), (404, "text/html", &b"gone"[..]));
    }

    #[test]
    fn chunks_are_put_together() {
        let answer = page("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
        let Answer::Page { body, .. } = answer else { panic!("{answer:?}") };
        assert_eq!(body, b"abcde");
    }

    #[test]
    fn nonsense_is_no_page_and_no_panic() {
        assert_eq!(parse(b"+OK ready\r\n\r\n"), None);
        assert_eq!(parse(b"HTTP/1.1 x\r\n\r\n"), None);
        assert_eq!(dechunked(b"ffffffffffffffff\r\nab\r\n"), None);
        assert_eq!(dechunked(b"zz\r\n"), None);
    }
}
