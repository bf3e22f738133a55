//! Policies against references: what is allowed, what only looks as if it were, and what is refused in a file.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use proptest::prelude::*;
use vaultlet_core::settings::{Cloud, Settings};

use super::file::parse;
use super::glob::is_like;
use super::pattern::Pattern;
use super::*;

fn settings(variables: &[(&str, &str)]) -> Settings {
    let get = |name: &str| variables.iter().find(|it| it.0 == name).map(|it| it.1.to_owned());
    Settings::read(&get).unwrap()
}

const PLAIN: (&str, &str) = ("VAULTLET_ALLOW_HTTP_LOOPBACK", "true");

/// The text with the suffix of the public cloud's vaults in the place of `SUFFIX`.
fn with_suffix(text: &str) -> String {
    text.replace("SUFFIX", Cloud::Public.suffix()).replace("CHINA", Cloud::China.suffix())
}

const VERSION: &str = "0123456789abcdef0123456789abcdef";

/// Patterns, each with references and whether it covers them.
const COVERED: &[(&str, &[(&str, bool)])] = &[
    (
        "akv://team-kv/db",
        &[
            ("akv://team-kv/db", true),
            ("AKV://Team-KV/db", true),
            (" akv://team-kv/db ", true),
            ("akv://team-kv/db/", true),
            ("akv://team-kv/db?json=/user", true),
            ("akv://team-kv/db/VERSION", true),
            ("akv://team-kv.SUFFIX/db", true),
            ("akv://TEAM-KV.SUFFIX:443/db", true),
            ("https://team-kv.SUFFIX/secrets/db", true),
            ("https://team-kv.SUFFIX:443/secrets/db/VERSION", true),
            ("@Microsoft.KeyVault(SecretUri=https://team-kv.SUFFIX/secrets/db)", true),
            ("@Microsoft.KeyVault(VaultName=team-kv;SecretName=db;SecretVersion=VERSION)", true),
            ("akv://team-kv/DB", false),
            ("akv://team-kv/db2", false),
            ("akv://team-kv/d", false),
            ("akv://team-kv2/db", false),
            ("akv://eam-kv/db", false),
            ("akv://team-kv.CHINA/db", false),
            ("akv://team-kv.SUFFIX:8443/db", false),
            ("akv://team-kv.SUFFIX.evil.example/db", false),
            ("akv://x.team-kv.SUFFIX/db", false),
            ("akv://team-kv.localhost:8443/db", false),
            ("akv://team-kv.x.SUFFIX/db", false),
        ],
    ),
    (
        "akv://team-kv/*",
        &[
            ("akv://team-kv/db", true),
            ("akv://team-kv/db/VERSION", true),
            ("akv://team-kv/DB", true),
            ("akv://team-kv2/db", false),
            ("akv://team-kv.CHINA/db", false),
        ],
    ),
    (
        "akv://Team-*/train-*",
        &[
            ("akv://team-kv/train-x", true),
            ("akv://team-kv/train-", true),
            ("akv://team-kv/Train-x", false),
            ("akv://team-kv/x-train-x", false),
            ("akv://steam-kv/train-x", false),
            ("akv://team-kv.evil.example/train-x", false),
            ("akv://team-a.b.SUFFIX/train-x", false),
        ],
    ),
    (
        "akv://*/db",
        &[
            ("akv://team-kv/db", true),
            ("akv://job.localhost:8443/db", true),
            ("akv://team-kv.CHINA/db", true),
            ("akv://team-kv/db2", false),
            ("http://127.0.0.1:8080/secrets/db", false),
        ],
    ),
    (
        "akv://*.SUFFIX/*",
        &[
            ("akv://team-kv/db", true),
            ("akv://a.b.SUFFIX/db", true),
            ("akv://team-kv.SUFFIX:8443/db", false),
            ("akv://team-kv.CHINA/db", false),
        ],
    ),
    (
        "https://team-kv.SUFFIX:443/secrets/train-*/",
        &[("akv://team-kv/train-x", true), ("akv://team-kv/db", false)],
    ),
    (
        "@microsoft.keyvault( VaultName = team-kv ; SecretName = train-* )",
        &[("akv://team-kv/train-x/VERSION", true), ("akv://team-kv/db", false)],
    ),
    (
        "@Microsoft.KeyVault(SecretUri=https://team-kv.SUFFIX/secrets/*)",
        &[("akv://team-kv/x", true), ("akv://other-kv/x", false)],
    ),
    (
        "akv://team-kv/db/VERSION",
        &[
            ("akv://team-kv/db/VERSION", true),
            ("akv://team-kv/db/0123456789ABCDEF0123456789ABCDEF", true),
            ("akv://team-kv/db", false),
            ("akv://team-kv/db/00000000000000000000000000000000", false),
        ],
    ),
    ("akv://team-kv/db/*", &[("akv://team-kv/db/VERSION", true), ("akv://team-kv/db", false)]),
    (
        "akv://team-kv/db/0123*",
        &[
            ("akv://team-kv/db/VERSION", true),
            ("akv://team-kv/db/00000000000000000000000000000000", false),
        ],
    ),
    (
        "akv://job.localhost:8443/db",
        &[
            ("akv://JOB.localhost:8443/db", true),
            ("akv://job.localhost:8444/db", false),
            ("akv://job.localhost/db", false),
            ("http://job.localhost:8443/secrets/db", false),
        ],
    ),
    (
        "http://127.0.0.1:8080/secrets/*",
        &[
            ("http://127.0.0.1:8080/secrets/db", true),
            ("http://127.0.0.1:80801/secrets/db", false),
            ("https://127.0.0.1:8080/secrets/db", false),
            ("http://127.0.0.2:8080/secrets/db", false),
        ],
    ),
    (
        "http://127.0.0.1:*/secrets/db",
        &[
            ("http://127.0.0.1:8080/secrets/db", true),
            ("http://127.0.0.1/secrets/db", false),
            ("http://127.0.0.1:8080/secrets/db2", false),
        ],
    ),
];

#[test]
fn a_pattern_covers_what_it_is_written_for_in_every_form_and_no_look_alike() {
    let settings = settings(&[PLAIN]);
    for (pattern, references) in COVERED {
        let text = with_suffix(pattern).replace("VERSION", VERSION);
        let pattern = Pattern::of_secrets(&text).unwrap_or_else(|it| panic!("{text}: {}", it.why));
        for (reference, expected) in *references {
            let reference = with_suffix(reference).replace("/VERSION", &format!("/{VERSION}"));
            let reference = reference.replace("=VERSION", &format!("={VERSION}"));
            // A host that cannot be is refused before it is compared.
            let Ok(canonical) = Canonical::read(&reference, &settings) else {
                assert!(!expected, "{reference} is malformed");
                continue;
            };
            assert_eq!(pattern.covers(&canonical), *expected, "{text} and {reference}");
        }
        // What it shows of itself means the same.
        assert_eq!(Pattern::of_secrets(&pattern.text()).unwrap(), pattern, "{text}");
    }
}

#[test]
fn a_vault_s_name_is_one_of_the_reference_s_cloud() {
    let pattern = Pattern::of_secrets("akv://team-kv/*").unwrap();
    for (cloud, reference, expected) in [
        ("china", "akv://team-kv/db", true),
        ("usgov", "akv://team-kv/db", true),
        ("china", "akv://team-kv.CHINA/db", true),
        ("china", "akv://team-kv.SUFFIX/db", false),
    ] {
        let settings = settings(&[("VAULTLET_CLOUD", cloud)]);
        let reference = Canonical::read(&with_suffix(reference), &settings).unwrap();
        assert_eq!(pattern.covers(&reference), expected, "{cloud}: {reference:?}");
    }
    let settings = settings(&[("AZURE_AUTHORITY_HOST", "https://login.example")]);
    let reference = Canonical::read(&with_suffix("akv://team-kv.SUFFIX/db"), &settings).unwrap();
    assert!(!pattern.covers(&reference), "no cloud, so that no vault has a name alone");
}

#[test]
fn a_reference_that_goes_elsewhere_by_its_path_is_refused_before_it_is_compared() {
    for reference in [
        "akv://team-kv/../other-kv/db",
        "akv://team-kv/%2e%2e/db",
        "akv://team-kv/d%62",
        "akv://team-kv//db",
        "akv://team-kv/db/../x",
        "akv://team-kv/db#x",
        "akv://user@team-kv/db",
        "akv://team-kv\\@evil/db",
        "akv://team-kv/db*",
        "akv://*/db",
        "https://team-kv.SUFFIX/secrets/../secrets/db",
        "http://team-kv.SUFFIX/secrets/db",
    ] {
        let read = Canonical::read(&with_suffix(reference), &settings(&[]));
        assert!(read.is_err(), "{reference}: {read:?}");
    }
}

#[test]
fn a_pattern_that_means_nothing_is_refused() {
    for (pattern, why) in [
        ("", "it is empty"),
        ("*", "it is not `akv://…`"),
        ("db", "it is not `akv://…`"),
        ("akv://team-kv", "it names a vault and no secret"),
        ("akv://team-kv/", "it names a vault and no secret"),
        ("akv://*", "it names a vault and no secret"),
        ("akv://*/", "it names a vault and no secret"),
        ("akv:///*", ""),
        ("akv://team kv/*", ""),
        ("akv://t/*", "a vault's name has 3 to 24"),
        ("akv://te_am*/x", "its vault is none"),
        ("akv://u*@team-kv/x", "its vault is none"),
        ("akv://team-kv/a_*", "a secret's name has"),
        ("akv://team-kv/%2a*", "a secret's name has"),
        ("akv://team-kv/../*", "a secret's name has"),
        ("akv://team-kv/*/..", "a version has"),
        ("akv://team-kv/*/abc", "a version has"),
        ("akv://team-kv/*/*/*", "a version has"),
        ("akv://team-kv/*?json=/a", "it has options"),
        ("akv://team-kv/db?json=/a", "it has options"),
        ("akv://team-kv/db?optional", "it has options"),
        ("akv://team-kv/*#x", "it has a `*` and options"),
        ("ftp://team-kv/*", "it is not `akv://…`"),
        ("https://team-kv.example/keys/*", "its path is not"),
        ("https://team-kv.example/*", "its path is not"),
        ("http://team-kv.example/secrets/db", "over `https` only"),
        ("@Microsoft.KeyVault(VaultName=team-kv;Name=*)", "neither `SecretUri`"),
        ("@Microsoft.KeyVault(VaultName=a*;VaultName=b;SecretName=c)", "neither `SecretUri`"),
        ("@Microsoft.KeyVault(SecretName=*", "neither `SecretUri`"),
        ("@Other(SecretUri=*)", "neither `SecretUri`"),
    ] {
        let refused = Pattern::of_secrets(pattern).unwrap_err();
        assert!(refused.why.contains(why), "{pattern}: {}", refused.why);
        assert!(!refused.help.is_empty(), "{pattern}");
    }
    let long = Pattern::of_secrets(&format!("akv://team-kv/{}*", "a".repeat(5_000))).unwrap_err();
    assert!(long.why.contains("it is too long") && long.why.len() < 200, "{}", long.why);
}

/// The line and the words of the error of a malformed policy.
const MALFORMED: &[(&str, usize, &str)] = &[
    ("x = 1", 1, "the key `x` is not known"),
    ("\n[deny]\n", 2, "the key `deny` is not known"),
    ("[[allow]]\n", 1, "the rule has no `reference`"),
    ("[[allow]]\nreference = 1\n", 2, "`reference` is not a text"),
    ("[[allow]]\nreference = \"akv://team-kv\"\n", 2, "it names a vault and no secret"),
    ("[[allow]]\nreferences = \"akv://team-kv/x\"\n", 2, "the key `references` is not known"),
    ("# x\n[[allow]]\nreference = \"akv://team-kv/x\"\nversion = \"any\"\n", 4, "`version`"),
    (
        "[[allow]]\nreference = \"akv://team-kv/x\"\nversions = \"all\"\n",
        3,
        "`versions` is neither",
    ),
    (
        "[[allow]]\nreference = \"akv://team-kv/x\"\nversions = [\"any\"]\n",
        3,
        "`versions` is not a text",
    ),
    (
        "[[allow]]\nreference = \"akv://team-kv/x/*\"\nversions = \"latest\"\n",
        3,
        "the rule names a version",
    ),
    ("[[allow]]\nreference = \"akv://team-kv/x\"\nuser = \"a\"\n", 3, "`user` is not a list"),
    ("[[allow]]\nreference = \"akv://team-kv/x\"\nuser = []\n", 3, "`user` names nobody"),
    (
        "[[allow]]\nreference = \"akv://team-kv/x\"\nuser = [\n\"a\",\n\"\"]\n",
        5,
        "`user` cannot be",
    ),
    (
        "[[allow]]\nreference = \"akv://team-kv/x\"\nuser = [1000]\n",
        3,
        "`user` is not a list of texts",
    ),
    (
        "[[allow]]\nreference = \"akv://team-kv/x\"\nprogram = [\"python3\"]\n",
        3,
        "`program` cannot be",
    ),
    ("[[allow]]\nreference = \"akv://team-kv/x\"\nprogram = [\"*\"]\n", 3, "`program` cannot be"),
    (
        "[[allow]]\nreference = \"akv://team-kv/x\"\nreference = \"akv://team-kv/y\"\n",
        3,
        "duplicate key",
    ),
    ("[allow]\nreference = \"akv://team-kv/x\"\n", 1, "`allow` is not a list"),
    ("allow = \"akv://team-kv/x\"\n", 1, "`allow` is not a list"),
    ("allow = [\"akv://team-kv/x\"]\n", 1, "a rule of `allow` is not a table"),
    ("[audit]\n", 1, "`[audit]` has no `file`"),
    ("[audit]\nfile = 1\n", 2, "`file` is not a text"),
    ("[audit]\nfile = \"\"\n", 2, "`file` names nothing"),
    ("[audit]\nfile = \"a\\u0000b\"\n", 2, "`file` names nothing"),
    ("[audit]\nfile = \"stderr\"\nlevel = 1\n", 3, "the key `level` is not known"),
    ("[[audit]]\nfile = \"stderr\"\n", 1, "`audit` is not a table"),
    ("[audit]\nfile = \"a\"\n[audit]\nfile = \"b\"\n", 3, "duplicate key"),
    ("[[allow]\n", 1, ""),
    ("[[allow]]\nreference = akv://team-kv/x\n", 2, ""),
    ("[[allow]]\nreference = \"akv://team-kv/x\n", 2, ""),
    // The first of several.
    ("[[allow]]\nreference = 1\nuser = 1\nx = 1\n[y]\n", 2, "`reference` is not a text"),
];

#[test]
fn what_is_wrong_in_a_policy_is_named_with_its_line() {
    for (text, line, why) in MALFORMED {
        for text in [(*text).to_owned(), text.replace('\n', "\r\n")] {
            let error = parse(&text, Path::new("p.toml")).map(|it| it.rules.len()).unwrap_err();
            assert_eq!(
                (error.id.as_str(), error.kind.as_str()),
                ("policy-malformed", "configuration")
            );
            let start = format!("reading the policy `p.toml`: line {line}: ");
            assert!(error.message.starts_with(&start), "{text:?}: {error}");
            assert!(error.message.contains(why) && !error.help.is_empty(), "{text:?}: {error}");
        }
    }
}

fn policy(text: &str) -> Policy {
    parse(text, Path::new("/etc/p.toml")).unwrap()
}

/// What a policy says: whether it allows, the line, and why not.
fn decided(policy: &Policy, reference: &str, user: &User, program: Option<&str>) -> Decision {
    let reference = Canonical::read(reference, &settings(&[PLAIN])).unwrap();
    policy.decide(&Subject { reference: &reference, user, program: program.map(Path::new) })
}

#[test]
fn the_first_rule_that_allows_decides_and_the_nearest_explains() {
    let rules = "# a comment\n\
        [[allow]]\nreference = \"akv://team-kv/a\"\nversions = \"latest\"\n\n\
        [[allow]]\nreference = \"akv://team-kv/b\"\nuser = [\"root\", \"no-such-user-here\", \"4294967290\"]\n\n\
        [[allow]]\nreference = \"akv://team-kv/c\"\nprogram = [\"/opt/x/*\", \"/bin/sh\"]\n\n\
        [[allow]]\nreference = \"akv://team-kv/*\"\nuser = [\"4294967291\"]\n";
    let inline = policy(
        "allow = [\n{ reference = \"akv://team-kv/a\" },\n{ reference = \"akv://team-kv/b\" }]",
    );
    let rules = policy(rules);
    let (root, named) = (User::named("root"), User::named("no-such-user-here"));
    let (numbered, other) = (User::with_id(4_294_967_290), User::with_id(4_294_967_291));
    let sh = fs::canonicalize("/bin/sh").unwrap();
    let (sh, version) = (sh.to_str(), format!("akv://team-kv/a/{VERSION}"));
    for (reference, user, program, line, reason) in [
        ("akv://team-kv/a", &root, None, Some(2), None),
        (&version, &root, None, Some(2), Some(Reason::Version)),
        (&version, &other, None, Some(14), None),
        ("akv://team-kv/b", &root, None, Some(6), None),
        ("akv://team-kv/b", &named, None, Some(6), None),
        ("akv://team-kv/b", &numbered, None, Some(6), None),
        ("akv://team-kv/b", &other, None, Some(14), None),
        ("akv://team-kv/c", &root, None, Some(10), Some(Reason::Program)),
        ("akv://team-kv/c", &root, Some("/opt/x/y"), Some(10), None),
        ("akv://team-kv/c", &root, Some("/opt/x/y/z"), Some(10), Some(Reason::Program)),
        // Where the link of the pattern leads.
        ("akv://team-kv/c", &root, sh, Some(10), None),
        ("akv://team-kv/d", &root, None, Some(14), Some(Reason::User)),
        ("akv://other-kv/d", &root, None, None, Some(Reason::Reference)),
    ] {
        let decision = decided(&rules, reference, user, program);
        let expected = Decision { allowed: reason.is_none(), line, reason };
        assert_eq!(decision, expected, "{reference} {user:?} {program:?}");
    }
    assert_eq!(decided(&inline, "akv://team-kv/b", &root, None).line, Some(3));
    for empty in ["", "\u{feff}", "allow = []", "[audit]\nfile = \"stderr\""] {
        assert!(!decided(&policy(empty), "akv://team-kv/a", &root, None).allowed, "{empty}");
    }
    assert_eq!(rules.names_other_users().iter().filter(|id| **id != 0).count(), 2);
}

#[test]
fn patterns_without_a_file_are_a_policy_for_everybody() {
    let policy = Policy::from_patterns(&["akv://team-kv/a", "akv://team-kv/b*"]).unwrap();
    let user = User::with_id(4_294_967_290);
    assert_eq!(decided(&policy, "akv://team-kv/bc", &user, None).line, Some(2));
    let decision = decided(&policy, "akv://team-kv/c?json=/x", &user, None);
    let reference = Canonical::read("akv://team-kv/c?json=/x", &settings(&[])).unwrap();
    let error = policy.denial(&reference, &decision);
    assert_eq!(error.id, "policy-denied");
    assert!(error.message.contains("`--allow`") && !error.message.contains("json"), "{error}");
    assert_eq!(Policy::from_patterns(&["akv://team-kv"]).unwrap_err().kind.as_str(), "usage");
}

#[test]
fn a_file_that_others_may_write_or_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let write = |name: &str, bytes: &[u8], mode: u32| {
        fs::write(at(name), bytes).unwrap();
        fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    let good = b"[[allow]]\nreference = \"akv://team-kv/x\"\n";
    write("good", good, 0o644);
    write("group", good, 0o664);
    write("world", good, 0o646);
    write("latin", b"[[allow]]\nreference = \"akv://team-kv/x\" # \xe9\n", 0o600);
    write("large", &b"# comment\n".repeat(110_000), 0o600);
    symlink(at("good"), at("link")).unwrap();
    fs::create_dir(at("folder")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        at("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    for (name, id, why) in [
        ("group", "policy-untrusted", "others than its owner may write it"),
        ("world", "policy-untrusted", "others than its owner may write it"),
        ("latin", "policy-malformed", "line 2: it is not UTF-8"),
        ("large", "policy-file", "it is too long"),
        ("folder", "policy-file", "it is a folder"),
        ("pipe", "policy-file", "it is not a regular file"),
        ("none", "policy-file", "there is no such file"),
        ("good/x", "policy-file", "there is no such file"),
    ] {
        let error = Policy::load(at(name)).map(|it| it.rules.len()).unwrap_err();
        assert_eq!((error.id.as_str(), error.kind.as_str()), (id, "configuration"), "{name}");
        assert!(error.message.contains(why) && error.message.contains(name), "{error}");
    }
    for name in ["good", "link"] {
        assert_eq!(Policy::load(at(name)).unwrap().rules.len(), 1, "{name}");
    }
}

/// What [`is_like`] does, without its order.
fn is_like_by_trial(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => {
            let most = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
            (0..=most).any(|count| is_like_by_trial(rest, &text[count..]))
        }
        Some((first, rest)) => text.first() == Some(first) && is_like_by_trial(rest, &text[1..]),
    }
}

proptest! {
    #[test]
    fn stars_are_tried_in_an_order_that_misses_nothing(pattern in "[ab*/]{0,9}", text in "[ab/]{0,12}") {
        let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
        prop_assert_eq!(is_like(pattern, text), is_like_by_trial(pattern, text));
    }

    #[test]
    fn no_text_of_a_policy_makes_its_parser_panic(text in ".{0,200}") {
        let _ = parse(&text, Path::new("p.toml"));
    }

    #[test]
    fn no_text_like_a_policy_makes_its_parser_panic(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "[[allow]]\n", "[audit]\n", "[allow.x]\n", "allow", "audit", ".", "reference", " = ", "\"", "'", "\"\"\"",
                "akv://team-kv/*", "@Microsoft.KeyVault(", ")", "versions", "latest", "user", "program", "[", "]",
                "{", "}", ",", "\n", "\\u", "*", "/", "1", "2020-01-01", "#", "\u{e9}", "\0", "\r",
            ]),
            0..24,
        ),
    ) {
        let text = parts.concat();
        if let Ok(policy) = parse(&text, Path::new("p.toml")) {
            let _ = policy.rules().count();
        }
    }

    #[test]
    fn no_pattern_makes_its_parser_panic(text in "(akv|https|http|@Microsoft.KeyVault)?[a-z*:/@().;=?#%é-]{0,40}") {
        if let Ok(pattern) = Pattern::parse(&text) {
            prop_assert_eq!(Pattern::parse(&pattern.text()).map(|it| it.text()).ok(), Some(pattern.text()));
        }
    }

    #[test]
    fn what_is_not_literally_under_a_pattern_is_never_allowed(
        start in prop::sample::select(vec![
            "akv://team-kv/train-", "AKV://TEAM-KV/", "akv://team-kv", "akv://", "https://team-kv.SUFFIX/secrets/train-",
            "https://team-kv.SUFFIX", "http://127.0.0.1/secrets/", "@Microsoft.KeyVault(VaultName=team-kv;SecretName=",
        ]),
        rest in "[a-zA-Z0-9:/.?%@#*()=;-]{0,24}",
    ) {
        let pattern = Pattern::of_secrets("akv://team-kv/train-*").unwrap();
        let text = with_suffix(&start) + &rest;
        if let Ok(reference) = Canonical::read(&text, &settings(&[PLAIN])) {
            let under = with_suffix("akv://team-kv.SUFFIX/train-");
            let is_under = reference.secret().strip_prefix(under.as_str()).is_some_and(|it| !it.contains('/'));
            prop_assert_eq!(pattern.covers(&reference), is_under, "{}", text);
        }
    }
}
