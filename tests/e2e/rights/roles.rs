//! Buckets of another account are read with the credentials of its role, all others with our own.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use chrono::SecondsFormat;
use sekisho_aws::Session;
use sekisho_config::S3Settings;
use sekisho_event::ObjectRef;
use sekisho_object::{ErrorClass, ObjectStore as _};
use sekisho_pipeline::{Clock as _, SystemClock};
use sekisho_tests::proxy::{Fault, Proxy, Request};

use crate::call::field;
use crate::world::{EXTERNAL_ID, FOREIGN, ROLE, World, key};

sekisho_tests::cases!(
    World;
    a_foreign_bucket_is_read_with_the_credentials_of_its_role,
    credentials_are_asked_for_before_they_end,
    a_refused_role_is_named_with_what_to_do,
);

const OWN_KEY: &str = "test";
const REFUSAL: &str = r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: arn:aws:sts::111122223333:assumed-role/ingest/i is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/reads-logs</Message></Error><RequestId>0</RequestId></ErrorResponse>"#;

/// A session through a proxy, as a function has it.
async fn session(world: &World) -> Result<(Proxy, Session)> {
    let proxy = Proxy::start(world.aws.url())?;
    let credentials = Credentials::new(OWN_KEY, "test", None, None, "stand-in");
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials)
        .endpoint_url(proxy.url())
        .load()
        .await;
    let role = format!("{ROLE} {EXTERNAL_ID}");
    let role = role.parse().ok().context("no role")?;
    let settings = S3Settings {
        force_path_style: true,
        roles: [(FOREIGN.to_owned(), role)].into(),
        ..S3Settings::default()
    };
    Ok((proxy, Session::new(&config, &settings)))
}

fn is_sts(request: &Request) -> bool {
    request.call.contains("Action=AssumeRole")
}

async fn a_foreign_bucket_is_read_with_the_credentials_of_its_role(
    world: Arc<World>,
) -> Result<()> {
    let own = world.aws.s3();
    own.create_bucket().bucket("own").send().await?;
    let put = own.put_object().bucket("own").key("k");
    put.body(b"x".to_vec().into()).send().await?;
    let (proxy, session) = session(&world).await?;
    let store = session.store();
    for _ in 0..2 {
        store.open(&ObjectRef::new(FOREIGN, key(0))).await?;
        store.head(&ObjectRef::new(FOREIGN, key(0))).await?;
    }
    let mut list = session.list(format!("s3://{FOREIGN}/").parse()?);
    let page = list.next_page().await?.unwrap_or_default();
    ensure!(page.len() == 1, "{page:?}");
    store.open(&ObjectRef::new("own", "k")).await?;

    let (passed, _) = proxy.passed();
    let (asked, read): (Vec<_>, Vec<_>) = passed.into_iter().partition(is_sts);
    // The credentials serve every request until shortly before they end.
    let [asked] = asked.as_slice() else {
        anyhow::bail!("asked {} times", asked.len());
    };
    ensure!(asked.access_key == OWN_KEY, "{asked:?}");
    ensure!(field(&asked.call, "RoleArn").as_deref() == Some(ROLE));
    ensure!(field(&asked.call, "ExternalId").as_deref() == Some(EXTERNAL_ID));
    ensure!(read.len() == 6, "{read:?}");
    for request in read {
        let is_foreign = request.path.starts_with("/foreign");
        let is_own_key = request.access_key == OWN_KEY;
        ensure!(is_foreign != is_own_key, "{request:?}");
        ensure!(!request.access_key.is_empty(), "{request:?}");
    }
    Ok(())
}

/// Credentials that STS gave for so long.
fn credentials(lasting: Duration) -> &'static str {
    let end = SystemClock.now() + lasting;
    let end = end.to_rfc3339_opts(SecondsFormat::Secs, true);
    let text = format!(
        r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>444455556666</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>{end}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"#
    );
    // A rule answers with what lives as long as the process.
    Box::leak(text.into_boxed_str())
}

/// Within the last five minutes, or half of them, the SDK asks again: it draws the moment, so that processes do not all ask at once.
async fn credentials_are_asked_for_before_they_end(world: Arc<World>) -> Result<()> {
    for (lasting, expected) in [(120, 3), (360, 1)] {
        let (proxy, session) = session(&world).await?;
        let answer = credentials(Duration::from_secs(lasting));
        proxy.rule(move |request| match is_sts(request) {
            true => Fault::Answer(200, answer),
            false => Fault::Pass,
        });
        let store = session.store();
        for _ in 0..3 {
            store.head(&ObjectRef::new(FOREIGN, key(0))).await?;
        }
        let (passed, _) = proxy.passed();
        let asked = passed.iter().filter(|request| is_sts(request)).count();
        ensure!(asked == expected, "{lasting} s: asked {asked} times");
    }
    Ok(())
}

async fn a_refused_role_is_named_with_what_to_do(world: Arc<World>) -> Result<()> {
    let (proxy, session) = session(&world).await?;
    proxy.rule(|request| match is_sts(request) {
        true => Fault::Answer(403, REFUSAL),
        false => Fault::Pass,
    });
    let open = session.store().open(&ObjectRef::new(FOREIGN, key(0))).await;
    let error = open.err().context("the bucket was read without its role")?;
    let class = error.class();
    let text = format!("{:#}", anyhow::Error::from(error));
    for part in [
        ROLE,
        "bucket `foreign`",
        "trust policy",
        "external id",
        "sts:AssumeRole",
    ] {
        ensure!(text.contains(part), "`{part}` is not in: {text}");
    }
    // Somebody mends the role; until then each delivery tries again.
    ensure!(class == ErrorClass::Retry, "{class:?}: {text}");
    let (passed, _) = proxy.passed();
    ensure!(passed.iter().all(is_sts), "{passed:?}");
    Ok(())
}
