use super::*;
use crate::context::SendError;
use core::time::Duration;

#[test]
fn transient_failures_are_retried_and_the_last_response_counts() {
    for status in [408, 429, 500, 502, 503, 504] {
        let world = with_token()
            .answer(SECRET_REQUEST, status, &[], "")
            .answer(SECRET_REQUEST, status, &[("retry-after", "7")], "")
            .answer(SECRET_REQUEST, status, &[("retry-after-ms", "70")], "")
            .answer(SECRET_REQUEST, 200, &[], BUNDLE);
        read(&world, &Memory::default(), "akv://job/db-password").unwrap();
        assert_eq!(world.waits(), [800, 7_000, 70].map(Duration::from_millis));
        let mut world = with_token().jitter(255);
        for _ in 0..4 {
            world = world.answer(SECRET_REQUEST, status, &[("retry-after", "1")], "");
        }
        let error = read(&world, &Memory::default(), "akv://job/db-password");
        if status == 429 {
            let error = failed(error, "vault-throttled", ErrorKind::Throttled);
            assert_eq!(error.retry_after_ms, Some(1_000));
        } else {
            failed(error, "vault-failed", ErrorKind::Unavailable);
        }
    }
    let world =
        with_token().answer(SECRET_REQUEST, 503, &[("retry-after", "99999999999999999999999")], "");
    let error = failed(
        read(&world, &Memory::default(), "akv://job/db-password"),
        "vault-throttled",
        ErrorKind::Throttled,
    );
    assert_eq!(error.status, Some(503));
}

#[test]
fn transport_failures_have_distinct_errors() {
    use ErrorKind::*;
    for (error, tries, id, kind, says) in [
        (SendError::Refused, 3, "vault-unreachable", Unavailable, "connection refused"),
        (SendError::Unreachable, 3, "vault-unreachable", Unavailable, "unreachable"),
        (SendError::Name, 3, "vault-unreachable", Unavailable, "the name is not known"),
        (SendError::TlsProtocol, 3, "vault-unreachable", Unavailable, "TLS"),
        (SendError::Timeout, 2, "vault-unreachable", Unavailable, "did not answer in time"),
        (SendError::TlsUntrusted, 1, "certificate-untrusted", Configuration, "not trusted"),
        (SendError::Denied, 1, "egress-denied", Denied, "does not allow"),
        (SendError::BodyTooLarge, 1, "vault-unexpected", Unavailable, "too long"),
        (
            SendError::Protocol("it was closed".into()),
            3,
            "vault-unreachable",
            Unavailable,
            "closed",
        ),
    ] {
        let mut world = with_token();
        for _ in 0..tries {
            world = world.fail(SECRET_REQUEST, error.clone());
        }
        let error = failed(read(&world, &Memory::default(), "akv://job/db-password"), id, kind);
        assert!(error.message.contains(says), "{}", error.line());
        assert!(error.message.contains("job.vault.azure.net:443"), "{}", error.line());
    }
    let world = with_token().fail(SECRET_REQUEST, SendError::Refused).answer(
        SECRET_REQUEST,
        200,
        &[],
        BUNDLE,
    );
    read(&world, &Memory::default(), "akv://job/db-password").unwrap();
}

#[test]
fn the_timeout_limits_the_whole_call() {
    let world = ScriptedContext::new(&ml_and(&[("VAULTLET_TIMEOUT", "5")]))
        .answer(ML_REQUEST, 200, &[], ML_TOKEN)
        .fail(SECRET_REQUEST, SendError::Timeout);
    failed(
        read(&world, &Memory::default(), "akv://job/db-password"),
        "timeout",
        ErrorKind::Timeout,
    );
}
