//! The attack: an installation in memory that fails on demand, real code in it, and books that must balance in the end.

mod fakes;
