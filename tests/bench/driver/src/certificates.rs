//! A certificate chain of the shape that `*.vault.azure.net` serves: an RSA-2048 leaf under an
//! RSA-4096 intermediate under an RSA-2048 root. It is new for each run, and the keys stay in memory.

use std::sync::Arc;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, PKCS_RSA_SHA384, RsaKeySize,
};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs::{default_provider, kx_group},
    pki_types::PrivatePkcs8KeyDer,
    server::ServerSessionMemoryCache,
};

/// The TLS configuration of the vault, and the root that its clients must trust, in PEM.
pub fn make(host: &str) -> Result<(ServerConfig, String)> {
    let root_key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
    let middle_key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA384, RsaKeySize::_4096)?;
    let leaf_key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;

    let root_params = authority("Bench Root", BasicConstraints::Unconstrained);
    let root = root_params.self_signed(&root_key)?;
    let root_issuer = Issuer::new(root_params, root_key);
    let middle_params = authority("Bench Issuing CA", BasicConstraints::Constrained(0));
    let middle = middle_params.signed_by(&middle_key, &root_issuer)?;
    let middle_issuer = Issuer::new(middle_params, middle_key);

    let mut params = CertificateParams::new([host.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, "vault.azure.net");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    let leaf = params.signed_by(&leaf_key, &middle_issuer)?;

    let mut provider = default_provider();
    // Key Vault offers no post-quantum group, so no peer should spend time on one.
    provider.kx_groups = vec![kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];
    let mut server = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone(), middle.der().clone()],
            PrivatePkcs8KeyDer::from(leaf_key.serialize_der()).into(),
        )?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    server.session_storage = ServerSessionMemoryCache::new(4096);
    Ok((server, root.pem()))
}

fn authority(name: &str, constraints: BasicConstraints) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(constraints);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params
}
