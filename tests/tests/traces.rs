//! Traces of OpenTelemetry: what a program asks the agent, and the agent the vault, is one trace, and nothing secret is in
//! it. The program of the tests is built with the feature, the one of a release is not.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use vaultlet_dev::Local;
use vaultlet_tests::server::{Answer, Server};
use vaultlet_tests::{Run, kill, vaultlet};

const VALUE: &str = "v4lue-that-no-trace-has";
const NAME: &str = "n4me-that-no-trace-has";

/// A trace and a span of a program that is none of ours.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

fn local() -> Local {
    Local::builder().vault("job").seed(NAME, VALUE).start().unwrap()
}

fn collector() -> Server {
    Server::plain(|_| Answer::status(200))
}

fn variables(collector: &Server) -> [(&'static str, String); 2] {
    let endpoint = format!("http://127.0.0.1:{}", collector.port());
    let parent = format!("00-{TRACE}-{CALLER}-01");
    [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("TRACEPARENT", parent)]
}

/// The spans that a collector has been sent, with the name of the service.
fn spans(collector: &Server) -> Vec<(String, Span)> {
    let mut spans = Vec::new();
    for request in collector.requests() {
        assert_eq!(request.target, "/v1/traces");
        assert_eq!(request.header("content-type"), "application/x-protobuf");
        let text = String::from_utf8_lossy(&request.body);
        for secret in [VALUE, NAME, "eyJ"] {
            assert!(!text.contains(secret), "`{secret}` is in a trace");
        }
        let sent = ExportTraceServiceRequest::decode(request.body.clone()).unwrap();
        for of_resource in sent.resource_spans {
            let resource = of_resource.resource.unwrap();
            let service = resource.attributes.iter().find(|it| it.key == "service.name").unwrap();
            let service = text_of(service.value.as_ref().unwrap().value.as_ref());
            let all = of_resource.scope_spans.into_iter().flat_map(|it| it.spans);
            spans.extend(all.map(|span| (service.clone(), span)));
        }
    }
    spans
}

fn text_of(value: Option<&Value>) -> String {
    match value {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{other:?}"),
    }
}

fn attribute(span: &Span, name: &str) -> String {
    let found = span.attributes.iter().find(|it| it.key == name);
    found.map(|it| text_of(it.value.as_ref().unwrap().value.as_ref())).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The span with this name below another one.
#[track_caller]
fn below<'a>(spans: &'a [(String, Span)], parent: &str, service: &str, name: &str) -> &'a Span {
    let found = spans.iter().find(|(of, span)| {
        of == service && span.name == name && hex(&span.parent_span_id) == parent
    });
    let seen = spans.iter().map(|(of, span)| {
        format!("{of}: {} {} below {}", span.name, hex(&span.span_id), hex(&span.parent_span_id))
    });
    let seen: Vec<_> = seen.collect();
    let Some((_, span)) = found else { panic!("no `{name}` below {parent}: {seen:#?}") };
    assert_eq!(hex(&span.trace_id), TRACE, "{name}");
    span
}

/// A program that does not outlive the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_trace_goes_from_a_program_by_the_agent_to_the_vault() {
    let (local, collector) = (local(), collector());
    let [endpoint, parent] = variables(&collector);
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("agent.sock");
    let mut agent = Command::new(vaultlet());
    agent.env_clear().envs(local.environment().iter().cloned()).args(["agent", "--socket"]);
    agent.arg(&socket).env(endpoint.0, &endpoint.1).env("OTEL_SERVICE_NAME", "node-agent");
    agent.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut agent = Killed(agent.spawn().unwrap());
    let mut line = String::new();
    BufReader::new(agent.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let place = line.trim().strip_prefix("export VAULTLET_AGENT=").unwrap().to_owned();
    let reference = format!("akv://job/{NAME}");
    for arguments in [vec!["get", &reference], vec!["run", "-e", "X=akv://job/none", "--", "true"]]
    {
        let run = Run::vaultlet(arguments).environment([("VAULTLET_AGENT", &place)]);
        let ended = run.environment([endpoint.clone(), parent.clone()]).end();
        ended.reveals_none_of(&[VALUE], false);
        assert!(ended.code == 0 || ended.stderr.contains("(secret-not-found)"), "{}", ended.stderr);
    }
    // It has no thread that takes a signal from it, and sends what is left at its end.
    kill(agent.0.id(), "TERM");
    assert!(agent.0.wait().unwrap().success());

    let spans = spans(&collector);
    let call = below(&spans, CALLER, "vaultlet", "getting secrets");
    let asked = below(&spans, &hex(&call.span_id), "vaultlet", "GET");
    assert_eq!(attribute(asked, "server.address"), place);
    assert_eq!(attribute(asked, "http.response.status_code"), "200");
    let served = below(&spans, &hex(&asked.span_id), "node-agent", "GET /v1/secret");
    assert_eq!(attribute(served, "http.route"), "/v1/secret");
    let read = below(&spans, &hex(&served.span_id), "node-agent", "getting a secret");
    let sent: Vec<_> = spans.iter().filter(|(_, it)| it.parent_span_id == read.span_id).collect();
    let hosts: Vec<_> = sent.iter().map(|(_, it)| attribute(it, "server.address")).collect();
    assert!(hosts.iter().any(|host| host == "job.vault.azure.net"), "{hosts:?}");
    // A failure has its id, and no text.
    let failed: Vec<_> =
        spans.iter().filter(|(_, it)| attribute(it, "error.type") == "secret-not-found").collect();
    assert!(!failed.is_empty());
    for (_, span) in failed {
        assert_eq!(span.status.as_ref().unwrap().message, "");
    }
}

#[test]
fn nothing_is_sent_unless_a_collector_is_named_and_no_command_fails_for_one_that_is_down() {
    let (local, collector) = (local(), collector());
    let [endpoint, _] = variables(&collector);
    let reference = format!("akv://job/{NAME}");
    let get = |variables: &[(&str, &str)]| {
        let run = Run::vaultlet(["--log", "warn", "get", &reference]);
        let run = run.environment(local.environment().iter().cloned());
        run.environment(variables.iter().copied()).end()
    };
    let here = endpoint.1.as_str();
    for variables in [
        vec![("OTEL_SERVICE_NAME", "job")],
        vec![(endpoint.0, here), ("OTEL_SDK_DISABLED", "true")],
        vec![(endpoint.0, here), ("OTEL_TRACES_EXPORTER", "none")],
    ] {
        assert_eq!(get(&variables).code, 0, "{variables:?}");
        assert_eq!(collector.requests().len(), 0, "{variables:?}");
    }
    let ended = get(&[(endpoint.0, "http://127.0.0.1:1")]);
    assert_eq!((ended.code, ended.stdout.trim_end()), (0, VALUE), "{}", ended.stderr);
    assert!(ended.stderr.contains("OpenTelemetry: spans are not sent"), "{}", ended.stderr);
    for (variable, value) in
        [("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_TRACES_EXPORTER", "zipkin")]
    {
        let ended = get(&[(endpoint.0, here), (variable, value)]);
        assert_eq!(ended.code, 78, "{}", ended.stderr);
        assert!(ended.stderr.contains(&format!("reading `{variable}`: ")), "{}", ended.stderr);
        assert!(ended.stderr.trim_end().ends_with("(setting-malformed)"), "{}", ended.stderr);
    }
}
