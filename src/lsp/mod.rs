//! The language server: what `check` and `fix` say, while somebody types.
//!
//! One thread reads messages, one handles them, in order and one at a time. What the editor has open stands in front of
//! the disk; judged it is by the function that the command line asks. Diagnostics are put off until nothing waits, so that
//! a text that was changed meanwhile is never judged for nobody, and no answer is about a text that the editor no longer
//! has.

mod actions;
mod client;
mod diagnostics;
mod document;
mod home;
mod hover;
mod inbox;
mod position;
mod server;
mod transport;
mod uri;
mod workspace;

use inbox::Inbox;
use server::Server;
use std::{
    io::{self, BufRead, Write},
    sync::mpsc,
    thread,
};

/// Serves the client at the other end of `input` and `output` until it leaves; answers whether it left as it should.
///
/// # Errors
/// If `output` does not take what is to be said.
pub fn serve(input: impl BufRead + Send + 'static, output: &mut dyn Write) -> io::Result<bool> {
    let (sender, receiver) = mpsc::channel();
    // It ends with the input, or with the process.
    thread::spawn(move || {
        let mut input = input;
        while let Ok(Some(message)) = transport::read(&mut input) {
            if sender.send(message).is_err() {
                break;
            }
        }
    });
    let mut inbox = Inbox::new(receiver);
    let mut server = Server::new();
    loop {
        let event = inbox.next(server.has_put_off());
        for message in server.react(event) {
            transport::write(output, &message)?;
        }
        if let Some(is_orderly) = server.ending() {
            return Ok(is_orderly);
        }
    }
}
