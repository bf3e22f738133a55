//! The component as a command: `get`, `list`, `versions`, `token` and `whoami`, with the arguments,
//! output and errors of the native program. The exit status is 0 or 1, because WASI 0.2 has no other.

mod arguments;
pub mod list;
pub mod render;
pub mod sentence;
pub mod variables;

use alloc::{borrow::ToOwned, format, rc::Rc, string::String, vec::Vec};

use arguments::{Arguments, Command, Invocation, wanted_format};
use render::{Format, Item, Part, TokenProperties};

use crate::{
    call::{Call, Memory},
    context::Context,
    error::{self, Error, Id},
    token::{Token, TokenRequest},
    tokens,
    vault::{self, Listed},
    words::scrub::Scrubbed,
};

/// The page of `--help`.
const HELP: &str = "\
usage: vaultlet.wasm get [NAME=]REFERENCE… [-o value|json|env]
       vaultlet.wasm list VAULT [-o table|json|value]
       vaultlet.wasm versions REFERENCE [-o table|json|value]
       vaultlet.wasm token [--resource URI | --scope SCOPE] [--claims JSON] [--tenant ID] [-o value|json] --reveal
       vaultlet.wasm whoami [--resource URI | --scope SCOPE] [--tenant ID] [-o table|json]

get       prints secrets of Key Vault. A reference is akv://VAULT/NAME[/VERSION][?json=POINTER],
          the secret's own URL, or @Microsoft.KeyVault(…). `value` takes one reference only.
          `env` prints lines for a shell; NAME= chooses the name of the variable.
list      prints the secrets of a vault. `value` prints names alone.
versions  prints the versions of a secret, newest first. `value` prints versions alone.
          Instead of a reference: NAME --vault VAULT.
token     prints an access token, by default one for the cloud's Key Vault.
whoami    prints the identity that this token belongs to.

settings; each is also a variable, --client-id is VAULTLET_CLIENT_ID:
  --identity LABEL,…  --exclude LABEL,…           which sources of credentials, in order
  --client-id GUID    --object-id GUID            which user-assigned identity
  --resource-id ID
  --additional-tenants ID,…                       tenants besides the configured one
  --user-assertion-file FILE                      the user's token, for on-behalf-of
  --cloud CLOUD                                   public, china, usgov
  --timeout SECONDS                               for the whole command, 120 by default
  --allow-http-loopback                           accept http:// for a vault on loopback
  --allow-http-identity HOST,…                    accept http:// for an identity endpoint there
";

/// The output of a command, and its exit code.
#[derive(Debug)]
pub struct Output {
    /// The answer and nothing else.
    pub stdout: Scrubbed<String>,
    /// Everything else.
    pub stderr: String,
    /// The exit code; 0 is success.
    pub exit: u8,
}

/// Runs a command; `arguments` are those after the program's name.
pub fn run<C: Context>(context: &C, memory: &Memory, arguments: &[String]) -> Output {
    let variables = |name: &str| context.variable(name);
    let (format, answer) = match Invocation::read(arguments, &variables) {
        Ok(Invocation::Help) => (Format::Value, Ok(HELP.to_owned().into())),
        Ok(Invocation::Version) => (
            Format::Value,
            Ok(concat!("vaultlet ", env!("CARGO_PKG_VERSION"), "\n").to_owned().into()),
        ),
        Ok(Invocation::Command(arguments)) => {
            (arguments.format, execute(context, memory, &arguments))
        }
        Err(error) => (wanted_format(arguments, &variables), Err(error)),
    };
    match answer {
        Ok(stdout) => Output { stdout, stderr: String::new(), exit: 0 },
        Err(mut error) => {
            if error.is(Id::Usage) && error.help == sentence::see_help(None) {
                error.help = sentence::see_help(arguments.first().map(String::as_str));
            }
            Output {
                stdout: match format {
                    Format::Env if arguments.iter().any(|word| sentence::is_get(word)) => {
                        ending(error.kind.name())
                    }
                    _ => String::new(),
                }
                .into(),
                stderr: match format {
                    Format::Json => format!("{}\n", error.json()),
                    _ => format!("vaultlet: {}\n", error.line()),
                },
                exit: error::exit(error.kind.name()),
            }
        }
    }
}

/// The line that `get -o env` prints when it fails with an error of this kind. A shell that evaluates it ends
/// that command with the exit code, and under `set -e` itself.
pub fn ending(kind: &str) -> String {
    format!("(exit {})\n", error::exit(kind))
}

fn execute<C: Context>(
    context: &C,
    memory: &Memory,
    arguments: &Arguments,
) -> Result<Scrubbed<String>, Error> {
    let settings = arguments.settings();
    let call = || Call::with_settings(context, memory, &settings);
    match arguments.command {
        Command::Get => {
            if arguments.format == Format::Value && arguments.words.len() > 1 {
                return Err(usage(sentence::ONE_VALUE));
            }
            if arguments.format == Format::Env {
                variables::check(&arguments.words)?;
            }
            get(&call()?, arguments)
        }
        Command::List | Command::Versions => {
            let word = arguments.words.first().map(String::as_str);
            let (vault, is_flag) = (arguments.value("vault"), arguments.is_flag("vault"));
            let subject = match arguments.command {
                Command::Versions => list::secret(word.unwrap_or_default(), vault, is_flag),
                _ => list::vault(word, vault, is_flag),
            };
            let subject = subject.map_err(usage)?;
            list(&call()?, arguments, &subject)
        }
        Command::Token => {
            if !arguments.is_flag("reveal") {
                return Err(usage(sentence::NOT_REVEALED));
            }
            let token = request(&call()?, arguments)?;
            Ok(match arguments.format {
                Format::Value => Scrubbed::new(token.secret.reveal().into()),
                _ => render::token(token.secret.reveal(), properties(&token)),
            })
        }
        Command::Whoami => {
            let token = request(&call()?, arguments)?;
            render::whoami(properties(&token), &token.holder(), arguments.format)
        }
    }
}

fn get<C: Context>(call: &Call<'_, C>, arguments: &Arguments) -> Result<Scrubbed<String>, Error> {
    let mut secrets = Vec::with_capacity(arguments.words.len());
    for argument in &arguments.words {
        let reference = match arguments.format {
            Format::Env => variables::split(argument).1,
            _ => argument,
        };
        secrets.push((argument.as_str(), vault::get(call, reference, None)?));
    }
    if let (Format::Value, [(_, secret)]) = (arguments.format, secrets.as_slice()) {
        return Ok(Scrubbed::new(secret.value.reveal().into()));
    }
    let items: Vec<_> = secrets
        .iter()
        .map(|(reference, secret)| Item {
            reference,
            properties: &secret.properties,
            value: secret.value.reveal(),
        })
        .collect();
    render::secrets(&items, Part::WHOLE, arguments.format)
}

fn list<C: Context>(
    call: &Call<'_, C>,
    arguments: &Arguments,
    subject: &str,
) -> Result<Scrubbed<String>, Error> {
    let listed = match arguments.command {
        Command::Versions => Listed::versions(subject, call.settings()),
        _ => Listed::secrets(subject, call.settings()),
    }?;
    let items = vault::all(call, &listed, None)?;
    render::listing(&listed, &items, Part::WHOLE, arguments.format)
}

fn request<C: Context>(call: &Call<'_, C>, arguments: &Arguments) -> Result<Rc<Token>, Error> {
    let value = |name| arguments.value(name).map(ToOwned::to_owned);
    let resource = match value("resource").or_else(|| value("scope")) {
        Some(resource) => resource,
        None => call.settings().known_cloud()?.resource().into(),
    };
    let request = TokenRequest::parse(&resource, value("tenant"), value("claims"), None)?;
    tokens::token(call, &request)
}

fn properties(token: &Token) -> TokenProperties<'_> {
    TokenProperties {
        expires_on: token.expires_on,
        refresh_on: token.refresh_on,
        resource: &token.resource,
        source: &token.source,
        endpoint: token.endpoint.as_deref(),
        client_id: token.client_id.as_deref(),
    }
}

fn usage(what: &str) -> Error {
    Error::new(Id::Usage, format!("reading the arguments: {what}"))
        .with_help(sentence::see_help(None))
}
