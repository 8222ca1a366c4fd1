//! What the URL says of TLS: whether a connection is encrypted, and what the server has to prove.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use rustls::CertificateError::{NotValidForName, NotValidForNameContext};
use rustls::Error::InvalidCertificate;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::ConnectError;

/// What a server that encrypts has to prove. The modes are as in PostgreSQL's own clients.
#[derive(Default)]
pub(crate) struct Proof {
    /// With `verify-full` its certificate has to be of its name.
    has_name: bool,
    /// The file with the authorities one of which has to have signed it, in each mode. Without it,
    /// `verify-full` asks the well-known ones, and to the other modes it may be anybody's.
    authorities: Option<PathBuf>,
}

/// The URL without what only this crate knows, and what the server has to prove.
pub(crate) fn split(url: &str) -> Result<(String, Proof), ConnectError> {
    let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
    let (mut proof, mut is_verified, mut others) = (Proof::default(), false, Vec::new());
    for parameter in parameters.split('&') {
        match parameter.split_once('=') {
            Some(("sslrootcert", file)) => {
                let file = percent_decode_str(file).decode_utf8().map_err(ConnectError::url)?;
                proof.authorities = Some(PathBuf::from(file.as_ref()));
            }
            Some(("sslmode", mode @ ("verify-ca" | "verify-full"))) => {
                proof.has_name |= mode == "verify-full";
                is_verified = true;
                others.push("sslmode=require");
            }
            _ => others.push(parameter),
        }
    }
    if is_verified && !proof.has_name && proof.authorities.is_none() {
        return Err(ConnectError::url("`sslmode=verify-ca` needs `sslrootcert`"));
    }
    Ok((format!("{place}?{}", others.join("&")), proof))
}

/// What makes connections secret, where the URL asks for it.
pub(crate) fn connector(proof: &Proof) -> Result<MakeRustlsConnect, ConnectError> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(ConnectError::failed)?;
    let roots = proof.authorities.as_deref().map(read).transpose()?;
    let config = if proof.has_name {
        let well_known = || RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        config.with_root_certificates(roots.unwrap_or_else(well_known))
    } else {
        let verifier = |roots: RootCertStore| {
            WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone()).build()
        };
        let authorities = roots.map(verifier).transpose().map_err(ConnectError::failed)?;
        let verifier = AnyName { authorities, provider };
        config.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}

/// The certificates in a file, of which there is at least one.
fn read(file: &Path) -> Result<RootCertStore, ConnectError> {
    let read = || -> Result<_, Box<dyn Error + Send + Sync>> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(file)? {
            roots.add(certificate?)?;
        }
        if roots.is_empty() {
            return Err("there is no certificate in PEM's form".into());
        }
        Ok(roots)
    };
    read().map_err(|source| ConnectError::Authorities { file: file.to_owned(), source })
}

/// Takes certificates of each name. Where no authorities are said it takes anybody's, as
/// `sslmode=require` asks: it keeps out who only listens.
#[derive(Debug)]
struct AnyName {
    authorities: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(authorities) = &self.authorities else {
            return Ok(ServerCertVerified::assertion());
        };
        match authorities.verify_server_cert(certificate, others, name, ocsp, now) {
            // The name is looked at last.
            Err(InvalidCertificate(NotValidForName | NotValidForNameContext { .. })) => {
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
