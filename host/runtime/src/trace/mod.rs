//! Spans of OpenTelemetry: one for each call of a handle, under what is current for its caller, and one for each HTTP
//! request of that call. Without the feature `otel` there are none, and nothing of this costs anything.
//!
//! A span says what was done, with which server, and how it ended: the method, the server's host and port, the status,
//! the id of an error. It has no name, version or value of a secret, no path, no header and no token.

#[cfg(not(feature = "otel"))]
mod absent;
#[cfg(feature = "otel")]
mod recorded;

#[cfg(not(feature = "otel"))]
pub(crate) use absent::Span;
#[cfg(feature = "otel")]
pub(crate) use recorded::Span;
