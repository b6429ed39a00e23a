//! Single parts without a server: password hashes, the text of sessions, CSRF tokens beside Django's own, and the stores.
//!
//! Two programs, `benches/parts` and `benches/django/parts.py`, are given the same input and answer the same questions. Before
//! anything is timed each must accept what the other has made, and refuse it when it is spoiled: a side that computes
//! something else is not measured. Rounds are interleaved, and every other one begins with the other side.

mod figures;
mod side;

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::ground::Databases;
use crate::page::Block;
use crate::report::conditions;
use figures::{PARTS, Parts, STORES, Stores};
use side::{Side, Who};

/// What can be measured without a server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Part {
    Pbkdf2,
    Argon2,
    Session,
    Csrf,
    Stores,
}

impl Part {
    pub const ALL: [Self; 5] = [
        Self::Pbkdf2,
        Self::Argon2,
        Self::Session,
        Self::Csrf,
        Self::Stores,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Pbkdf2 => "pbkdf2",
            Self::Argon2 => "argon2",
            Self::Session => "session",
            Self::Csrf => "csrf",
            Self::Stores => "stores",
        }
    }

    /// The block that its figures stand in.
    pub fn block(self) -> &'static str {
        if self == Self::Stores { STORES } else { PARTS }
    }

    fn tasks(self) -> &'static [Task] {
        match self {
            Self::Pbkdf2 => &[Task::Pbkdf2],
            Self::Argon2 => &[Task::Argon2],
            Self::Session => &[Task::Encode, Task::Decode],
            Self::Csrf => &[Task::Mask, Task::Match],
            Self::Stores => &[],
        }
    }
}

/// What both sides are asked to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Task {
    Pbkdf2,
    Argon2,
    Encode,
    Decode,
    Mask,
    Match,
}

impl Task {
    fn word(self) -> &'static str {
        match self {
            Self::Pbkdf2 => "pbkdf2",
            Self::Argon2 => "argon2",
            Self::Encode => "encode",
            Self::Decode => "decode",
            Self::Mask => "mask",
            Self::Match => "match",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Pbkdf2 => "PBKDF2-SHA256, 1 000 000 iterations",
            Self::Argon2 => "Argon2id, 100 MiB, 2 passes, 8 lanes",
            Self::Encode => "session of 200 bytes: encode and sign",
            Self::Decode => "session of 200 bytes: verify and decode",
            Self::Mask => "CSRF secret: mask",
            Self::Match => "CSRF token: match",
        }
    }

    /// Whether both sides must read one and the same text, and not each its own.
    fn reads(self) -> bool {
        matches!(self, Self::Decode | Self::Match)
    }

    /// How many times as fast as Django we want to be.
    fn aim(self) -> Option<f64> {
        match self {
            Self::Pbkdf2 => Some(2.4),
            Self::Argon2 => Some(1.0),
            _ => None,
        }
    }
}

const STORE_NAMES: [&str; 8] = [
    "memory",
    "sqlite",
    "postgres",
    "mysql",
    "redis",
    "cache",
    "cached_db",
    "file",
];
const ACTIONS: [&str; 2] = ["load", "save"];

/// Builds what the parts need; Django only where there is something to compare with.
pub fn build(parts: &[Part]) -> Result<()> {
    side::build(Who::Palisade)?;
    if parts.iter().any(|part| !part.tasks().is_empty()) {
        side::build(Who::Django)?;
    }
    Ok(())
}

/// Measures the parts, each for so long on each side in each round.
pub async fn measure(
    parts: &[Part],
    rounds: u32,
    length: Duration,
    databases: &Databases,
) -> Result<Vec<Block>> {
    let how = format!(
        "Medians of {rounds} interleaved rounds of {} s",
        length.as_secs_f64()
    );
    let conditions = conditions(&how);
    let mut blocks = Vec::new();
    let tasks: Vec<Task> = parts.iter().flat_map(|part| part.tasks()).copied().collect();
    if !tasks.is_empty() {
        let figures = compare(&tasks, rounds, length).await?;
        blocks.push(figures.block(conditions.clone()));
    }
    if parts.contains(&Part::Stores) {
        blocks.push(stores(rounds, length, databases).await?.block(conditions));
    }
    Ok(blocks)
}

async fn compare(tasks: &[Task], rounds: u32, length: Duration) -> Result<Parts> {
    let given = side::input()?;
    let mut sides = [
        Side::start(Who::Palisade, &given, None)?,
        Side::start(Who::Django, &given, None)?,
    ];
    for task in tasks {
        prove(&mut sides, *task)?;
    }
    let mut figures = Parts::default();
    let mut times = Vec::new();
    for task in tasks {
        for side in &mut sides {
            times.push((*task, side.who, side.times_in(task.word(), length)?));
        }
    }
    for round in 1..=rounds {
        eprintln!("parts: round {round} of {rounds}");
        for task in tasks {
            sides.reverse();
            for side in &mut sides {
                let counted = times.iter().find(|(of, who, _)| of == task && *who == side.who);
                let count = counted.map_or(1, |(.., count)| *count);
                figures.add(*task, side.who, side.time(task.word(), count)?);
                // So that whoever wants the run to end is heard.
                tokio::task::yield_now().await;
            }
        }
    }
    Ok(figures)
}

/// Holds both sides to the same results.
fn prove([one, other]: &mut [Side; 2], task: Task) -> Result<()> {
    let word = task.word();
    let made = [one.make(word)?, other.make(word)?];
    let [by_one, by_other] = &made;
    for (side, text) in [(&mut *one, by_other), (&mut *other, by_one)] {
        ensure!(
            side.accepts(word, text)?,
            "{} does not accept what the other made of {word}: {text}",
            side.who
        );
        let spoiled = spoil(text);
        ensure!(
            !side.accepts(word, &spoiled)?,
            "{} accepts a spoiled {word}: {spoiled}",
            side.who
        );
    }
    if task.reads() {
        // Django's, which neither of the two has chosen for its own convenience here.
        let text = if one.who == Who::Django { by_one } else { by_other };
        one.give(word, text)?;
        other.give(word, text)?;
    }
    Ok(())
}

/// Changes one character in the middle, which every hash, signature and token must notice.
fn spoil(text: &str) -> String {
    let middle = text.len() * 3 / 4;
    let change = |(at, character): (usize, char)| match character {
        _ if at != middle => character,
        'x' => 'y',
        _ => 'x',
    };
    text.char_indices().map(change).collect()
}

async fn stores(rounds: u32, length: Duration, databases: &Databases) -> Result<Stores> {
    let mut side = Side::start(Who::Palisade, &side::input()?, Some(databases))?;
    let mut times = Vec::new();
    for store in STORE_NAMES {
        for action in ACTIONS {
            times.push((store, action, side.times_at(store, action, length)?));
            tokio::task::yield_now().await;
        }
    }
    let mut figures = Stores::default();
    for round in 1..=rounds {
        eprintln!("stores: round {round} of {rounds}");
        for (store, action, times) in &times {
            figures.add(store, action, side.store(store, action, *times)?);
            tokio::task::yield_now().await;
        }
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spoiled_text_differs_in_one_character() {
        for text in ["abcdefgh", "xxxxxxxx"] {
            let spoiled = spoil(text);
            let different = text.chars().zip(spoiled.chars()).filter(|(a, b)| a != b);
            assert_eq!(different.count(), 1, "{spoiled}");
        }
    }
}
