//! Threads for calls whose callers do not wait: a call is handed to a thread once, and runs there to
//! its end. Threads are started when they are needed, and end when they have been idle for a while.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::call::Call;
use crate::error::Error;
use crate::exhausted;
use crate::limits;

/// A call that is ready to run.
pub(crate) struct Job {
    pub(crate) call: Arc<Call>,
    /// Runs the call, or fails it with this error, and says so to whoever is waiting.
    pub(crate) run: Box<dyn FnOnce(Result<(), Error>) + Send>,
}

/// The threads, which end after their calls when this is dropped.
pub(crate) struct Threads {
    shared: Arc<Shared>,
    most: usize,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    more: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closed: bool,
    /// Whether a thread looks after the jobs that wait.
    is_watched: bool,
}

impl Threads {
    /// At most so many at once.
    pub(crate) fn new(most: usize) -> Self {
        Self { shared: Arc::default(), most }
    }

    /// Runs a job on a thread. Returns whether it has to wait until one is free.
    pub(crate) fn run(&self, job: Job) -> bool {
        let mut queue = self.shared.lock();
        queue.jobs.push_back(job);
        if queue.jobs.len() <= queue.idle || queue.threads >= self.most {
            let must_wait = queue.jobs.len() > queue.idle;
            drop(queue);
            self.shared.more.notify_one();
            return must_wait;
        }
        queue.threads += 1;
        drop(queue);
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new().name("vaultlet".into());
        let started = thread.stack_size(limits::THREAD_STACK).spawn(move || shared.work());
        if let Err(error) = started {
            // Another thread takes the job, if there is one.
            let job = {
                let mut queue = self.shared.lock();
                queue.threads -= 1;
                if queue.threads == 0 { queue.jobs.pop_back() } else { None }
            };
            if let Some(job) = job {
                (job.run)(job.call.check().and(Err(exhausted::thread(&error))));
            }
        }
        false
    }

    /// Has a thread of its own call [`Threads::expiry`] for as long as any job waits, where no component ticks that
    /// does so. Without that thread jobs end when another one is free for them.
    pub(crate) fn watch(&self, expire: impl Fn() + Send + 'static) {
        if std::mem::replace(&mut self.shared.lock().is_watched, true) {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new().name("vaultlet-expiry".into());
        let started = thread.spawn(move || {
            loop {
                std::thread::sleep(limits::EPOCH);
                expire();
                let mut queue = shared.lock();
                if queue.jobs.is_empty() {
                    queue.is_watched = false;
                    break;
                }
            }
        });
        if started.is_err() {
            self.shared.lock().is_watched = false;
        }
    }

    /// A function that fails the jobs whose time has run out, or that are cancelled, before a thread
    /// was free for them. What they call may block, so they end on threads of their own.
    pub(crate) fn expiry(&self) -> impl Fn() + Send + Sync + 'static {
        let shared = Arc::downgrade(&self.shared);
        let expired = Self::new(limits::THREADS_EXPIRED);
        move || {
            let Some(shared) = shared.upgrade() else { return };
            let mut ended = Vec::new();
            {
                let mut queue = shared.lock();
                let mut at = 0;
                while let Some(job) = queue.jobs.get(at) {
                    match job.call.check() {
                        Ok(()) => at += 1,
                        Err(_) => ended.extend(queue.jobs.remove(at)),
                    }
                }
            }
            for job in ended {
                expired.run(job);
            }
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.more.notify_all();
    }
}

impl Shared {
    fn work(&self) {
        let mut queue = self.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                drop(queue);
                let ready = job.call.check();
                // The job catches what the call panics with; this is the function of an embedder's that
                // was told of the end.
                let _ = catch_unwind(AssertUnwindSafe(|| (job.run)(ready)));
                queue = self.lock();
                continue;
            }
            if queue.closed {
                break;
            }
            queue.idle += 1;
            let waited = self.more.wait_timeout(queue, limits::THREAD_IDLE);
            let (waited, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            queue = waited;
            queue.idle -= 1;
            if timeout.timed_out() && queue.jobs.is_empty() {
                break;
            }
        }
        queue.threads -= 1;
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
