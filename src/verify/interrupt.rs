//! Ctrl-C and a polite request to end: noticed between two looks at a child, so that everything can be taken down.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Says whether somebody wants the run to end. Listens as long as it lives.
#[derive(Debug)]
pub(super) struct Interrupt {
    asked: Arc<AtomicBool>,
    #[cfg(unix)]
    listeners: Vec<signal_hook::SigId>,
}

impl Interrupt {
    /// Listens from now on. A signal that cannot be listened for keeps its own effect.
    pub(super) fn listen() -> Self {
        let asked = Arc::new(AtomicBool::new(false));
        #[cfg(unix)]
        let listeners = {
            use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
            let listen = |signal| signal_hook::flag::register(signal, asked.clone()).ok();
            [SIGINT, SIGTERM, SIGHUP].into_iter().filter_map(listen).collect()
        };
        Self {
            asked,
            #[cfg(unix)]
            listeners,
        }
    }

    /// Whether the run is to end.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        #[cfg(unix)]
        for listener in self.listeners.drain(..) {
            signal_hook::low_level::unregister(listener);
        }
    }
}
