//! Takes what invokes a Lambda and gives the objects that it names, each tied to its message.
//!
//! An [`Event`] is a batch of SQS messages or one direct invocation; a message holds S3 notifications, bare, inside SNS or as EventBridge writes them.
//! A message that cannot be understood carries its own [`MessageError`] and leaves the others alone.
//!
//! **Invariant:** this crate does no I/O and decodes every key before anything looks at it.

mod error;
mod event;
mod ignore;
mod key;
mod location;
mod notification;
mod object_ref;
mod slice;

pub use error::{EventError, MessageError};
pub use event::{Delivery, Event, Message, Receipt, attribute};
pub use ignore::{IgnoreError, IgnoredKeys};
pub use key::decode as decode_key;
pub use location::{LocationError, S3Location};
pub use notification::{IgnoreReason, Ignored, Notifications};
pub use object_ref::ObjectRef;
pub use slice::{ObjectSlice, Reach};
