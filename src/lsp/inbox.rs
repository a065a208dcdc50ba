//! What waits to be handled, in order; what was cancelled meanwhile is marked.

use super::transport::{Incoming, Refusal};
use gen_lsp_types::{ErrorCodes, json_rpc::Id};
use serde_json::Value;
use std::{collections::VecDeque, sync::mpsc::Receiver};

/// What the server reacts to.
#[derive(Debug)]
pub(super) enum Event {
    /// A message.
    Message(Incoming),
    /// Nothing waits, so there is time for what was put off.
    Idle,
    /// There will be no more.
    Closed,
}

/// Messages that were read and not handled yet.
pub(super) struct Inbox {
    arriving: Receiver<Incoming>,
    waiting: VecDeque<Incoming>,
}

/// What the protocol answers to a request that was cancelled.
const REQUEST_CANCELLED: ErrorCodes = ErrorCodes::Custom(-32800);

impl Inbox {
    pub(super) fn new(arriving: Receiver<Incoming>) -> Self {
        Self { arriving, waiting: VecDeque::new() }
    }

    /// The next event; with nothing to do and nothing put off it waits for one.
    pub(super) fn next(&mut self, is_anything_put_off: bool) -> Event {
        while let Ok(message) = self.arriving.try_recv() {
            self.take_in(message);
        }
        if let Some(message) = self.waiting.pop_front() {
            return Event::Message(message);
        }
        if is_anything_put_off {
            return Event::Idle;
        }
        self.arriving.recv().map_or(Event::Closed, Event::Message)
    }

    fn take_in(&mut self, message: Incoming) {
        let Some(cancelled) = cancelled(&message) else {
            self.waiting.push_back(message);
            return;
        };
        let is_meant = |waiting: &&mut Incoming| matches!(waiting, Incoming::Request { id, .. } if *id == cancelled);
        if let Some(request) = self.waiting.iter_mut().find(is_meant) {
            *request = Incoming::Broken(Refusal::new(cancelled, REQUEST_CANCELLED, "the request was cancelled"));
        }
    }
}

/// The request that `message` cancels.
fn cancelled(message: &Incoming) -> Option<Id> {
    match message {
        Incoming::Notification { method, params: Value::Object(params) } if method == "$/cancelRequest" => {
            serde_json::from_value(params.get("id")?.clone()).ok()
        }
        Incoming::Notification { .. } | Incoming::Request { .. } | Incoming::Response | Incoming::Broken(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::mpsc;

    #[test]
    fn a_request_that_waits_can_be_cancelled_and_keeps_its_turn() {
        let (sender, receiver) = mpsc::channel();
        for id in [1, 2, 3] {
            let request = Incoming::Request { id: Id::from(id), method: "a".to_owned(), params: Value::Null };
            sender.send(request).expect("the inbox lives");
        }
        let cancel = Incoming::Notification { method: "$/cancelRequest".to_owned(), params: json!({ "id": 2 }) };
        sender.send(cancel).expect("the inbox lives");
        drop(sender);
        let mut inbox = Inbox::new(receiver);
        let mut seen = Vec::new();
        loop {
            match inbox.next(seen.len() == 3) {
                Event::Message(Incoming::Request { id, .. }) => seen.push((id, true)),
                Event::Message(Incoming::Broken(refusal)) => seen.push((refusal.id, false)),
                Event::Message(other) => panic!("{other:?}"),
                Event::Idle => seen.push((Id::Null, true)),
                Event::Closed => break,
            }
        }
        let expected = [(1.into(), true), (2.into(), false), (3.into(), true), (Id::Null, true)];
        assert_eq!(seen, expected);
    }
}
