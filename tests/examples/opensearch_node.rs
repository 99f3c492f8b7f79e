//! Keeps a node of each supported version running until its input ends, for work by hand.

use std::io::{Read, Write};

use sekisho_tests::node::Node;

fn main() -> anyhow::Result<()> {
    let nodes = Node::start_all()?;
    let mut out = std::io::stdout();
    for node in &nodes {
        writeln!(
            out,
            "{} {} {:?} KiB",
            node.version().number(),
            node.url(),
            node.resident_kib()
        )?;
    }
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
