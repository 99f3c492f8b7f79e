//! `related.*`: which ECS fields feed which, and addresses out of text that nobody could parse.

use crate::convert::ip;

/// Gives the `related.*` field that a field's values belong to, if any.
///
/// Users by name and mail address only: ids are no names, and an account's root user has the account number for an id.
pub(crate) fn related_to(name: &str) -> Option<&'static str> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let parent = name.rsplit('.').nth(1).unwrap_or_default();
    let in_user =
        matches!(parent, "user" | "effective" | "target" | "changes") && name.contains("user.");
    match last {
        "name" | "email" if in_user => Some("related.user"),
        "ip" | "forwarded_ip" | "resolved_ip" => Some("related.ip"),
        _ if parent == "hash" => Some("related.hash"),
        "domain"
            if matches!(
                parent,
                "source" | "destination" | "client" | "server" | "url"
            ) =>
        {
            Some("related.hosts")
        }
        "name" | "hostname" if matches!(parent, "host" | "observer") => Some("related.hosts"),
        _ => None,
    }
}

/// How many addresses of an unparsed text are collected.
const MAX_ADDRESSES: usize = 100;

/// Finds the addresses in a text that no parser could read.
pub(crate) fn addresses_in(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in text.split(|c: char| !(c.is_ascii_hexdigit() || c == '.' || c == ':')) {
        let word = word.trim_matches('.');
        let is_candidate =
            word.len() >= 3 && (word.matches(':').count() >= 2 || word.matches('.').count() == 3);
        if !is_candidate {
            continue;
        }
        let without_port = word
            .split_once(':')
            .filter(|(address, _)| address.contains('.'))
            .map_or(word, |(address, _)| address);
        if let Some(address) = ip(word)
            .or_else(|| ip(without_port))
            .map(|address| address.to_string())
            && !found.contains(&address)
        {
            found.push(address);
        }
        if found.len() == MAX_ADDRESSES {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_which_fields_are_related() {
        for (name, expected) in [
            ("source.ip", Some("related.ip")),
            ("dns.resolved_ip", Some("related.ip")),
            ("user.name", Some("related.user")),
            ("user.target.name", Some("related.user")),
            ("user.target.group.name", None),
            ("user.id", None),
            ("file.hash.sha256", Some("related.hash")),
            ("url.domain", Some("related.hosts")),
            ("host.name", Some("related.hosts")),
            ("rule.name", None),
            ("cloud.account.name", None),
        ] {
            assert_eq!(related_to(name), expected, "{name}");
        }
    }

    #[test]
    fn finds_addresses_in_text() {
        assert_eq!(
            addresses_in("from 192.0.2.1:443 to [2001:db8::1], at 10:15:00 v1.2.3 192.0.2.1."),
            ["192.0.2.1", "2001:db8::1"]
        );
        assert_eq!(addresses_in("no address here 1.2.3.4.5 ::"), [""; 0]);
    }
}
