//! Clients of the token authority (Microsoft Entra ID, or AD FS).
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>
//!
//! A source fills in a [`Client`]; [`token()`] asks the authority.

mod aadsts;
mod client;
mod connection;
mod device;
mod proof;
mod refusal;
mod request;
mod tenant;
mod token;

pub(super) use client::{Client, Grant, Proof, ServiceConnection};
pub(super) use tenant::parse as parse_tenant;
pub(super) use token::token;
