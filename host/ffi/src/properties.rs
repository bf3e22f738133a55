//! All that is known of a secret but for its value, as a struct.

use std::ffi::c_char;
use std::ptr;

use vaultlet_host::Properties;

use crate::error::VAULTLET_UNKNOWN;
use crate::text::Texts;

/// A tag of a secret.
#[repr(C)]
pub struct vaultlet_tag {
    /// Its name.
    pub name: *const c_char,
    /// Its value.
    pub value: *const c_char,
}

/// All that is known of one version of a secret but for its value. A text that is not known is NULL,
/// a number `VAULTLET_UNKNOWN`; texts are UTF-8, end with NUL and live as long as what this is part of.
#[repr(C)]
pub struct vaultlet_properties {
    /// The vault's host, with its port if it is not 443.
    pub vault: *const c_char,
    /// The secret's name.
    pub name: *const c_char,
    /// The version, 32 hexadecimal digits.
    pub version: *const c_char,
    /// The content type that its author gave it.
    pub content_type: *const c_char,
    /// What deleting it would mean: `Recoverable+Purgeable`.
    pub recovery_level: *const c_char,
    /// The key of the certificate that it belongs to.
    pub kid: *const c_char,
    /// Whether it may be read: 0 or 1.
    pub enabled: i64,
    /// Whether it belongs to a certificate: 0 or 1.
    pub managed: i64,
    /// When this version was made, Unix seconds.
    pub created: i64,
    /// When it was last changed, Unix seconds.
    pub updated: i64,
    /// Not meant to be used before, Unix seconds. Nobody enforces it.
    pub not_before: i64,
    /// Not meant to be used after, Unix seconds. Nobody enforces it.
    pub expires: i64,
    /// Days for which a deleted one can be recovered.
    pub recoverable_days: i64,
    /// Its tags, sorted by name.
    pub tags: *const vaultlet_tag,
    /// How many.
    pub tags_len: usize,
}

/// The structs, and what they point to.
pub(crate) struct Shown {
    items: Vec<vaultlet_properties>,
    _tags: Vec<Vec<vaultlet_tag>>,
    _texts: Texts,
}

// SAFETY: its pointers lead to what it owns and nobody changes.
unsafe impl Send for Shown {}

impl Shown {
    pub(crate) fn of(all: &[Properties]) -> Self {
        let mut texts = Texts::default();
        let mut tags = Vec::with_capacity(all.len());
        let items = all.iter().map(|properties| show(properties, &mut texts, &mut tags)).collect();
        Self { items, _tags: tags, _texts: texts }
    }

    pub(crate) fn items(&self) -> &[vaultlet_properties] {
        &self.items
    }
}

fn show(
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
    let shown = vaultlet_properties {
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
    shown
}
