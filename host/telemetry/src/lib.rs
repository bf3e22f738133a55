//! Sends the traces of the program to an OpenTelemetry collector, where the standard variables (`OTEL_…`) name one.
//!
//! Without the feature `otlp` there is nothing to send, and [`start`] does nothing.

#![deny(unsafe_code)]

#[cfg(feature = "otlp")]
mod client;
#[cfg(feature = "otlp")]
mod started;
#[cfg(feature = "otlp")]
mod threads;

/// Traces that are sent as long as this lives; dropping it sends the rest.
#[derive(Debug)]
#[must_use]
pub struct Telemetry {
    #[cfg(feature = "otlp")]
    _started: Option<started::Started>,
}

/// Why traces cannot be sent: the variable that is set wrong, and what is wrong with it.
#[derive(Debug)]
pub struct Malformed {
    /// The variable.
    pub variable: &'static str,
    /// What is wrong with it.
    pub why: String,
}

/// Begins to send, if `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` names a collector. What this
/// thread does is then a part of the trace that `TRACEPARENT` names.
///
/// # Errors
///
/// When a variable asks for what is not there.
pub fn start() -> Result<Telemetry, Malformed> {
    Ok(Telemetry {
        #[cfg(feature = "otlp")]
        _started: started::start()?,
    })
}

/// Sends what has not been sent, before the process becomes another program.
pub fn flush() {
    #[cfg(feature = "otlp")]
    started::flush();
}
