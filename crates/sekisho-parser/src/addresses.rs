//! The contract on addresses that holds for every source: who was the peer, and who stands behind a proxy.

use std::net::IpAddr;

use crate::convert::ip;
use crate::draft::Draft;
use crate::origin::Origin;
use crate::program::Addresses;
use crate::settings::Cidr;
use crate::value::Value;
use crate::web::decoded;

impl Addresses {
    /// Sets `source.*` from the peer, and `client.ip` and `network.forwarded_ip` from the header if the peer is a trusted proxy.
    pub(crate) fn apply(&self, draft: &mut Draft<'_, '_>, trusted: &[Cidr]) {
        draft.origin = Origin::Line(self.line);
        let header = self.header(draft);
        let mut peer = None;
        for source in &self.peer {
            let Some(text) = draft.first(source).and_then(|value| value.text()) else {
                continue;
            };
            peer = ip(&text);
            draft.set(self.source_address, Value::Text(text));
            draft.mark_scalar_used(source);
            break;
        }
        if let Some(peer) = peer {
            draft.set(self.source_ip, Value::owned(peer.to_string()));
            let client = behind_proxies(peer, &header, trusted);
            draft.set(
                self.client_ip,
                Value::owned(client.unwrap_or(peer).to_string()),
            );
            if let Some(client) = client {
                draft.set(self.forwarded_ip, Value::owned(client.to_string()));
            }
        }
        let related = draft.program.fixed.related_ip;
        for address in header {
            draft.append(related, Value::owned(address.to_string()));
        }
    }

    /// Gives every valid address of the header, left to right.
    fn header(&self, draft: &Draft<'_, '_>) -> Vec<IpAddr> {
        let mut addresses = Vec::new();
        for source in &self.forwarded {
            draft.each(source, &mut |value| {
                let text = value.text().unwrap_or_default();
                // CloudFront writes the blanks between them as `%20`.
                let text = decoded(&text);
                addresses.extend(
                    text.split(',')
                        .filter_map(|part| ip(without_port(part.trim()))),
                );
            });
        }
        addresses
    }
}

/// Gives the right-most address that no trusted proxy has, if the peer is one: what stands left of it is the client's own text.
fn behind_proxies(peer: IpAddr, header: &[IpAddr], trusted: &[Cidr]) -> Option<IpAddr> {
    let is_trusted = |address: IpAddr| trusted.iter().any(|range| range.contains(address));
    if !is_trusted(peer) {
        return None;
    }
    header
        .iter()
        .rev()
        .copied()
        .find(|address| !is_trusted(*address))
}

/// Takes the port from `192.0.2.1:443` and `[2001:db8::1]:443`.
fn without_port(text: &str) -> &str {
    if let Some((address, _)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    match text.split_once(':') {
        Some((address, port)) if !port.contains(':') => address,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(peer: &str, header: &str, expected: Option<&str>) {
        let header: Vec<_> = header
            .split(',')
            .filter_map(|part| ip(without_port(part.trim())))
            .collect();
        let client = behind_proxies(peer.parse().unwrap(), &header, &Cidr::private_ranges());
        assert_eq!(client, expected.map(|ip| ip.parse().unwrap()));
    }

    #[test]
    fn believes_the_right_most_untrusted_address_of_a_trusted_peer() {
        check("10.0.0.5", "203.0.113.9", Some("203.0.113.9"));
        check(
            "10.0.0.5",
            "198.51.100.1, 203.0.113.9:51000, 10.0.0.7",
            Some("203.0.113.9"),
        );
        check("10.0.0.5", "[2001:db8::1]:443", Some("2001:db8::1"));
        check("10.0.0.5", "10.0.0.9", None);
        check("10.0.0.5", "unknown", None);
    }

    #[test]
    fn believes_nobody_else() {
        check("203.0.113.1", "198.51.100.1", None);
    }
}
