//! The component as a command: `get`, `list`, `versions`, `token`, `whoami`, as the command line has
//! them.
//! Its exit status is only 0 or 1: WASI 0.2 has no other.

mod list;

use alloc::{borrow::ToOwned, format, rc::Rc, string::String, vec::Vec};
use getargs::{Arg, Options};
use zeroize::Zeroizing;

use list::List;

use crate::{
    call::{Call, Memory},
    context::Context,
    error::{Error, Id},
    token::{Holder, Token, TokenRequest},
    tokens,
    vault::{self, Properties, Secret},
    words::json::{self, Object},
};

/// What `--help` says.
const HELP: &str = "\
usage: vaultlet.wasm get REFERENCE… [-o value|json|env]
       vaultlet.wasm list VAULT [-o table|json|value]
       vaultlet.wasm versions REFERENCE [-o table|json|value]
       vaultlet.wasm token [--resource URI | --scope SCOPE] [--claims JSON] [--tenant ID] [-o value|json] --reveal
       vaultlet.wasm whoami [--resource URI | --scope SCOPE] [--tenant ID] [-o table|json]

get    prints secrets of Key Vault. A reference is akv://<vault>/<name>[/<version>][?json=<pointer>],
       the secret's own URL, or @Microsoft.KeyVault(…). `value` takes one reference only.
list   prints what there is in a vault, versions the versions of a secret, newest first. `value` is
       names, or versions, alone. Instead of a reference: NAME --vault VAULT.
token  prints an access token, by default one for the cloud's Key Vault.
whoami says whose token that would be.

settings, as environment variables:
  VAULTLET_IDENTITY, VAULTLET_EXCLUDE                    which sources of credentials, in order
  VAULTLET_CLIENT_ID, …_OBJECT_ID, …_RESOURCE_ID         which user-assigned identity
  VAULTLET_CLOUD                                         public, china, usgov
  VAULTLET_TIMEOUT                                       seconds for all, 120 by default
  VAULTLET_ALLOW_HTTP_LOOPBACK                           true: a vault on loopback may be http://
";

/// What a command has to say.
#[derive(Debug)]
pub struct Done {
    /// The answer and nothing else.
    pub stdout: Zeroizing<String>,
    /// Everything else.
    pub stderr: String,
    /// Whether it went well.
    pub is_success: bool,
}

/// Runs a command; `arguments` are those after the program's name.
pub fn run<C: Context>(context: &C, memory: &Memory, arguments: &[String]) -> Done {
    let (output, done) = match Command::parse(arguments) {
        Ok(Command::Help) => (Output::Value, Ok(HELP.to_owned().into())),
        Ok(Command::Get { references, output }) => {
            (output, get(context, memory, &references, output))
        }
        Ok(Command::Token { request, output }) => (output, token(context, memory, request, output)),
        Ok(Command::Whoami { request, output }) => {
            (output, whoami(context, memory, request, output))
        }
        Ok(Command::List(list)) => (list.output(), list.run(context, memory)),
        Err(error) => (Output::wanted(arguments), Err(error)),
    };
    match done {
        Ok(stdout) => Done { stdout, stderr: String::new(), is_success: true },
        Err(error) => Done {
            stdout: String::new().into(),
            stderr: match output {
                Output::Json => format!("{}\n", error.json()),
                _ => format!("vaultlet: {}\n", error.line()),
            },
            is_success: false,
        },
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Output {
    Value,
    Json,
    Env,
    Table,
}

impl Output {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "value" => Some(Self::Value),
            "json" => Some(Self::Json),
            "env" => Some(Self::Env),
            "table" => Some(Self::Table),
            _ => None,
        }
    }

    /// How an error of the arguments themselves is to be said.
    fn wanted(arguments: &[String]) -> Self {
        let json = arguments
            .iter()
            .zip(arguments.iter().skip(1))
            .any(|(flag, value)| matches!(flag.as_str(), "-o" | "--output") && value == "json")
            || arguments.iter().any(|one| one == "--output=json" || one == "-ojson");
        if json { Self::Json } else { Self::Value }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Command {
    Help,
    Get { references: Vec<String>, output: Output },
    Token { request: Asked, output: Output },
    Whoami { request: Asked, output: Output },
    List(List),
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    resource: Option<String>,
    tenant: Option<String>,
    claims: Option<String>,
}

impl Command {
    fn parse(arguments: &[String]) -> Result<Self, Error> {
        let mut options = Options::new(arguments.iter().map(String::as_str));
        let mut words: Vec<String> = Vec::new();
        let mut output = None;
        let mut asked = Asked::default();
        let mut vault = None;
        let mut token_flags = false;
        let mut reveal = false;
        while let Some(argument) = options.next_arg().map_err(|error| usage(&format!("{error}")))? {
            let flag = match argument {
                Arg::Positional(word) => {
                    words.push(word.to_owned());
                    continue;
                }
                Arg::Short('h') | Arg::Long("help") => return Ok(Self::Help),
                Arg::Short('o') | Arg::Long("output") => {
                    let value = options.value().map_err(|error| usage(&format!("{error}")))?;
                    output =
                        Some(Output::parse(value).ok_or_else(|| {
                            usage("`--output` is `value`, `json`, `env` or `table`")
                        })?);
                    continue;
                }
                Arg::Long("reveal") => {
                    reveal = true;
                    token_flags = true;
                    continue;
                }
                Arg::Long(flag) => flag,
                Arg::Short(flag) => return Err(usage(&format!("there is no flag `-{flag}`"))),
            };
            let place = match flag {
                "resource" | "scope" => &mut asked.resource,
                "tenant" => &mut asked.tenant,
                "claims" => &mut asked.claims,
                "vault" => &mut vault,
                _ => return Err(usage(&format!("there is no flag `--{flag}`"))),
            };
            token_flags |= flag != "vault";
            let value = options.value().map_err(|error| usage(&format!("{error}")))?;
            if place.replace(value.to_owned()).is_some() {
                return Err(usage(&format!("`--{flag}` contradicts another flag")));
            }
        }
        let mut words = words.into_iter();
        let command = words.next();
        let command = command.as_deref();
        let is_list = matches!(command, Some("list" | "versions"));
        if (vault.is_some() && !is_list) || (token_flags && is_list) {
            return Err(usage("the command has no such flag"));
        }
        let is_table = is_list || command == Some("whoami");
        let output = output.unwrap_or(if is_table { Output::Table } else { Output::Value });
        match command {
            Some(name @ ("list" | "versions")) => {
                let word = words.next();
                if words.next().is_some() {
                    return Err(usage("it lists one thing only"));
                }
                List::new(name == "versions", word, vault, output).map(Self::List)
            }
            Some("get") => {
                let references: Vec<String> = words.collect();
                if token_flags {
                    return Err(usage("`get` has no such flag"));
                }
                match (references.len(), output) {
                    (0, _) => Err(usage("`get` needs a reference")),
                    (_, Output::Table) => Err(usage("`get` has no `--output table`")),
                    (2.., Output::Value) => Err(usage("`--output value` takes one reference only")),
                    _ => Ok(Self::Get { references, output }),
                }
            }
            Some("token") => match (words.next(), reveal, output) {
                (Some(_), ..) => Err(usage("`token` takes flags only")),
                (_, false, _) => Err(usage("`token` prints a token only with `--reveal`")),
                (.., Output::Value | Output::Json) => Ok(Self::Token { request: asked, output }),
                _ => Err(usage("`token` prints `value` or `json`")),
            },
            Some("whoami") => match (words.next(), reveal || asked.claims.is_some(), output) {
                (Some(_), ..) => Err(usage("`whoami` takes flags only")),
                (_, true, _) => Err(usage("`whoami` has no such flag")),
                (.., Output::Table | Output::Json) => Ok(Self::Whoami { request: asked, output }),
                _ => Err(usage("`whoami` prints `table` or `json`")),
            },
            Some("help") => Ok(Self::Help),
            Some(_) => Err(usage("the commands are `get`, `list`, `versions`, `token`, `whoami`")),
            None => {
                Err(usage("a command is missing: `get`, `list`, `versions`, `token`, `whoami`"))
            }
        }
    }
}

fn usage(what: &str) -> Error {
    Error::new(Id::Usage, format!("reading arguments: {what}"))
}

fn get<C: Context>(
    context: &C,
    memory: &Memory,
    references: &[String],
    output: Output,
) -> Result<Zeroizing<String>, Error> {
    let call = Call::new(context, memory)?;
    let mut secrets = Vec::with_capacity(references.len());
    for reference in references {
        secrets.push((reference.as_str(), vault::get(&call, reference, None)?));
    }
    let mut out = Zeroizing::new(String::new());
    match output {
        Output::Value => {
            for (_, secret) in &secrets {
                out.push_str(secret.value.reveal());
            }
        }
        Output::Env => {
            for (_, secret) in &secrets {
                variable(&mut out, secret);
            }
        }
        Output::Json | Output::Table => {
            let all: Vec<_> =
                secrets.iter().map(|(reference, secret)| of_secret(reference, secret)).collect();
            match all.as_slice() {
                [one] => out.push_str(one),
                _ => out.push_str(&json::array(&all)),
            }
            out.push('\n');
        }
    }
    Ok(out)
}

fn had<C: Context>(context: &C, memory: &Memory, asked: Asked) -> Result<Rc<Token>, Error> {
    let call = Call::new(context, memory)?;
    let resource = match asked.resource {
        Some(resource) => resource,
        None => call.settings().known_cloud()?.resource(),
    };
    let request = TokenRequest::parse(&resource, asked.tenant, asked.claims, None)?;
    tokens::token(&call, &request)
}

fn token<C: Context>(
    context: &C,
    memory: &Memory,
    asked: Asked,
    output: Output,
) -> Result<Zeroizing<String>, Error> {
    let token = had(context, memory, asked)?;
    if output == Output::Value {
        return Ok(Zeroizing::new(token.secret.reveal().into()));
    }
    let mut out = Object::default()
        .text("token", token.secret.reveal())
        .some_number("expiresOn", Some(token.expires_on))
        .some_number("refreshOn", Some(token.refresh_on))
        .text("resource", &token.resource)
        .text("source", &token.source)
        .some_text("endpoint", token.endpoint.as_deref())
        .some_text("clientId", token.client_id.as_deref())
        .finish();
    out.push('\n');
    Ok(out)
}

fn whoami<C: Context>(
    context: &C,
    memory: &Memory,
    asked: Asked,
    output: Output,
) -> Result<Zeroizing<String>, Error> {
    let token = had(context, memory, asked)?;
    let Holder { tenant, object_id, app_id, upn, audience, notes } = token.holder();
    let members = [
        ("source", Some(token.source.clone())),
        ("endpoint", token.endpoint.clone()),
        ("tenant", tenant),
        ("objectId", object_id),
        ("appId", app_id),
        ("upn", upn),
        ("audience", audience),
    ];
    if output == Output::Json {
        let mut object = Object::default();
        for (name, value) in &members {
            object.some_text(name, value.as_deref());
        }
        object.some_number("expiresOn", Some(token.expires_on));
        let notes: Vec<_> = notes.iter().map(|note| json::text(note)).collect();
        object.raw("notes", &json::array(&notes));
        let mut out = object.finish();
        out.push('\n');
        return Ok(out);
    }
    let mut out = String::new();
    let notes = notes.into_iter().map(|note| ("note", Some(note)));
    for (name, value) in members.into_iter().chain(notes) {
        if let Some(value) = value {
            out.push_str(&format!("{name:9} {value}\n"));
        }
    }
    Ok(out.into())
}

fn of_secret(reference: &str, secret: &Secret) -> Zeroizing<String> {
    shown(reference, &secret.properties, Some(secret.value.reveal()))
}

/// A secret as `-o json` shows it.
fn shown(reference: &str, properties: &Properties, value: Option<&str>) -> Zeroizing<String> {
    let mut object = Object::default();
    object
        .text("reference", reference)
        .text("vault", &properties.vault)
        .text("name", &properties.name)
        .some_text("version", properties.version.as_deref())
        .some_text("value", value)
        .some_text("contentType", properties.content_type.as_deref())
        .some_boolean("enabled", properties.enabled)
        .some_number("created", properties.created)
        .some_number("updated", properties.updated)
        .some_number("notBefore", properties.not_before)
        .some_number("expires", properties.expires)
        .some_text("recoveryLevel", properties.recovery_level.as_deref())
        .some_number("recoverableDays", properties.recoverable_days.map(i64::from))
        .some_boolean("managed", properties.managed)
        .some_text("kid", properties.kid.as_deref());
    if !properties.tags.is_empty() {
        let mut tags = Object::default();
        for (name, tag) in &properties.tags {
            tags.text(name, tag);
        }
        object.raw("tags", &tags.finish());
    }
    object.finish()
}

/// `NAME='value'`, quoted for a shell.
fn variable(out: &mut String, secret: &Secret) {
    out.push_str(&secret.properties.name.to_ascii_uppercase().replace('-', "_"));
    out.push_str("='");
    out.push_str(&Zeroizing::new(secret.value.reveal().replace('\'', r"'\''")));
    out.push_str("'\n");
}
