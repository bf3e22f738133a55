//! Properties of secrets as C structs.

use std::ffi::c_char;
use std::ptr;

use vaultlet_host::Properties;

use crate::error::VAULTLET_UNKNOWN;
use crate::text::Texts;

/// A tag of a secret.
#[repr(C)]
pub struct vaultlet_tag {
    /// The name of the tag.
    pub name: *const c_char,
    /// The value of the tag.
    pub value: *const c_char,
}

/// The properties of one version of a secret: everything but the value. A string that is not known is
/// NULL, a number that is not known is `VAULTLET_UNKNOWN`. Strings are UTF-8, end with NUL and live as
/// long as the secret or listing that the properties belong to.
#[repr(C)]
pub struct vaultlet_properties {
    /// The host name of the vault, with the port if that is not 443.
    pub vault: *const c_char,
    /// The name of the secret.
    pub name: *const c_char,
    /// The version, 32 hexadecimal digits.
    pub version: *const c_char,
    /// The content type, as the author of the secret set it.
    pub content_type: *const c_char,
    /// The recovery level, such as `Recoverable+Purgeable`: what happens to a deleted secret.
    pub recovery_level: *const c_char,
    /// The key id, if the secret belongs to a certificate.
    pub kid: *const c_char,
    /// Whether the value can be read: 0 or 1.
    pub enabled: i64,
    /// Whether the secret belongs to a certificate: 0 or 1.
    pub managed: i64,
    /// When this version was created, in Unix seconds.
    pub created: i64,
    /// When this version was last changed, in Unix seconds.
    pub updated: i64,
    /// When this version becomes valid, in Unix seconds. Key Vault does not enforce this.
    pub not_before: i64,
    /// When this version expires, in Unix seconds. Key Vault does not enforce this.
    pub expires: i64,
    /// The number of days for which a deleted secret can be recovered.
    pub recoverable_days: i64,
    /// The tags, sorted by name.
    pub tags: *const vaultlet_tag,
    /// The number of `tags`.
    pub tags_len: usize,
}

/// The structs of several secrets, with what they point to.
pub(crate) struct PropertiesList {
    items: Vec<vaultlet_properties>,
    _tags: Vec<Vec<vaultlet_tag>>,
    _texts: Texts,
}

// SAFETY: the pointers lead to what the list owns, which does not change.
unsafe impl Send for PropertiesList {}

impl PropertiesList {
    pub(crate) fn new(all: &[Properties]) -> Self {
        let mut texts = Texts::default();
        let mut tags = Vec::with_capacity(all.len());
        let items =
            all.iter().map(|properties| convert(properties, &mut texts, &mut tags)).collect();
        Self { items, _tags: tags, _texts: texts }
    }

    pub(crate) fn items(&self) -> &[vaultlet_properties] {
        &self.items
    }
}

fn convert(
    properties: &Properties,
    texts: &mut Texts,
    all_tags: &mut Vec<Vec<vaultlet_tag>>,
) -> vaultlet_properties {
    let number = |number: Option<i64>| number.unwrap_or(VAULTLET_UNKNOWN);
    let tags: Vec<_> = properties
        .tags
        .iter()
        .map(|(name, value)| vaultlet_tag { name: texts.keep(name), value: texts.keep(value) })
        .collect();
    let converted = vaultlet_properties {
        vault: texts.keep(&properties.vault),
        name: texts.keep(&properties.name),
        version: texts.keep_if(properties.version.as_deref()),
        content_type: texts.keep_if(properties.content_type.as_deref()),
        recovery_level: texts.keep_if(properties.recovery_level.as_deref()),
        kid: texts.keep_if(properties.kid.as_deref()),
        enabled: number(properties.enabled.map(i64::from)),
        managed: number(properties.managed.map(i64::from)),
        created: number(properties.created),
        updated: number(properties.updated),
        not_before: number(properties.not_before),
        expires: number(properties.expires),
        recoverable_days: number(properties.recoverable_days.map(i64::from)),
        tags: if tags.is_empty() { ptr::null() } else { tags.as_ptr() },
        tags_len: tags.len(),
    };
    all_tags.push(tags);
    converted
}
