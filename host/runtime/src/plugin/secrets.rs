//! The interface `vaultlet:keyvault/secrets`, as a plugin imports it: served by the handle, within
//! the plugin's grants.

use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceTable, ResourceType};
use zeroize::Zeroize as _;

use crate::bindings::exports::vaultlet::keyvault::types::Error as WitError;
use crate::bindings::exports::vaultlet::keyvault::types::{Listed, Page};
use crate::error::{Error, Kind};
use crate::limits;
use crate::policy::Canonical;
use crate::secret::{Properties, Secret};
use crate::token::UserAssigned;

use super::options::PluginOptions;

/// Interfaces without and with their version.
pub(super) const TYPES: (&str, &str) = ("vaultlet:keyvault/types", "vaultlet:keyvault/types@0.1.0");
pub(super) const SECRETS: (&str, &str) =
    ("vaultlet:keyvault/secrets", "vaultlet:keyvault/secrets@0.1.0");

/// What this module needs of the data of a store.
pub(super) trait SecretsView: Send + 'static {
    fn secrets(&mut self) -> SecretsViewData<'_>;
}

/// The data that [`SecretsView`] lends.
pub(super) struct SecretsViewData<'a> {
    pub(super) secrets: &'a mut Secrets,
    pub(super) table: &'a mut ResourceTable,
}

/// The state of the interface in one instance.
pub(super) struct Secrets {
    options: Arc<PluginOptions>,
    /// How many secrets the plugin has and has not dropped.
    open: usize,
    /// How many calls the plugin has made.
    calls: usize,
}

impl Secrets {
    pub(super) fn new(options: &Arc<PluginOptions>) -> Self {
        Self { options: Arc::clone(options), open: 0, calls: 0 }
    }

    /// Counts a call, and refuses it beyond the limits that keep a plugin from filling the host's
    /// memory and from asking a vault without end.
    fn count_call(&mut self, doing: &str) -> Result<(), Error> {
        self.calls += 1;
        let what = if self.calls > limits::PLUGIN_CALLS_MAX {
            format!("it has asked {} times in this call", limits::PLUGIN_CALLS_MAX)
        } else if self.open >= limits::PLUGIN_SECRETS_MAX {
            format!("it holds {} secrets", limits::PLUGIN_SECRETS_MAX)
        } else {
            return Ok(());
        };
        Err(Error::configuration(
            "plugin-limit",
            format!("{doing}: {what}, which is as many as a plugin may"),
            "let it drop what it does not need any more, or do less in one call",
        ))
    }
}

/// A resource `secret`. The value is scrubbed when the plugin drops the resource, or when its call
/// ends.
struct OpenSecret {
    properties: Properties,
    /// The one copy of the value, from which the plugin's memory is filled.
    value: Arc<str>,
    /// What the plugin asked for, and the source, for the audit.
    reference: Canonical,
    source: Option<String>,
    /// Whether the plugin has been given the value.
    is_revealed: bool,
}

impl OpenSecret {
    /// Records that the plugin is given the value.
    fn record(&self, options: &PluginOptions) -> Result<(), Error> {
        let PluginOptions { vaultlet, name, .. } = options;
        let (version, source) = (self.properties.version.as_deref(), self.source.as_deref());
        vaultlet.reveal_to_plugin(&self.reference, name, version, source)
    }
}

impl Drop for OpenSecret {
    fn drop(&mut self) {
        if let Some(value) = Arc::get_mut(&mut self.value) {
            value.zeroize();
        }
    }
}

type Context<'a, T> = StoreContextMut<'a, T>;

/// Adds the interface to a linker whose stores have a view of secrets.
pub(super) fn add_to_linker<T: SecretsView>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    linker.instance(TYPES.1)?;
    let mut secrets = linker.instance(SECRETS.1)?;
    secrets.resource("secret", ResourceType::host::<OpenSecret>(), |mut store, rep| {
        let SecretsViewData { secrets, table } = store.data_mut().secrets();
        table.delete(Resource::<OpenSecret>::new_own(rep))?;
        secrets.open = secrets.open.saturating_sub(1);
        Ok(())
    })?;
    secrets.func_wrap(
        "[method]secret.properties",
        |mut store: Context<'_, T>, (this,): (Resource<OpenSecret>,)| {
            Ok((store.data_mut().secrets().table.get(&this)?.properties.clone(),))
        },
    )?;
    secrets.func_wrap(
        "[method]secret.reveal",
        |mut store: Context<'_, T>, (this,): (Resource<OpenSecret>,)| {
            let SecretsViewData { secrets, table } = store.data_mut().secrets();
            let secret = table.get_mut(&this)?;
            if !secret.is_revealed {
                secret.record(&secrets.options)?;
                secret.is_revealed = true;
            }
            Ok((Arc::clone(&secret.value),))
        },
    )?;
    secrets.func_wrap_async("get", |mut store: Context<'_, T>, (reference, identity)| {
        Box::new(async move { Ok((get(store.data_mut().secrets(), reference, identity).await?,)) })
    })?;
    secrets.func_wrap_async("list-page", |mut store: Context<'_, T>, (what, marker, identity)| {
        Box::new(async move {
            let secrets = store.data_mut().secrets().secrets;
            Ok((list_page(secrets, what, marker, identity).await,))
        })
    })
}

async fn get(
    SecretsViewData { secrets, table }: SecretsViewData<'_>,
    reference: String,
    identity: Option<UserAssigned>,
) -> wasmtime::Result<Result<Resource<OpenSecret>, WitError>> {
    let mut access = Access::new(GET, identity.as_ref());
    let got = match secrets.count_call(GET) {
        Ok(()) => access.get(&secrets.options, &reference).await,
        Err(error) => Err(error),
    };
    access.log(&secrets.options, &got);
    match got {
        Ok(Got { secret, reference, source }) => {
            secrets.open += 1;
            let value = Arc::from(secret.reveal());
            let properties = secret.properties().clone();
            let is_revealed = false;
            Ok(Ok(table.push(OpenSecret { properties, value, reference, source, is_revealed })?))
        }
        Err(error) => Ok(Err(access.told(error))),
    }
}

async fn list_page(
    secrets: &mut Secrets,
    what: Listed,
    marker: Option<String>,
    identity: Option<UserAssigned>,
) -> Result<Page, WitError> {
    let mut access = Access::new(LIST, identity.as_ref());
    let got = match secrets.count_call(LIST) {
        Ok(()) => access.list(&secrets.options, what, marker).await,
        Err(error) => Err(error),
    };
    access.log(&secrets.options, &got);
    got.map_err(|error| access.told(error))
}

const GET: &str = "getting a secret";
const LIST: &str = "listing a page";

/// A secret that a plugin has asked for.
struct Got {
    secret: Secret,
    reference: Canonical,
    source: Option<String>,
}

/// One access of a plugin to a secret or a listing.
struct Access {
    doing: &'static str,
    chooses_identity: bool,
    /// The canonical reference for messages, once it is known.
    reference: Option<String>,
}

impl Access {
    fn new(doing: &'static str, identity: Option<&UserAssigned>) -> Self {
        Self { doing, chooses_identity: identity.is_some(), reference: None }
    }

    async fn get(&mut self, options: &PluginOptions, reference: &str) -> Result<Got, Error> {
        let reference = self.canonical(options, reference)?;
        if !options.grants.reads(&reference) {
            let denied = self.denied();
            options.vaultlet.note_not_granted(&reference, &options.name, &denied);
            return Err(denied);
        }
        let got = options.vaultlet.get_for_plugin(reference.clone(), &options.name);
        let (secret, source) = got.await?;
        Ok(Got { secret, reference, source })
    }

    async fn list(
        &mut self,
        options: &PluginOptions,
        what: Listed,
        marker: Option<String>,
    ) -> Result<Page, Error> {
        let (granted, what) = match what {
            Listed::Secrets(vault) => {
                self.check(&vault)?;
                let requested = options.vaultlet.canonical_vault(&vault)?;
                self.note(&requested);
                (options.grants.lists(&requested), Listed::Secrets(requested))
            }
            Listed::Versions(reference) => {
                let requested = self.canonical(options, &reference)?;
                let text = requested.as_str().to_owned();
                (options.grants.lists_versions(&requested), Listed::Versions(text))
            }
        };
        if !granted {
            return Err(self.denied());
        }
        options.vaultlet.list_page(what, marker).await
    }

    fn canonical(&mut self, options: &PluginOptions, reference: &str) -> Result<Canonical, Error> {
        self.check(reference)?;
        let requested = options.vaultlet.canonical(reference)?;
        self.note(requested.as_str());
        Ok(requested)
    }

    /// Notes the canonical reference for messages.
    fn note(&mut self, canonical: &str) {
        self.reference = Some(canonical.escape_debug().to_string());
    }

    /// Refuses a choice of identity, and a reference that is too long.
    fn check(&self, reference: &str) -> Result<(), Error> {
        if self.chooses_identity {
            return Err(not_granted(format!("{}: no plugin may choose an identity", self.doing)));
        }
        if reference.len() > limits::PLUGIN_REFERENCE_MAX {
            let most = limits::PLUGIN_REFERENCE_MAX;
            return Err(Error::new(
                Kind::InvalidArgument,
                "argument-malformed",
                format!("{}: the reference has more than {most} bytes", self.doing),
                "correct the reference",
            ));
        }
        Ok(())
    }

    /// The error of an access that is not granted. The vault is not asked, so that the error does
    /// not show whether the secret exists.
    fn denied(&self) -> Error {
        let requested = self.reference.as_deref().unwrap_or("-");
        not_granted(format!("{}: `{requested}` is not granted to this plugin", self.doing))
    }

    /// What the plugin is told of an error. The plugin may know what became of its own request; what
    /// the host's identity or network met is the host's: paths, variables and addresses of it are
    /// for the log.
    fn told(&self, error: Error) -> WitError {
        if ITS_OWN.contains(&error.id.as_str()) {
            return Error { attempts: Vec::new(), ..error }.into();
        }
        let message = format!("{}: the host cannot do that now", self.doing);
        let told = Error::new(error.kind, &error.id, message, "see the log of the host");
        Error { retry_after: error.retry_after, ..told }.into()
    }

    /// Logs one line: never a value, and no reference that is malformed.
    fn log<T>(&self, options: &PluginOptions, result: &Result<T, Error>) {
        let outcome = match result {
            Ok(_) => "ok",
            Err(error) => &error.id,
        };
        let (plugin, doing) = (&options.name, self.doing);
        let requested = self.reference.as_deref().unwrap_or("-");
        tracing::info!(target: "vaultlet::plugin", "{plugin} {doing} {requested} {outcome}");
        if let Err(error) = result
            && !ITS_OWN.contains(&error.id.as_str())
        {
            tracing::debug!(target: "vaultlet::plugin", "{plugin}: {error}");
        }
    }
}

/// Errors of a plugin's own request, which it is told as they are.
const ITS_OWN: [&str; 12] = [
    "argument-malformed",
    "cancelled",
    "plugin-limit",
    "plugin-not-granted",
    "pointer-missing",
    "reference-malformed",
    "secret-disabled",
    "secret-not-found",
    "secret-not-json",
    "vault-forbidden",
    "vault-rejected",
    "vault-throttled",
];

fn not_granted(message: String) -> Error {
    Error::new(Kind::Denied, "plugin-not-granted", message, "grant it where the plugin is opened")
}
