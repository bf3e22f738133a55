//! The variables that `get -o env` sets in a shell. A variable has the secret's name, or the name that an argument
//! `NAME=REFERENCE` gives it. Whoever may write a vault chooses the names of its secrets, so a name that
//! would change how a shell, the loader or an interpreter runs is used only when the caller writes it:
//! <https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html>

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use crate::{
    error::{Error, Id},
    message::plain,
    settings::{ALLOW_HTTP_LOOPBACK, Settings},
    vault::Reference,
};

/// Variables that steer a shell, the loader, an interpreter or a program that runs others; `*` stands for any end.
const STEERING: &str = "\
_ PATH IFS ENV BASH_* BASHOPTS SHELLOPTS PROMPT PROMPT_COMMAND PS0 PS1 PS2 PS3 PS4 CDPATH FPATH FCEDIT GLOBIGNORE \
EXECIGNORE FIGNORE INPUTRC FUNCNEST HISTFILE ZDOTDIR NULLCMD READNULLCMD MODULE_PATH KSH_* HOME SHELL PWD OLDPWD \
TMPDIR TMP TEMP TMOUT UID EUID GID EGID PPID GROUPS DIRSTACK FUNCNAME LINENO OPTARG OPTERR OPTIND PIPESTATUS RANDOM \
SRANDOM SECONDS EPOCHSECONDS EPOCHREALTIME REPLY MAPFILE COPROC HISTCMD ARGV ARGC STATUS COMSPEC PATHEXT PSMODULEPATH \
EDITOR VISUAL PAGER MANPAGER BROWSER LESSOPEN LESSCLOSE TERM TERMCAP TERMINFO TERMINFO_DIRS LANG LANGUAGE LC_* \
NLSPATH LOCPATH LD_* _RLD_* RLD_* DYLD_* LDR_* LIBPATH SHLIB_PATH GCONV_PATH GLIBC_TUNABLES MALLOC_* HOSTALIASES \
LOCALDOMAIN RES_OPTIONS RESOLV_* GETCONF_DIR TZDIR NIS_PATH \
PYTHON* NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED NODE_REPL_* NPM_CONFIG_* BUN_OPTIONS \
JAVA_TOOL_OPTIONS _JAVA_OPTIONS JDK_JAVA_OPTIONS JAVA_OPTIONS JAVA_OPTS JAVA_HOME JDK_HOME JRE_HOME CLASSPATH MAVEN_OPTS \
MAVEN_ARGS GRADLE_OPTS SBT_OPTS SPARK_SUBMIT_OPTS HADOOP_OPTS PERL5* PERLLIB PERL_* RUBYOPT RUBYLIB RUBYPATH RUBYSHELL \
GEM_HOME GEM_PATH BUNDLE_GEMFILE BUNDLE_PATH PHPRC PHP_INI_SCAN_DIR LUA_PATH* LUA_CPATH* LUA_INIT* R_HOME R_LIBS* \
R_PROFILE* R_ENVIRON* JULIA_* GUILE_* TCLLIBPATH ERL_* ELIXIR_ERL_OPTIONS OCAMLRUNPARAM CAML_* GHCRTS AWKPATH \
AWKLIBPATH EMACSLOADPATH VIMINIT EXINIT DOTNET_* CORECLR_* COR_* COMPLUS_* MONO_* GOFLAGS GOROOT GOPATH GOENV GOPROXY \
GOSUMDB GONOSUMDB GONOPROXY GODEBUG GOTOOLCHAIN RUSTC RUSTC_* RUSTDOC RUSTFLAGS RUSTDOCFLAGS RUSTUP_* CARGO_HOME \
CARGO_BUILD_* CARGO_TARGET_* CC CXX CPP LD AR AS CFLAGS CXXFLAGS CPPFLAGS LDFLAGS MAKE MAKEFLAGS MFLAGS GNUMAKEFLAGS \
MAKEFILES COMPILER_PATH LIBRARY_PATH CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH GCC_EXEC_PREFIX PKG_CONFIG* \
GIT_ASKPASS GIT_CONFIG* GIT_DIR GIT_EDITOR GIT_EXEC_PATH GIT_EXTERNAL_DIFF GIT_INDEX_FILE GIT_OBJECT_DIRECTORY \
GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_PAGER GIT_PROXY_COMMAND GIT_SEQUENCE_EDITOR GIT_SSH GIT_SSH_* GIT_SSL_* \
GIT_TEMPLATE_DIR GIT_WORK_TREE SSH_ASKPASS* SSH_AUTH_SOCK SUDO_ASKPASS SUDO_EDITOR RSYNC_RSH CVS_RSH SVN_SSH \
OPENSSL_CONF OPENSSL_ENGINES OPENSSL_MODULES SSL_CERT_FILE SSL_CERT_DIR CURL_HOME WGETRC DOCKER_CONFIG KUBECONFIG \
CUDA_INJECTION* NCCL_NET_PLUGIN NCCL_CONF_FILE NCCL_TUNER_PLUGIN OMPI_* PMIX_* UCX_MODULE_DIR VAULTLET_*";

/// An argument of `get -o env`: the name for its variable, if it gives one, and its reference.
pub fn split(argument: &str) -> (Option<&str>, &str) {
    match argument.split_once('=') {
        // A reference has one of these before its first `=`, and a name has none of them.
        Some((name, reference)) if !name.contains([':', '/', '@', '?', '(']) => {
            (Some(name), reference)
        }
        _ => (None, argument),
    }
}

/// Checks the variables of `get -o env` before anything is requested. A malformed reference is left to the
/// request, which reports it.
pub fn check(arguments: &[String]) -> Result<(), Error> {
    let settings = |name: &str| (name == ALLOW_HTTP_LOOPBACK.variable).then(|| "true".to_owned());
    let settings = Settings::read(&settings)?;
    let mut secrets = Vec::with_capacity(arguments.len());
    for argument in arguments {
        match split(argument) {
            (Some(_), _) => secrets.push((argument.as_str(), String::new())),
            (None, text) => {
                if let Ok(reference) = Reference::parse(text, &settings) {
                    secrets.push((text, reference.name));
                }
            }
        }
    }
    names(&secrets).map(drop)
}

/// The names of variables, each for an argument and the name of its secret.
pub(super) fn names(secrets: &[(&str, String)]) -> Result<Vec<String>, Error> {
    let mut names: Vec<String> = Vec::with_capacity(secrets.len());
    for (argument, secret) in secrets {
        let (written, reference) = split(argument);
        let name = written.map_or_else(|| variable(secret), ToOwned::to_owned);
        let (what, help) = if !is_name(&name) {
            (
                "is not the name of a variable",
                "use letters, digits and `_`, and do not begin with a digit",
            )
        } else if written.is_none() && is_steering(&name) {
            ("changes how programs run", "write that name, or another, as in `NAME=REFERENCE`")
        } else if names.contains(&name) {
            ("is the variable of two references", "give one another name, as in `NAME=REFERENCE`")
        } else {
            names.push(name);
            continue;
        };
        let (name, reference) = (plain(&name), plain(reference));
        return Err(Error::new(
            Id::VariableRefused,
            format!("naming the variable of `{reference}`: `{name}` {what}"),
        )
        .with_help(help));
    }
    Ok(names)
}

/// The variable for a secret's name: `db-password` is `DB_PASSWORD`. An underscore is put in front of
/// a leading digit (`1pass` is `_1PASS`), because a shell would take `1PASS='…'` for a command, and show the
/// value in its error.
fn variable(secret: &str) -> String {
    let name = secret.to_ascii_uppercase().replace('-', "_");
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// Whether this can be the name of a variable in every shell.
pub fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(is_plain) && name.starts_with(|c: char| !c.is_ascii_digit())
}

fn is_steering(name: &str) -> bool {
    STEERING.split(' ').any(|steering| match steering.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == steering,
    })
}
