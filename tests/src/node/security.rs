//! The security plugin of a node: TLS on both ports, logins and roles.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{CertificateParams, DnType, KeyPair};
use sekisho_bulk::{Auth, ClusterApi as _, ConnectSettings, Method, OpenSearchTransport};

/// User and password of the administrator that the plugin ships.
pub const ADMIN: (&str, &str) = ("admin", "admin");

/// A certificate that names itself as its authority serves as both.
const SETTINGS: &str = "\
plugins.security.ssl.transport.pemcert_filepath: cert.pem
plugins.security.ssl.transport.pemkey_filepath: key.pem
plugins.security.ssl.transport.pemtrustedcas_filepath: cert.pem
plugins.security.ssl.transport.enforce_hostname_verification: false
plugins.security.ssl.http.enabled: true
plugins.security.ssl.http.pemcert_filepath: cert.pem
plugins.security.ssl.http.pemkey_filepath: key.pem
plugins.security.ssl.http.pemtrustedcas_filepath: cert.pem
plugins.security.nodes_dn: [\"CN=n1,O=test\"]
plugins.security.allow_default_init_securityindex: true
plugins.security.restapi.roles_enabled: [\"all_access\"]
plugins.security.audit.type: noop
";

fn plugin(home: &Path) -> PathBuf {
    home.join("plugins/opensearch-security")
}

/// Makes the published plugin start without the module `rule-framework`, which no registry serves.
pub(super) fn repair(home: &Path) -> Result<()> {
    let file = plugin(home).join("plugin-descriptor.properties");
    let text = fs::read_to_string(&file).context("the security plugin has no descriptor")?;
    let lines = text.lines().map(|line| match line {
        line if line.starts_with("extended.plugins=") => "extended.plugins=",
        line => line,
    });
    let text: Vec<_> = lines.collect();
    fs::write(file, text.join("\n"))?;
    Ok(())
}

/// Gives a node's own folder its certificate, its logins and its settings.
pub(super) fn configure(home: &Path, folder: &Path) -> Result<()> {
    let config = folder.join("config");
    let rules = config.join("opensearch-security");
    fs::create_dir_all(&rules)?;
    for entry in fs::read_dir(plugin(home).join("config"))? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|ext| ext == "yml") {
            fs::copy(entry.path(), rules.join(entry.file_name()))?;
        }
    }
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(["localhost", "n1"].map(String::from))?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, "test");
    params.distinguished_name.push(DnType::CommonName, "n1");
    fs::write(certificate(folder), params.self_signed(&key)?.pem())?;
    fs::write(config.join("key.pem"), key.serialize_pem())?;
    let settings = config.join("opensearch.yml");
    let text = fs::read_to_string(&settings)?;
    fs::write(settings, text + SETTINGS)?;
    Ok(())
}

pub(super) fn certificate(folder: &Path) -> PathBuf {
    folder.join("config/cert.pem")
}

/// The address by a name of the certificate, which holds no numbers.
pub(super) fn url(address: SocketAddr) -> String {
    format!("https://localhost:{}", address.port())
}

/// Says how to reach a secured node as a user.
pub fn login(url: &str, ca_pem: Vec<u8>, (username, password): (&str, &str)) -> ConnectSettings {
    ConnectSettings {
        auth: Auth::Basic {
            username: username.to_owned(),
            password: password.to_owned(),
        },
        ca_pem: Some(ca_pem),
        ..ConnectSettings::new(url)
    }
}

/// Whether the node answers the administrator; it refuses everyone until its own index is there.
pub(super) fn is_ready(address: SocketAddr, folder: &Path) -> bool {
    let ask = || -> Result<u16> {
        let ca_pem = fs::read(certificate(folder))?;
        let settings = login(&url(address), ca_pem, ADMIN);
        let transport = OpenSearchTransport::new(settings)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let path = "/_cluster/health?wait_for_status=yellow&timeout=4s";
        let answer = runtime.block_on(transport.call(Method::Get, path, None))?;
        Ok(answer.status)
    };
    // The caller's thread may run a runtime already.
    std::thread::scope(|scope| scope.spawn(ask).join())
        .is_ok_and(|status| matches!(status, Ok(200)))
}
