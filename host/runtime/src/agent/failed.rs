//! Why the agent gave no answer: the words for each way, and whether somebody else may be asked.

use std::io;

use crate::error::{Error, Kind};
use crate::limits;
use crate::net::Failure;

use super::place::Place;

/// Why the agent gave no answer.
pub(crate) enum Failed {
    /// It is not there, or does not talk as an agent does: nothing is known of what it would say.
    Unusable(Error),
    /// It refuses.
    Refused(Error),
    /// It may not be asked, or the call has ended.
    Final(Error),
}

impl Failed {
    pub(crate) fn error(&self) -> &Error {
        let (Self::Unusable(error) | Self::Refused(error) | Self::Final(error)) = self;
        error
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        let (Failed::Unusable(error) | Failed::Refused(error) | Failed::Final(error)) = failed;
        error
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// Whether a connection has ended, as opposed to the time.
pub(super) fn is_broken(failure: &Failure) -> bool {
    matches!(failure, Failure::Protocol(_) | Failure::Network(_))
}

impl Place {
    /// The agent is not there.
    pub(super) fn unreachable(&self, why: &str) -> Failed {
        Failed::Unusable(Error::new(
            Kind::Unavailable,
            "agent-unreachable",
            format!("asking the agent at `{self}`: {why}"),
            "start it (`vaultlet agent`), or unset `VAULTLET_AGENT`",
        ))
    }

    /// The agent is there, and does nothing.
    fn hanging(&self, why: &str) -> Failed {
        Failed::Unusable(Error::new(
            Kind::Unavailable,
            "agent-unreachable",
            format!("asking the agent at `{self}`: {why}"),
            "look at its process, which may be stopped, and start it again; or unset `VAULTLET_AGENT`",
        ))
    }

    /// The agent is there, and lets this user not connect.
    fn not_permitted(&self) -> Failed {
        Failed::Unusable(Error::new(
            Kind::Unavailable,
            "agent-unreachable",
            format!(
                "asking the agent at `{self}`: this user may not connect to it (permission denied)"
            ),
            "have the agent's policy name this user (`user = [\"…\"]`), or unset `VAULTLET_AGENT`",
        ))
    }

    /// Why the agent's file cannot be connected to, by the kind of the system's error.
    pub(super) fn of_kind(&self, kind: io::ErrorKind) -> Failed {
        match kind {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                self.unreachable("there is no such file")
            }
            io::ErrorKind::PermissionDenied => self.not_permitted(),
            kind => self.unreachable(&kind.to_string()),
        }
    }

    /// What is there does not talk as an agent does.
    pub(super) fn unexpected(&self, why: &str) -> Failed {
        Failed::Unusable(Error::new(
            Kind::Unavailable,
            "agent-unexpected",
            format!("asking the agent at `{self}`: {why}"),
            "check that `VAULTLET_AGENT` names an agent of this version of vaultlet",
        ))
    }

    /// The agent is somebody else's.
    pub(super) fn untrusted(&self, what: &str, owner: u32, own: u32) -> Failed {
        Failed::Final(Error::configuration(
            "agent-untrusted",
            format!(
                "asking the agent at `{self}`: {what} user {owner}, which is neither this user ({own}) nor root"
            ),
            "name the socket of an agent of this user or of root in `VAULTLET_AGENT`",
        ))
    }

    pub(super) fn of_connect(&self, failure: Failure) -> Failed {
        match failure {
            Failure::CallEnded(error) | Failure::Exhausted(error) => Failed::Final(*error),
            Failure::Refused => self.unreachable("nothing listens there"),
            Failure::ConnectTimeout => {
                let ms = limits::AGENT_CONNECT.as_millis();
                self.unreachable(&format!("it accepts no connection within {ms} ms"))
            }
            // A socket's file that may not be written to.
            Failure::Network(text) if text == io::ErrorKind::PermissionDenied.to_string() => {
                self.not_permitted()
            }
            failure => self.unreachable(&failure.to_string()),
        }
    }

    pub(super) fn of_exchange(&self, failure: Failure, has_begun: bool) -> Failed {
        match failure {
            Failure::CallEnded(error) if has_begun && error.id == "timeout" => {
                self.unexpected("its response had not ended when the time of the call was over")
            }
            // Whose time it was, as the vault may be asked without the agent.
            Failure::CallEnded(error) if error.id == "timeout" => {
                let message = format!("asking the agent at `{self}`: {}", error.message);
                Failed::Final(Error { message, ..*error })
            }
            Failure::CallEnded(error) | Failure::Exhausted(error) => Failed::Final(*error),
            Failure::ResponseTimeout if !has_begun => {
                let seconds = limits::AGENT_PROBE.as_secs();
                self.hanging(&format!(
                    "it accepts connections, and does not say within {seconds} s whether it is well"
                ))
            }
            Failure::ResponseTimeout => {
                let seconds = limits::AGENT_REST.as_secs();
                let why = format!("its response has not ended {seconds} s after its first byte");
                self.unexpected(&why)
            }
            failure if is_broken(&failure) && !has_begun => self.unexpected(
                "it closed the connection without an answer, as an agent does to users whom its policy does not name",
            ),
            failure => self.unexpected(&failure.to_string()),
        }
    }
}
