//! How deep a line of JSON nests, without a stack.

use memchr::memchr2;

/// So many counts fit into a byte, in which the compiler can count many at a time.
const COUNT_BYTES: usize = 255;

/// Says whether brackets outside strings nest deeper than `max_depth`.
pub(crate) fn exceeds(line: &[u8], max_depth: usize) -> bool {
    // `[` and `{` differ in one bit. Counting them all costs next to nothing and settles it for nearly every line.
    let opened: usize = line.chunks(COUNT_BYTES).map(count_opening).sum();
    opened > max_depth && deepest(line) > max_depth
}

fn count_opening(bytes: &[u8]) -> usize {
    let count = bytes.iter().fold(0_u8, |count, byte| {
        count.wrapping_add(u8::from(byte | 0x20 == b'{'))
    });
    usize::from(count)
}

fn deepest(mut line: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    while let Some((first, rest)) = line.split_first() {
        line = rest;
        match first {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => line = behind_string(rest),
            _ => {}
        }
    }
    deepest
}

fn behind_string(mut rest: &[u8]) -> &[u8] {
    while let Some(at) = memchr2(b'"', b'\\', rest) {
        let escape = rest.get(at) == Some(&b'\\');
        rest = rest.get(at + 1 + usize::from(escape)..).unwrap_or_default();
        if !escape {
            return rest;
        }
    }
    &[]
}
