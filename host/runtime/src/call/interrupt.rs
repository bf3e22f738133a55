//! Cancellation: ends what a call waits for, at once and from any thread.

use std::fmt;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
#[cfg(any(feature = "jit", feature = "plugins"))]
use std::task::{Poll, Waker};

use socket2::Socket;

use super::thread::Unparker;

/// Cancels every call that was made with it, now and later; see
/// [`Vaultlet::with_cancel`](crate::Vaultlet::with_cancel). Clones share one state.
#[derive(Clone)]
pub struct Cancel(Arc<Interrupt>);

impl Cancel {
    /// Creates a value that is not cancelled.
    pub fn new() -> Self {
        Self(Interrupt::new(None))
    }

    /// Cancels the calls. May be called from any thread, and more than once.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether [`Cancel::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    pub(super) fn interrupt(&self) -> &Arc<Interrupt> {
        &self.0
    }
}

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cancel({})", self.is_cancelled())
    }
}

/// Whether a call is cancelled, and what it waits for.
pub(crate) struct Interrupt {
    cancelled: AtomicBool,
    waiting: Mutex<Waiting>,
    /// What is cancelled with this.
    children: Mutex<Vec<Weak<Self>>>,
}

/// What a call waits for, and how that is ended.
#[derive(Clone)]
pub(crate) enum Waiting {
    Nothing,
    /// A thread that is parked, or about to be.
    Thread(Unparker),
    /// A connection, which is shut down.
    Socket(Arc<Socket>),
    /// A future, which is polled again.
    #[cfg(any(feature = "jit", feature = "plugins"))]
    Future(Waker),
}

/// Ends a wait when it is dropped.
pub(crate) struct Wait<'a>(&'a Interrupt);

impl Interrupt {
    pub(crate) fn new(parent: Option<&Arc<Self>>) -> Arc<Self> {
        let this = Arc::new(Self {
            cancelled: AtomicBool::new(false),
            waiting: Mutex::new(Waiting::Nothing),
            children: Mutex::default(),
        });
        if let Some(parent) = parent {
            lock(&parent.children).push(Arc::downgrade(&this));
            // The parent's list is read after its flag is set, so that one of the two sees the other.
            if parent.is_cancelled() {
                this.cancel();
            }
        }
        this
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        let waiting = lock(&self.waiting).clone();
        match waiting {
            Waiting::Nothing => {}
            Waiting::Thread(unparker) => {
                unparker.unpark();
            }
            // It may be closed already.
            Waiting::Socket(socket) => drop(socket.shutdown(Shutdown::Both)),
            #[cfg(any(feature = "jit", feature = "plugins"))]
            Waiting::Future(waker) => waker.wake(),
        }
        let children: Vec<_> = lock(&self.children).iter().filter_map(Weak::upgrade).collect();
        for child in children {
            child.cancel();
        }
    }

    /// Says what the call waits for from now on. The caller checks [`Interrupt::is_cancelled`]
    /// before it waits: a cancellation from before this would not end the wait.
    pub(crate) fn wait(&self, waiting: impl FnOnce() -> Waiting) -> Wait<'_> {
        *lock(&self.waiting) = waiting();
        Wait(self)
    }

    /// Waits for the cancellation, whatever the call itself waits for.
    #[cfg(any(feature = "jit", feature = "plugins"))]
    pub(super) async fn cancelled(self: &Arc<Self>) {
        /// Forgets the child when it is dropped.
        struct Child<'a>(&'a Interrupt, Arc<Interrupt>);
        impl Drop for Child<'_> {
            fn drop(&mut self) {
                self.0.forget(&self.1);
            }
        }
        let child = Child(self, Self::new(Some(self)));
        std::future::poll_fn(|context| {
            *lock(&child.1.waiting) = Waiting::Future(context.waker().clone());
            if child.1.is_cancelled() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    pub(super) fn forget(&self, child: &Arc<Self>) {
        let mut children = lock(&self.children);
        if let Some(at) = children.iter().position(|known| known.as_ptr() == Arc::as_ptr(child)) {
            children.swap_remove(at);
        }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        *lock(&self.0.waiting) = Waiting::Nothing;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
