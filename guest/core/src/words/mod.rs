//! Formats and small types that know nothing of Azure: JSON, URLs, forms, dates, secret strings.

pub(crate) mod claims;
pub mod date;
pub(crate) mod form;
pub(crate) mod json;
pub mod scrub;
pub mod secret;
pub mod url;
pub mod visible;
