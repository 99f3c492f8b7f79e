//! [`HeldCredentials`]: asked for once, not with every request, and anew before they expire.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use tokio::sync::Mutex;

/// How long before they expire credentials are asked for anew: what hands them out has new ones by then.
const EARLY: Duration = Duration::from_secs(5 * 60);
/// How soon the source is asked again while it still gives what is about to expire, or nothing.
const AGAIN: Duration = Duration::from_secs(30);

type Now = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Credentials from a source that costs a call each time it is asked.
pub(super) struct HeldCredentials {
    source: SharedCredentialsProvider,
    now: Now,
    held: Mutex<Option<Held>>,
    refused: AtomicBool,
}

struct Held {
    credentials: Credentials,
    asked: SystemTime,
}

impl Held {
    fn is_due(&self, now: SystemTime) -> bool {
        let Some(expiry) = self.credentials.expiry() else {
            return false;
        };
        expiry <= now || (expiry <= now + EARLY && self.asked + AGAIN <= now)
    }

    fn is_valid(&self, now: SystemTime) -> bool {
        let expiry = self.credentials.expiry();
        expiry.is_none_or(|expiry| now < expiry)
    }
}

impl HeldCredentials {
    pub(super) fn new(
        source: SharedCredentialsProvider,
        now: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        Self {
            source,
            now: Arc::new(now),
            held: Mutex::default(),
            refused: AtomicBool::new(false),
        }
    }

    /// Asks for new ones at the next request: the cluster called these expired.
    pub(super) fn renew(&self) {
        self.refused.store(true, Ordering::Release);
    }

    async fn give(&self) -> Result<Credentials, CredentialsError> {
        // Held over the call on purpose: many requests at once ask once.
        let mut held = self.held.lock().await;
        let now = (self.now)();
        let refused = self.refused.swap(false, Ordering::AcqRel);
        if let Some(held) = held.as_ref().filter(|held| !refused && !held.is_due(now)) {
            return Ok(held.credentials.clone());
        }
        match (self.source.provide_credentials().await, held.as_mut()) {
            (Ok(credentials), _) => {
                *held = Some(Held {
                    credentials: credentials.clone(),
                    asked: now,
                });
                Ok(credentials)
            }
            // What is early may fail: these are good for some minutes more.
            (Err(_), Some(held)) if !refused && held.is_valid(now) => {
                held.asked = now;
                Ok(held.credentials.clone())
            }
            (Err(error), _) => {
                if refused {
                    self.renew();
                }
                Err(error)
            }
        }
    }
}

impl ProvideCredentials for HeldCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.give())
    }
}

impl fmt::Debug for HeldCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldCredentials").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Gives credentials that are named for how often it was asked and live for a quarter of an hour.
    #[derive(Default)]
    struct World {
        seconds: u64,
        asked: u32,
        lifetime: Option<u64>,
        failing: bool,
    }

    #[derive(Clone)]
    struct Source(Arc<Mutex<World>>);

    impl fmt::Debug for Source {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Source")
        }
    }

    impl Source {
        fn new(lifetime: Option<u64>) -> (Self, HeldCredentials) {
            let source = Self(Arc::new(Mutex::new(World {
                lifetime,
                ..World::default()
            })));
            let clock = source.clone();
            let held =
                HeldCredentials::new(SharedCredentialsProvider::new(source.clone()), move || {
                    clock.now()
                });
            (source, held)
        }

        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH + Duration::from_secs(self.0.lock().unwrap().seconds)
        }

        fn at(&self, seconds: u64) {
            self.0.lock().unwrap().seconds = seconds;
        }

        fn fail(&self, failing: bool) {
            self.0.lock().unwrap().failing = failing;
        }
    }

    impl ProvideCredentials for Source {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let now = self.now();
            let mut world = self.0.lock().unwrap();
            world.asked += 1;
            future::ProvideCredentials::ready(match world.failing {
                true => Err(CredentialsError::not_loaded("none")),
                false => Ok(Credentials::new(
                    format!("key-{}", world.asked),
                    "secret",
                    None,
                    world.lifetime.map(|life| now + Duration::from_secs(life)),
                    "test",
                )),
            })
        }
    }

    async fn key(held: &HeldCredentials) -> String {
        let given = held.provide_credentials().await;
        given.map_or_else(|_| "none".to_owned(), |it| it.access_key_id().to_owned())
    }

    #[tokio::test]
    async fn are_asked_for_anew_five_minutes_before_they_expire() {
        let (source, held) = Source::new(Some(900));
        for (seconds, expected) in [(0, "key-1"), (599, "key-1"), (600, "key-2"), (601, "key-2")] {
            source.at(seconds);
            assert_eq!(key(&held).await, expected, "at {seconds} s");
        }
    }

    #[tokio::test]
    async fn without_an_end_are_asked_for_once_until_they_are_refused() {
        let (source, held) = Source::new(None);
        assert_eq!(key(&held).await, "key-1");
        source.at(1_000_000);
        assert_eq!(key(&held).await, "key-1");
        held.renew();
        assert_eq!(key(&held).await, "key-2");
        assert_eq!(key(&held).await, "key-2");
    }

    #[tokio::test]
    async fn a_source_that_has_none_yet_is_left_alone_for_a_while() {
        let (source, held) = Source::new(Some(900));
        assert_eq!(key(&held).await, "key-1");
        source.fail(true);
        for (seconds, asked) in [(600, 2), (620, 2), (630, 3)] {
            source.at(seconds);
            assert_eq!(key(&held).await, "key-1", "at {seconds} s");
            assert_eq!(source.0.lock().unwrap().asked, asked, "at {seconds} s");
        }
        source.at(900);
        assert_eq!(key(&held).await, "none");
        source.fail(false);
        assert_eq!(key(&held).await, "key-5");
    }

    #[tokio::test]
    async fn short_lived_ones_do_not_cost_a_call_for_each_request() {
        let (source, held) = Source::new(Some(120));
        for (seconds, expected) in [(0, "key-1"), (29, "key-1"), (30, "key-2"), (31, "key-2")] {
            source.at(seconds);
            assert_eq!(key(&held).await, expected, "at {seconds} s");
        }
    }

    #[tokio::test]
    async fn refused_ones_are_not_given_again() {
        let (source, held) = Source::new(Some(900));
        assert_eq!(key(&held).await, "key-1");
        held.renew();
        source.fail(true);
        assert_eq!(key(&held).await, "none");
        source.fail(false);
        assert_eq!(key(&held).await, "key-3");
    }
}
