//! [`BucketRole`]: the role of another account that reads its bucket.

use std::fmt;
use std::str::FromStr;

/// A role that is assumed to read a bucket, and the external id that its trust policy asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketRole {
    /// The role's ARN.
    pub arn: String,
    /// What the owner of the role wants to hear, so that nobody else can send us there.
    pub external_id: Option<String>,
}

impl fmt::Display for BucketRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.arn)?;
        match &self.external_id {
            Some(id) => write!(f, " {id}"),
            None => Ok(()),
        }
    }
}

impl FromStr for BucketRole {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let arn = words.next().unwrap_or_default();
        let external_id = words.next().map(str::to_owned);
        let is_role = arn.starts_with("arn:") && arn.contains(":iam::") && arn.contains(":role/");
        if !is_role || words.next().is_some() {
            return Err(format!(
                "`{text}` is no role; write it like `arn:aws:iam::111122223333:role/logs EXTERNAL-ID`"
            ));
        }
        Ok(Self {
            arn: arn.to_owned(),
            external_id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_an_external_id_or_none() {
        for text in [
            "arn:aws:iam::111122223333:role/logs",
            "arn:aws-cn:iam::111122223333:role/path/logs a=b:c/d",
        ] {
            assert_eq!(text.parse::<BucketRole>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "logs",
            "arn:aws:iam::1:user/a",
            "arn:aws:iam::1:role/a b c",
        ] {
            let error = text.parse::<BucketRole>().unwrap_err();
            assert!(error.contains("is no role"), "{error}");
        }
    }
}
