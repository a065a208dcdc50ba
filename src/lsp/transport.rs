//! Messages on a pair of streams, framed as the base protocol says: header lines, a blank line, so many bytes of JSON.
//!
//! Reading never gives up before the end of the stream: what cannot be read is answered with the error that JSON-RPC has
//! for it, and reading goes on at the next header. A library that ends with the first broken message would take the
//! editor's findings with it.

use gen_lsp_types::{
    ErrorCodes,
    json_rpc::{Error, Id, ResponseObject},
};
use serde::Serialize;
use serde_json::Value;
use std::io::{self, BufRead, Read, Write};

/// What came in.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Incoming {
    /// Wants an answer.
    Request {
        /// Is repeated in the answer.
        id: Id,
        /// What is asked.
        method: String,
        /// With what.
        params: Value,
    },
    /// Wants none.
    Notification {
        /// What happened.
        method: String,
        /// With what.
        params: Value,
    },
    /// The answer to a request of ours.
    Response,
    /// No message, and the answer that it gets.
    Broken(Refusal),
}

/// Why a request is not answered with a result.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    /// The request; null if it is not known.
    pub(super) id: Id,
    /// The kind of reason.
    pub(super) code: ErrorCodes,
    /// The reason.
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(id: Id, code: ErrorCodes, message: impl Into<String>) -> Self {
        Self { id, code, message: message.into() }
    }

    /// As it is sent.
    pub(super) fn into_response(self) -> ResponseObject {
        ResponseObject::from_error(self.id, Error { code: self.code, message: self.message, data: None })
    }
}

/// A message above this size is passed over: no document comes near it.
const LARGEST: u64 = 256 * 1024 * 1024;

/// A header line above this size is read in pieces.
const LONGEST_LINE: u64 = 16 * 1024;

/// The next message; `None` at the end of the stream.
pub(super) fn read(input: &mut dyn BufRead) -> io::Result<Option<Incoming>> {
    let length = match read_header(input)? {
        Header::Length(length) => length,
        Header::NoLength => {
            return Ok(Some(broken(ErrorCodes::ParseError, "the header has no `Content-Length`")));
        }
        Header::End => return Ok(None),
    };
    if length > LARGEST {
        io::copy(&mut input.take(length), &mut io::sink())?;
        return Ok(Some(broken(ErrorCodes::ParseError, "the message is too large")));
    }
    let mut content = Vec::new();
    input.take(length).read_to_end(&mut content)?;
    if (content.len() as u64) < length {
        return Ok(None);
    }
    Ok(Some(understood(&content)))
}

/// What stands in front of a message.
enum Header {
    /// That the message has so many bytes.
    Length(u64),
    /// Nothing that says how long the message is.
    NoLength,
    /// Nothing: the stream ends.
    End,
}

/// Reads up to the blank line.
fn read_header(input: &mut dyn BufRead) -> io::Result<Header> {
    let mut header = Header::NoLength;
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(Header::End);
        }
        if line.trim_ascii().is_empty() {
            return Ok(header);
        }
        header = content_length(&line).map_or(header, Header::Length);
    }
}

/// The number in a line that ends with `Content-Length: 123`: in front of it may be what a broken message left behind.
fn content_length(line: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"content-length:";
    let at = line.windows(NAME.len()).rposition(|part| part.eq_ignore_ascii_case(NAME))?;
    str::from_utf8(&line[at + NAME.len()..]).ok()?.trim().parse().ok()
}

fn broken(code: ErrorCodes, message: impl Into<String>) -> Incoming {
    Incoming::Broken(Refusal::new(Id::Null, code, message))
}

fn understood(content: &[u8]) -> Incoming {
    let mut message = match serde_json::from_slice::<Value>(content) {
        Ok(Value::Object(message)) => message,
        Ok(_) => return broken(ErrorCodes::InvalidRequest, "a message is one JSON object"),
        Err(error) => return broken(ErrorCodes::ParseError, error.to_string()),
    };
    let id = message.remove("id");
    let params = message.remove("params").unwrap_or(Value::Null);
    match (message.remove("method"), id) {
        (Some(Value::String(method)), None) => Incoming::Notification { method, params },
        (Some(Value::String(method)), Some(id)) => match serde_json::from_value(id) {
            Ok(id) => Incoming::Request { id, method, params },
            Err(_) => broken(ErrorCodes::InvalidRequest, "the id of a request is a number or a string"),
        },
        (None, Some(_)) if message.contains_key("result") || message.contains_key("error") => Incoming::Response,
        (_, id) => {
            let id = id.and_then(|id| serde_json::from_value(id).ok()).unwrap_or(Id::Null);
            Incoming::Broken(Refusal::new(id, ErrorCodes::InvalidRequest, "the message names no method"))
        }
    }
}

/// Sends `message`.
pub(super) fn write(output: &mut dyn Write, message: &impl Serialize) -> io::Result<()> {
    let content = serde_json::to_vec(message)?;
    write!(output, "Content-Length: {}\r\n\r\n", content.len())?;
    output.write_all(&content)?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(mut stream: &[u8]) -> Vec<Incoming> {
        std::iter::from_fn(|| read(&mut stream).expect("memory can be read")).collect()
    }

    fn framed(content: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{content}", content.len())
    }

    fn notification(method: &str) -> Incoming {
        Incoming::Notification { method: method.to_owned(), params: Value::Null }
    }

    #[test]
    fn messages_are_told_apart() {
        let stream = [
            r#"{"jsonrpc":"2.0","method":"a"}"#,
            r#"{"jsonrpc":"2.0","id":"x","method":"b","params":[1]}"#,
            r#"{"jsonrpc":"2.0","id":7,"result":null}"#,
        ];
        let read = read_all(stream.map(framed).concat().as_bytes());
        let request = Incoming::Request {
            id: Id::String("x".to_owned()),
            method: "b".to_owned(),
            params: serde_json::json!([1]),
        };
        assert_eq!(read, [notification("a"), request, Incoming::Response]);
    }

    #[test]
    fn reading_goes_on_behind_what_is_broken() {
        let whole = framed(r#"{"jsonrpc":"2.0","method":"a"}"#);
        let deep = framed(&"[".repeat(100_000));
        for broken in [
            &framed("{"),
            &framed("[]"),
            &framed("\"\\ud800\""),
            &framed(r#"{"id":{},"method":"a"}"#),
            &deep,
            "Content-Length: many\r\n\r\n",
            "Content-Length: many\r\n\r\n{\"jsonrpc\":\"2.0\"}",
            "nonsense\n\n",
            "\r\n",
        ] {
            let read = read_all(format!("{broken}{whole}").as_bytes());
            assert!(matches!(read[0], Incoming::Broken(_)), "{broken:.40}: {:?}", read[0]);
            assert_eq!(read.last(), Some(&notification("a")), "{broken:.40}");
        }
    }

    #[test]
    fn a_message_that_the_end_cuts_off_is_none() {
        let whole = framed(r#"{"jsonrpc":"2.0","method":"a"}"#);
        for end in 0..whole.len() {
            assert_eq!(read_all(&whole.as_bytes()[..end]), [], "after {end} bytes");
        }
    }
}
