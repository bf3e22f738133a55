//! Spans of OpenTelemetry: one for each request, under the one whose `traceparent` it has. What is asked upstream for
//! it is under that span, also when it goes on without the request. Without the feature `otel` there are none.
//!
//! A span has the method, the path without its query, and the status: no name of a secret, and nothing of who asks.
//! Probes and metrics have none.

#[cfg(not(feature = "otel"))]
pub(crate) use absent::{Served, inherited};
#[cfg(feature = "otel")]
pub(crate) use recorded::{Served, inherited};

#[cfg(not(feature = "otel"))]
mod absent {
    use http::request;

    pub(crate) struct Served;

    #[allow(clippy::unused_self, reason = "as it is where spans are recorded")]
    impl Served {
        pub(crate) fn begin(_parts: &request::Parts) -> Self {
            Self
        }

        pub(crate) fn during<F: Future>(&self, work: F) -> F {
            work
        }

        pub(crate) fn end(self, _path: &'static str, _status: u16) {}
    }

    pub(crate) fn inherited<F: Future>(work: F) -> F {
        work
    }
}

#[cfg(feature = "otel")]
mod recorded {
    use http::{HeaderMap, Method, request};
    use opentelemetry::propagation::Extractor;
    use opentelemetry::trace::{
        FutureExt as _, SpanKind, Status, TraceContextExt as _, Tracer as _,
    };
    use opentelemetry::{Context, KeyValue, global};

    /// The span of a request.
    pub(crate) struct Served {
        context: Context,
        method: Method,
    }

    impl Served {
        /// Begins a span under the one that the headers name.
        pub(crate) fn begin(parts: &request::Parts) -> Self {
            let method = parts.method.clone();
            if !parts.uri.path().starts_with("/v1/") {
                return Self { context: Context::new(), method };
            }
            let tracer = global::tracer("vaultlet-agent");
            let parent = global::get_text_map_propagator(|by| {
                by.extract_with_context(&Context::new(), &Headers(&parts.headers))
            });
            let builder = tracer.span_builder(method.to_string()).with_kind(SpanKind::Server);
            let span = tracer.build_with_context(builder, &parent);
            Self { context: parent.with_span(span), method }
        }

        /// Does the work of the request: this span is current in it.
        pub(crate) fn during<F: Future>(&self, work: F) -> impl Future<Output = F::Output> {
            work.with_context(self.context.clone())
        }

        pub(crate) fn end(self, path: &'static str, status: u16) {
            let span = self.context.span();
            span.update_name(format!("{} {path}", self.method));
            span.set_attribute(KeyValue::new("http.request.method", self.method.to_string()));
            span.set_attribute(KeyValue::new("http.route", path));
            span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
            if status >= 500 {
                span.set_attribute(KeyValue::new("error.type", status.to_string()));
                span.set_status(Status::error(""));
            }
            span.end();
        }
    }

    /// Work on a task of its own, under the span of whoever has it done.
    pub(crate) fn inherited<F: Future>(work: F) -> impl Future<Output = F::Output> {
        work.with_current_context()
    }

    struct Headers<'a>(&'a HeaderMap);

    impl Extractor for Headers<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            self.0.get(key).and_then(|value| value.to_str().ok())
        }

        fn keys(&self) -> Vec<&str> {
            self.0.keys().map(http::HeaderName::as_str).collect()
        }
    }
}
