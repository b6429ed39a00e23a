//! The owner is no column that a change may write.

use palisade::rows::Owned;

#[derive(Owned)]
#[owned(table = "note", id = "id", owner = "owner", change = GiveAway(owner))]
struct Note {
    id: i64,
    owner: i64,
}

#[derive(Owned)]
#[owned(table = "note", id = "id")]
struct Ownerless {
    id: i64,
}

#[derive(Owned)]
#[owned(table = "note; DROP TABLE note", id = "id", owner = "owner")]
struct Quoted {
    id: i64,
}

#[derive(Owned)]
#[owned(table = "note", id = "id", owner = "id")]
struct Narcissus {
    id: i64,
}

#[derive(Owned)]
#[owned(table = "note", id = "number", owner = "owner")]
struct Nameless {
    id: i64,
}

#[derive(Owned)]
#[owned(table = "note", id = "id", owner = "owner")]
struct Unkept {
    id: i64,
    list: Vec<String>,
}

fn main() {}
