//! A node with the security plugin: whom it lets in, what it lets them write, and what an operator is told.

use anyhow::{Context, Result, ensure};
use sekisho_aws::connect_cluster;
use sekisho_bulk::{BulkError, Method, Verdict, check_version};
use sekisho_cluster::{TemplateState, check_templates};
use sekisho_config::{Auth, OpenSearchSettings};
use sekisho_document::SourceMapping;
use sekisho_tests::node::ADMIN;
use sekisho_tests::opensearch::Cluster;
use serde_json::json;

use crate::{Secured, batch};

crate::cases![Secured:
    basic_auth_over_tls_with_gzip_and_without,
    a_wrong_password_is_a_state_fault,
    an_unknown_authority_is_a_clear_error,
    a_name_that_the_certificate_lacks_is_a_clear_error,
    an_insecure_connection_needs_no_authority,
    a_writer_role_writes_its_indices_only,
    a_writer_role_writes_beside_a_retired_index,
];

/// What the settings of an installation say.
fn settings(node: &Secured, (username, password): (&str, &str)) -> Result<OpenSearchSettings> {
    Ok(OpenSearchSettings {
        url: node.url.clone(),
        auth: Auth::Basic,
        username: username.to_owned(),
        password: password.to_owned().into(),
        ca_file: node.ca_file.to_str().context("a path")?.to_owned(),
        ..OpenSearchSettings::default()
    })
}

async fn connect(settings: &OpenSearchSettings) -> Result<Cluster> {
    Ok(Cluster::over(connect_cluster(settings).await?))
}

async fn admin(node: &Secured) -> Result<Cluster> {
    connect(&settings(node, ADMIN)?).await
}

fn source() -> SourceMapping {
    SourceMapping {
        dataset: "aws.demo".into(),
        index: "log-aws-demo".into(),
        fields: Vec::new(),
    }
}

/// Every item has the same reason, and it says what to do.
fn state_faults(verdicts: &[Verdict], words: &[&str]) -> Result<()> {
    ensure!(!verdicts.is_empty(), "no verdicts");
    for verdict in verdicts {
        let Verdict::StateFault { reason } = verdict else {
            anyhow::bail!("no state fault: {verdict:?}");
        };
        for word in words {
            ensure!(reason.contains(word), "no `{word}` in `{reason}`");
        }
    }
    Ok(())
}

async fn basic_auth_over_tls_with_gzip_and_without(node: Secured) -> Result<()> {
    for gzip in [true, false] {
        let settings = OpenSearchSettings {
            gzip,
            ..settings(&node, ADMIN)?
        };
        let cluster = connect(&settings).await?;
        check_version(cluster.transport()).await?;
        cluster.apply(&[source()]).await?;
        let state = check_templates(cluster.transport(), "").await?;
        ensure!(state == TemplateState::Current, "{state:?}");
        let index = format!("log-aws-demo-2026.11.{}", if gzip { "01" } else { "02" });
        let batch = batch(&[&index, &index])?;
        let verdicts = cluster.write(&batch).await?;
        ensure!(
            verdicts == [Verdict::Indexed, Verdict::Indexed],
            "{verdicts:?}"
        );
        let verdicts = cluster.write(&batch).await?;
        ensure!(
            verdicts == [Verdict::Duplicate, Verdict::Duplicate],
            "{verdicts:?}"
        );
        cluster.refresh().await?;
        let count = cluster.count(&index, json!({ "match_all": {} })).await?;
        ensure!(count == 2, "{count} documents with gzip {gzip}");
    }
    Ok(())
}

async fn a_wrong_password_is_a_state_fault(node: Secured) -> Result<()> {
    let index = "log-wrong-password";
    for gzip in [true, false] {
        let settings = OpenSearchSettings {
            gzip,
            ..settings(&node, (ADMIN.0, "wrong"))?
        };
        let cluster = connect(&settings).await?;
        let remedy = "check `opensearch.auth`, `opensearch.username` and `opensearch.password`";
        state_faults(&cluster.write(&batch(&[index])?).await?, &["401", remedy])?;
        // More items than one: the request is not cut in two to look for a culprit.
        state_faults(
            &cluster.write(&batch(&[index, index, index])?).await?,
            &["401", remedy],
        )?;
        let error = check_version(cluster.transport()).await.unwrap_err();
        ensure!(error.to_string().contains(remedy), "{error}");
        let shown = format!("{error} {error:?}");
        ensure!(!shown.contains("wrong"), "{shown}");
    }
    let count = admin(&node)
        .await?
        .count(index, json!({ "match_all": {} }))
        .await?;
    ensure!(count == 0, "{count} documents were written");
    Ok(())
}

async fn an_unknown_authority_is_a_clear_error(node: Secured) -> Result<()> {
    let settings = OpenSearchSettings {
        ca_file: String::new(),
        ..settings(&node, ADMIN)?
    };
    let cluster = connect(&settings).await?;
    let words = [
        "is not trusted",
        "UnknownIssuer",
        "opensearch.ca_file",
        node.url.as_str(),
    ];
    state_faults(
        &cluster
            .write(&batch(&["log-unknown", "log-unknown"])?)
            .await?,
        &words,
    )?;
    let error = check_version(cluster.transport()).await.unwrap_err();
    ensure!(matches!(error, BulkError::Certificate { .. }), "{error:?}");
    Ok(())
}

async fn a_name_that_the_certificate_lacks_is_a_clear_error(node: Secured) -> Result<()> {
    let settings = OpenSearchSettings {
        url: node.url.replace("localhost", "127.0.0.1"),
        ..settings(&node, ADMIN)?
    };
    let cluster = connect(&settings).await?;
    let words = ["not valid for name", "127.0.0.1", "`opensearch.url`"];
    state_faults(&cluster.write(&batch(&["log-unnamed"])?).await?, &words)
}

async fn an_insecure_connection_needs_no_authority(node: Secured) -> Result<()> {
    let settings = OpenSearchSettings {
        ca_file: String::new(),
        insecure: true,
        ..settings(&node, ADMIN)?
    };
    check_version(connect(&settings).await?.transport()).await?;
    Ok(())
}

/// What the documentation tells an operator to grant; whoever runs `sekisho apply` needs more.
async fn make_writer(admin: &Cluster, user: (&str, &str)) -> Result<()> {
    let role = json!({
        "cluster_permissions": [
            "cluster:monitor/main",
            "cluster:admin/component_template/get",
            "indices:admin/index_template/get",
            "indices:data/write/bulk",
            "indices:data/read/mget",
        ],
        "index_permissions": [{
            "index_patterns": ["log-*"],
            "allowed_actions": [
                "create_index",
                "indices:data/write/index",
                "indices:data/write/bulk*",
                "indices:admin/mapping/put",
                "indices:admin/aliases/get",
                "indices:data/read/mget*",
            ],
        }],
    });
    let security = "/_plugins/_security/api";
    let path = format!("{security}/roles/sekisho_writer");
    admin.must(Method::Put, &path, Some(role)).await?;
    let login = json!({ "password": user.1, "opendistro_security_roles": ["sekisho_writer"] });
    let path = format!("{security}/internalusers/{}", user.0);
    admin.must(Method::Put, &path, Some(login)).await?;
    Ok(())
}

async fn a_writer_role_writes_its_indices_only(node: Secured) -> Result<()> {
    let admin = admin(&node).await?;
    admin.apply(&[source()]).await?;
    admin.create("other-existing", json!({})).await?;
    let user = ("sekisho-writer", "Kawasemi-7-hisui-rail");
    make_writer(&admin, user).await?;
    let writer = connect(&settings(&node, user)?).await?;
    // What the Lambda asks before it writes.
    check_version(writer.transport()).await?;
    let state = check_templates(writer.transport(), "").await?;
    ensure!(state == TemplateState::Current, "{state:?}");
    let own = "log-aws-demo-2026.11.03";
    let batch = batch(&[own, "other-existing", "other-new", own])?;
    for expected in [Verdict::Indexed, Verdict::Duplicate] {
        let verdicts = writer.write(&batch).await?;
        let [first, existing, new, last] = verdicts.as_slice() else {
            anyhow::bail!("{verdicts:?}");
        };
        ensure!(*first == expected && *last == expected, "{verdicts:?}");
        let words = [
            "security_exception",
            "no permissions for",
            "the user's role",
        ];
        state_faults(&[existing.clone(), new.clone()], &words)?;
    }
    Ok(())
}

async fn a_writer_role_writes_beside_a_retired_index(node: Secured) -> Result<()> {
    let admin = admin(&node).await?;
    let user = ("sekisho-late-writer", "Kawasemi-7-hisui-rail");
    make_writer(&admin, user).await?;
    let writer = connect(&settings(&node, user)?).await?;
    let (open, retired) = ("log-late-open", "log-late-retired");
    admin.delete("log-late-*").await?;
    let first = batch(&[retired, open])?;
    ensure!(writer.write(&first).await? == [Verdict::Indexed, Verdict::Indexed]);
    for index in [open, retired] {
        let block = json!({ "index.blocks.write": true });
        let path = format!("/{index}/_settings");
        admin.must(Method::Put, &path, Some(block)).await?;
    }
    let mark = json!({ "actions": [{ "add": { "index": retired, "alias": "sekisho-retired" } }] });
    admin.must(Method::Post, "/_aliases", Some(mark)).await?;
    let verdicts = writer.write(&batch(&[retired, open, retired])?).await?;
    let [first, blocked, last] = verdicts.as_slice() else {
        anyhow::bail!("{verdicts:?}");
    };
    ensure!(
        *first == Verdict::Duplicate && *last == Verdict::Indexed,
        "{verdicts:?}"
    );
    state_faults(std::slice::from_ref(blocked), &["FORBIDDEN/8"])
}
