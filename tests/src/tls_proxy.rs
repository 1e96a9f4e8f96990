use std::{net::SocketAddr, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// An encrypting proxy in front of a daemon, as those of remote daemons are, with a certificate of its own authority.
#[derive(Debug)]
pub struct TlsProxy {
    address: SocketAddr,
    authority: Vec<u8>,
    acceptor: JoinHandle<()>,
}

impl TlsProxy {
    /// A proxy in front of this host and port.
    pub async fn start(target: impl Into<String>) -> TlsProxy {
        let mut authority = CertificateParams::new(Vec::new()).expect("no names");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key")).expect("signed");
        let key = KeyPair::generate().expect("a key");
        let own = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("an address");
        let own = own.signed_by(&key, &authority).expect("signed");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], key)
            .expect("a certificate and its key");
        let (encrypted, target) = (TlsAcceptor::from(Arc::new(config)), target.into());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let acceptor = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.expect("connections are accepted");
                let (encrypted, target) = (encrypted.clone(), target.clone());
                connections.spawn(async move {
                    // who does not trust the certificate goes away
                    let Ok(mut client) = encrypted.accept(client).await else { return };
                    let mut server = TcpStream::connect(&target).await.expect("the daemon runs");
                    // an end without a word is an end, too
                    if let Err(error) = tokio::io::copy_bidirectional(&mut client, &mut server).await {
                        eprintln!("a connection of the encrypting proxy ended: {error}");
                    }
                });
            }
        });
        TlsProxy { address, authority: authority.der().to_vec(), acceptor }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The certificate of its authority, in DER.
    pub fn authority(&self) -> &[u8] {
        &self.authority
    }
}

impl Drop for TlsProxy {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}
