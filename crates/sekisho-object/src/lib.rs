//! Takes an [`ObjectRef`](sekisho_event::ObjectRef) and gives its decompressed bytes.
//!
//! A store opens the object ([`ObjectStore`]), its [`Body`] brings the bytes to the thread that reads it, and [`decompress`] unpacks them under [`ObjectLimits`].
//!
//! **Invariant:** no object is ever held whole, compression is told by magic bytes and never by a name, and whatever comes before a fault is given before the fault.

mod body;
mod codec;
mod decode;
mod error;
mod input;
mod local;
mod members;
mod sniff;
mod store;
mod zip;

pub use body::{Body, BodyReader, BodySender};
pub use decode::{CappedDecoder, ObjectLimits, RATIO_FLOOR_BYTES, decompress, plain};
pub use error::{DecodeFault, ErrorClass, ObjectError};
pub use local::LocalFiles;
pub use sniff::{Compression, sniff};
pub use store::{ObjectMeta, ObjectStore, OpenObject};
