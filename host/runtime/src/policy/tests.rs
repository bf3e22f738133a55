//! Policies: what they decide, and what is refused in their files.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use vaultlet_core::settings::Settings;

use super::file::parse;
use super::*;

pub(super) fn settings(variables: &[(&str, &str)]) -> Settings {
    let get = |name: &str| variables.iter().find(|it| it.0 == name).map(|it| it.1.to_owned());
    Settings::read(&get).unwrap()
}

pub(super) const PLAIN: (&str, &str) = ("VAULTLET_ALLOW_HTTP_LOOPBACK", "true");

pub(super) const VERSION: &str = "0123456789abcdef0123456789abcdef";

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
    write("both", good, 0o666);
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
        (
            "group",
            "policy-untrusted",
            "its mode is 0664: others than its owner may write it, namely its group (",
        ),
        (
            "world",
            "policy-untrusted",
            "its mode is 0646: others than its owner may write it, namely everybody",
        ),
        ("both", "policy-untrusted", ") and everybody"),
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
    // Only root can give a file away.
    if std::os::unix::fs::chown(at("good"), Some(4_242_424), None).is_ok() {
        let error = Policy::load(at("good")).map(|it| it.rules.len()).unwrap_err();
        assert_eq!(error.id, "policy-untrusted");
        let why = "it belongs to user 4242424, neither to this user, root (0), nor to root";
        assert!(error.message.contains(why), "{error}");
    }
}
