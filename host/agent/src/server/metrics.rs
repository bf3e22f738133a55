//! What the agent counts, for Prometheus. No name of a secret is in it.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::status::Status;

/// The type of the metrics' text.
pub(super) const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The upper bounds by which the times of responses are counted, in seconds: those from the cache, those from a
/// vault, and slow ones.
const SECONDS: [f64; 10] = [0.000_5, 0.001, 0.002, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0];

/// What is counted.
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    seconds: Histogram,
    /// Secrets that the policy or `--allow` denied.
    pub(super) denied: Counter,
    /// Connections of users who are not answered.
    pub(super) refused: Counter,
    connections: Gauge,
    secrets: Gauge,
    stale: Gauge,
    upstream: Counter,
    throttled: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    path: &'static str,
    status: u16,
}

impl Metrics {
    pub(super) fn new(started: SystemTime) -> Self {
        let mut registry = Registry::with_prefix("vaultlet_agent");
        let metrics = Self {
            requests: Family::default(),
            seconds: Histogram::new(SECONDS),
            denied: Counter::default(),
            refused: Counter::default(),
            connections: Gauge::default(),
            secrets: Gauge::default(),
            stale: Gauge::default(),
            upstream: Counter::default(),
            throttled: Counter::default(),
            registry: Registry::default(),
        };
        let Self { requests, seconds, denied, refused, connections, .. } = &metrics;
        registry.register("requests", "Requests, by path and HTTP status", requests.clone());
        let what = "Time to answer a request for secrets, in seconds, without those that wait for a new version";
        registry.register("request_seconds", what, seconds.clone());
        let what = "Secrets that the policy or --allow denied";
        registry.register("denied", what, denied.clone());
        let what = "Connections of users whom the agent does not answer";
        registry.register("refused_connections", what, refused.clone());
        registry.register("connections", "Connections that are open", connections.clone());
        let Self { secrets, stale, upstream, throttled, .. } = &metrics;
        registry.register("secrets", "Secrets that are kept", secrets.clone());
        let what = "Secrets that serve as old values, because they could not be read anew";
        registry.register("stale_secrets", what, stale.clone());
        registry.register("upstream_requests", "Requests to vaults", upstream.clone());
        let what = "Requests that a vault has throttled";
        registry.register("upstream_throttled", what, throttled.clone());
        let start = Gauge::<i64>::default();
        start.set(unix_seconds(started).try_into().unwrap_or_default());
        let what = "When the agent was started, in Unix seconds";
        registry.register("start_time_seconds", what, start);
        Self { registry, ..metrics }
    }

    /// Counts a request that was answered.
    pub(super) fn answered(&self, path: &'static str, status: u16, took: Option<Duration>) {
        self.requests.get_or_create(&Labels { path, status }).inc();
        if let Some(took) = took {
            self.seconds.observe(took.as_secs_f64());
        }
    }

    /// The metrics as text.
    pub(super) fn text(&self, status: &Status, connections: usize) -> String {
        let gauge = |gauge: &Gauge, value: usize| {
            gauge.set(value.try_into().unwrap_or(i64::MAX));
        };
        gauge(&self.connections, connections);
        gauge(&self.secrets, status.secrets);
        gauge(&self.stale, status.stale);
        self.upstream.inner().store(status.upstream.requests, Ordering::Relaxed);
        self.throttled.inner().store(status.upstream.throttled, Ordering::Relaxed);
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = prometheus_text::encode(&mut text, &self.registry);
        text
    }
}

/// A time in Unix seconds.
pub(super) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
