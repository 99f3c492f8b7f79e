//! [`ParserSettings`]: what an installation decides about every parser.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::str::FromStr;

use chrono_tz::Tz;
use sekisho_document::{IndexNaming, Rotation};

use crate::{ParserError, Redactor};

/// What an installation decides about every parser.
#[derive(Debug, Clone)]
pub struct ParserSettings {
    /// Prefix, zone and window of the daily indices.
    pub index: IndexNaming,
    /// Rotation by dataset; daily where none is named.
    pub rotation: BTreeMap<String, Rotation>,
    /// Columns by dataset, for delimited objects without a header line.
    pub default_columns: BTreeMap<String, Vec<String>>,
    /// The zone by dataset of times that carry none; the parser's own where none is named.
    pub timezones: BTreeMap<String, Tz>,
    /// When `event.original` is kept.
    pub keep_original: KeepOriginal,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Cidr>,
    /// The longest record in bytes.
    pub max_record_bytes: usize,
    /// The deepest nesting of a JSON record.
    pub max_depth: usize,
    /// How many records of an object that no parser claims are indexed.
    pub unknown_records: u64,
    /// Takes secrets out before anything leaves.
    pub redactor: Redactor,
    /// What `sekisho.parser` says behind the dataset and `@`.
    pub version: String,
}

impl Default for ParserSettings {
    fn default() -> Self {
        Self {
            index: IndexNaming::default(),
            rotation: BTreeMap::new(),
            default_columns: BTreeMap::new(),
            timezones: BTreeMap::new(),
            keep_original: KeepOriginal::default(),
            trusted_proxies: Cidr::private_ranges(),
            max_record_bytes: 8 << 20,
            max_depth: 100,
            unknown_records: 10_000,
            redactor: Redactor::default(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// When `event.original` is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeepOriginal {
    /// In every document.
    Always,
    /// In no document, not even where a value had to be cut.
    Never,
    /// In raw documents, and where a value had to be cut.
    #[default]
    Unparsed,
}

/// A network: an address and how many leading bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    bits: u8,
}

impl Cidr {
    /// The private, loopback and link-local ranges of RFC 1918, RFC 4193, RFC 6598, RFC 3927 and RFC 4291.
    pub fn private_ranges() -> Vec<Self> {
        const RANGES: [&str; 9] = [
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "::1/128",
            "fc00::/7",
            "fe80::/10",
        ];
        RANGES
            .iter()
            .filter_map(|range| range.parse().ok())
            .collect()
    }

    /// Tells whether an address lies in the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => same_bits(
                u128::from(net.to_bits()) << 96,
                u128::from(ip.to_bits()) << 96,
                self.bits,
            ),
            (IpAddr::V6(net), IpAddr::V6(ip)) => same_bits(net.to_bits(), ip.to_bits(), self.bits),
            _ => false,
        }
    }
}

fn same_bits(a: u128, b: u128, bits: u8) -> bool {
    bits == 0 || (a ^ b) >> (128 - u32::from(bits.min(128))) == 0
}

impl FromStr for Cidr {
    type Err = ParserError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || ParserError::Cidr {
            text: text.to_owned(),
        };
        let (address, bits) = text.split_once('/').ok_or_else(bad)?;
        let address: IpAddr = address.parse().ok().ok_or_else(bad)?;
        let bits: u8 = bits.parse().ok().ok_or_else(bad)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        if bits > most {
            return Err(bad());
        }
        Ok(Self { address, bits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contains_by_leading_bits() {
        let net: Cidr = "10.1.0.0/16".parse().unwrap();
        assert!(net.contains("10.1.2.3".parse().unwrap()));
        assert!(!net.contains("10.2.2.3".parse().unwrap()));
        assert!(!net.contains("::1".parse().unwrap()));
        assert!(
            "0.0.0.0/0"
                .parse::<Cidr>()
                .unwrap()
                .contains("203.0.113.9".parse().unwrap())
        );
        assert!(
            "2001:db8::/32"
                .parse::<Cidr>()
                .unwrap()
                .contains("2001:db8::1".parse().unwrap())
        );
        assert_eq!(Cidr::private_ranges().len(), 9);
    }

    #[test]
    fn refuses_what_is_no_network() {
        for bad in ["10.0.0.0", "10.0.0.0/33", "x/8", "::/129"] {
            assert!(bad.parse::<Cidr>().is_err(), "{bad}");
        }
    }
}
