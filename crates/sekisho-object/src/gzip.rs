//! [`Gzip`]: unpacks every member of a gzip object.
//!
//! The inflater is driven by hand because the readers of `flate2` drop what they unpacked in the call that meets corrupt data.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

use crate::error::DecodeFault;
use crate::input::Input;

const MAGIC: &[u8] = b"\x1F\x8B";

/// The largest window of the deflate format, in bits.
const WINDOW_BITS: u8 = 15;

/// Unpacks one member after the other.
pub(crate) struct Gzip {
    /// The member under way.
    member: Option<Decompress>,
    /// Zeros stand behind a member.
    padded: bool,
}

/// What one read gives: bytes, and what ends the object behind them.
pub(crate) struct Given {
    pub(crate) count: usize,
    pub(crate) fault: Option<DecodeFault>,
}

enum Next {
    Member,
    End,
    Fault(DecodeFault),
}

impl Gzip {
    pub(crate) fn new() -> Self {
        Self {
            member: Some(Decompress::new_gzip(WINDOW_BITS)),
            padded: false,
        }
    }

    /// Unpacks into `to`, which is not empty.
    pub(crate) fn read<R: Read>(
        &mut self,
        input: &mut Input<R>,
        to: &mut [u8],
    ) -> io::Result<Given> {
        loop {
            if let Some(member) = &mut self.member {
                let (given, ended) = inflate(member, input, to)?;
                if ended {
                    self.member = None;
                }
                if given.count > 0 || given.fault.is_some() {
                    return Ok(given);
                }
                continue;
            }
            let (count, fault) = match self.next_member(input)? {
                Next::Member => {
                    self.member = Some(Decompress::new_gzip(WINDOW_BITS));
                    continue;
                }
                Next::End => (0, None),
                Next::Fault(fault) => (0, Some(fault)),
            };
            return Ok(Given { count, fault });
        }
    }

    /// Looks at what follows a member. Zeros are padding, as from tapes and block devices; gzip ignores them too.
    fn next_member<R: Read>(&mut self, input: &mut Input<R>) -> io::Result<Next> {
        loop {
            let bytes = input.at_least(MAGIC.len())?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            if zeros > 0 {
                self.padded = true;
                input.consume(zeros);
                continue;
            }
            if bytes.is_empty() {
                return Ok(Next::End);
            }
            if bytes.starts_with(MAGIC) {
                return Ok(Next::Member);
            }
            let cut_magic = !self.padded && MAGIC.starts_with(bytes);
            let offset = input.consumed();
            return Ok(Next::Fault(match cut_magic {
                true => DecodeFault::Truncated { offset: offset + 1 },
                false => DecodeFault::TrailingGarbage { offset },
            }));
        }
    }
}

/// Unpacks until there are bytes or the member ends.
fn inflate<R: Read>(
    member: &mut Decompress,
    input: &mut Input<R>,
    to: &mut [u8],
) -> io::Result<(Given, bool)> {
    loop {
        let bytes = input.some()?;
        let at_end = bytes.is_empty();
        let (read, written) = (member.total_in(), member.total_out());
        let result = member.decompress(bytes, to, FlushDecompress::None);
        let read = difference(member.total_in(), read);
        let count = difference(member.total_out(), written);
        input.consume(read);
        let offset = input.consumed();
        let stuck = read == 0 && count == 0;
        let fault = match result {
            Err(_) => Some(DecodeFault::Corrupt { offset }),
            Ok(Status::StreamEnd) => return Ok((Given { count, fault: None }, true)),
            Ok(_) if stuck && at_end => Some(DecodeFault::Truncated { offset }),
            Ok(_) if stuck => Some(DecodeFault::Corrupt { offset }),
            Ok(_) => None,
        };
        if count > 0 || fault.is_some() {
            return Ok((Given { count, fault }, false));
        }
    }
}

/// How many bytes one call moved; never more than a slice holds.
fn difference(after: u64, before: u64) -> usize {
    usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX)
}
