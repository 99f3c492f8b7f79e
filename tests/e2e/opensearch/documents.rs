//! Single documents: look-ups, writes and searches as the ledger and a reload make them.

use anyhow::{Result, ensure};
use sekisho_bulk::{
    ClusterApi as _, DocumentWrite, Found, Method, Search, Want, WriteAnswer, WriteOp, mget,
    refresh, search_page, write_documents,
};
use sekisho_tests::opensearch::Cluster;
use serde_json::json;

crate::cases![
    look_ups_see_what_was_just_written,
    writes_conflict_where_another_was_faster,
    pages_follow_each_other,
    bulk_calls_say_what_they_send,
];

fn write(index: &str, id: &str, op: WriteOp, body: &str) -> DocumentWrite {
    DocumentWrite {
        index: index.to_owned(),
        id: id.to_owned(),
        op,
        body: body.as_bytes().to_vec(),
    }
}

async fn look_ups_see_what_was_just_written(cluster: Cluster) -> Result<()> {
    cluster.delete("test-docs*").await?;
    cluster.create("test-docs-b", json!({})).await?;
    cluster
        .must(Method::Post, "/test-docs-b/_close", None)
        .await?;
    let api = cluster.transport();
    let writes = [write("test-docs-a", "1", WriteOp::Create, r#"{"x":1}"#)];
    ensure!(write_documents(api, &writes).await? == [WriteAnswer::Done]);
    let ids = [
        ("test-docs-a", "1"),
        ("test-docs-a", "2"),
        ("test-docs-b", "1"),
        ("test-docs-none", "1"),
    ];
    let found = mget(api, &ids, Want::Source).await?;
    ensure!(
        matches!(&found[0], Found::Found { source, seq_no: 0, primary_term: 1 } if *source == json!({ "x": 1 })),
        "{found:?}"
    );
    ensure!(
        found[1] == Found::Missing && found[3] == Found::Missing,
        "{found:?}"
    );
    ensure!(
        matches!(&found[2], Found::Unreadable { kind, .. } if kind == "index_closed_exception"),
        "{found:?}"
    );
    let found = mget(api, &ids[..1], Want::Presence).await?;
    ensure!(
        matches!(&found[0], Found::Found { source, .. } if source.is_null()),
        "{found:?}"
    );
    Ok(())
}

async fn writes_conflict_where_another_was_faster(cluster: Cluster) -> Result<()> {
    cluster.delete("test-write*").await?;
    let api = cluster.transport();
    let index = "test-write";
    let first = [write(index, "1", WriteOp::Create, "{\n\"x\": 1\n}")];
    ensure!(write_documents(api, &first).await? == [WriteAnswer::Done]);
    let op = WriteOp::IndexIf {
        seq_no: 0,
        primary_term: 1,
    };
    let delete = |seq_no| WriteOp::DeleteIf {
        seq_no,
        primary_term: 1,
    };
    let (stale, fresh) = (delete(0), delete(1));
    let writes = [
        write(index, "1", WriteOp::Create, "{}"),
        write(index, "1", op, r#"{"x":2}"#),
        write(index, "1", op, r#"{"x":3}"#),
        write(index, "none", op, r#"{"x":3}"#),
        write(index, "none", WriteOp::Delete, ""),
        write(index, "2", WriteOp::Index, r#"{"x":2}"#),
        write(index, "2", WriteOp::Delete, ""),
        write("test-write-none", "2", WriteOp::Delete, ""),
        write(index, "1", stale, ""),
        write(index, "none", stale, ""),
        write(index, "1", fresh, ""),
        write(index, "3", WriteOp::Index, r#"{"x":"text"}"#),
    ];
    let answers = write_documents(api, &writes).await?;
    let (refused, others) = answers.split_last().unwrap_or((&WriteAnswer::Done, &[]));
    ensure!(
        others
            == [
                WriteAnswer::Conflict,
                WriteAnswer::Done,
                WriteAnswer::Conflict,
                WriteAnswer::Conflict,
                WriteAnswer::NotFound,
                WriteAnswer::Done,
                WriteAnswer::Done,
                WriteAnswer::NotFound,
                WriteAnswer::Conflict,
                WriteAnswer::Conflict,
                WriteAnswer::Done,
            ],
        "{others:?}"
    );
    ensure!(
        matches!(refused, WriteAnswer::Refused { status: 400, kind, .. } if kind == "mapper_parsing_exception"),
        "{refused:?}"
    );
    // A delete makes no index.
    let (status, _) = cluster.call(Method::Get, "/test-write-none", None).await?;
    ensure!(status == 404, "{status}");
    Ok(())
}

async fn pages_follow_each_other(cluster: Cluster) -> Result<()> {
    cluster.delete("test-page*").await?;
    cluster.create("test-page-closed", json!({})).await?;
    cluster
        .must(Method::Post, "/test-page-closed/_close", None)
        .await?;
    let api = cluster.transport();
    let writes: Vec<_> = (0..7)
        .map(|at| {
            let index = format!("test-page-{}", at % 2);
            write(
                &index,
                &format!("id-{at}"),
                WriteOp::Create,
                &format!(r#"{{"at":{at},"y":1}}"#),
            )
        })
        .collect();
    write_documents(api, &writes).await?;
    refresh(api, "test-page*,test-page-closed").await?;
    let mut search = Search {
        pattern: "test-page*,test-page-none,test-page-closed",
        query: json!({ "term": { "y": 1 } }),
        source: &["at"],
        sort: json!([{ "at": "asc" }, { "_id": "asc" }]),
        size: 3,
        search_after: None,
    };
    let mut found = Vec::new();
    loop {
        let page = search_page(api, &search).await?;
        let Some(last) = page.last() else {
            break;
        };
        search.search_after = Some(last.sort.clone());
        found.extend(page);
    }
    let ids: Vec<_> = found.iter().map(|hit| hit.id.as_str()).collect();
    ensure!(
        ids == ["id-0", "id-1", "id-2", "id-3", "id-4", "id-5", "id-6"],
        "{ids:?}"
    );
    ensure!(found.iter().all(|hit| hit.primary_term == 1));
    ensure!(found[3].index == "test-page-1" && found[3].source == json!({ "at": 3 }));
    search.source = &[];
    search.search_after = None;
    ensure!(search_page(api, &search).await?[0].source.is_null());
    search.pattern = "test-page-none-*";
    ensure!(search_page(api, &search).await?.is_empty());
    Ok(())
}

async fn bulk_calls_say_what_they_send(cluster: Cluster) -> Result<()> {
    cluster.delete("test-header").await?;
    let body = "{\"create\":{\"_index\":\"test-header\",\"_id\":\"1\"}}\n{}\n";
    let answer = cluster
        .transport()
        .call(Method::Post, "/_bulk", Some(body.into()))
        .await?;
    ensure!(answer.status == 200, "{}", answer.excerpt());
    Ok(())
}
