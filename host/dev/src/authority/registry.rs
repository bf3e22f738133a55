//! Registered tenants and applications, with the secrets and certificates that authenticate them.

use std::fmt;

use ring::digest;
use rustls::pki_types::CertificateDer;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::errors::OAuthError;
use crate::directory::who::{APPLICATION, DOMAIN, Principal, RESTRICTED, TENANT, USER_NAME};

/// Another tenant, in which the job's application has consent and to which no vault belongs.
const SECOND_TENANT: &str = "7e57de57-0000-4000-8000-0000000000b2";
/// Domain of the second tenant.
const SECOND_DOMAIN: &str = "second.vaultlet.example";

/// The job's application and the tenant's user, with their ids and secrets.
///
/// Every local Azure has secrets of its own, which are valid nowhere else.
pub struct Application {
    secret: SecretString,
    expired_secret: SecretString,
    password: SecretString,
}

impl Application {
    /// Id of the tenant to which the vaults belong.
    #[must_use]
    pub fn tenant(&self) -> &'static str {
        TENANT
    }

    /// Id of another tenant in which the application has consent. The vaults reject its tokens.
    #[must_use]
    pub fn second_tenant(&self) -> &'static str {
        SECOND_TENANT
    }

    /// Client id of the application.
    #[must_use]
    pub fn client_id(&self) -> &'static str {
        APPLICATION.app_id
    }

    /// Client id of a second application with the same secrets, which may not act for users and is
    /// in no other tenant.
    #[must_use]
    pub fn restricted_client_id(&self) -> &'static str {
        RESTRICTED.app_id
    }

    /// The client secret of both applications.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.secret.expose_secret()
    }

    /// An expired client secret of both applications.
    #[must_use]
    pub fn expired_secret(&self) -> &str {
        self.expired_secret.expose_secret()
    }

    /// Sign-in name of the tenant's user.
    #[must_use]
    pub fn user_name(&self) -> &'static str {
        USER_NAME
    }

    /// Password of the tenant's user.
    #[must_use]
    pub fn password(&self) -> &str {
        self.password.expose_secret()
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Application")
    }
}

/// A certificate with which the applications may sign assertions.
pub(super) struct Certificate {
    pub(super) der: CertificateDer<'static>,
    sha1: Vec<u8>,
    sha256: Vec<u8>,
}

impl Certificate {
    fn new(der: CertificateDer<'static>) -> Self {
        let digest = |algorithm| digest::digest(algorithm, &der).as_ref().to_vec();
        Self {
            sha1: digest(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            sha256: digest(&digest::SHA256),
            der,
        }
    }

    /// Whether this is the certificate's SHA-1 or SHA-256 thumbprint.
    pub(super) fn has_thumbprint(&self, thumbprint: &[u8]) -> bool {
        thumbprint == self.sha1 || thumbprint == self.sha256
    }
}

/// Everything that is registered with the authority.
pub(crate) struct Registry {
    application: Application,
    certificates: Vec<Certificate>,
}

/// A registered application.
#[derive(Clone, Copy)]
pub(super) struct App {
    pub(super) principal: &'static Principal,
    /// Whether the application may act for users: by password, by device code, or on their behalf.
    pub(super) serves_users: bool,
    is_in_second: bool,
}

const APPS: [App; 2] = [
    App { principal: &APPLICATION, serves_users: true, is_in_second: true },
    App { principal: &RESTRICTED, serves_users: false, is_in_second: false },
];

impl Registry {
    pub(crate) fn new(certificates: Vec<CertificateDer<'static>>) -> Self {
        let random = || format!("{}~{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        Self {
            application: Application {
                secret: random().into(),
                expired_secret: random().into(),
                password: random().into(),
            },
            certificates: certificates.into_iter().map(Certificate::new).collect(),
        }
    }

    pub(crate) fn application(&self) -> &Application {
        &self.application
    }

    pub(super) fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The id of the tenant with this id or domain; names like `common` stand for the home tenant.
    pub(super) fn tenant(&self, name: &str) -> Result<&'static str, OAuthError> {
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            TENANT | DOMAIN | "common" | "organizations" | "adfs" => Ok(TENANT),
            SECOND_TENANT | SECOND_DOMAIN => Ok(SECOND_TENANT),
            _ if Uuid::try_parse(&name).is_ok() || name.contains('.') => {
                Err(OAuthError::with_text(
                    90002,
                    format!(
                        "Tenant '{name}' not found. Check to make sure you have the correct tenant \
                     ID and are signing into the correct cloud. Check with your subscription \
                     administrator, this may happen if there are no active subscriptions for the \
                     tenant."
                    ),
                ))
            }
            _ => Err(OAuthError::with_text(
                900023,
                format!(
                    "Specified tenant identifier '{name}' is neither a valid DNS name, nor a \
                     valid external domain."
                ),
            )),
        }
    }

    pub(super) fn app(&self, client_id: &str, tenant: &str) -> Result<App, OAuthError> {
        let found = APPS.into_iter().find(|app| {
            client_id.eq_ignore_ascii_case(app.principal.app_id)
                && (tenant == TENANT || app.is_in_second)
        });
        found.ok_or_else(|| {
            OAuthError::with_text(
                700016,
                format!(
                    "Application with identifier '{client_id}' was not found in the directory \
                     '{tenant}'. This can happen if the application has not been installed by the \
                     administrator of the tenant or consented to by any user in the tenant. You \
                     may have sent your authentication request to the wrong tenant."
                ),
            )
        })
    }

    pub(super) fn check_secret(&self, app: App, given: &str) -> Result<(), OAuthError> {
        let id = app.principal.app_id;
        if is_same(given, self.application.secret()) {
            return Ok(());
        }
        if is_same(given, self.application.expired_secret()) {
            return Err(OAuthError::with_text(
                7000222,
                format!(
                    "The provided client secret keys for app '{id}' are expired. Visit the Azure \
                     portal to create new keys for your app: https://aka.ms/NewClientSecret, or \
                     consider using certificate credentials for added security: \
                     https://aka.ms/certCreds."
                ),
            ));
        }
        Err(OAuthError::with_text(
            7000215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is \
                 the client secret value, not the client secret ID, for a secret added to app \
                 '{id}'."
            ),
        ))
    }

    pub(super) fn check_user(&self, name: &str, password: &str) -> Result<(), OAuthError> {
        if !name.eq_ignore_ascii_case(USER_NAME) {
            return Err(OAuthError::new(50034));
        }
        if is_same(password, self.application.password()) {
            return Ok(());
        }
        Err(OAuthError::new(50126))
    }
}

fn is_same(given: &str, expected: &str) -> bool {
    given.as_bytes().ct_eq(expected.as_bytes()).into()
}
