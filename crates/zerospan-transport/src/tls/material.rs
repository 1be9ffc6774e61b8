use super::settings::{Pems, TlsSettings};
use crate::error::ConfigError;
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;

/// The certificates and the key of a connection over TLS: none for a connection without it.
#[cfg_attr(not(any(feature = "http", feature = "grpc")), allow(dead_code))]
pub(crate) struct Tls(Option<Material>);

// Each protocol reads a part of this.
#[cfg_attr(not(all(feature = "http", feature = "grpc")), allow(dead_code))]
struct Material {
    roots: Vec<CertificateDer<'static>>,
    /// The client's certificate chain.
    identity: Option<Vec<CertificateDer<'static>>>,
    pem: Pems,
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

impl Tls {
    /// Creates the material of a connection without TLS.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// Reads certificates and keys, and checks that they belong together.
    pub(crate) fn new(settings: &TlsSettings) -> Result<Self, ConfigError> {
        let pem = settings.read()?;
        let roots = match &pem.ca {
            Some(pem) => certificates(&pem.text).map_err(|why| pem.unusable(why))?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        if roots.is_empty() {
            return Err(ConfigError::new(
                "certificate",
                "none",
                "a CA certificate: the system has no roots",
            ));
        }
        let mut store = RootCertStore::empty();
        let (usable, _) = store.add_parsable_certificates(roots.iter().cloned());
        if let (0, Some(pem)) = (usable, &pem.ca) {
            return Err(pem.unusable("no certificate in it can be a root".to_owned()));
        }
        let identity = match (&pem.certificate, &pem.key) {
            (Some(certificate), Some(key)) => {
                let chain =
                    certificates(&certificate.text).map_err(|why| certificate.unusable(why))?;
                let secret = PrivateKeyDer::from_pem_slice(&key.text)
                    .map_err(|error| key.unusable(error.to_string()))?;
                ClientConfig::builder_with_provider(provider())
                    .with_safe_default_protocol_versions()
                    .map(|config| config.with_root_certificates(store))
                    .and_then(|config| config.with_client_auth_cert(chain.clone(), secret))
                    .map_err(|error| key.unusable(error.to_string()))?;
                Some(chain)
            }
            (None, None) => None,
            (Some(one), None) | (None, Some(one)) => {
                return Err(one.unusable(
                    "a certificate needs its key, and a key its certificate".to_owned(),
                ));
            }
        };
        Ok(Self(Some(Material {
            roots,
            identity,
            pem,
        })))
    }

    #[cfg(feature = "http")]
    pub(crate) fn for_ureq(&self) -> Option<ureq::tls::TlsConfig> {
        use ureq::tls::{Certificate, ClientCert, PrivateKey, TlsConfig};
        let material = self.0.as_ref()?;
        let owned = |der: &CertificateDer<'static>| Certificate::from_der(der).to_owned();
        let client = material.identity.as_ref().and_then(|chain| {
            let chain: Vec<_> = chain.iter().map(owned).collect();
            let key = PrivateKey::from_pem(&material.pem.key.as_ref()?.text).ok()?;
            Some(ClientCert::new_with_certs(&chain, key))
        });
        let roots: Vec<_> = material.roots.iter().map(owned).collect();
        let tls = TlsConfig::builder()
            .root_certs(roots.into())
            .client_cert(client)
            .unversioned_rustls_crypto_provider(provider());
        Some(tls.build())
    }

    #[cfg(feature = "grpc")]
    pub(crate) fn for_tonic(
        &self,
        endpoint: tonic::transport::Endpoint,
    ) -> Result<tonic::transport::Endpoint, tonic::transport::Error> {
        use tonic::transport::{Certificate, ClientTlsConfig, Identity};
        let Some(Material { pem, .. }) = &self.0 else {
            return Ok(endpoint);
        };
        let mut tls = match &pem.ca {
            Some(ca) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&ca.text)),
            None => ClientTlsConfig::new().with_native_roots(),
        };
        if let (Some(certificate), Some(key)) = (&pem.certificate, &pem.key) {
            tls = tls.identity(Identity::from_pem(&certificate.text, &key.text));
        }
        endpoint.tls_config(tls)
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    if certificates.is_empty() {
        return Err("it contains no certificate".to_owned());
    }
    Ok(certificates)
}
