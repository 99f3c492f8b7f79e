//! [`Source`]: what to load, page by page.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use sekisho_aws::{ObjectList, Session};
use sekisho_config::Settings;
use sekisho_event::{ObjectRef, S3Location};
use sekisho_object::{LocalFiles, ObjectStore};

use crate::args::LoadArgs;

/// As many as S3 gives in one page.
const PAGE: usize = 1000;

/// Where objects come from, and which.
pub(crate) struct Source {
    pub(crate) store: Arc<dyn ObjectStore>,
    pages: Pages,
}

enum Pages {
    Listed(ObjectList),
    Files(std::vec::IntoIter<ObjectRef>),
}

impl Source {
    /// Opens it, refusing what must not be read.
    pub(crate) async fn open(args: &LoadArgs, settings: &Settings) -> Result<Self> {
        if args.from.starts_with("s3://") {
            if args.stands_for.is_some() {
                bail!(
                    "`--as` names the place that local files stand for; leave it out for `s3://…`"
                );
            }
            let place: S3Location = args.from.parse()?;
            refuse_quarantine(&place, settings)?;
            let session = Session::connect(settings).await;
            return Ok(Self {
                store: Arc::new(session.store()),
                pages: Pages::Listed(session.list(place)),
            });
        }
        let root = PathBuf::from(&args.from);
        if !root.exists() {
            bail!("there is no file or folder `{}`", root.display());
        }
        let place = args.stands_for.clone().unwrap_or(S3Location {
            bucket: "local".to_owned(),
            prefix: String::new(),
        });
        refuse_quarantine(&place, settings)?;
        let files = LocalFiles::new(root, place.bucket, place.prefix);
        let objects = files.list().context("cannot list the files")?;
        Ok(Self {
            store: Arc::new(files),
            pages: Pages::Files(objects.into_iter()),
        })
    }

    /// Gives the next page; `None` at the end.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Vec<ObjectRef>>> {
        match &mut self.pages {
            Pages::Listed(list) => Ok(list.next_page().await?),
            Pages::Files(files) => {
                let page: Vec<_> = files.by_ref().take(PAGE).collect();
                Ok(Some(page).filter(|page| !page.is_empty()))
            }
        }
    }

    /// How many objects there are, where that is known without listing all.
    pub(crate) fn n_objects(&self) -> Option<usize> {
        match &self.pages {
            Pages::Listed(_) => None,
            Pages::Files(files) => Some(files.len()),
        }
    }
}

/// What could not be indexed would come around for ever.
pub(crate) fn refuse_quarantine(place: &S3Location, settings: &Settings) -> Result<()> {
    if !settings.quarantine.bucket.is_empty() && place.bucket == settings.quarantine.bucket {
        bail!(
            "`{place}` is the quarantine bucket and holds no logs; `sekisho replay --quarantine` reads its records again"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quarantine_bucket_is_no_source() {
        let mut settings = Settings::default();
        let place: S3Location = "s3://kept/quarantine/".parse().unwrap();
        refuse_quarantine(&place, &settings).unwrap();
        settings.quarantine.bucket = "kept".to_owned();
        let error = refuse_quarantine(&place, &settings).unwrap_err();
        assert!(error.to_string().contains("sekisho replay"), "{error}");
    }
}
