//! One call of a handle: its deadline, how it is cancelled, and every way in which it waits.
//!
//! A call runs on one thread from its arguments to its result. Whatever waits does so here or with
//! the deadline of this module, so that neither a deadline nor a cancellation is overlooked.

mod interrupt;
mod slot;
mod thread;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Error, Kind};
use crate::limits;
use crate::trace::Span;

pub use interrupt::Cancel;
pub(crate) use interrupt::{Interrupt, Waiting};
pub(crate) use slot::Slot;
pub(crate) use thread::{Unparker, on_thread, park_until, unparker};

/// A function that is called while a call waits; `false` cancels the call.
pub(crate) type Watch = Arc<dyn Fn() -> bool + Send + Sync>;

/// One call.
pub(crate) struct Call {
    /// What the call does, for errors: `getting a secret`.
    doing: &'static str,
    /// What to do about a call that took too long.
    help: &'static str,
    limit: Duration,
    deadline: Instant,
    interrupt: Arc<Interrupt>,
    /// What cancels this call when it is cancelled itself.
    parent: Option<Arc<Interrupt>>,
    watch: Option<Watch>,
    /// When the watch was called last, in milliseconds since the call began.
    watched: AtomicU64,
    started: Instant,
    span: Span,
}

impl Call {
    /// Begins a call that may take as long as `limit`.
    pub(crate) fn new(doing: &'static str, limit: Duration, cancel: Option<&Cancel>) -> Self {
        let parent = cancel.map(|cancel| Arc::clone(cancel.interrupt()));
        let started = Instant::now();
        Self {
            doing,
            help: "allow more by `--timeout` (`VAULTLET_TIMEOUT`), or look at what is slow",
            limit,
            deadline: started.checked_add(limit).unwrap_or(started + limits::CALL_ENDLESS),
            interrupt: Interrupt::new(parent.as_ref()),
            parent,
            watch: None,
            watched: AtomicU64::new(0),
            started,
            span: Span::default(),
        }
    }

    /// The same call with a function that is called while it waits.
    pub(crate) fn with_watch(mut self, watch: Option<Watch>) -> Self {
        self.watch = watch;
        self
    }

    /// The same call as one that is traced, by a caller on this thread.
    pub(crate) fn traced(mut self) -> Self {
        self.span = Span::of_call(self.doing);
        self
    }

    /// The same call with other words on what to do when it took too long.
    #[cfg(feature = "plugins")]
    pub(crate) fn with_help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    /// A part of this call that may run on another thread. It has the same deadline, and is
    /// cancelled with this call.
    pub(crate) fn part(&self) -> Self {
        let parent = Arc::clone(&self.interrupt);
        Self {
            doing: self.doing,
            help: self.help,
            limit: self.limit,
            deadline: self.deadline,
            interrupt: Interrupt::new(Some(&parent)),
            parent: Some(parent),
            watch: self.watch.clone(),
            watched: AtomicU64::new(self.watched.load(Ordering::Relaxed)),
            started: self.started,
            span: self.span.clone(),
        }
    }

    pub(crate) fn interrupt(&self) -> &Arc<Interrupt> {
        &self.interrupt
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    pub(crate) fn doing(&self) -> &'static str {
        self.doing
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// An error if the call has been cancelled or its time has run out.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.interrupt.is_cancelled() {
            return Err(self.cancelled());
        }
        let now = Instant::now();
        if self.watch.as_ref().is_some_and(|watch| self.is_watch_due(now) && !watch()) {
            self.interrupt.cancel();
            return Err(self.cancelled());
        }
        if now >= self.deadline {
            return Err(self.timed_out());
        }
        Ok(())
    }

    fn is_watch_due(&self, now: Instant) -> bool {
        let ms = now.saturating_duration_since(self.started).as_millis();
        let (ms, interval) = (u64::try_from(ms).unwrap_or(u64::MAX), limits::WATCH.as_millis());
        let due = u128::from(ms - self.watched.load(Ordering::Relaxed).min(ms)) >= interval;
        if due {
            self.watched.store(ms, Ordering::Relaxed);
        }
        due
    }

    /// The time for which a wait until `until` may block the thread before [`Call::check`] is due.
    pub(crate) fn slice(&self, until: Instant) -> Duration {
        let left = until.min(self.deadline).saturating_duration_since(Instant::now());
        if self.watch.is_some() { left.min(limits::WATCH) } else { left }
    }

    /// Waits until there is a result or `until` has passed, which is `None`. Whoever makes the
    /// result wakes the thread by its [`unparker`].
    pub(crate) fn wait<T>(
        &self,
        until: Instant,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let _waiting = self.interrupt.wait(|| Waiting::Thread(unparker()));
        loop {
            if let Some(result) = ready() {
                return Ok(Some(result));
            }
            self.check()?;
            let slice = self.slice(until);
            if slice.is_zero() && Instant::now() >= until {
                return Ok(None);
            }
            park_until(Instant::now() + slice);
        }
    }

    /// Waits for so long.
    pub(crate) fn sleep(&self, time: Duration) -> Result<(), Error> {
        self.wait(Instant::now() + time, || None::<()>).map(drop)
    }

    /// The error of the call, when it has been cancelled or its time has run out.
    #[cfg(any(feature = "jit", feature = "plugins"))]
    pub(crate) async fn ended(&self) -> Error {
        loop {
            if let Err(error) = self.check() {
                return error;
            }
            tokio::select! {
                () = self.interrupt.cancelled() => {}
                () = tokio::time::sleep(self.slice(self.deadline)) => {}
            }
        }
    }

    fn cancelled(&self) -> Error {
        let message = format!("{}: the caller cancelled it", self.doing);
        Error::new(Kind::Timeout, "cancelled", message, "")
    }

    /// The error of a call whose time has run out.
    pub(crate) fn timed_out(&self) -> Error {
        let message = format!("{}: not done within {} s", self.doing, self.limit.as_secs_f64());
        Error::new(Kind::Timeout, "timeout", message, self.help)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(parent) = &self.parent {
            parent.forget(&self.interrupt);
        }
    }
}
