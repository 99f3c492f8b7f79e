//! Parts of a domain name by the Public Suffix List, which knows that `example.co.jp` was registered and `co.jp` was not.

use std::borrow::Cow;

/// A part of a domain name, by the words of ECS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DomainPart {
    Registered,
    Subdomain,
    TopLevel,
}

impl DomainPart {
    /// The words of `parser.toml`.
    pub(crate) const WORDS: &'static str = "`registered_domain`, `subdomain` or `top_level_domain`";

    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "registered_domain" => Some(Self::Registered),
            "subdomain" => Some(Self::Subdomain),
            "top_level_domain" => Some(Self::TopLevel),
            _ => None,
        }
    }

    /// Cuts the part out of a name; an address and a name of one label have none.
    pub(crate) fn of<'a>(self, name: &str) -> Option<Cow<'a, str>> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if name.parse::<std::net::IpAddr>().is_ok() || !name.contains('.') {
            return None;
        }
        let domain = psl::domain(name.as_bytes())?;
        let registered = std::str::from_utf8(domain.as_bytes()).ok()?;
        let part = match self {
            Self::Registered => registered,
            Self::Subdomain => name.strip_suffix(registered)?.strip_suffix('.')?,
            Self::TopLevel => std::str::from_utf8(domain.suffix().as_bytes()).ok()?,
        };
        (!part.is_empty()).then(|| Cow::Owned(part.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: [Option<&str>; 3]) {
        let parts = [
            DomainPart::Registered,
            DomainPart::Subdomain,
            DomainPart::TopLevel,
        ];
        let found = parts.map(|part| part.of(name));
        assert_eq!(found.each_ref().map(Option::as_deref), expected, "{name}");
    }

    #[test]
    fn knows_where_names_are_registered() {
        let (jp, sub) = (Some("example.co.jp"), Some("a.www"));
        check("a.www.Example.co.jp.", [jp, sub, Some("co.jp")]);
        check("example.com", [Some("example.com"), None, Some("com")]);
        check("192.0.2.1", [None; 3]);
        check("localhost", [None; 3]);
        check("co.jp", [None; 3]);
        check("", [None; 3]);
    }
}
