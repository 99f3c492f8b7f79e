//! How one setting's value is read from TOML or from an environment variable, and written.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use chrono_tz::Tz;
use toml::de::DeValue;

use crate::bucket_role::BucketRole;

/// A value as written: in the file or in an environment variable.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    Toml(&'a DeValue<'a>),
    Text(&'a str),
}

/// The type of a setting.
pub(crate) trait Value: Sized {
    /// Reads the value; the error is the reason, without the setting's name.
    fn read(input: Input<'_>) -> Result<Self, String>;
    /// Writes the value as TOML.
    fn to_toml(&self) -> String;
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Gives the text, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "***" })
    }
}

/// A network: an address and how many of its leading bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    /// The network's address.
    pub address: IpAddr,
    /// The length of the prefix in bits.
    pub prefix_len: u8,
}

impl Cidr {
    /// The private, shared, link-local and loopback ranges of RFC 1918, 6598, 3927, 4193, 4291 and 1122.
    pub(crate) fn private() -> Vec<Self> {
        let v4 = |a, b, len| Self {
            address: IpAddr::V4(Ipv4Addr::new(a, b, 0, 0)),
            prefix_len: len,
        };
        let v6 = |first, last, len| Self {
            address: IpAddr::V6(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, last)),
            prefix_len: len,
        };
        vec![
            v4(10, 0, 8),
            v4(100, 64, 10),
            v4(127, 0, 8),
            v4(169, 254, 16),
            v4(172, 16, 12),
            v4(192, 168, 16),
            v6(0, 1, 128),
            v6(0xfc00, 0, 7),
            v6(0xfe80, 0, 10),
        ]
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_len)
    }
}

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no network; write it like `10.0.0.0/8`");
        let (address, len) = match text.split_once('/') {
            Some((address, len)) => (address, Some(len)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_ignored| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix_len = match len {
            Some(len) => len.parse().map_err(|_ignored| wrong())?,
            None => longest,
        };
        if prefix_len > longest {
            return Err(wrong());
        }
        Ok(Self {
            address,
            prefix_len,
        })
    }
}

/// Declares an enum of words with its reader and writer.
macro_rules! words {
    ($(#[$meta:meta])* $type:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $type { $($(#[$variant_meta])* $variant,)+ }

        impl Value for $type {
            fn read(input: Input<'_>) -> Result<Self, String> {
                let text = text(input)?;
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(one_of(text, &[$($word),+])),
                }
            }

            fn to_toml(&self) -> String {
                match self { $(Self::$variant => quote($word),)+ }
            }
        }
    };
}

words! {
    /// How requests to the cluster are signed.
    Auth {
        /// Not at all.
        None = "none",
        /// User and password.
        Basic = "basic",
        /// The AWS credentials of the process.
        Sigv4 = "sigv4",
    }
}

words! {
    /// When `event.original` keeps the record's text.
    EventOriginal {
        /// In every document.
        Always = "always",
        /// In no document; a raw one keeps its text in `message`.
        Never = "never",
        /// Only when the record did not parse.
        Unparsed = "unparsed",
    }
}

words! {
    /// How often a source starts a new index.
    Rotation {
        /// Every day.
        Daily = "daily",
        /// Every month, for small sources.
        Monthly = "monthly",
    }
}

fn one_of(text: &str, words: &[&str]) -> String {
    let list: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    format!("`{text}` is not one of {}", list.join(", "))
}

fn text<'a>(input: Input<'a>) -> Result<&'a str, String> {
    match input {
        Input::Text(text) => Ok(text),
        Input::Toml(value) => value
            .as_str()
            .ok_or_else(|| format!("takes a text, not {} {}", article(value), value.type_str())),
    }
}

fn article(value: &DeValue<'_>) -> &'static str {
    if matches!(value, DeValue::Integer(_) | DeValue::Array(_)) {
        "an"
    } else {
        "a"
    }
}

fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

impl Value for String {
    fn read(input: Input<'_>) -> Result<Self, String> {
        text(input).map(str::to_owned)
    }

    fn to_toml(&self) -> String {
        quote(self)
    }
}

impl Value for Secret {
    fn read(input: Input<'_>) -> Result<Self, String> {
        text(input).map(|text| Self(text.to_owned()))
    }

    fn to_toml(&self) -> String {
        quote("")
    }
}

impl Value for bool {
    fn read(input: Input<'_>) -> Result<Self, String> {
        match input {
            Input::Toml(value) => value.as_bool(),
            Input::Text("true" | "1") => Some(true),
            Input::Text("false" | "0") => Some(false),
            Input::Text(_) => None,
        }
        .ok_or_else(|| "takes `true` or `false`".to_owned())
    }

    fn to_toml(&self) -> String {
        self.to_string()
    }
}

impl Value for Tz {
    fn read(input: Input<'_>) -> Result<Self, String> {
        let name = text(input)?;
        name.parse().map_err(|_ignored| {
            let nearest =
                crate::read::nearest(name, chrono_tz::TZ_VARIANTS.iter().map(|tz| tz.name()));
            let example = nearest.unwrap_or_else(|| "Asia/Tokyo".to_owned());
            format!("`{name}` is no IANA time zone; write it like `{example}`")
        })
    }

    fn to_toml(&self) -> String {
        quote(self.name())
    }
}

macro_rules! whole_numbers {
    ($($type:ty),+) => {$(
        impl Value for $type {
            fn read(input: Input<'_>) -> Result<Self, String> {
                let parsed = match input {
                    Input::Text(text) => text.replace('_', "").parse(),
                    Input::Toml(DeValue::Integer(number)) => <$type>::from_str_radix(number.as_str(), number.radix()),
                    Input::Toml(value) => return Err(format!("takes a whole number, not {} {}", article(value), value.type_str())),
                };
                parsed.map_err(|error| format!("takes a whole number from 0 to {}: {error}", Self::MAX))
            }

            fn to_toml(&self) -> String {
                group_digits(&self.to_string())
            }
        }
    )+};
}

whole_numbers!(u8, u16, u32, u64, usize);

fn group_digits(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push('_');
        }
        grouped.push(digit);
    }
    grouped
}

impl Value for BucketRole {
    fn read(input: Input<'_>) -> Result<Self, String> {
        text(input)?.parse()
    }

    fn to_toml(&self) -> String {
        quote(&self.to_string())
    }
}

impl Value for Cidr {
    fn read(input: Input<'_>) -> Result<Self, String> {
        text(input)?.parse()
    }

    fn to_toml(&self) -> String {
        quote(&self.to_string())
    }
}

/// Splits what an environment variable lists.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// A list in the file, or comma-separated in an environment variable.
impl<T: Value> Value for Vec<T> {
    fn read(input: Input<'_>) -> Result<Self, String> {
        match input {
            Input::Text(text) => parts(text).map(|part| T::read(Input::Text(part))).collect(),
            Input::Toml(value) => value
                .as_array()
                .ok_or_else(|| {
                    format!("takes a list, not {} {}", article(value), value.type_str())
                })?
                .iter()
                .map(|item| T::read(Input::Toml(item.get_ref())))
                .collect(),
        }
    }

    fn to_toml(&self) -> String {
        let items: Vec<String> = self.iter().map(Value::to_toml).collect();
        format!("[{}]", items.join(", "))
    }
}

/// A table in the file, or `name=value,name=value` in an environment variable.
impl<T: Value> Value for BTreeMap<String, T> {
    fn read(input: Input<'_>) -> Result<Self, String> {
        match input {
            Input::Text(text) => parts(text)
                .map(|part| {
                    let (name, value) = part
                        .split_once('=')
                        .ok_or_else(|| format!("`{part}` is not of the form `name=value`"))?;
                    Ok((name.to_owned(), T::read(Input::Text(value))?))
                })
                .collect(),
            Input::Toml(value) => value
                .as_table()
                .ok_or_else(|| {
                    format!("takes a table, not {} {}", article(value), value.type_str())
                })?
                .iter()
                .map(|(name, value)| {
                    let read = T::read(Input::Toml(value.get_ref()))
                        .map_err(|reason| format!("`{}`: {reason}", name.get_ref()))?;
                    Ok((name.get_ref().to_string(), read))
                })
                .collect(),
        }
    }

    fn to_toml(&self) -> String {
        let items: Vec<String> = self
            .iter()
            .map(|(name, value)| format!("{} = {}", quote(name), value.to_toml()))
            .collect();
        if items.is_empty() {
            "{}".to_owned()
        } else {
            format!("{{ {} }}", items.join(", "))
        }
    }
}
