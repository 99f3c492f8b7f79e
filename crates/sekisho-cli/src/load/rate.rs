//! [`Throttled`]: a store whose bytes come no faster than a rate.

use std::io::{self, Read};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sekisho_event::ObjectRef;
use sekisho_object::{Body, BodyReader, ObjectError, ObjectMeta, ObjectStore, OpenObject};
use tokio::time::Instant;

/// Stored bytes per second, as a user writes them: megabytes (10⁶ bytes), with decimals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate(f64);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<f64>() {
            Ok(megabytes) if megabytes.is_finite() && megabytes >= 0.001 => {
                Ok(Self(megabytes * 1e6))
            }
            _ => Err(format!(
                "`{text}` is no rate; give megabytes per second, like `20` or `0.5`"
            )),
        }
    }
}

/// A store whose objects share one rate.
pub(crate) struct Throttled {
    store: Arc<dyn ObjectStore>,
    ceiling: Arc<Ceiling>,
}

/// Spreads bytes over time; what was not used is not saved up.
#[derive(Debug)]
struct Ceiling {
    bytes_per_second: f64,
    /// When the bytes that were given out are paid for.
    paid_at: Mutex<Instant>,
}

impl Throttled {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, rate: Rate) -> Self {
        let ceiling = Ceiling {
            bytes_per_second: rate.0,
            paid_at: Mutex::new(Instant::now()),
        };
        Self {
            store,
            ceiling: Arc::new(ceiling),
        }
    }

    fn slowed(&self, open: OpenObject) -> OpenObject {
        let body = Body::from_read(Slowed {
            body: open.body.into_read(),
            ceiling: Arc::clone(&self.ceiling),
        });
        OpenObject { body, ..open }
    }
}

impl Ceiling {
    /// Takes bytes and says how long to wait for them.
    fn take(&self, n_bytes: usize, now: Instant) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "a rate is no exact number")]
        let cost = Duration::from_secs_f64(n_bytes as f64 / self.bytes_per_second);
        let mut paid_at = self.paid_at.lock().unwrap_or_else(PoisonError::into_inner);
        *paid_at = (*paid_at).max(now) + cost;
        *paid_at - now
    }
}

#[async_trait]
impl ObjectStore for Throttled {
    async fn open(&self, object: &ObjectRef) -> Result<OpenObject, ObjectError> {
        self.store.open(object).await.map(|open| self.slowed(open))
    }

    async fn open_from(&self, object: &ObjectRef, from: u64) -> Result<OpenObject, ObjectError> {
        let open = self.store.open_from(object, from).await?;
        Ok(self.slowed(open))
    }

    async fn head(&self, object: &ObjectRef) -> Result<ObjectMeta, ObjectError> {
        self.store.head(object).await
    }
}

struct Slowed {
    body: BodyReader,
    ceiling: Arc<Ceiling>,
}

impl Read for Slowed {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.body.read(to)?;
        if count > 0 {
            let wait = self.ceiling.take(count, Instant::now());
            // Bodies are read on threads of their own, which may sleep.
            std::thread::sleep(wait);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_megabytes_with_decimals() {
        assert_eq!("0.5".parse(), Ok(Rate(500_000.0)));
        for text in ["", "0", "-1", "NaN", "inf", "20MB"] {
            let error = text.parse::<Rate>().unwrap_err();
            assert!(error.contains("`0.5`"), "{error}");
        }
    }

    #[test]
    fn bytes_are_spread_over_time_and_never_saved_up() {
        let start = Instant::now();
        let ceiling = Ceiling {
            bytes_per_second: 1000.0,
            paid_at: Mutex::new(start),
        };
        let ms = Duration::from_millis;
        assert_eq!(ceiling.take(100, start), ms(100));
        assert_eq!(ceiling.take(100, start + ms(50)), ms(150));
        // An hour in which nothing was read.
        let later = start + Duration::from_secs(3600);
        assert_eq!(ceiling.take(100, later), ms(100));
    }

    #[test]
    fn a_body_takes_the_time_that_its_rate_says() {
        let rate = "0.1".parse().unwrap();
        let store = Throttled::new(
            Arc::new(sekisho_object::LocalFiles::new("/", "b", "")),
            rate,
        );
        let meta = ObjectMeta {
            etag: None,
            version_id: None,
            last_modified: "2026-11-23T00:00:00Z".parse().unwrap(),
            size: None,
        };
        let body = Body::from_bytes(vec![0_u8; 20_000]);
        let began = Instant::now();
        let mut bytes = Vec::new();
        let open = store.slowed(OpenObject { meta, body });
        open.body.into_read().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len(), 20_000);
        assert!(began.elapsed() >= Duration::from_millis(190));
    }
}
