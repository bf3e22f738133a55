//! Responses to requests: from the cache, and only what the rules allow.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{StatusCode, request};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;
use vaultlet_core::secret::SecretString;
use vaultlet_core::vault::pointer;
use vaultlet_host::{Audit, Canonical, Error, Event, EventKind};
use zeroize::Zeroizing;

use crate::cache::Key;

use super::asker::{Asker, Who};
use super::body::{Answer, Given};
use super::metrics;
use super::request::{self as asked, Path, Wanted, Way};
use super::rules::Rules;
use super::{State, limits, refusal};

/// What became of a request: its path, if it has one of ours, and the response.
pub(super) struct Outcome {
    pub(super) path: &'static str,
    pub(super) answer: Answer,
    /// The time that it took, unless it waited for a new version.
    pub(super) took: Option<Duration>,
}

/// Responds to a request.
pub(super) async fn respond(
    state: &Arc<State>,
    asker: &Asker,
    way: Way,
    parts: request::Parts,
    body: Incoming,
) -> Outcome {
    let begin = Instant::now();
    let mut outcome = Outcome { path: "-", answer: Answer::empty(StatusCode::OK), took: None };
    outcome.answer = match permitted(state, way, &parts) {
        Err(refusal) => refusal,
        Ok(path) => {
            outcome.path = path.text();
            let answer = answer(state, asker, path, &parts, body).await;
            let waited =
                path == Path::Secret && parts.uri.query().is_some_and(|it| it.contains("wait="));
            let is_for_secrets = matches!(path, Path::Secret | Path::Secrets);
            outcome.took = (is_for_secrets && !waited).then(|| begin.elapsed());
            answer.unwrap_or_else(|refusal| refusal)
        }
    };
    outcome
}

/// The path that is asked for, if the request may ask at all.
fn permitted(state: &State, way: Way, parts: &request::Parts) -> Result<Path, Answer> {
    asked::check_origin(parts, way)?;
    if let Way::Http(_) = way
        && !state.rules().has_token(asked::authorization(&parts.headers))
    {
        return Err(refusal::unauthorized());
    }
    Path::find(parts, way)
}

async fn answer(
    state: &Arc<State>,
    asker: &Asker,
    path: Path,
    parts: &request::Parts,
    body: Incoming,
) -> Result<Answer, Answer> {
    match path {
        Path::Health => Ok(Answer::text("text/plain; charset=utf-8", "ok\n".into())),
        Path::Metrics => {
            let text = state.metrics.text(&state.status(), state.places.taken());
            Ok(Answer::text(metrics::TYPE, text))
        }
        Path::Status => {
            let text = serde_json::to_string(&state.status()).unwrap_or_default();
            Ok(Answer::json(StatusCode::OK, Zeroizing::new(text + "\n")))
        }
        Path::Secret => {
            let wanted = asked::wanted(parts.uri.query())?;
            one(state, asker, &wanted).await.map_err(|error| refusal::failed(&error))
        }
        Path::Secrets => {
            let references = asked::references(&whole(body).await?)?;
            let given = many(state, asker, references).await;
            let given = given.map_err(|error| refusal::failed(&error))?;
            let _turn = state.turns.acquire().await;
            Ok(Answer::secrets(given))
        }
    }
}

/// Reads a body to its end.
async fn whole(body: Incoming) -> Result<Bytes, Answer> {
    let too_large = || {
        let help = "send 256 references at most, of 2 KiB each at most";
        refusal::bad(StatusCode::PAYLOAD_TOO_LARGE, "its body is too large", help)
    };
    if body.size_hint().lower() > limits::BODY_MAX as u64 {
        discard(body).await;
        return Err(too_large());
    }
    let mut body = Box::pin(Limited::new(body, limits::BODY_MAX));
    match timeout(limits::BODY, body.as_mut().collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => {
            let what = "its body is malformed or ends too early";
            Err(refusal::bad(StatusCode::BAD_REQUEST, what, refusal::HELP))
        }
        Err(_) => {
            let what = "its body did not come within 10 s";
            Err(refusal::bad(StatusCode::REQUEST_TIMEOUT, what, refusal::HELP))
        }
    }
}

/// Reads what is too large, up to a point: a client that still writes would not read the response.
async fn discard(body: Incoming) {
    let read = async {
        let (mut body, mut rest) = (body, limits::BODY_DISCARDED);
        while let Some(Ok(frame)) = body.frame().await {
            let read = frame.data_ref().map_or(0, Bytes::len);
            let Some(left) = rest.checked_sub(read) else { return };
            rest = left;
        }
    };
    let _ = timeout(limits::BODY, read).await;
}

/// A secret that was asked for.
struct Question {
    reference: String,
    canonical: Canonical,
}

impl Question {
    fn new(state: &State, reference: String) -> Result<Self, Error> {
        let canonical = Canonical::read(&reference, &state.settings)?;
        Ok(Self { reference, canonical })
    }

    fn key(&self) -> Key {
        Key::new(self.canonical.secret(), self.canonical.version())
    }

    /// Fails if the rules deny the secret, which is written down.
    fn decide(&self, state: &State, rules: &Rules, who: &Who) -> Result<(), Error> {
        let decided = rules.decide(&self.canonical, &who.user, who.program.as_deref());
        let Err(error) = decided else { return Ok(()) };
        state.metrics.denied.inc();
        self.note(rules, who, EventKind::Denied, &error);
        Err(error)
    }

    /// Writes down that nothing is given out. That this fails changes nothing for the program that asks.
    fn note(&self, rules: &Rules, who: &Who, kind: EventKind, error: &Error) {
        let Some(audit) = &rules.audit else { return };
        let event = Event { id: Some(&error.id), ..self.event(who, kind) };
        if let Err(error) = write(audit, &event) {
            tracing::error!(target: "vaultlet::audit", "{error}");
        }
    }

    fn event<'a>(&'a self, who: &'a Who, kind: EventKind) -> Event<'a> {
        Event {
            kind,
            reference: &self.canonical,
            version: self.canonical.version(),
            user: &who.user,
            pid: who.pid,
            program: who.program.as_deref(),
            plugin: None,
            source: None,
            id: None,
        }
    }

    /// The secret, and its member if one is asked for.
    fn find(&self, answer: Result<crate::Answer, Error>) -> Result<Found, Error> {
        let answer = answer?;
        let member = self.canonical.pointer().map(|pointer| {
            let part = pointer::follow(&SecretString::from(answer.secret.reveal()), pointer)?;
            Ok::<_, Error>(Zeroizing::new(part.reveal().to_owned()))
        });
        Ok((answer, member.transpose()?))
    }

    /// What is given out, which is written down before.
    fn give(self, rules: &Rules, who: &Who, found: Result<Found, Error>) -> Result<Given, Error> {
        match found {
            Ok((answer, member)) => {
                if let Some(audit) = &rules.audit {
                    let event = Event {
                        version: Some(answer.version()).filter(|it| !it.is_empty()),
                        source: Some(if answer.is_stale { "stale" } else { "cache" }),
                        ..self.event(who, EventKind::Reveal)
                    };
                    write(audit, &event)?;
                }
                let crate::Answer { secret, is_stale } = answer;
                Ok(Given { reference: self.reference, secret, member, is_stale })
            }
            Err(error) => {
                self.note(rules, who, EventKind::Failed, &error);
                Err(error)
            }
        }
    }
}

/// A secret that was found, and its member if one is asked for.
type Found = (crate::Answer, Option<Zeroizing<String>>);

/// Writes an audit line. A disk or pipe that is slow holds up nobody else.
fn write(audit: &Audit, event: &Event<'_>) -> Result<(), Error> {
    tokio::task::block_in_place(|| audit.write(event))
}

/// One secret: at once, or when it has another version than the client's.
async fn one(state: &Arc<State>, asker: &Asker, wanted: &Wanted) -> Result<Answer, Error> {
    let question = Question::new(state, wanted.reference.clone())?;
    let mut who = asker.now(state);
    question.decide(state, &state.rules(), &who)?;
    let key = question.key();
    let mut found = state.cache.get(&key).await;
    if let (Ok(answer), Some((version, wait))) = (&found, &wanted.after)
        && answer.version() == version
    {
        let changed = state.cache.changed(&key, version, *wait);
        // Nobody is kept waiting by an agent that ends.
        let changed = state.unless_stopping(changed).await.unwrap_or(Ok(None));
        match changed {
            Ok(None) => return Ok(Answer::empty(StatusCode::NOT_MODIFIED)),
            Ok(Some(answer)) => found = Ok(answer),
            Err(error) => found = Err(error),
        }
        // The rules may be others by now, and so may the program.
        who = asker.now(state);
        question.decide(state, &state.rules(), &who)?;
    }
    let found = question.find(found);
    let given = question.give(&state.rules(), &who, found)?;
    Ok(Answer::secret(&given))
}

/// Several secrets in their order, or the first failure among them.
async fn many(
    state: &Arc<State>,
    asker: &Asker,
    references: Vec<String>,
) -> Result<Vec<Given>, Error> {
    let turn = state.turns.acquire().await;
    let questions = references.into_iter().map(|reference| Question::new(state, reference));
    let questions: Vec<_> = questions.collect::<Result<_, _>>()?;
    let (rules, who) = (state.rules(), asker.now(state));
    for question in &questions {
        question.decide(state, &rules, &who)?;
    }
    drop(turn);
    let get = |question: &Question| {
        let (cache, key) = (state.cache.clone(), question.key());
        Box::pin(async move { cache.get(&key).await })
    };
    let answers = all(questions.iter().map(get).collect()).await;
    // Nothing is written down as given out unless everything is.
    let found = questions.iter().zip(answers).map(|(question, answer)| question.find(answer));
    let found: Vec<_> = found.collect();
    let failed = found.iter().position(Result::is_err);
    let mut given = Vec::with_capacity(found.len());
    for (at, (question, found)) in questions.into_iter().zip(found).enumerate() {
        if failed.is_none_or(|failed| failed == at) {
            given.push(question.give(&rules, &who, found)?);
        }
    }
    Ok(given)
}

/// The outputs of futures that run at once, in their order.
async fn all<F: Future>(mut futures: Vec<Pin<Box<F>>>) -> Vec<F::Output> {
    let mut outputs: Vec<_> = futures.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut is_done = true;
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_some() {
                continue;
            }
            match future.as_mut().poll(context) {
                Poll::Ready(it) => *output = Some(it),
                Poll::Pending => is_done = false,
            }
        }
        if is_done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

impl State {
    /// The output of a future; `None` if the agent is asked to end before.
    async fn unless_stopping<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut stopping = self.stopping.subscribe();
        tokio::select! {
            biased;
            output = work => Some(output),
            _ = stopping.wait_for(|is| *is) => None,
        }
    }
}
