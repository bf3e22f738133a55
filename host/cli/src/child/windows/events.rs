//! What the console tells this process: Ctrl-C, Ctrl-Break, and that its window is closed or its user logs off. The
//! system tells it to a thread that it starts.

use std::os::windows::io::{AsRawHandle as _, OwnedHandle};
use std::process::ExitCode;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use windows_sys::Win32::System::Console::{CTRL_BREAK_EVENT, CTRL_C_EVENT, SetConsoleCtrlHandler};
use windows_sys::Win32::System::Threading::{INFINITE, WaitForSingleObject};

use crate::streams;

/// The exit codes for these events: 128 and the number of the signal that C knows each by.
const CTRL_C: u8 = 128 + 2;
const CTRL_BREAK: u8 = 128 + 21;
const CLOSED: u8 = 128 + 15;

/// What has come.
struct State {
    /// Events and wake-ups so far.
    count: u64,
    /// The exit code for the event that came last.
    interruption: Option<u8>,
    /// What is done with the next event.
    then: Then,
}

/// What is done with an event.
#[derive(Clone, Copy)]
enum Then {
    /// The system's own end of this process.
    Default,
    /// This process ends at once; a shell is told.
    End { tells: bool },
    /// It is kept, and the command decides.
    Keep,
}

static STATE: Mutex<State> =
    Mutex::new(State { count: 0, interruption: None, then: Then::Default });
static CAME: Condvar = Condvar::new();

/// The events, which do not end this process by themselves any more.
pub(crate) struct Signals(());

impl Signals {
    /// Takes the events.
    pub(crate) fn block() -> Self {
        state().then = Then::Keep;
        // SAFETY: the handler is a function of this program, which stays.
        unsafe {
            SetConsoleCtrlHandler(Some(handle), 1);
        }
        Self(())
    }

    /// Waits for an event that ends a process without a command. Returns 128 + signal.
    #[allow(clippy::unused_self, reason = "as on other systems")]
    pub(crate) fn wait_for_end(&self) -> ExitCode {
        loop {
            let seen = count();
            if let Some(code) = interruption() {
                return ExitCode::from(code);
            }
            wait(seen);
        }
    }

    /// Lets events end this process again, once the command has ended.
    #[allow(clippy::unused_self, reason = "as on other systems")]
    pub(crate) fn heed(&self) {
        state().then = Then::End { tells: false };
    }

    /// The end that an event means which has come: 128 + signal.
    #[allow(clippy::unused_self, reason = "as on other systems")]
    pub(crate) fn pending_end(&self) -> Option<u8> {
        interruption()
    }

    /// Works, and lets an event end this process, which has no command yet.
    pub(crate) fn unless_interrupted<T>(&self, work: impl FnOnce() -> T) -> Result<T, ExitCode> {
        self.unless_interrupted_telling(false, work)
    }

    /// As [`Self::unless_interrupted`], and says the exit code where a shell reads it.
    pub(crate) fn unless_interrupted_in_shell<T>(
        &self,
        work: impl FnOnce() -> T,
    ) -> Result<T, ExitCode> {
        self.unless_interrupted_telling(true, work)
    }

    #[allow(clippy::unused_self, reason = "as on other systems")]
    fn unless_interrupted_telling<T>(
        &self,
        tells: bool,
        work: impl FnOnce() -> T,
    ) -> Result<T, ExitCode> {
        state().then = Then::End { tells };
        let result = work();
        state().then = Then::Keep;
        Ok(result)
    }
}

/// Wakes a thread of this process that waits for an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waker;

impl Waker {
    pub(crate) fn wake() {
        state().count += 1;
        CAME.notify_all();
    }
}

/// How many events and wake-ups there were.
pub(super) fn count() -> u64 {
    state().count
}

/// Waits until there were more events and wake-ups than this.
pub(super) fn wait(seen: u64) {
    let waited = CAME.wait_while(state(), |state| state.count == seen);
    drop(waited.unwrap_or_else(PoisonError::into_inner));
}

/// The exit code for the event that came last.
pub(super) fn interruption() -> Option<u8> {
    state().interruption
}

/// Waits for the end of a process.
pub(super) fn wait_for(process: &OwnedHandle) {
    // SAFETY: the handle is open.
    unsafe {
        WaitForSingleObject(process.as_raw_handle(), INFINITE);
    }
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

unsafe extern "system" fn handle(event: u32) -> i32 {
    let code = match event {
        CTRL_C_EVENT => CTRL_C,
        CTRL_BREAK_EVENT => CTRL_BREAK,
        _ => CLOSED,
    };
    let mut state = state();
    match state.then {
        Then::Default => return 0,
        Then::End { tells } => {
            if tells {
                // There is nobody left to tell when this fails.
                let _ = streams::write(format!("(exit {code})\n").as_bytes());
            }
            std::process::exit(code.into());
        }
        Then::Keep => {
            state.interruption = Some(code);
            state.count += 1;
        }
    }
    drop(state);
    CAME.notify_all();
    // The system ends this process when its window is closed and this returns.
    if code == CLOSED {
        loop {
            thread::park();
        }
    }
    1
}
