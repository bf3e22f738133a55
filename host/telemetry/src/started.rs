//! The provider of spans, as the variables say:
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>. The SDK reads `OTEL_SERVICE_NAME`,
//! `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER` and `OTEL_BSP_…`, the exporter `OTEL_EXPORTER_OTLP_…`; the rest is here.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{env, fmt};

use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::{Context, ContextGuard, global};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::Malformed;
use crate::client::Client;
use crate::threads::without_signals;

/// The time that the last spans of a process have to be sent.
const LAST: Duration = Duration::from_secs(5);

/// The time that a request to the collector may take, where no variable says so.
const TIMEOUT: Duration = Duration::from_secs(10);

static PROVIDER: Mutex<Option<SdkTracerProvider>> = Mutex::new(None);

pub(crate) struct Started {
    /// The span of whoever has started this process is current.
    _current: ContextGuard,
}

impl fmt::Debug for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Started")
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(provider) = provider().take() {
            let _ = provider.shutdown_with_timeout(LAST);
        }
    }
}

pub(crate) fn start() -> Result<Option<Started>, Malformed> {
    if !is_wanted()? {
        return Ok(None);
    }
    let client = Client::new(timeout());
    let exporter = SpanExporter::builder().with_http().with_http_client(client).build();
    let exporter = exporter.map_err(|error| Malformed {
        variable: "OTEL_EXPORTER_OTLP_ENDPOINT",
        why: error.to_string(),
    })?;
    let mut resource = Resource::builder();
    if text("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name("vaultlet");
    }
    let made = without_signals(|| {
        let builder = SdkTracerProvider::builder().with_batch_exporter(exporter);
        builder.with_resource(resource.build()).build()
    });
    global::set_text_map_propagator(TraceContextPropagator::new());
    global::set_tracer_provider(made.clone());
    *provider() = Some(made);
    Ok(Some(Started { _current: parent().attach() }))
}

pub(crate) fn flush() {
    if let Some(provider) = provider().as_ref() {
        let _ = provider.force_flush();
    }
}

fn provider() -> MutexGuard<'static, Option<SdkTracerProvider>> {
    PROVIDER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether spans are to be sent: a collector is named, and nothing says that none are.
fn is_wanted() -> Result<bool, Malformed> {
    let is = |name: &str, value: &str| text(name).is_some_and(|it| it.eq_ignore_ascii_case(value));
    if is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
        return Ok(false);
    }
    let is_set = |name| text(name).is_some();
    if !is_set("OTEL_EXPORTER_OTLP_ENDPOINT") && !is_set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
        return Ok(false);
    }
    for (variable, only) in [
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
    ] {
        if text(variable).is_some() && !is(variable, only) {
            return Err(Malformed { variable, why: format!("`{only}` is all that there is here") });
        }
    }
    Ok(true)
}

/// The time for a request, which the exporter leaves to the client.
fn timeout() -> Duration {
    let names = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
    let given = names.into_iter().find_map(|name| text(name)?.parse().ok());
    given.map_or(TIMEOUT, Duration::from_millis)
}

/// A variable; one that is empty is none.
fn text(name: &str) -> Option<String> {
    let text = env::var(name).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// `TRACEPARENT` and `TRACESTATE`: <https://opentelemetry.io/docs/specs/otel/context/env-carriers/>.
fn parent() -> Context {
    let names = ["TRACEPARENT", "TRACESTATE"].into_iter();
    let found = names.filter_map(|name| Some((name.to_lowercase(), text(name)?)));
    let found: HashMap<_, _> = found.collect();
    TraceContextPropagator::new().extract_with_context(&Context::new(), &found)
}
