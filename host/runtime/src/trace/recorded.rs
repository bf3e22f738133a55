//! Spans, recorded by the provider that the embedder has set (`opentelemetry::global`). Their attributes are those of
//! <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>.

use std::collections::HashMap;

use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue, global};

use crate::error::Error;

/// A span, which ends by [`Span::responded`], [`Span::failed`] or [`Span::ended`], or with its last clone. The default
/// is none.
#[derive(Clone, Default)]
pub(crate) struct Span(Option<Context>);

impl Span {
    /// A span of a call that this thread makes.
    pub(crate) fn of_call(doing: &'static str) -> Self {
        Self::start(doing, SpanKind::Internal, &Context::current(), Vec::new())
    }

    /// A span of a request that is sent for this one.
    pub(crate) fn request(&self, method: &'static str, host: &str, port: Option<u16>) -> Self {
        let Some(parent) = &self.0 else { return Self(None) };
        let mut attributes = vec![
            KeyValue::new("http.request.method", method),
            KeyValue::new("server.address", host.to_owned()),
        ];
        attributes.extend(port.map(|port| KeyValue::new("server.port", i64::from(port))));
        Self::start(method, SpanKind::Client, parent, attributes)
    }

    /// The headers by which a server finds this span: `traceparent`.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let Some(context) = &self.0 else { return Vec::new() };
        let mut headers = HashMap::new();
        global::get_text_map_propagator(|by| by.inject_context(context, &mut headers));
        headers.into_iter().collect()
    }

    /// Ends a span of a request with the status of the response.
    pub(crate) fn responded(&self, status: u16) {
        let Some(context) = &self.0 else { return };
        let span = context.span();
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
        if status >= 400 {
            return self.failed(&status.to_string());
        }
        span.end();
    }

    /// Ends a span with what went wrong: an id, or a status.
    pub(crate) fn failed(&self, why: &str) {
        let Some(context) = &self.0 else { return };
        let span = context.span();
        span.set_attribute(KeyValue::new("error.type", why.to_owned()));
        span.set_status(Status::error(""));
        span.end();
    }

    /// Ends a span of a call with its result.
    pub(crate) fn ended<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        match (&self.0, &result) {
            (None, _) => {}
            (Some(context), Ok(_)) => context.span().end(),
            (Some(_), Err(error)) => self.failed(&error.id),
        }
        result
    }

    fn start(
        name: &'static str,
        kind: SpanKind,
        parent: &Context,
        attributes: Vec<KeyValue>,
    ) -> Self {
        let tracer = global::tracer("vaultlet");
        let builder = tracer.span_builder(name).with_kind(kind).with_attributes(attributes);
        let span = tracer.build_with_context(builder, parent);
        Self(Some(parent.with_span(span)))
    }
}
