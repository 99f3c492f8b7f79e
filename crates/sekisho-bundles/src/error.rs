//! What can be wrong with what is published.

use sekisho_parser::ParserError;

use crate::store::StoreError;

/// Why a bundle or the pointer cannot be used or written; says what helps.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The store did not answer as it should.
    #[error("cannot reach `{key}` in the config bucket")]
    Store {
        /// The object.
        key: String,
        /// What it says.
        #[source]
        source: StoreError,
    },
    /// The store did not answer in time.
    #[error("no answer for `{key}` of the config bucket within {seconds} s; it is asked again")]
    Slow {
        /// The object.
        key: String,
        /// The limit.
        seconds: u64,
    },
    /// The pointer names a bundle that is not there.
    #[error("bundle `{key}` is not there; publish its parser again, or `sekisho parser rollback`")]
    Missing {
        /// The object.
        key: String,
    },
    /// The bytes are not those that were published.
    #[error(
        "the bytes of bundle `{key}` have the digest `{found}`, so somebody changed them; delete it and publish its parser again, or `sekisho parser rollback`"
    )]
    Digest {
        /// The object.
        key: String,
        /// What its bytes have.
        found: String,
    },
    /// The bundle was made for a newer engine.
    #[error(
        "bundle `{key}` needs engine {engine} and this version has engine {own}; deploy the version that published it, or `sekisho parser rollback`"
    )]
    Engine {
        /// The object.
        key: String,
        /// What it needs.
        engine: u32,
        /// What this version is.
        own: u32,
    },
    /// The bytes are no bundle.
    #[error(
        "`{key}` is no bundle: {message}; publish its parser again, or `sekisho parser rollback`"
    )]
    Malformed {
        /// The object.
        key: String,
        /// Why not.
        message: String,
    },
    /// The parser in the bundle cannot be used with the others.
    #[error(
        "bundle `{key}` cannot be used; publish its parser mended, or `sekisho parser rollback`"
    )]
    Parser {
        /// The object.
        key: String,
        /// Why.
        #[source]
        source: ParserError,
    },
    /// The pointer is none.
    #[error(
        "`{key}` is no pointer: {message}; restore an older version of it in the config bucket"
    )]
    Pointer {
        /// The object.
        key: &'static str,
        /// Why not.
        message: String,
    },
    /// Somebody else published between reading and writing.
    #[error(
        "somebody else published meanwhile, so nothing was changed; look at `sekisho parser versions` and try again"
    )]
    Moved,
    /// There is nothing to go back to.
    #[error("{what}; `sekisho parser versions` lists them")]
    NoVersion {
        /// What is not there.
        what: String,
    },
    /// The parser cannot be made a bundle.
    #[error("the parser cannot be published")]
    Unfit(#[source] ParserError),
}

impl BundleError {
    /// Gives the error with its causes in one line.
    pub fn chain(&self) -> String {
        let first: &dyn std::error::Error = self;
        let causes = std::iter::successors(Some(first), |error| (*error).source());
        causes
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": ")
    }
}
