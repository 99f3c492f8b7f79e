//! The attack: an installation in memory that fails on demand, real code in it, and books that must balance in the end.
//!
//! `SEKISHO_ATTACK_CASES` is how many cases are run, `SEKISHO_ATTACK_SEED` the first one; a case that fails prints its seed, what it shrinks to, and what happened.

mod case;
mod check;
mod expect;
mod fakes;
mod installation;
mod notification;
mod records;
mod run;
mod sources;
mod storm;
mod versions;
mod world;
