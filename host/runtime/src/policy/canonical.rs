//! References in canonical form, which policies compare.

use vaultlet_core::settings::{Cloud, Settings};
use vaultlet_core::vault::{Reference, reference};

use crate::error::Error;

/// A reference in canonical form, split into its parts. All references to the same secret, version and member have
/// the same one, in whatever form they are written. The names of secrets stay as they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical {
    text: String,
    secret: String,
    /// The vault, in canonical form.
    vault: String,
    /// The vault's name, if it is a vault of the cloud that the settings name.
    pub(super) vault_name: Option<String>,
    pub(super) name: String,
    version: Option<String>,
    pointer: Option<String>,
    /// What tokens for the vault are for, where its host says so.
    resource: Option<&'static str>,
}

impl Canonical {
    /// Reads a reference in any form, under these settings.
    #[doc(hidden)]
    pub fn read(text: &str, settings: &Settings) -> Result<Self, Error> {
        Ok(Self::new(&Reference::parse(text, settings)?, settings))
    }

    fn new(reference: &Reference, settings: &Settings) -> Self {
        let Reference { vault, name, version, pointer } = reference;
        let bare = Reference { version: None, pointer: None, ..reference.clone() };
        let is_of_cloud = |cloud: &Cloud| Cloud::of_vault(vault) == Some(*cloud);
        let vault_name = settings.cloud.filter(is_of_cloud).and_then(|cloud| {
            let name = vault.host.strip_suffix(cloud.suffix())?.strip_suffix('.')?;
            (!name.contains('.')).then(|| name.to_owned())
        });
        Self {
            text: reference.canonical(),
            secret: bare.canonical(),
            vault: reference::canonical(vault),
            vault_name,
            name: name.clone(),
            version: version.clone(),
            pointer: pointer.clone(),
            resource: Cloud::of_vault(vault).map(Cloud::resource),
        }
    }

    /// The whole reference, with the version and the member that it names.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The secret: the reference without version and member.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The vault, in canonical form.
    pub(crate) fn vault(&self) -> &str {
        &self.vault
    }

    /// The resource that tokens for the vault are for, where its host says so.
    pub(crate) fn resource(&self) -> Option<&'static str> {
        self.resource
    }

    /// The version; `None` means the latest.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The JSON pointer (RFC 6901) to a member of the value.
    pub fn pointer(&self) -> Option<&str> {
        self.pointer.as_deref()
    }
}

/// The settings by which references are read, from the component's variables.
pub(crate) fn settings_of(variables: &[(String, String)]) -> Result<Settings, Error> {
    let get = |name: &str| variables.iter().find(|it| it.0 == name).map(|it| it.1.clone());
    Ok(Settings::read(&get)?)
}
