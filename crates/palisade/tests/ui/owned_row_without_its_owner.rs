//! An owned row is found by who is logged in, and by nothing else.

use palisade::rows::{Owned, Reach, Rows, Viewer};

#[derive(Owned)]
#[owned(table = "note", id = "id", owner = "owner", new = NewNote, change = Retitle(title))]
struct Note {
    id: i64,
    owner: i64,
    title: String,
}

fn make(note: Note) -> Owned<Note> {
    Owned { row: note }
}

fn unwrap(Owned(note): Owned<Note>) -> Note {
    note
}

fn everybodys() -> Rows<Note> {
    Rows::new()
}

fn for_another(note: NewNote) -> NewNote {
    NewNote { owner: 7, ..note }
}

fn give_away(note: Note) -> Retitle {
    Retitle { title: note.title, owner: 7 }
}

async fn grant(note: Reach<Note, Viewer>) {
    let _ = note.grant("bob", palisade::rows::Role::Editor, None).await;
}

fn main() {}
