//! Which clusters can be written to.

use serde::Deserialize;

use crate::{BulkError, ClusterApi, Method};

/// The oldest line that the tests run against; it has `wildcard` fields and everything else that the templates use.
const MINIMUM: (u32, u32) = (2, 19);

/// The version of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterVersion {
    /// The number, such as `3.4.0`.
    pub number: String,
}

#[derive(Deserialize)]
struct Root {
    version: Version,
}

#[derive(Deserialize)]
struct Version {
    number: String,
    distribution: Option<String>,
}

/// Asks a cluster for its version.
///
/// # Errors
/// When it is no OpenSearch, is older than 2.19, or does not say.
pub async fn check_version(api: &dyn ClusterApi) -> Result<ClusterVersion, BulkError> {
    let answer = api.call(Method::Get, "/", None).await?;
    let refused = || BulkError::Refused {
        call: "GET /".to_owned(),
        status: answer.status,
        reason: answer.excerpt(),
    };
    if answer.status != 200 {
        return Err(refused());
    }
    let Ok(root) = serde_json::from_slice::<Root>(&answer.body) else {
        return Err(refused());
    };
    decide(root.version)
}

fn decide(version: Version) -> Result<ClusterVersion, BulkError> {
    let distribution = version.distribution.as_deref().unwrap_or("elasticsearch");
    let refuse = |remedy| {
        Err(BulkError::Version {
            found: format!("{distribution} {}", version.number),
            remedy,
        })
    };
    if distribution != "opensearch" {
        return refuse("use OpenSearch 2.19 or newer");
    }
    let mut parts = version.number.split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= MINIMUM && major < 7 => {
            Ok(ClusterVersion {
                number: version.number,
            })
        }
        // What a domain in compatibility mode says of itself.
        (Some(Ok(7)), _) => refuse(
            "turn `compatibility.override_main_response_version` off, and use OpenSearch 2.19 or newer",
        ),
        _ => refuse("upgrade the cluster to OpenSearch 2.19 or newer"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(distribution: Option<&str>, number: &str) -> Result<String, String> {
        decide(Version {
            number: number.into(),
            distribution: distribution.map(Into::into),
        })
        .map(|version| version.number)
        .map_err(|error| error.to_string())
    }

    #[test]
    fn takes_2_19_and_newer_and_says_what_to_do_otherwise() {
        let opensearch = Some("opensearch");
        assert_eq!(check(opensearch, "2.19.4"), Ok("2.19.4".into()));
        assert_eq!(check(opensearch, "3.4.0"), Ok("3.4.0".into()));
        for (distribution, number, word) in [
            (opensearch, "2.17.0", "upgrade"),
            (opensearch, "7.10.2", "override_main_response_version"),
            (None, "8.1.0", "use OpenSearch"),
            (opensearch, "x", "upgrade"),
        ] {
            assert!(
                check(distribution, number).unwrap_err().contains(word),
                "{number}"
            );
        }
    }
}
