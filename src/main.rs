//! The pidoop program.

fn main() {}
