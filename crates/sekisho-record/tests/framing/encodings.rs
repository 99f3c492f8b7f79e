//! Encodings: records keep their bytes, lines end where their text does.

use sekisho_record::{Encoding, Format, Framing};

use crate::support::{Steps, delimited, framing, render};

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn utf16(mut framing: Framing) -> Framing {
    framing.encoding = Encoding::Utf16Le;
    framing
}

/// Frames text in steps of several sizes and gives each line as `offset text`.
fn read(framing: &Framing, bytes: &[u8]) -> Vec<String> {
    let whole = render(bytes, framing);
    for step in [1, 2, 3, 7] {
        let steps = Steps {
            bytes,
            steps: vec![step],
            error: None,
        };
        assert_eq!(render(steps, framing), whole, "steps of {step}");
    }
    whole
}

#[test]
fn utf_16_ends_lines_at_whole_characters() {
    // U+0A0A and U+010A hold the byte of a line feed, and so does what stands across U+0A41 and U+0042.
    let text = "\u{feff}a\u{0a0a}b\r\n \r\n\u{010a}\u{0a41}c\nd";
    let bytes = wide(text);
    let framed = read(&utf16(framing(Format::Lines)), &bytes);
    let expected = ["a\u{0a0a}b", "\u{010a}\u{0a41}c", "d"].map(|line| {
        let at = text.split(line).next().unwrap_or_default();
        let offset = 2 * at.encode_utf16().count();
        format!("{offset} {}", wide(line).escape_ascii())
    });
    assert_eq!(framed[0], expected[0]);
    assert_eq!(framed[1], "-Blank");
    assert_eq!(framed[2..], expected[1..]);
}

#[test]
fn utf_16_names_columns() {
    let framed = read(
        &utf16(delimited(&[])),
        &wide("\u{feff}version action\n5 OK\n"),
    );
    assert_eq!(framed[0], "-Header");
    assert!(
        framed[1].starts_with("32 [version|action] 5\\x00"),
        "{framed:?}"
    );
}

#[test]
fn a_mark_is_believed_and_japanese_is_read() {
    let shift_jis = Encoding::ShiftJis;
    assert_eq!(shift_jis.marked(b"\xEF\xBB\xBFa"), Encoding::Utf8);
    assert_eq!(shift_jis.marked(b"\xFF\xFEa\0"), Encoding::Utf16Le);
    assert_eq!(shift_jis.marked(b"a"), shift_jis);
    assert_eq!(shift_jis.decode(b"\x95\\\x8E\xA6 \xB1 \x87@"), "表示 ｱ ①");
    assert_eq!(Encoding::EucJp.decode(b"\xC9\xBD\xBC\xA8"), "表示");
    assert_eq!(
        Encoding::Utf16Le.decode(&wide("表\u{1F512}")),
        "表\u{1F512}"
    );
    assert_eq!(shift_jis.decode(b"a\xFF\x81"), "a\u{fffd}\u{fffd}");
}
