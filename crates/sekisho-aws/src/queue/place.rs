//! [`Place`]: what the URL of a queue says of its region and address.

/// What a queue's URL says about where it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Region(String),
    Address(String),
    Unknown,
}

impl Place {
    pub(super) fn of(url: &str) -> Self {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Self::Unknown;
        };
        let host = rest.split('/').next().unwrap_or_default();
        if !host.contains(".amazonaws.com") {
            return Self::Address(format!("{scheme}://{host}"));
        }
        // `sqs.<region>.amazonaws.com`; the older forms name their region elsewhere.
        let region = host
            .strip_prefix("sqs.")
            .and_then(|rest| rest.split('.').next());
        match region.filter(|region| region.contains('-')) {
            Some(region) => Self::Region(region.to_owned()),
            None => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_says_where_the_queue_is() {
        let region = |name: &str| Place::Region(name.to_owned());
        for (url, expected) in [
            (
                "https://sqs.ap-northeast-1.amazonaws.com/111122223333/q",
                region("ap-northeast-1"),
            ),
            (
                "https://sqs.cn-north-1.amazonaws.com.cn/111122223333/q",
                region("cn-north-1"),
            ),
            ("https://queue.amazonaws.com/111122223333/q", Place::Unknown),
            (
                "http://127.0.0.1:4570/000000000000/q",
                Place::Address("http://127.0.0.1:4570".to_owned()),
            ),
            ("q", Place::Unknown),
        ] {
            assert_eq!(Place::of(url), expected, "{url}");
        }
    }
}
